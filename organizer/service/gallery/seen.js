// What a person saw of images when they decided about them, and what of it is still so.
import { fromBase64, idAt } from "./hex.js";

const FEW = 12; // images that are asked for one by one; more: columns
const DECIDED = "d";

/**
 * @param {object} collection `revision`, `idAt`, `clusterOf`, `isDecided` (null: not known).
 * @param {number[]} rows
 * @returns {{revision: number, images: Map<string, {cluster: number|null, isDecided: boolean|null}>}}
 */
export function seenIn(collection, rows) {
  const images = new Map();
  for (const row of rows) {
    const about = { cluster: collection.clusterOf(row), isDecided: collection.isDecided(row) };
    images.set(collection.idAt(row), about);
  }
  return { revision: collection.revision, images };
}

/** Likewise of one image as the lists of the service have it. */
export function seenAlone(image, revision) {
  const about = { cluster: image.cluster ?? null, isDecided: image.state === "decided" };
  return { revision, images: new Map([[image.id, about]]) };
}

/** The ids of the images that are where they were seen, and that nobody decided about since. */
export async function stillSo(api, { images }) {
  const now = await (images.size > FEW ? inColumns(api, images) : oneByOne(api, images));
  const isSo = ([id, was]) => {
    const is = now.get(id);
    return is && is.cluster === was.cluster && (was.isDecided !== false || !is.isDecided);
  };
  return new Set([...images].filter(isSo).map(([id]) => id));
}

async function oneByOne(api, images) {
  const found = new Map();
  const look = async (id) => {
    const image = await api.get(`/images/${id}`);
    found.set(id, { cluster: image.cluster, isDecided: image.state === "decided" });
  };
  const gone = (problem) => {
    if (problem.status !== 404) throw problem;
  };
  await Promise.all([...images.keys()].map((id) => look(id).catch(gone)));
  return found;
}

async function inColumns(api, images) {
  const clusters = new Set([...images.values()].map((image) => image.cluster));
  const [one] = clusters;
  const cluster = clusters.size > 1 ? "" : (one ?? "unassigned");
  const columns = await api.get("/images/columns", { cluster, columns: "cluster,state" });
  const bytes = fromBase64(columns.ids);
  const found = new Map();
  for (let row = 0; row < columns.total; row += 1) {
    const about = { cluster: columns.cluster[row], isDecided: columns.state[row] === DECIDED };
    found.set(idAt(bytes, row), about);
  }
  return found;
}
