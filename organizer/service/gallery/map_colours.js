// What the points are coloured by: each scheme sorts them into groups, and gives each a colour.
import { clusterColour } from "./colours.js";
import { clusterName } from "./format.js";
import { NO_CAMERA, UNASSIGNED } from "./map_points.js";

export const NONE = 65_535;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const STEPS = 8;
const LAST_CAMERA = 60_000;
const NOTHING = "hsl(40 4% 55%)";

// From one end to the other, each legible on a light and on a dark ground.
const ANCHORS = [
  [106, 90, 205],
  [162, 79, 181],
  [207, 79, 134],
  [217, 100, 63],
  [184, 134, 11],
];

function ramp(share) {
  const at = share * (ANCHORS.length - 1);
  const low = Math.min(Math.floor(at), ANCHORS.length - 2);
  const mixed = ANCHORS[low].map((c, i) => Math.round(c + (at - low) * (ANCHORS[low + 1][i] - c)));
  return `rgb(${mixed.join(" ")})`;
}

/** name: of the param; title: in the tabs; column: what it needs; group: see `Grouping`. */
export const SCHEMES = [
  { name: "cluster", title: "Cluster", column: "cluster", group: byCluster },
  { name: "camera", title: "Camera", column: "camera", group: byCamera },
  { name: "time", title: "Time", column: "time", group: byTime },
  { name: "doubt", title: "Doubt", column: "doubt", group: byDoubt },
];

/**
 * A grouping: `of` (Uint16Array) the group of each point, NONE for none; `groups`: [{key, label,
 * colour, cluster?}]; `none`: what those of none are called.
 *
 * @typedef {{of: Uint16Array, groups: object[], none: string}} Grouping
 */

function byCluster(points, { clusters }) {
  const ids = [...clusters.values()].sort((a, b) => b.size - a.size).map((c) => c.id);
  const number = new Map(ids.map((id, i) => [id, i]));
  const of = new Uint16Array(points.count);
  for (let row = 0; row < points.count; row += 1) {
    const id = points.cluster[row];
    of[row] = id === UNASSIGNED ? NONE : (number.get(id) ?? NONE);
  }
  const groups = ids.map((id) => ({
    key: `cluster ${id}`,
    label: clusterName(clusters.get(id)),
    colour: clusterColour(id),
    cluster: id,
  }));
  return { of, groups, none: "Unassigned" };
}

function byCamera(points) {
  const column = points.columns.camera;
  const of = new Uint16Array(points.count);
  for (let row = 0; row < points.count; row += 1) {
    of[row] = column[row] === NO_CAMERA || column[row] > LAST_CAMERA ? NONE : column[row];
  }
  const groups = points.about.cameras.map((label, i) => ({
    key: `camera ${label}`,
    label,
    colour: clusterColour(i + 1),
  }));
  return { of, groups, none: "No camera known" };
}

function byTime(points) {
  const column = points.columns.time;
  let first = Infinity;
  let last = -Infinity;
  for (let row = 0; row < points.count; row += 1) {
    if (column[row] < first) first = column[row];
    if (column[row] > last) last = column[row];
  }
  const width = Math.max((last - first) / STEPS, 1);
  const of = new Uint16Array(points.count);
  for (let row = 0; row < points.count; row += 1) {
    const time = column[row];
    of[row] = Number.isNaN(time) ? NONE : Math.min(Math.floor((time - first) / width), STEPS - 1);
  }
  const steps = last < first ? 0 : last === first ? 1 : STEPS;
  const groups = Array.from({ length: steps }, (_, i) => ({
    key: `time ${i}`,
    label: `From ${dayText(first + i * width, width < 86_400)}`,
    colour: ramp(steps > 1 ? i / (steps - 1) : 0.5),
  }));
  return { of, groups, none: "No time known" };
}

/** "1 May 2024" of seconds on a camera's clock, which has no zone: counted as if it were UTC. */
function dayText(seconds, withHour) {
  const at = new Date(1000 * seconds);
  const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
  if (!withHour) return day;
  const two = (n) => String(n).padStart(2, "0");
  return `${day}, ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

// Of the distance to the second nearest cluster, how much is that to its own; see GET /map/columns.
const DOUBTS = [
  ["Sure", 0.5],
  ["Rather sure", 0.65],
  ["Less sure", 0.8],
  ["Doubtful", 0.9],
  ["Between two clusters", Infinity],
];

function byDoubt(points) {
  const column = points.columns.doubt;
  const of = new Uint16Array(points.count);
  for (let row = 0; row < points.count; row += 1) {
    const doubt = column[row];
    if (Number.isNaN(doubt)) of[row] = NONE;
    else {
      let step = 0;
      while (doubt >= DOUBTS[step][1]) step += 1;
      of[row] = step;
    }
  }
  const groups = DOUBTS.map(([label], i) => ({
    key: `doubt ${i}`,
    label,
    colour: ramp(i / (DOUBTS.length - 1)),
  }));
  return { of, groups, none: "Not known" };
}

/** [r, g, b] of a colour, 0 to 255. */
export function parseColour(text) {
  const [a, b, c] = text.match(/[\d.]+/g).map(Number);
  if (!text.startsWith("hsl")) return [a, b, c];
  const chroma = (b / 100) * Math.min(c / 100, 1 - c / 100);
  return [0, 8, 4].map((n) => {
    const k = (n + a / 30) % 12;
    return Math.round(255 * (c / 100 - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}

/** `(n + 1) * 4` bytes: the colour of each group, the last that of none. */
export function paletteOf(grouping) {
  const colours = [...grouping.groups.map((g) => g.colour), NOTHING].map(parseColour);
  const palette = new Uint8Array(4 * colours.length);
  colours.forEach((rgb, i) => palette.set([...rgb, 255], 4 * i));
  return palette;
}

/** Points of each group, and how many of them are selected; the last entry is that of none. */
export function countGroups(grouping, selected) {
  const n = grouping.groups.length;
  const total = new Uint32Array(n + 1);
  const chosen = new Uint32Array(n + 1);
  const { of } = grouping;
  for (let row = 0; row < of.length; row += 1) {
    const group = of[row] < n ? of[row] : n;
    total[group] += 1;
    if (selected[row]) chosen[group] += 1;
  }
  return { total, chosen };
}
