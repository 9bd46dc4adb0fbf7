// The map on the screen: drawn over as many frames as it takes, moved by mouse, fingers and keys.
import { Camera, PointGrid, clamp } from "./map_camera.js";
import { Points2d } from "./points_2d.js";
import { PointsGl } from "./points_gl.js";

const REACH = 12; // pixels within which the pointer finds a point
const TAP = 6; // pixels that a finger or mouse may move in a click
const STEP = 3; // pixels between two corners of a lasso
const FASTEST = 24; // ms between frames below which more is drawn while the map moves
const SLOWEST = 40;
const LEAST = 20_000;
const AT_ONCE = 200_000; // points of a frame, when nothing moves

/**
 * @param {HTMLElement} stage What the canvases fill; it takes the focus and the pointer.
 * @param {object} on `hover(row, left, top)` (-1: none), `open(row)`, `lasso(rows, {add, remove})`.
 */
export class MapCanvas {
  constructor(stage, on, { renderer = "" } = {}) {
    this.stage = stage;
    this.on = on;
    this.wanted = renderer;
    this.camera = new Camera();
    this.isLassoing = false;
    this.pointers = new Map();
    this.path = null;
    this.hovered = -1;
    this.budget = 150_000;
    this.isMoving = false;
    this.ended = new AbortController();
    this.frames = []; // ms between frames while the map moved, the latest last
    this.overlay = layer(stage);
    this.pen = this.overlay.getContext("2d");
    this.makeRenderer();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(stage);
    this.listen();
  }

  makeRenderer({ only2d = this.wanted === "canvas" } = {}) {
    this.canvas?.remove();
    this.canvas = layer(this.stage, this.overlay);
    this.renderer = only2d
      ? Points2d.on(this.canvas)
      : PointsGl.on(this.canvas, { evenSlow: this.wanted === "webgl" });
    // A canvas that was asked for WebGL gives nothing else.
    if (!this.renderer) return this.makeRenderer({ only2d: true });
    this.stage.dataset.renderer = this.renderer.name;
    this.canvas.addEventListener("webglcontextlost", () => this.lost());
    return undefined;
  }

  // The graphics card is gone: a driver that was restarted, a laptop that slept.
  lost() {
    if (this.isClosed) return;
    this.makeRenderer({ only2d: true });
    this.feed();
    this.resize();
  }

  /** @param {Float32Array} xy */
  setPoints(xy) {
    this.xy = xy;
    this.count = xy.length / 2;
    this.grid = new PointGrid(xy);
    this.groups = null;
    this.feed();
  }

  /** Colours: `groups` Uint16Array into `palette`; `bright` Uint8Array or null: all are. */
  paint(groups, palette, bright) {
    this.groups = groups;
    this.palette = palette;
    this.bright = bright;
    this.lists = { bright: null, dim: null };
    this.lengths = { bright: this.count, dim: 0 };
    if (bright) {
      const rows = { bright: new Uint32Array(this.count), dim: new Uint32Array(this.count) };
      this.lengths.bright = 0;
      for (let row = 0; row < this.count; row += 1) {
        const name = bright[row] ? "bright" : "dim";
        rows[name][this.lengths[name]] = row;
        this.lengths[name] += 1;
      }
      for (const name of ["bright", "dim"]) {
        this.lists[name] = rows[name].subarray(0, this.lengths[name]);
      }
    }
    this.feed();
    this.redraw();
  }

  feed() {
    if (!this.xy) return;
    this.renderer.setPoints(this.xy);
    if (!this.groups) return;
    this.renderer.setGroups(this.groups, this.palette);
    this.renderer.setLists(this.lists.bright, this.lists.dim);
  }

  isShown = (row) => !this.bright || Boolean(this.bright[row]);

  // Drawing --------------------------------------------------------------------------------

  resize() {
    const { width, height } = this.stage.getBoundingClientRect();
    if (!width || !height) return;
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    Object.assign(this.camera, { width, height });
    const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * this.ratio)));
    Object.assign(this.overlay, { width: w, height: h });
    this.renderer.resize(w, h);
    this.redraw();
  }

  /** The radius of a point in CSS pixels: larger for fewer points and with the zoom. */
  get radius() {
    const { width, height, zoom } = this.camera;
    const most = clamp(Math.min(width, height) / 130, 3, 6);
    const alone = clamp((0.55 * Math.sqrt(width * height)) / Math.sqrt(this.count + 1), 1, most);
    return clamp(alone * zoom ** 0.35, 1, 11);
  }

  /** Draws the map anew, beginning with the next frame. */
  redraw() {
    this.todo = null;
    this.request();
  }

  request() {
    if (this.requested || this.isClosed) return;
    this.requested = requestAnimationFrame((now) => {
      this.requested = 0;
      this.frame(now);
    });
  }

  frame(now) {
    if (!this.groups || !this.ratio) return;
    const { renderer } = this;
    if (!this.todo) {
      const { camera, ratio, radius } = this;
      renderer.begin({ camera, ratio, radius });
      this.todo = { dim: 0, bright: 0 };
    }
    this.adapt(now);
    let left = this.isMoving ? this.budget : AT_ONCE;
    for (const name of ["dim", "bright"]) {
      const from = this.todo[name];
      const to = Math.min(from + left, this.lengths[name]);
      if (to === from) continue;
      renderer.draw(name, from, to);
      this.todo[name] = to;
      left = Math.max(left - (to - from), this.isMoving ? LEAST : 0);
      if (left <= 0) break;
    }
    renderer.end();
    this.drawOverlay();
    const done = this.todo.dim >= this.lengths.dim && this.todo.bright >= this.lengths.bright;
    // Points are in no order: those that were drawn while it moved are a sample of all.
    if (!done && !this.isMoving) this.request();
    this.stage.dataset.drawn = String(done ? this.count : this.todo.bright + this.todo.dim);
  }

  // As many points as there is time for, while the map moves.
  adapt(now) {
    const took = now - (this.before ?? -Infinity);
    this.before = now;
    if (!this.isMoving || took > 1_000) return;
    this.frames.push(took);
    if (this.frames.length > 600) this.frames.shift();
    if (took > SLOWEST) this.budget = Math.max(LEAST, Math.round(this.budget * 0.7));
    else if (took < FASTEST) this.budget = Math.min(this.count, Math.round(this.budget * 1.15));
  }

  /** The map is being moved, by a pointer `at` a place; soon after the last call it is drawn in full. */
  moving(at = null) {
    this.at = at;
    this.isMoving = true;
    this.todo = null;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      this.isMoving = false;
      this.request();
      if (this.at && !this.pointers.size) this.hover(this.find(...this.at));
    }, 120);
    this.hover(-1);
    this.request();
  }

  drawOverlay() {
    const { pen, ratio, overlay } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, overlay.width, overlay.height);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(this.stage);
    if (this.hovered >= 0) this.drawRing(style);
    if (this.path) this.drawPath(style);
  }

  drawRing(style) {
    const { pen, xy, hovered } = this;
    const [x, y] = this.camera.toScreen(xy[2 * hovered], xy[2 * hovered + 1]);
    for (const [name, width] of [["--page", 5], ["--text", 2]]) {
      pen.strokeStyle = style.getPropertyValue(name);
      pen.lineWidth = width;
      pen.beginPath();
      pen.arc(x, y, this.radius + 4, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  drawPath(style) {
    const { pen } = this;
    pen.beginPath();
    this.path.points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    pen.fillStyle = style.getPropertyValue("--accent");
    pen.globalAlpha = 0.14;
    pen.fill("evenodd");
    pen.globalAlpha = 1;
    pen.strokeStyle = style.getPropertyValue("--accent");
    pen.lineWidth = 2;
    pen.stroke();
  }

  // What is under the pointer ------------------------------------------------------------------

  find(left, top) {
    if (!this.grid) return -1;
    const [x, y] = this.camera.toMap(left, top);
    const reach = Math.max(REACH, this.radius + 2) / this.camera.scale;
    return this.grid.nearest(x, y, reach, this.isShown);
  }

  hover(row) {
    if (row === this.hovered) return;
    this.hovered = row;
    this.stage.classList.toggle("over", row >= 0);
    if (this.groups && this.ratio) this.drawOverlay();
    if (row < 0) return this.on.hover(-1);
    const [left, top] = this.camera.toScreen(this.xy[2 * row], this.xy[2 * row + 1]);
    this.on.hover(row, left, top);
  }

  /** The image nearest to the middle, for the keyboard. */
  hoverMiddle() {
    const { camera } = this;
    this.hover(this.grid.nearest(camera.x, camera.y, 0.5 / camera.zoom, this.isShown));
  }

  /** Rows that are bright and on the screen. */
  visible() {
    const { camera } = this;
    const [left, upper] = camera.toMap(0, 0);
    const [right, lower] = camera.toMap(camera.width, camera.height);
    const rows = [];
    this.grid.within(left, lower, right, upper, (i) => {
      const [x, y] = [this.xy[2 * i], this.xy[2 * i + 1]];
      const isIn = x >= left && x <= right && y >= lower && y <= upper;
      if (isIn && this.isShown(i)) rows.push(i);
    });
    return Uint32Array.from(rows);
  }

  // The rows inside a lasso: it is filled on a canvas, and each point looks at its pixel.
  inside(path) {
    const { camera, xy } = this;
    const xs = path.map(([x]) => x);
    const ys = path.map(([, y]) => y);
    const [left, top] = [Math.floor(Math.min(...xs)), Math.floor(Math.min(...ys))];
    const width = Math.ceil(Math.max(...xs)) - left + 1;
    const height = Math.ceil(Math.max(...ys)) - top + 1;
    const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    pen.beginPath();
    path.forEach(([x, y]) => pen.lineTo(x - left, y - top));
    pen.fill("evenodd");
    const filled = pen.getImageData(0, 0, width, height).data;
    const [west, north] = camera.toMap(left, top);
    const [east, south] = camera.toMap(left + width, top + height);
    const rows = [];
    this.grid.within(west, south, east, north, (i) => {
      const [x, y] = camera.toScreen(xy[2 * i], xy[2 * i + 1]);
      const [column, line] = [Math.floor(x - left), Math.floor(y - top)];
      if (column < 0 || line < 0 || column >= width || line >= height) return;
      if (filled[4 * (line * width + column) + 3] > 127) rows.push(i);
    });
    return Uint32Array.from(rows);
  }

  // Moving ------------------------------------------------------------------------------------

  /** By shares of the screen. */
  pan(x, y) {
    const { camera } = this;
    camera.pan((x * camera.width) / camera.scale, (y * camera.height) / camera.scale);
    this.moving();
  }

  /** About a place, or the middle of the screen. */
  zoom(factor, at = null) {
    const { camera } = this;
    camera.zoomAt(...(at || [camera.width / 2, camera.height / 2]), factor);
    this.moving(at);
  }

  reset() {
    this.camera.reset();
    this.moving();
  }

  listen() {
    const { stage } = this;
    const { signal } = this.ended;
    const on = (name, run, options) => stage.addEventListener(name, run, { signal, ...options });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.release(event));
    on("pointerleave", (event) => this.leave(event));
    on("wheel", (event) => this.wheel(event), { passive: false });
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(query).addEventListener("change", () => this.redraw(), { signal });
    }
  }

  press(event) {
    if (event.button > 0) return;
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    const at = this.placeOf(event);
    this.pointers.set(event.pointerId, at);
    this.pressedAt = at;
    this.path = null;
    if (this.pointers.size > 1 || !(this.isLassoing || event.shiftKey)) return;
    this.path = { points: [at], add: event.shiftKey && this.isLassoing, remove: event.altKey };
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    const now = this.placeOf(event);
    this.at = now;
    if (!before) return this.isMoving || this.hover(this.find(...now));
    this.pointers.set(event.pointerId, now);
    if (this.path) return this.extend(now);
    if (this.pointers.size === 2) return this.pinch(event.pointerId, before, now);
    const { scale } = this.camera;
    if (now[0] === before[0] && now[1] === before[1]) return undefined;
    this.camera.pan((before[0] - now[0]) / scale, (now[1] - before[1]) / scale);
    return this.moving(now);
  }

  // A finger leaves with every tap.
  leave(event) {
    if (event.pointerType !== "mouse") return;
    this.at = null;
    if (!this.pointers.size) this.hover(-1);
  }

  extend(now) {
    const { points } = this.path;
    const [x, y] = points[points.length - 1];
    if (Math.hypot(now[0] - x, now[1] - y) < STEP) return;
    points.push(now);
    this.hover(-1);
    this.drawOverlay();
  }

  /** One of two fingers moved: the map follows their midpoint and their distance. */
  pinch(moved, before, now) {
    const [, other] = [...this.pointers].find(([id]) => id !== moved);
    const gap = ([x, y]) => Math.hypot(x - other[0], y - other[1]) || 1;
    const { scale } = this.camera;
    this.camera.pan((before[0] - now[0]) / 2 / scale, (now[1] - before[1]) / 2 / scale);
    this.zoom(gap(now) / gap(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    const { path } = this;
    this.path = null;
    const at = this.placeOf(event);
    const from = this.pressedAt;
    const isTap = from && Math.hypot(at[0] - from[0], at[1] - from[1]) < TAP;
    if (event.type !== "pointerup") return;
    if (path && path.points.length > 2) {
      this.drawOverlay();
      this.on.lasso(this.inside(path.points), path);
    } else if (isTap) this.tap(event, at);
  }

  // A finger shows the picture first, a second tap opens it; a mouse has seen it already.
  tap(event, at) {
    const before = this.hovered;
    const row = this.find(...at);
    this.hover(row);
    if (row >= 0 && (event.pointerType === "mouse" || row === before)) this.on.open(row);
  }

  wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 20 : 1);
    this.zoom(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0018)), this.placeOf(event));
  }

  placeOf(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  close() {
    this.isClosed = true;
    this.ended.abort();
    cancelAnimationFrame(this.requested);
    clearTimeout(this.rest);
    this.observer.disconnect();
    this.renderer.close();
  }
}

function layer(stage, before = null) {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  stage.insertBefore(canvas, before);
  return canvas;
}
