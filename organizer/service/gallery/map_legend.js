// The legend: what the colours mean, how many images of each, and how many of them are selected.
import { html } from "./vendor/preact-htm.js";
import { count } from "./format.js";

/**
 * @param {object} props
 * @param {object} props.grouping See map_colours.js.
 * @param {{total: Uint32Array, chosen: Uint32Array}} props.counts
 * @param {number} props.selected Images that are selected.
 * @param {Set<string>} props.shown The keys of the groups that are highlighted; empty: all.
 * @param {(key: string | null) => void} props.onToggle null: show all.
 */
export function MapLegend({ grouping, counts, selected, shown, onToggle }) {
  const rows = grouping.groups.map((group, i) => ({ ...group, i }));
  const none = grouping.groups.length;
  rows.push({ key: "none", label: grouping.none, colour: "hsl(40 4% 55%)", i: none });
  const listed = rows.filter(({ i }) => counts.total[i]);
  // Where something is selected, what is in it comes first.
  if (selected && grouping.groups[0]?.cluster) {
    listed.sort((a, b) => counts.chosen[b.i] - counts.chosen[a.i] || a.i - b.i);
  }
  return html`<div class="map-legend">
    <ul aria-label="What the colours mean">
      ${listed.map(({ key, label, colour, i }) => {
        const is = shown.has(key);
        const part = counts.chosen[i];
        return html`<li key=${key}>
          <button class=${part || !selected ? "" : "nothing"} aria-pressed=${String(is)}
            onClick=${() => onToggle(key)} title=${label}>
            <i style=${{ background: colour }}></i>
            <span>${label}</span>
            <small class="figure">${selected ? `${count(part)} / ` : ""}${count(counts.total[i])}</small>
          </button>
        </li>`;
      })}
    </ul>
    ${shown.size > 0 &&
    html`<button class="quiet" onClick=${() => onToggle(null)}>Show all</button>`}
  </div>`;
}
