// The map: points on a canvas. Map units run from -1 to 1; `y` points up.

const NONE = 0xffff;
const LEAST_ZOOM = 0.5;
const MOST_ZOOM = 200;
const REACH = 12; // pixels between the pointer and a point that it still means

function numbers(text, Type) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Type(bytes.buffer);
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Points sorted into square cells, so that the one under the pointer is found at once. */
class Grid {
  constructor(x, y) {
    this.x = x;
    this.y = y;
    this.side = clamp(Math.ceil(Math.sqrt(x.length / 2)), 1, 256);
    const cells = this.side * this.side;
    this.starts = new Uint32Array(cells + 1);
    for (let i = 0; i < x.length; i++) this.starts[this.cell(x[i], y[i]) + 1]++;
    for (let c = 0; c < cells; c++) this.starts[c + 1] += this.starts[c];
    this.order = new Uint32Array(x.length);
    const next = this.starts.slice();
    for (let i = 0; i < x.length; i++) this.order[next[this.cell(x[i], y[i])]++] = i;
  }

  line(value) {
    return clamp(Math.floor(((value + 1) / 2) * this.side), 0, this.side - 1);
  }

  cell(x, y) {
    return this.line(y) * this.side + this.line(x);
  }

  /** The nearest point within a radius that may be shown, or -1. */
  nearest(x, y, radius, isShown) {
    let best = -1;
    let least = radius * radius;
    for (let row = this.line(y - radius); row <= this.line(y + radius); row++) {
      const from = this.starts[row * this.side + this.line(x - radius)];
      const to = this.starts[row * this.side + this.line(x + radius) + 1];
      for (let at = from; at < to; at++) {
        const i = this.order[at];
        const distance = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
        if (distance < least && isShown(i)) [best, least] = [i, distance];
      }
    }
    return best;
  }
}

/** What is seen: the map's point in the middle, and how large. */
class Camera {
  constructor() {
    this.width = this.height = 1;
    this.reset();
  }

  reset() {
    this.x = this.y = 0;
    this.zoom = 1;
  }

  /** Pixels of one map unit. */
  get scale() {
    return (Math.min(this.width, this.height) / 2) * 0.92 * this.zoom;
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (this.y - y) * this.scale + this.height / 2];
  }

  toMap(left, top) {
    return [
      (left - this.width / 2) / this.scale + this.x,
      this.y - (top - this.height / 2) / this.scale,
    ];
  }

  /** Zoom so that what is at a place stays there. */
  zoomAt(left, top, factor) {
    const [x, y] = this.toMap(left, top);
    this.zoom = clamp(this.zoom * factor, LEAST_ZOOM, MOST_ZOOM);
    const [nowX, nowY] = this.toMap(left, top);
    this.pan(x - nowX, y - nowY);
  }

  /** Move by map units; the middle never leaves the map. */
  pan(x, y) {
    this.x = clamp(this.x + x, -1, 1);
    this.y = clamp(this.y + y, -1, 1);
  }
}

/** A point as a small picture of its own: drawing it 10,000 times is a copy, not a path. */
class Sprites {
  constructor(shapes) {
    this.shapes = shapes.map((shape) => new Path2D(shape));
    this.made = new Map();
  }

  forget() {
    this.made.clear();
  }

  of(colour, shape, radius, ratio) {
    const key = `${colour} ${shape} ${radius} ${ratio}`;
    if (!this.made.has(key)) this.made.set(key, this.make(colour, shape, radius, ratio));
    return this.made.get(key);
  }

  make(colour, shape, radius, ratio) {
    const side = Math.ceil((radius * 2.6 + 2) * ratio);
    const canvas = new OffscreenCanvas(side, side);
    const pen = canvas.getContext("2d");
    pen.translate(side / 2, side / 2);
    pen.scale(radius * ratio, radius * ratio);
    pen.fillStyle = colour;
    pen.fill(this.shapes[shape]);
    return canvas.transferToImageBitmap();
  }
}

class ImageMap {
  constructor(figure, data) {
    this.figure = figure;
    this.data = data;
    this.canvas = figure.querySelector("canvas");
    this.pen = this.canvas.getContext("2d");
    this.camera = new Camera();
    this.sprites = new Sprites(data.shapes);
    this.unpack();
    this.by = "clusters";
    this.chosen = new Set();
    this.hovered = -1;
    this.withPictures = data.spots.length > 0;
    this.listLegend();
    this.listen();
    this.readColours();
    new ResizeObserver(() => this.resize()).observe(this.canvas);
  }

  unpack() {
    const { data } = this;
    const packed = numbers(data.xy, Int16Array);
    this.count = packed.length / 2;
    this.x = new Float32Array(this.count);
    this.y = new Float32Array(this.count);
    for (let i = 0; i < this.count; i++) {
      this.x[i] = packed[2 * i] / 32767;
      this.y[i] = packed[2 * i + 1] / 32767;
    }
    this.groups = {
      clusters: numbers(data.cluster, Uint16Array),
      classes: numbers(data.class, Uint16Array),
    };
    this.folder = numbers(data.folder, Uint16Array);
    this.grid = new Grid(this.x, this.y);
    this.spots = data.spots.map((spot) => this.loadSpot(spot));
  }

  loadSpot({ row, src }) {
    const image = new Image();
    image.onload = () => this.ask();
    image.src = src;
    return { row, image };
  }

  /** Where each point belongs in what the map is coloured by. */
  get group() {
    return this.groups[this.by];
  }

  isShown = (i) => this.chosen.size === 0 || this.chosen.has(this.group[i]);

  // Drawing --------------------------------------------------------------------------------

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    const signs = (entries) => entries.map((e) => ({ colour: read(e.tint), shape: e.shape }));
    this.signs = { clusters: signs(this.data.clusters), classes: signs(this.data.classes) };
    this.nothing = { colour: read("--neutral"), shape: 0 };
    this.ink = read("--ink");
    this.paper = read("--paper");
    this.sprites.forget();
    this.ask();
  }

  resize() {
    const { width, height } = this.canvas.getBoundingClientRect();
    this.ratio = devicePixelRatio || 1;
    Object.assign(this.camera, { width, height });
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    // A canvas that was resized is empty: it is drawn before it is seen.
    this.draw();
  }

  /** Draw before the next frame, once, however often it is asked for. */
  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.draw();
    });
  }

  draw() {
    const { pen, ratio, camera } = this;
    if (!ratio) return;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.chosen.size) this.drawPoints(false, 0.12);
    this.drawPoints(true, 0.85);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.withPictures) this.spots.forEach((spot) => this.drawSpot(spot));
    if (this.hovered >= 0) this.drawRing(this.hovered);
    document.getElementById("map-zoom").textContent = `${Math.round(camera.zoom * 100)}%`;
    this.canvas.dataset.zoom = camera.zoom.toFixed(3);
  }

  /** Fewer points are larger, and all grow a little with the zoom; in steps of half a pixel. */
  get radius() {
    const { width, height, zoom } = this.camera;
    const alone = clamp(220 / Math.sqrt(this.count + 1), 2.2, 5);
    const radius = alone * clamp(Math.sqrt(Math.min(width, height) / 700), 0.6, 1.6) * zoom ** 0.3;
    return Math.round(clamp(radius, 1.5, 11) * 2) / 2;
  }

  drawPoints(shown, alpha) {
    const { pen, ratio, radius, camera, group, x, y } = this;
    const { colour, shape } = this.nothing;
    const sprites = this.signs[this.by].map((s) => this.sprites.of(s.colour, s.shape, radius, ratio));
    const plain = this.sprites.of(colour, shape, radius, ratio);
    const scale = camera.scale * ratio;
    const left = this.canvas.width / 2 - camera.x * scale - plain.width / 2 + 0.5;
    const top = this.canvas.height / 2 + camera.y * scale - plain.width / 2 + 0.5;
    pen.globalAlpha = alpha;
    for (let i = 0; i < this.count; i++) {
      // On whole pixels a sprite is copied, not sampled anew: several times as fast.
      const atX = Math.floor(x[i] * scale + left);
      const atY = Math.floor(top - y[i] * scale);
      if (atX < -30 || atY < -30 || atX > this.canvas.width || atY > this.canvas.height) continue;
      if (this.isShown(i) === shown) pen.drawImage(sprites[group[i]] ?? plain, atX, atY);
    }
    pen.globalAlpha = 1;
  }

  /** Side of a picture: as planned for the whole map, then growing slower than the map, so that
   * what did not overlap never does. */
  get side() {
    const { camera } = this;
    const planned = this.data.spotSize * (camera.scale / camera.zoom);
    return camera.zoom < 1 ? planned * camera.zoom : Math.min(planned * camera.zoom ** 0.5, 200);
  }

  boxOf({ row, image }) {
    const [x, y] = this.camera.toScreen(this.x[row], this.y[row]);
    const larger = Math.max(image.naturalWidth, image.naturalHeight) || 1;
    const [wide, tall] = [image.naturalWidth, image.naturalHeight].map((s) => (s / larger) * this.side);
    return [x - wide / 2, y - tall / 2, wide, tall];
  }

  drawSpot(spot) {
    const { pen, camera } = this;
    const [left, top, wide, tall] = this.boxOf(spot);
    if (!spot.image.complete || !wide) return;
    if (left > camera.width || top > camera.height || left + wide < 0 || top + tall < 0) return;
    pen.globalAlpha = this.isShown(spot.row) ? 1 : 0.12;
    pen.drawImage(spot.image, left, top, wide, tall);
    pen.strokeStyle = (this.signs[this.by][this.group[spot.row]] ?? this.nothing).colour;
    pen.lineWidth = 2;
    pen.strokeRect(left, top, wide, tall);
    pen.globalAlpha = 1;
  }

  drawRing(i) {
    const { pen } = this;
    const [x, y] = this.camera.toScreen(this.x[i], this.y[i]);
    for (const [colour, width] of [[this.paper, 5], [this.ink, 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.arc(x, y, this.radius + 4, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  // What is under the pointer ---------------------------------------------------------------

  find(left, top) {
    const spot = this.withPictures
      ? this.spots.findLast((one) => this.isShown(one.row) && contains(this.boxOf(one), left, top))
      : undefined;
    if (spot) return spot.row;
    const [x, y] = this.camera.toMap(left, top);
    return this.grid.nearest(x, y, REACH / this.camera.scale, this.isShown);
  }

  describe(i) {
    const { data, groups } = this;
    const known = data.classes[groups.classes[i]];
    return [
      data.folders[this.folder[i]] + data.names[i],
      data.clusters[groups.clusters[i]]?.label ?? "unsure, in no cluster",
      data.classes.length ? `label: ${known ? known.label : "none"}` : "",
    ];
  }

  /** Point at an image; the tip stands beside it. */
  hover(i) {
    if (i === this.hovered && !(i >= 0 && tip.hidden)) return;
    this.hovered = i;
    this.canvas.classList.toggle("over", i >= 0);
    this.ask();
    if (i < 0) return hideTip();
    const [x, y] = this.camera.toScreen(this.x[i], this.y[i]);
    const box = this.canvas.getBoundingClientRect();
    showTip(this.describe(i), box.left + x, box.top + y);
  }

  /** With keys there is no pointer: the image in the middle is meant. */
  hoverMiddle() {
    const { camera } = this;
    const i = this.grid.nearest(camera.x, camera.y, 0.5 / camera.zoom, this.isShown);
    this.hover(i);
    document.getElementById("map-said").textContent = i < 0 ? "" : this.describe(i).join(", ");
  }

  // Listening ------------------------------------------------------------------------------

  listen() {
    this.listenToPointers();
    this.listenToTools();
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => this.hover(-1));
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(query).addEventListener("change", () => this.readColours());
    }
  }

  listenToPointers() {
    const { canvas } = this;
    this.pointers = new Map();
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.release(event));
    }
    canvas.addEventListener("pointerleave", () => this.pointers.size || this.hover(-1));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  listenToTools() {
    const { figure } = this;
    const middle = (factor) => () => this.zoom(this.camera.width / 2, this.camera.height / 2, factor);
    const act = { in: middle(1.5), out: middle(1 / 1.5), reset: () => this.reset() };
    for (const button of figure.querySelectorAll("[data-zoom]")) {
      if (button.dataset.zoom in act) button.addEventListener("click", act[button.dataset.zoom]);
    }
    for (const radio of figure.querySelectorAll("[name=map-by]")) {
      radio.addEventListener("change", () => this.colourBy(radio.value));
    }
    figure.querySelector("#map-pictures")?.addEventListener("change", (event) => {
      this.withPictures = event.target.checked;
      this.ask();
    });
    figure.querySelector("#map-all").addEventListener("click", () => this.choose(null));
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, placeOf(event));
    this.pressedAt = placeOf(event);
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.hover(this.find(event.offsetX, event.offsetY));
    const now = placeOf(event);
    this.pointers.set(event.pointerId, now);
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, now);
    else this.drag(before, now);
  }

  drag(before, now) {
    const { scale } = this.camera;
    const [x, y] = [now.x - before.x, now.y - before.y];
    if (!x && !y) return;
    this.canvas.classList.add("dragging");
    this.camera.pan(-x / scale, y / scale);
    this.hover(-1);
    this.ask();
  }

  /** One of two fingers moved: the map follows their middle and their distance. */
  pinch(moved, before, now) {
    const [, other] = [...this.pointers].find(([id]) => id !== moved);
    const gap = (a) => Math.hypot(a.x - other.x, a.y - other.y) || 1;
    const { scale } = this.camera;
    this.camera.pan((before.x - now.x) / 2 / scale, (now.y - before.y) / 2 / scale);
    this.zoom((now.x + other.x) / 2, (now.y + other.y) / 2, gap(now) / gap(before));
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    this.canvas.classList.remove("dragging");
    const { x, y } = placeOf(event);
    const from = this.pressedAt;
    const isTap = from && Math.hypot(x - from.x, y - from.y) < 6;
    if (event.type === "pointerup" && isTap) this.hover(this.find(x, y));
  }

  wheel(event) {
    // A page that is scrolled past the map must not be caught by it.
    if (!event.ctrlKey && document.activeElement !== this.canvas) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 20 : 1);
    this.zoom(event.offsetX, event.offsetY, Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)));
  }

  key(event) {
    const step = 0.2 / this.camera.zoom;
    const { width, height } = this.camera;
    const act = {
      ArrowLeft: () => this.camera.pan(-step, 0),
      ArrowRight: () => this.camera.pan(step, 0),
      ArrowUp: () => this.camera.pan(0, step),
      ArrowDown: () => this.camera.pan(0, -step),
      "+": () => this.zoom(width / 2, height / 2, 1.5),
      "=": () => this.zoom(width / 2, height / 2, 1.5),
      "-": () => this.zoom(width / 2, height / 2, 1 / 1.5),
      0: () => this.reset(),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
    this.hoverMiddle();
    this.ask();
  }

  zoom(x, y, factor) {
    this.camera.zoomAt(x, y, factor);
    this.hover(-1);
    this.ask();
  }

  reset() {
    this.camera.reset();
    this.hover(-1);
    this.ask();
  }

  // Legend ---------------------------------------------------------------------------------

  colourBy(what) {
    this.by = what;
    this.chosen.clear();
    this.listLegend();
    this.ask();
  }

  listLegend() {
    const entries = this.data[this.by];
    const rest = this.group.reduce((sum, group) => sum + (group === NONE), 0);
    const items = entries
      .map((entry, i) => this.legendItem(entry, i))
      .filter((_, i) => entries[i].count > 0);
    if (rest) items.push(this.legendItem(this.restEntry(rest), NONE));
    document.getElementById("map-legend").replaceChildren(...items);
    document.getElementById("map-legend-title").textContent =
      this.by === "clusters" ? "Clusters" : "Labels";
    this.showChoice();
  }

  restEntry(count) {
    const label = this.by === "clusters" ? "unsure" : "no label";
    return { label, count, tint: "--neutral", shape: 0 };
  }

  legendItem({ label, count, tint, shape }, i) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.group = i;
    const name = document.createElement("bdi");
    const number = document.createElement("small");
    name.textContent = button.title = label;
    number.textContent = count.toLocaleString("en");
    button.append(swatch(this.data.shapes[shape], tint), name, number);
    button.addEventListener("click", () => this.choose(i));
    item.append(button);
    return item;
  }

  /** Show only this group, together with those that are chosen already; all for null. */
  choose(i) {
    if (i === null) this.chosen.clear();
    else if (!this.chosen.delete(i)) this.chosen.add(i);
    this.hover(-1);
    this.showChoice();
    this.ask();
  }

  showChoice() {
    const legend = this.figure.querySelector(".map-legend");
    legend.classList.toggle("choosing", this.chosen.size > 0);
    document.getElementById("map-all").hidden = this.chosen.size === 0;
    for (const button of legend.querySelectorAll("li button")) {
      button.setAttribute("aria-pressed", this.chosen.has(Number(button.dataset.group)));
    }
  }
}

function placeOf(event) {
  return { x: event.offsetX, y: event.offsetY };
}

function contains([left, top, wide, tall], x, y) {
  return x >= left && y >= top && x <= left + wide && y <= top + tall;
}

function swatch(shape, tint) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "-1.4 -1.4 2.8 2.8");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", shape);
  path.setAttribute("fill", `var(${tint})`);
  svg.append(path);
  return svg;
}

/** Start when the map comes near, so that the page itself opens at once. */
function startWhenNear(figure) {
  const start = () => {
    observer.disconnect();
    removeEventListener("beforeprint", start);
    new ImageMap(figure, JSON.parse(document.getElementById("map-data").textContent));
  };
  const observer = new IntersectionObserver(
    ([entry]) => entry.isIntersecting && start(),
    { rootMargin: "150% 0px" },
  );
  figure.hidden = false;
  observer.observe(figure);
  addEventListener("beforeprint", start);
}

const mapFigure = document.getElementById("map-figure");
if (mapFigure) startWhenNear(mapFigure);
