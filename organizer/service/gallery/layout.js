// Where each image of a grid is: rows of one width, exact before any picture is there.

/**
 * @param {{count: number, ratio: (position: number) => number, width: number, target: number,
 *   gap: number}} options `ratio`: width by height; `target`: height of a row in pixels.
 * @returns {Layout}
 */
export function justified({ count, ratio, width, target, gap }) {
  const first = []; // position with which a row begins
  const tops = [];
  let top = 0;
  let at = 0;
  while (at < count) {
    const begin = at;
    let sum = 0;
    let height = Infinity;
    while (at < count && height > target * 1.08) {
      sum += clamp(ratio(at));
      at += 1;
      height = (width - gap * (at - begin - 1)) / sum;
    }
    first.push(begin);
    tops.push(top);
    top += Math.min(height, target * 1.25) + gap;
  }
  const heights = tops.map((t, row) => (row + 1 < tops.length ? tops[row + 1] : top) - t - gap);
  return new Layout({ count, first, tops, heights, total: Math.max(0, top - gap), gap }, (row) => {
    const places = [];
    let x = 0;
    const end = row + 1 < first.length ? first[row + 1] : count;
    for (let i = first[row]; i < end; i += 1) {
      const w = clamp(ratio(i)) * heights[row];
      places.push({ x, w });
      x += w + gap;
    }
    return places;
  });
}

/** As `justified`, of squares. */
export function squares({ count, width, target, gap }) {
  const columns = Math.max(1, Math.round((width + gap) / (target + gap)));
  const side = (width - gap * (columns - 1)) / columns;
  const rows = Math.ceil(count / columns);
  const of = (f) => Float64Array.from({ length: rows }, (_, row) => f(row));
  const parts = {
    count,
    first: of((row) => row * columns),
    tops: of((row) => row * (side + gap)),
    heights: of(() => side),
    total: Math.max(0, rows * (side + gap) - gap),
    gap,
  };
  return new Layout(parts, (row) =>
    Array.from({ length: Math.min(columns, count - row * columns) }, (_, i) => ({
      x: i * (side + gap),
      w: side,
    })),
  );
}

const clamp = (ratio) => Math.max(0.4, Math.min(ratio, 3));

class Layout {
  #parts;
  #places;

  constructor(parts, places) {
    this.#parts = parts;
    this.#places = places;
    this.rows = parts.first.length;
    this.height = parts.total;
  }

  /** The row that holds a position. */
  rowOf(position) {
    return lastAtMost(this.#parts.first, position);
  }

  /** The row at a height in pixels. */
  rowAtHeight(y) {
    return lastAtMost(this.#parts.tops, y);
  }

  /** {first, top, height, places: [{x, w}]} of a row. */
  row(row) {
    const { first, tops, heights } = this.#parts;
    return { first: first[row], top: tops[row], height: heights[row], places: this.#places(row) };
  }

  /** The position above or below, by the middle of the picture. */
  beside(position, rows) {
    const here = this.rowOf(position);
    const to = Math.max(0, Math.min(here + rows, this.rows - 1));
    if (to === here) return rows < 0 ? 0 : this.#parts.count - 1;
    const from = this.row(here);
    const place = from.places[position - from.first];
    const middle = place.x + place.w / 2;
    const there = this.row(to);
    let best = 0;
    there.places.forEach(({ x, w }, i) => {
      const far = (p) => Math.abs(p.x + p.w / 2 - middle);
      if (far({ x, w }) < far(there.places[best])) best = i;
    });
    return there.first + best;
  }
}

function lastAtMost(sorted, value) {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
