// Points of the map as bitmaps.

/** Bitmaps of points: drawing 10,000 points is then a copy of pixels, not of paths. */
class Sprites {
  constructor(shapes) {
    this.shapes = shapes.map((shape) => new Path2D(shape));
    this.made = new Map();
  }

  clear() {
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
