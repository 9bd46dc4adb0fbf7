// The visible part of the map, and points in a grid. Map units run from -1 to 1, y up.

const LEAST_ZOOM = 0.5;
const MOST_ZOOM = 2_000;

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The map's point in the middle of the screen, and the zoom. */
export class Camera {
  constructor() {
    this.width = this.height = 1;
    this.reset();
  }

  reset() {
    this.x = this.y = 0;
    this.zoom = 1;
  }

  /** CSS pixels of one map unit. */
  get scale() {
    return (Math.min(this.width, this.height) / 2) * 0.94 * this.zoom;
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

/** Points sorted into square cells, to find those at a place quickly. */
export class PointGrid {
  /** @param {Float32Array} xy x and y of each point. */
  constructor(xy) {
    this.xy = xy;
    const n = xy.length / 2;
    this.side = clamp(Math.ceil(Math.sqrt(n / 4)), 1, 512);
    const cells = this.side * this.side;
    this.starts = new Uint32Array(cells + 1);
    for (let i = 0; i < n; i += 1) this.starts[this.cell(xy[2 * i], xy[2 * i + 1]) + 1] += 1;
    for (let c = 0; c < cells; c += 1) this.starts[c + 1] += this.starts[c];
    this.order = new Uint32Array(n);
    const next = this.starts.slice();
    for (let i = 0; i < n; i += 1) {
      const cell = this.cell(xy[2 * i], xy[2 * i + 1]);
      this.order[next[cell]] = i;
      next[cell] += 1;
    }
  }

  line(value) {
    return clamp(Math.floor(((value + 1) / 2) * this.side), 0, this.side - 1);
  }

  cell(x, y) {
    return this.line(y) * this.side + this.line(x);
  }

  /** Calls `take(point)` for those in the cells that a rectangle touches, and maybe some more. */
  within(left, lower, right, upper, take) {
    const [first, last] = [this.line(left), this.line(right)];
    for (let row = this.line(lower); row <= this.line(upper); row += 1) {
      const from = this.starts[row * this.side + first];
      const to = this.starts[row * this.side + last + 1];
      for (let at = from; at < to; at += 1) take(this.order[at]);
    }
  }

  /** The nearest shown point within a radius, or -1. */
  nearest(x, y, radius, isShown) {
    let best = -1;
    let least = radius * radius;
    this.within(x - radius, y - radius, x + radius, y + radius, (i) => {
      const distance = (this.xy[2 * i] - x) ** 2 + (this.xy[2 * i + 1] - y) ** 2;
      if (distance < least && isShown(i)) [best, least] = [i, distance];
    });
    return best;
  }
}
