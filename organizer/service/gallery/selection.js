// Which images are selected, and where the cursor is: of every grid, also of search results.

export class Selection {
  #collection;
  #marks = new Uint8Array(0);
  #listeners = new Set();
  #anchor = null; // row from which shift selects
  #before = null; // the marks when the range began

  constructor(collection) {
    this.#collection = collection;
    this.#marks = new Uint8Array(collection.total);
    this.count = 0;
    this.cursor = 0; // a position
    collection.subscribe((change) => this.#onChange(change));
  }

  // Positions move when images leave or come back: the cursor stays where it was on the screen.
  #onChange({ reloaded }) {
    const collection = this.#collection;
    const row = collection.rowAt(this.cursor);
    if (!reloaded) {
      return () => {
        if (row !== undefined) this.cursor = collection.positionOf(row);
        this.#forget((kept) => this.#isShown(kept));
        this.#within();
      };
    }
    const id = row === undefined ? null : collection.idAt(row);
    const selected = this.ids();
    return () => {
      this.#marks = new Uint8Array(collection.total);
      this.count = 0;
      for (const kept of collection.rowsOf(selected)) this.#mark(kept, true);
      const [found] = id ? collection.rowsOf([id]) : [];
      if (found !== undefined) this.cursor = collection.positionOf(found);
      this.#anchor = this.#before = null;
      this.#within();
    };
  }

  #isShown(row) {
    return this.#collection.rowAt(this.#collection.positionOf(row)) === row;
  }

  #within() {
    this.cursor = Math.max(0, Math.min(this.cursor, this.#collection.size - 1));
    this.#emit();
  }

  #mark(row, on) {
    if (Boolean(this.#marks[row]) === on) return;
    this.#marks[row] = on ? 1 : 0;
    this.count += on ? 1 : -1;
  }

  #forget(keeps) {
    if (!this.count) return;
    for (let row = 0; row < this.#marks.length; row += 1) {
      if (this.#marks[row] && !keeps(row)) this.#mark(row, false);
    }
  }

  has(row) {
    return this.#marks[row] === 1;
  }

  /** The ids that are selected, in the order of the view. */
  ids() {
    const found = [];
    if (!this.count) return found;
    for (let row = 0; row < this.#marks.length; row += 1) {
      if (this.#marks[row]) found.push(this.#collection.idAt(row));
    }
    return found;
  }

  /** What an act is about: the images selected, else the one under the cursor. */
  rows() {
    if (this.count) return [...this.#collection.order].filter((row) => this.#marks[row]);
    const row = this.#collection.rowAt(this.cursor);
    return row === undefined ? [] : [row];
  }

  /** Moves the cursor; `extend`: selects all between where shift was first held and here. */
  moveTo(position, { extend = false } = {}) {
    const from = this.#collection.rowAt(this.cursor);
    this.cursor = Math.max(0, Math.min(position, this.#collection.size - 1));
    if (!extend) {
      this.#anchor = this.#before = null;
    } else {
      this.#anchor ??= from;
      this.#before ??= this.#marks.slice();
      this.#paint();
    }
    this.#emit();
  }

  #paint() {
    const at = this.#collection.positionOf(this.#anchor);
    const [low, high] = [Math.min(at, this.cursor), Math.max(at, this.cursor)];
    this.#marks = this.#before.slice();
    for (let i = low; i <= high; i += 1) this.#marks[this.#collection.rowAt(i)] = 1;
    this.count = this.#marks.reduce((sum, mark) => sum + mark, 0);
  }

  toggle(position) {
    const row = this.#collection.rowAt(position);
    if (row === undefined) return;
    this.#mark(row, !this.has(row));
    this.#anchor = row;
    this.#before = null;
    this.#emit();
  }

  only(position) {
    this.#marks.fill(0);
    this.count = 0;
    const row = this.#collection.rowAt(position);
    if (row !== undefined) this.#mark(row, true);
    this.cursor = position;
    this.#anchor = row ?? null;
    this.#before = null;
    this.#emit();
  }

  /** Selects the rows for which `wanted` holds, besides those that are. */
  add(wanted) {
    for (const row of this.#collection.order) if (wanted(row)) this.#mark(row, true);
    this.#emit();
  }

  all() {
    this.add(() => true);
  }

  clear() {
    this.#marks.fill(0);
    this.count = 0;
    this.#anchor = this.#before = null;
    this.#emit();
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #emit() {
    for (const listener of [...this.#listeners]) listener();
  }
}
