// The evidence for the number of clusters: a curve of the silhouette, and a table.
import { html } from "./vendor/preact-htm.js";

const WIDTH = 640;
const HEIGHT = 220;
const PAD = { left: 52, right: 16, top: 14, bottom: 34 };

/** @param {{candidates: object[]}} props As GET /evidence gives them. */
export function Evidence({ candidates }) {
  const known = candidates.filter((one) => Number.isFinite(one.silhouette));
  if (known.length < 2) return null;
  const chosen = known.find((one) => one.chosen);
  const second = known.find((one) => one.second);
  return html`<figure class="evidence">
    <${Curve} known=${known} />
    <figcaption class="muted small">
      ${chosen && html`The silhouette (space) says how well the clusters are apart. ${chosen.k} was chosen`}
      ${chosen && second && html`; next best ${second.k}`}.
    </figcaption>
  </figure>`;
}

function Curve({ known }) {
  const ks = known.map((one) => one.k);
  const values = known.map((one) => one.silhouette);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low) * 0.08 || 0.05;
  const x = scale(Math.log(ks[0]), Math.log(ks[ks.length - 1]), PAD.left, WIDTH - PAD.right);
  const y = scale(low - room, high + room, HEIGHT - PAD.bottom, PAD.top);
  const points = known.map((one) => [x(Math.log(one.k)), y(one.silhouette), one]);
  const label = `Silhouette (space) by number of clusters, from ${ks[0]} to ${ks[ks.length - 1]}`;
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${label}>
    ${ticks(low, high).map(
      (value) => html`<g key=${value} class="tick">
        <line x1=${PAD.left} x2=${WIDTH - PAD.right} y1=${y(value)} y2=${y(value)} />
        <text x=${PAD.left - 8} y=${y(value) + 4} text-anchor="end">${value.toFixed(2)}</text>
      </g>`,
    )}
    <polyline points=${points.map(([left, top]) => `${left},${top}`).join(" ")} />
    ${points.map(
      ([left, top, one]) => html`<circle
        key=${one.k}
        class=${one.chosen ? "chosen" : ""}
        cx=${left}
        cy=${top}
        r=${one.chosen ? 6 : 3.5}
      >
        <title>${one.k} clusters: ${one.silhouette.toFixed(3)}</title>
      </circle>`,
    )}
    ${apart(points).map(
      ([left, , one]) => html`<text
        key=${one.k}
        class=${one.chosen ? "chosen" : ""}
        x=${left}
        y=${HEIGHT - PAD.bottom + 20}
        text-anchor="middle"
      >
        ${one.k}
      </text>`,
    )}
  </svg>`;
}

const scale = (from, to, start, end) => (value) =>
  to === from ? (start + end) / 2 : start + ((value - from) / (to - from)) * (end - start);

// Labels that do not touch: the chosen one first, then from the left.
function apart(points) {
  const kept = points.filter(([, , one]) => one.chosen);
  for (const point of points) {
    if (kept.every(([left]) => Math.abs(left - point[0]) >= 30)) kept.push(point);
  }
  return kept;
}

function ticks(low, high) {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((one) => (high - low) / one <= 5) || 1;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}
