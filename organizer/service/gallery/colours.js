// Colours of clusters: neighbours in number are far apart in hue, and all are legible on both grounds.

const GOLDEN = 137.508; // degrees

/** A CSS colour for a cluster; null and -1 (unassigned) are grey. */
export function clusterColour(id) {
  if (id === null || id === undefined || id < 0) return "hsl(40 4% 55%)";
  const lightness = 46 + 10 * (Math.floor(id / 9) % 2);
  return `hsl(${((id * GOLDEN) % 360).toFixed(0)} 58% ${lightness}%)`;
}
