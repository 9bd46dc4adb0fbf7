// The map: points on a canvas, moved by pointer, fingers and keys.

const REACH = 12; // pixels within which the pointer selects a point
const REST = 150; // milliseconds after which a file is read

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
    const legend = figure.querySelector(".map-legend");
    this.legend = new Legend(legend, data, (i) => this.choose(i));
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
    this.sources = new Map([...data.spots, ...data.hover].map(({ row, src }) => [row, src]));
  }

  loadSpot({ row, src }) {
    const image = new Image();
    image.onload = () => this.requestDraw();
    image.src = src;
    return { row, image };
  }

  /** The cluster or class of each point, by which the map is coloured. */
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
    this.sprites.clear();
    this.requestDraw();
  }

  resize() {
    const { width, height } = this.canvas.getBoundingClientRect();
    this.ratio = devicePixelRatio || 1;
    Object.assign(this.camera, { width, height });
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    // Resizing clears a canvas, so it is drawn at once.
    this.draw();
  }

  /** Draw before the next frame, once for any number of requests. */
  requestDraw() {
    if (this.requested) return;
    this.requested = true;
    requestAnimationFrame(() => {
      this.requested = false;
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

  /** The radius of a point: larger for fewer points and with the zoom, in half pixels. */
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
      // On whole pixels a sprite is copied, not resampled: several times as fast.
      const atX = Math.floor(x[i] * scale + left);
      const atY = Math.floor(top - y[i] * scale);
      if (atX < -30 || atY < -30 || atX > this.canvas.width || atY > this.canvas.height) continue;
      if (this.isShown(i) === shown) pen.drawImage(sprites[group[i]] ?? plain, atX, atY);
    }
    pen.globalAlpha = 1;
  }

  /** Side of a picture: as planned for the whole map, then growing more slowly than the map, so
   * that pictures never overlap. */
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
      data.clusters[groups.clusters[i]]?.label ?? "unassigned, in no cluster",
      data.classes.length ? `label: ${known ? known.label : "none"}` : "",
    ];
  }

  /** What the large view shows of a point. */
  shownOf(i) {
    const { links, names, hasAll } = this.data;
    const src = this.sources.get(i) ?? "";
    // A picture that is missing though all were to be there could not be read.
    const link = links && (src || !hasAll) ? links[this.folder[i]] + encodeURIComponent(names[i]) : "";
    const [path, ...note] = this.describe(i).filter(Boolean);
    return { src, link, path, note: note.join(", ") };
  }

  enlarge(i) {
    if (i < 0) return;
    large.open([this.shownOf(i)], 0, { group: "Map", closed: () => this.canvas.focus() });
  }

  /** Highlight an image and show its tip. */
  hover(i) {
    if (i === this.hovered && !(i >= 0 && tip.hidden)) return;
    this.hovered = i;
    this.canvas.classList.toggle("over", i >= 0);
    this.requestDraw();
    if (i < 0) return hideTip();
    const [x, y] = this.camera.toScreen(this.x[i], this.y[i]);
    const box = this.canvas.getBoundingClientRect();
    const shown = this.shownOf(i);
    const put = (picture) => showTip(this.describe(i), box.left + x, box.top + y, picture);
    put(pictureOf(shown.src, ""));
    if (!shown.src) this.hoverFromDisk(i, shown, put);
  }

  /** Show the picture of the file of a point on which the pointer rests. */
  hoverFromDisk(i, shown, put) {
    const isThere = () => this.hovered === i && !tip.hidden;
    setTimeout(() => {
      if (isThere()) fromDisk(shown).then((image) => isThere() && put(image), () => {});
    }, REST);
  }

  /** Highlight the image in the middle, for the keyboard. */
  hoverMiddle() {
    const { camera } = this;
    const i = this.grid.nearest(camera.x, camera.y, 0.5 / camera.zoom, this.isShown);
    this.hover(i);
    document.getElementById("map-status").textContent = i < 0 ? "" : this.describe(i).join(", ");
  }

  // Events ------------------------------------------------------------------------------

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
    // A finger leaves when it is lifted, and what it tapped stays shown.
    canvas.addEventListener("pointerleave", (event) => {
      if (!this.isResting(event)) this.restsAt = undefined;
      if (event.pointerType !== "touch" && !this.pointers.size) this.hover(-1);
    });
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
      this.requestDraw();
    });
    figure.querySelector("#map-all").addEventListener("click", () => this.choose(null));
  }

  /** Whether the pointer is where it was: what is below it changed, or covers the map now. */
  isResting({ clientX, clientY }) {
    return clientX === this.restsAt?.x && clientY === this.restsAt.y;
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, placeOf(event));
    this.pressedAt = placeOf(event);
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    // A pointer that rests is told again when the page below it changes: the keys did that.
    if (!before && this.isResting(event)) return;
    this.restsAt = { x: event.clientX, y: event.clientY };
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
    this.requestDraw();
  }

  /** One of two fingers moved: the map follows their midpoint and their distance. */
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
    if (event.type !== "pointerup" || !isTap) return;
    const found = this.find(x, y);
    // A finger cannot point: its first tap does, the second enlarges.
    const isPointedAt = event.pointerType === "mouse" || (found === this.hovered && !tip.hidden);
    this.hover(found);
    if (isPointedAt) this.enlarge(found);
  }

  wheel(event) {
    // Scrolling the page past the map must not zoom the map.
    if (!event.ctrlKey && document.activeElement !== this.canvas) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 20 : 1);
    this.zoom(event.offsetX, event.offsetY, Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)));
  }

  key(event) {
    const step = 0.2 / this.camera.zoom;
    const { width, height } = this.camera;
    if (event.key === "Enter") {
      // Otherwise the same key would press the button that the large view puts the focus on.
      event.preventDefault();
      return this.enlarge(this.hovered);
    }
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
    this.requestDraw();
  }

  zoom(x, y, factor) {
    this.camera.zoomAt(x, y, factor);
    this.hover(-1);
    this.requestDraw();
  }

  reset() {
    this.camera.reset();
    this.hover(-1);
    this.requestDraw();
  }

  // Legend ---------------------------------------------------------------------------------

  colourBy(what) {
    this.by = what;
    this.chosen.clear();
    this.listLegend();
    this.requestDraw();
  }

  listLegend() {
    this.legend.list(this.by, this.group);
    this.legend.mark(this.chosen);
  }

  /** Select or deselect a group; null deselects all. */
  choose(i) {
    if (i === null) this.chosen.clear();
    else if (!this.chosen.delete(i)) this.chosen.add(i);
    this.hover(-1);
    this.legend.mark(this.chosen);
    this.requestDraw();
  }
}

function placeOf(event) {
  return { x: event.offsetX, y: event.offsetY };
}

function contains([left, top, wide, tall], x, y) {
  return x >= left && y >= top && x <= left + wide && y <= top + tall;
}

/** Start when the map is near the screen, so that the page itself opens at once. */
function startWhenNear(figure) {
  const start = () => {
    observer.disconnect();
    removeEventListener("beforeprint", start);
    new ImageMap(figure, JSON.parse(document.getElementById("map-data").textContent));
  };
  const observer = new IntersectionObserver(
    // A quick jump is told in one call: not there, and then there.
    (entries) => entries.some((entry) => entry.isIntersecting) && start(),
    { rootMargin: "150% 0px" },
  );
  figure.hidden = false;
  observer.observe(figure);
  addEventListener("beforeprint", start);
}

const mapFigure = document.getElementById("map-figure");
if (mapFigure) startWhenNear(mapFigure);
