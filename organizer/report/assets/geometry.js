// Geometry of the map: points in a grid, and a camera. Map units run from -1 to 1, y up.

const LEAST_ZOOM = 0.5;
const MOST_ZOOM = 200;

function numbers(text, Type) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Type(bytes.buffer);
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Points sorted into square cells, to find the one under the pointer quickly. */
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

  /** The nearest shown point within a radius, or -1. */
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

/** The visible part: the map's point in the middle, and the zoom. */
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

  /** Zoom so that the point at a place of the screen stays there. */
  zoomAt(left, top, factor) {
    const [x, y] = this.toMap(left, top);
    this.zoom = clamp(this.zoom * factor, LEAST_ZOOM, MOST_ZOOM);
    const [nowX, nowY] = this.toMap(left, top);
    this.pan(x - nowX, y - nowY);
  }

  /** Move by map units; the middle stays inside the map. */
  pan(x, y) {
    this.x = clamp(this.x + x, -1, 1);
    this.y = clamp(this.y + y, -1, 1);
  }
}
