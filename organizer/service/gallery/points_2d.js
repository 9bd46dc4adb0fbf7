// Points drawn without WebGL: into the pixels of a canvas, a million in some ten milliseconds.

const ALPHA = 0.9;
const DIM = 0.18;
const SQUARE = 1.5; // pixels of a radius below which a point is a square of two pixels

/** A renderer; see `PointsGl` for what its methods take. */
export class Points2d {
  static on(canvas) {
    return new Points2d(canvas);
  }

  constructor(canvas) {
    this.name = "canvas";
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.lists = { bright: null, dim: null };
  }

  setPoints(xy) {
    this.xy = xy;
    this.count = xy.length / 2;
  }

  setGroups(groups, palette) {
    this.groups = groups;
    this.colours = { bright: packed(palette, ALPHA), dim: packed(palette, DIM) };
  }

  setLists(bright, dim) {
    this.lists = { bright, dim };
  }

  resize(width, height) {
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = this.pen.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  begin({ camera, ratio, radius }) {
    const { width, height } = this.canvas;
    this.pixels.fill(0);
    this.scale = camera.scale * ratio;
    this.left = width / 2 - camera.x * this.scale;
    this.top = height / 2 + camera.y * this.scale;
    this.stamp = stampOf(radius * ratio, width);
  }

  draw(name, from, to) {
    const rows = this.lists[name];
    const { xy, groups, pixels, scale, left, top } = this;
    const { width, height } = this.canvas;
    const { reach, core, edge, cover } = this.stamp;
    const colours = this.colours[name];
    for (let at = from; at < to; at += 1) {
      const row = rows ? rows[at] : at;
      const x = Math.floor(left + xy[2 * row] * scale);
      const y = Math.floor(top - xy[2 * row + 1] * scale);
      if (x < reach || y < reach || x >= width - reach || y >= height - reach) continue;
      const colour = colours[groups[row]];
      const place = y * width + x;
      for (let i = 0; i < core.length; i += 1) pixels[place + core[i]] = colour;
      for (let i = 0; i < edge.length; i += 1) {
        // The rim is thinner, where nothing covers it already.
        const under = pixels[place + edge[i]];
        if (under >>> 24 < cover[i] * (colour >>> 24)) {
          pixels[place + edge[i]] = (colour & 0xffffff) | ((cover[i] * (colour >>> 24)) << 24);
        }
      }
    }
  }

  end() {
    this.pen.putImageData(this.image, 0, 0);
  }

  close() {}
}

// Colours as a pixel of a little-endian machine has them, which all that run browsers are.
function packed(palette, alpha) {
  const found = new Uint32Array(palette.length / 4);
  for (let i = 0; i < found.length; i += 1) {
    const [r, g, b] = palette.subarray(4 * i, 4 * i + 3);
    found[i] = ((Math.round(255 * alpha) << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return found;
}

// The pixels of a disc about its middle: those that it covers, and those of its rim by how much.
function stampOf(radius, width) {
  if (radius < SQUARE) return { reach: 1, core: Int32Array.of(0, 1, width, width + 1), edge: [] };
  const reach = Math.ceil(radius + 0.5);
  const core = [];
  const edge = [];
  const cover = [];
  for (let y = -reach; y <= reach; y += 1) {
    for (let x = -reach; x <= reach; x += 1) {
      const inside = radius + 0.5 - Math.hypot(x, y);
      if (inside >= 1) core.push(y * width + x);
      else if (inside > 0.15) {
        edge.push(y * width + x);
        cover.push(inside);
      }
    }
  }
  return { reach, core: Int32Array.from(core), edge: Int32Array.from(edge), cover };
}
