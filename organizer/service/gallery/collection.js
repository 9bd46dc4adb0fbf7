// The images of a view, in their order: columns, not objects; ids are decoded where they are needed.
import { bytesOf, fromBase64, idAt } from "./hex.js";

const NONE = -1;
const COLUMNS = "ratio,time,state,cluster,event,burst,distance,missing";

/** "a" assigned, "u" unassigned, "d" decided. */
export const DECIDED = "d".charCodeAt(0);
const UNASSIGNED = "u".charCodeAt(0);
const LETTERS = { auto: "a", unsure: "u", decided: "d" };

/**
 * An image has a row, which stays while the collection is loaded, and a position among those that
 * are shown: `rowAt(position)`, `positionOf(row)`.
 */
export class Collection {
  #load;
  #settled;
  #listeners = new Set();
  #hidden = new Set(); // ids that have left
  #made = new Map(); // ids as text, by row

  constructor(load, settled = async () => {}) {
    this.#load = load;
    this.#settled = settled;
    this.#take({ total: 0, ids: "", ratio: [], state: "" });
  }

  /** All images of a filter, as GET /images/columns has it; a column may be missing. */
  static async load(app, filter, { order, signal } = {}) {
    const params = { ...filter, order, columns: COLUMNS };
    const fetchColumns = () => app.api.get("/images/columns", params, { signal });
    const found = new Collection(fetchColumns, app.api.settled);
    await found.reload();
    return found;
  }

  /**
   * Images as the lists of the service have them.
   *
   * @param {object[]} images
   * @param {{revision?: number, reload?: () => Promise<{images: object[], revision: number}>}}
   *   options `revision`: what the list shows; `reload` gives it anew.
   */
  static ofImages(images, { revision = null, reload = null } = {}) {
    const first = { images, revision };
    const load = async () => columnsOf(reload ? await reload() : first);
    const found = new Collection(load);
    found.#take(columnsOf(first));
    return found;
  }

  /** Images of which only the ids are known. */
  static ofIds(ids, options) {
    return Collection.ofImages(ids.map((id) => ({ id })), options);
  }

  #take(columns) {
    const total = columns.total;
    this.total = total;
    this.revision = columns.revision ?? null; // what of the library these are
    this.bytes = columns.ids instanceof Uint8Array ? columns.ids : fromBase64(columns.ids);
    this.ratio = Float32Array.from({ length: total }, (_, i) => (columns.ratio?.[i] || 133) / 100);
    this.state = Uint8Array.from({ length: total }, (_, i) => (columns.state || "").charCodeAt(i));
    const whole = (column) =>
      Int32Array.from({ length: total }, (_, i) => columns[column]?.[i] ?? NONE);
    this.cluster = whole("cluster");
    this.event = whole("event");
    this.burst = whole("burst");
    this.time = columns.time || [];
    this.distance = columns.distance || [];
    this.missing = new Set(columns.missing || []);
    this.images = columns.images || [];
    this.hiddenByRule = columns.hidden || 0;
    this.#made = new Map();
    this.#show();
  }

  #show() {
    if (!this.#hidden.size) this.order = Int32Array.from({ length: this.total }, (_, i) => i);
    else {
      const shown = [];
      for (let row = 0; row < this.total; row += 1) {
        if (!this.#hidden.has(this.idAt(row))) shown.push(row);
      }
      this.order = Int32Array.from(shown);
    }
  }

  /** Images that are shown. */
  get size() {
    return this.order.length;
  }

  rowAt(position) {
    return this.order[position];
  }

  /** Where a row is shown, or would be: rows are in their order. */
  positionOf(row) {
    let low = 0;
    let high = this.order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.order[middle] < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  idAt(row) {
    let id = this.#made.get(row);
    if (id === undefined) {
      id = idAt(this.bytes, row);
      this.#made.set(row, id);
    }
    return id;
  }

  /** The rows of ids; those that are not here are left out. */
  rowsOf(ids) {
    const wanted = new Set(ids);
    const rows = [];
    for (let row = 0; row < this.total && rows.length < wanted.size; row += 1) {
      if (wanted.has(this.idAt(row))) rows.push(row);
    }
    return rows;
  }

  /** Loads it anew, after what was decided is saved; what left meanwhile stays away. */
  async reload() {
    await this.#settled();
    const before = new Set(this.#hidden);
    const columns = await this.#load();
    for (const id of before) this.#hidden.delete(id);
    this.#emit(() => this.#take(columns), { reloaded: true });
  }

  /** Images leave the view; gives what brings them back. */
  leave(ids) {
    this.#emit(() => {
      for (const id of ids) this.#hidden.add(id);
      this.#show();
    });
    return () =>
      this.#emit(() => {
        for (const id of ids) this.#hidden.delete(id);
        this.#show();
      });
  }

  /** Images are shown as in another state or cluster; gives what takes it back. */
  mark(ids, { state, cluster }) {
    const rows = this.rowsOf(ids);
    const before = rows.map((row) => [row, this.state[row], this.cluster[row]]);
    this.#emit(() => {
      for (const row of rows) {
        if (state) this.state[row] = LETTERS[state].charCodeAt(0);
        if (cluster !== undefined) this.cluster[row] = cluster ?? NONE;
      }
    });
    return () =>
      this.#emit(() => {
        for (const [row, was, of] of before) {
          this.state[row] = was;
          this.cluster[row] = of;
        }
      });
  }

  isDecided(row) {
    return this.state[row] === DECIDED;
  }

  isUnassigned(row) {
    return this.state[row] === UNASSIGNED;
  }

  /** Whether no file of it was there when last looked for. */
  isMissing(row) {
    return this.missing.has(row);
  }

  clusterOf(row) {
    return this.cluster[row] === NONE ? null : this.cluster[row];
  }

  /** `listener(change)`: before and after each change. */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #emit(change, about = {}) {
    const after = [...this.#listeners].map((listener) => listener(about));
    change();
    for (const run of after) run?.();
  }
}

function columnsOf({ images, revision }) {
  const column = (name) => images.map((image) => image[name] ?? null);
  return {
    total: images.length,
    revision,
    ids: bytesOf(images.map(({ id }) => id)),
    ratio: images.map((image) => (image.ratio > 10 ? image.ratio : image.ratio * 100) || null),
    state: images.map((image) => LETTERS[image.state] || "a").join(""),
    time: column("time"),
    cluster: column("cluster"),
    event: column("event"),
    burst: column("burst"),
    distance: column("distance"),
    missing: images.flatMap((image, row) => (image.missing ? [row] : [])),
    images,
  };
}
