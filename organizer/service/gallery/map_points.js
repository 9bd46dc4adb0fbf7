// The points of the map: where they are and what they are coloured by, in typed arrays.
import { Problem } from "./api.js";
import { idAt } from "./hex.js";

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
  return {
    data: await answer.arrayBuffer(),
    version: answer.headers.get("X-Map-Version"),
    revision: parseInt(answer.headers.get("ETag")?.replace(/^\D*/, ""), 10), // of a column
  };
}

/**
 * A row is an image. It offers what the acts of a grid need of a collection (grid_acts.js):
 * `revision`, `idAt`, `clusterOf`, `isDecided`, `mark`, `leave`.
 */
export class MapPoints {
  /** @param {object} about GET /map, drawn. */
  static async load(about, signal) {
    const query = `?method=${about.method}&version=${about.version}`;
    const [points, ids, cluster, state] = await Promise.all([
      binary(`/map/points${query}`, signal),
      binary(`/map/ids${query}`, signal),
      binary(`/map/columns/cluster?method=${about.method}`, signal),
      binary(`/map/columns/state?method=${about.method}`, signal),
    ]);
    const found = new MapPoints(about, new Float32Array(points.data), new Uint8Array(ids.data), {
      cluster: new Int32Array(cluster.data),
      state: new Uint8Array(state.data),
    });
    found.revision = Math.min(cluster.revision, state.revision);
    return found;
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

  /** Loads a column, once; `anew`: again. Returns what it shows; false: of another map. */
  async want(name, { anew = false, signal } = {}) {
    if (this.columns[name] && !anew) return true;
    const { data, version, revision } = await binary(
      `/map/columns/${name}?method=${this.about.method}`,
      signal,
    );
    if (version !== this.about.version) return false;
    this.columns[name] = new TYPES[name](data);
    return revision;
  }

  idAt(row) {
    let id = this.ids.get(row);
    if (id === undefined) {
      id = idAt(this.bytes, row);
      this.ids.set(row, id);
      this.rows.set(id, row);
    }
    return id;
  }

  clusterOf(row) {
    const id = this.cluster[row];
    return id === UNASSIGNED ? null : id;
  }

  isDecided(row) {
    return this.columns.state[row] === STATES.decided;
  }

  /** Images are shown as in another cluster; gives what takes it back. */
  mark(ids, { state, cluster }) {
    const rows = ids.map((id) => this.rows.get(id)).filter((row) => row !== undefined);
    const { cluster: clusters, state: states } = this.columns;
    const before = rows.map((row) => [row, clusters[row], states[row]]);
    for (const row of rows) {
      if (cluster !== undefined) clusters[row] = cluster ?? UNASSIGNED;
      if (state) states[row] = STATES[state];
    }
    this.tell();
    return () => {
      for (const [row, was, as] of before) {
        clusters[row] = was;
        states[row] = as;
      }
      this.tell();
    };
  }

  /** Nothing leaves the map. */
  leave() {
    return () => {};
  }

  /** Loads what decisions change. */
  async reload() {
    const of = [
      await this.want("cluster", { anew: true }),
      await this.want("state", { anew: true }),
    ];
    if (!of.includes(false)) this.revision = Math.min(...of);
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
