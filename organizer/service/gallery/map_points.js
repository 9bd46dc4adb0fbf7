// The points of the map: where they are and what they are coloured by, in typed arrays.
import { Problem } from "./api.js";

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
export const UNASSIGNED = -1;
export const NO_CAMERA = 65_535;
const STATES = { auto: 0, unsure: 1, decided: 2 };
const TYPES = {
  cluster: Int32Array,
  state: Uint8Array,
  doubt: Float32Array,
  camera: Uint16Array,
  time: Float64Array,
};

async function binary(path, signal) {
  const answer = await fetch(`/api/v1${path}`, { signal });
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return { data: await answer.arrayBuffer(), version: answer.headers.get("X-Map-Version") };
}

/**
 * A row is an image. It offers what the acts of a grid need of a collection (grid_acts.js):
 * `idAt`, `clusterOf`, `mark`, `leave`, `still`, `reload`.
 */
export class MapPoints {
  /** @param {object} about GET /map, drawn. */
  static async load(about, signal) {
    const query = `?method=${about.method}&version=${about.version}`;
    const [points, ids, cluster] = await Promise.all([
      binary(`/map/points${query}`, signal),
      binary(`/map/ids${query}`, signal),
      binary(`/map/columns/cluster?method=${about.method}`, signal),
    ]);
    return new MapPoints(about, new Float32Array(points.data), new Uint8Array(ids.data), {
      cluster: new Int32Array(cluster.data),
    });
  }

  constructor(about, xy, bytes, columns) {
    this.about = about;
    this.xy = xy;
    this.bytes = bytes;
    this.columns = columns;
    this.count = xy.length / 2;
    this.ids = new Map(); // by row, those that were asked for
    this.rows = new Map(); // by id, likewise
    this.listeners = new Set();
  }

  get cluster() {
    return this.columns.cluster;
  }

  /** Loads a column, once; `anew`: again. Returns whether the map is still the same one. */
  async want(name, { anew = false, signal } = {}) {
    if (this.columns[name] && !anew) return true;
    const { data, version } = await binary(
      `/map/columns/${name}?method=${this.about.method}`,
      signal,
    );
    if (version !== this.about.version) return false;
    this.columns[name] = new TYPES[name](data);
    return true;
  }

  idAt(row) {
    let id = this.ids.get(row);
    if (id === undefined) {
      id = "";
      for (let i = 16 * row; i < 16 * row + 16; i += 1) id += HEX[this.bytes[i]];
      this.ids.set(row, id);
      this.rows.set(id, row);
    }
    return id;
  }

  clusterOf(row) {
    const id = this.cluster[row];
    return id === UNASSIGNED ? null : id;
  }

  /** Images are shown as in another cluster; gives what takes it back. */
  mark(ids, { state, cluster }) {
    const rows = ids.map((id) => this.rows.get(id)).filter((row) => row !== undefined);
    const { cluster: clusters, state: states } = this.columns;
    const before = rows.map((row) => [row, clusters[row], states?.[row]]);
    for (const row of rows) {
      if (cluster !== undefined) clusters[row] = cluster ?? UNASSIGNED;
      if (state && states) states[row] = STATES[state];
    }
    this.tell();
    return () => {
      for (const [row, was, as] of before) {
        clusters[row] = was;
        if (states) states[row] = as;
      }
      this.tell();
    };
  }

  /** Nothing leaves the map. */
  leave() {
    return () => {};
  }

  still(ids) {
    return ids;
  }

  /** Loads what decisions change. */
  async reload() {
    await this.want("cluster", { anew: true });
    if (this.columns.state) await this.want("state", { anew: true });
    if (this.columns.doubt) await this.want("doubt", { anew: true });
    this.tell();
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell() {
    for (const listener of [...this.listeners]) listener();
  }
}
