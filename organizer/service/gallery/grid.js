// The grid: only the cells that are seen are there, and they are used again and again.
import { thumbnailUrl } from "./api.js";
import { justified, squares } from "./layout.js";
import { Loader } from "./loader.js";
import { Scroll } from "./scroll.js";
import { Scrubber } from "./scrubber.js";
import { sizeFor } from "./thumb.js";
import { wallClock } from "./format.js";

const AHEAD = 400; // px above and below what is seen that are drawn too
const FAST = 6; // px per ms; quicker than this nothing can be seen
const REBASE = 500_000; // px; transforms stay small numbers

let grids = 0;

export class Grid {
  #cells = new Map(); // row of the collection -> cell
  #free = [];
  #loader = new Loader();
  #origin = 0;
  #rest = 0;
  #version = 0; // of the layout
  #unsubscribe = [];
  #layer = document.createElement("div");

  /**
   * @param {HTMLElement} root A listbox; it keeps the focus, so a cell may go.
   * @param {{collection, selection, target: number, isSquare: boolean,
   *   caption?: (row: number) => string}} options `caption`: what is written on a picture.
   */
  constructor(root, options) {
    Object.assign(this, options);
    this.root = root;
    this.id = `grid-${(grids += 1)}`;
    this.#layer.className = "grid-layer";
    this.#layer.setAttribute("role", "presentation");
    root.append(this.#layer);
    this.scroll = new Scroll(root, {
      limit: () => Math.max(0, this.layout.height + 2 * this.gap - this.height),
      onMove: (top, speed) => this.#draw(top, speed),
    });
    this.scrubber = new Scrubber(root, {
      onDrag: (top) => this.scroll.to(top),
      describe: (top) => this.#describe(top),
    });
    this.#unsubscribe = [
      this.collection.subscribe(({ reloaded }) => {
        if (reloaded) return () => (this.#releaseAll(), this.arrange());
        return () => this.arrange({ moving: true });
      }),
      this.selection.subscribe(() => this.#marks()),
    ];
    const watch = new ResizeObserver(() => this.#measure());
    watch.observe(root);
    this.#unsubscribe.push(() => watch.disconnect());
    this.#measure();
  }

  #measure() {
    const width = this.root.clientWidth;
    const height = this.root.clientHeight;
    if (width === this.width && height === this.height) return;
    this.gap = width < 520 ? 3 : 6;
    this.height = height;
    const isNew = width !== this.width;
    this.width = width;
    if (isNew) this.arrange();
    else this.scroll.again();
  }

  /** Lays out anew; what is at the top of the screen stays there. */
  arrange({ target = this.target, isSquare = this.isSquare, moving = false } = {}) {
    const anchor = this.layout?.rows && !moving ? this.#anchor() : null;
    this.#layer.classList.toggle("moving", moving);
    Object.assign(this, { target, isSquare });
    const { collection, gap } = this;
    const width = this.width - 14 - 2 * gap;
    const layout = isSquare ? squares : justified;
    this.layout = layout({
      count: collection.size,
      ratio: (position) => collection.ratio[collection.rowAt(position)],
      width: Math.max(width, 60),
      target: Math.min(target, Math.max(60, width / 2)),
      gap,
    });
    this.#version += 1;
    if (anchor && this.layout.rows) {
      const position = Math.min(collection.positionOf(anchor.row), collection.size - 1);
      const row = this.layout.row(this.layout.rowOf(position));
      if (anchor.offset || row.top) this.scroll.target = this.scroll.top = row.top + anchor.offset;
    }
    this.scroll.again();
  }

  #anchor() {
    const { top } = this.scroll;
    const row = this.layout.row(this.layout.rowAtHeight(top));
    return {
      row: this.collection.rowAt(Math.min(row.first, this.collection.size - 1)) ?? 0,
      offset: top - row.top,
    };
  }

  #describe(top) {
    const row = this.layout.row(this.layout.rowAtHeight(top));
    const time = this.collection.time[this.collection.rowAt(row.first)];
    const at = `${(row.first + 1).toLocaleString("en")} of ${this.collection.size.toLocaleString("en")}`;
    return time ? `${at}\n${wallClock(time)}` : at;
  }

  #draw(top, speed) {
    const { layout, gap, height } = this;
    if (Math.abs(top - this.#origin) > REBASE) {
      this.#origin = Math.floor(top);
      this.#releaseAll();
    }
    this.#loader.pause(speed > FAST);
    if (speed > FAST) {
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => this.#loader.pause(false), 90);
    }
    const seen = new Set();
    if (layout.rows) {
      const ahead = speed > FAST ? 0 : AHEAD;
      const from = layout.rowAtHeight(top - ahead);
      const to = layout.rowAtHeight(top + height + ahead);
      for (let row = from; row <= to; row += 1) this.#drawRow(layout.row(row), seen);
    }
    for (const [row, cell] of this.#cells) if (!seen.has(row)) this.#release(row, cell);
    this.#layer.style.transform = `translate3d(0, ${this.#origin - top + gap}px, 0)`;
    this.scrubber.draw(top, height, layout.height + 2 * gap);
  }

  #drawRow({ first, top, height, places }, seen) {
    places.forEach(({ x, w }, i) => {
      const row = this.collection.rowAt(first + i);
      seen.add(row);
      if (this.#cells.get(row)?.version === this.#version) return;
      this.#fill(row, first + i, { x: x + this.gap, y: top - this.#origin, w, h: height });
    });
  }

  #fill(row, position, { x, y, w, h }) {
    const cell = this.#cells.get(row) || this.#free.pop() || makeCell();
    this.#cells.set(row, cell);
    Object.assign(cell, { position, row, version: this.#version });
    const { style } = cell.element;
    style.transform = `translate(${x}px, ${y}px)`;
    style.width = `${w}px`;
    style.height = `${h}px`;
    cell.element.id = `${this.id}-${row}`;
    cell.element.setAttribute("aria-posinset", position + 1);
    cell.element.setAttribute("aria-setsize", this.collection.size);
    this.#mark(cell);
    if (!cell.element.isConnected) this.#layer.append(cell.element);
    cell.element.hidden = false;
    const url = thumbnailUrl(this.collection.idAt(row), sizeFor(Math.max(w, h)));
    if (url !== cell.url) this.#loader.want(cell.img, url);
    cell.url = url;
  }

  #mark(cell) {
    const { collection, selection } = this;
    const { element, row, position } = cell;
    const isSelected = selection.has(row);
    const isDecided = collection.isDecided(row);
    const isMissing = collection.isMissing(row);
    element.className = `cell${isDecided ? " decided" : ""}${isMissing ? " missing" : ""}${
      position === selection.cursor ? " cursor" : ""
    }`;
    element.setAttribute("aria-selected", isSelected);
    const caption = this.caption?.(row) || "";
    if (cell.caption.textContent !== caption) cell.caption.textContent = caption;
    const time = collection.time[row];
    const label = `Image ${position + 1}${caption && `, ${caption}`}${time ? `, ${wallClock(time)}` : ""}${
      isDecided ? ", decided" : ""
    }${isMissing ? ", file missing" : ""}`;
    if (element.ariaLabel !== label) element.ariaLabel = label;
  }

  #marks() {
    for (const cell of this.#cells.values()) this.#mark(cell);
    const cursor = this.collection.rowAt(this.selection.cursor);
    const cell = this.#cells.get(cursor);
    if (cell) this.root.setAttribute("aria-activedescendant", cell.element.id);
    else this.root.removeAttribute("aria-activedescendant");
  }

  #release(row, cell) {
    this.#loader.drop(cell.img);
    cell.url = null;
    cell.element.hidden = true;
    this.#cells.delete(row);
    this.#free.push(cell);
  }

  #releaseAll() {
    for (const [row, cell] of [...this.#cells]) this.#release(row, cell);
  }

  /** Scrolls so that a position is seen. */
  reveal(position) {
    if (!this.layout.rows) return;
    const { top, height } = this.layout.row(this.layout.rowOf(position));
    const room = 12;
    const now = this.scroll.target;
    if (top - room < now) this.scroll.to(top - room, { smooth: true });
    else if (top + height + room + this.gap > now + this.height) {
      this.scroll.to(top + height + room + 2 * this.gap - this.height, { smooth: true });
    }
    this.#marks();
  }

  /** Rows of images that fit on the screen. */
  get pageRows() {
    const from = this.layout.rowAtHeight(this.scroll.target);
    return Math.max(1, this.layout.rowAtHeight(this.scroll.target + this.height) - from - 1);
  }

  /** The position of the cell that an event is about; null: of none. */
  positionOf(event) {
    const element = event.target.closest?.(".cell");
    for (const cell of this.#cells.values()) if (cell.element === element) return cell.position;
    return null;
  }

  close() {
    this.scroll.stop();
    this.#releaseAll();
    for (const stop of this.#unsubscribe) stop();
    this.root.replaceChildren();
  }
}

function makeCell() {
  const element = document.createElement("div");
  element.setAttribute("role", "option");
  const img = document.createElement("img");
  img.alt = "";
  img.decoding = "async";
  img.draggable = false;
  const mark = document.createElement("span");
  mark.className = "cell-mark";
  const caption = document.createElement("span");
  caption.className = "cell-caption";
  element.append(img, mark, caption);
  return { element, img, caption, position: 0, row: 0 };
}
