// The acts as buttons, while something is selected: for mouse and touch, and to learn the keys.
import { html } from "./vendor/preact-htm.js";
import { plural } from "./format.js";

const BUTTONS = [
  ["confirm", "Confirm", "c"],
  ["move", "Move to…", "m"],
  ["exclude", "Not here", "x"],
  ["new", "New cluster", "b"],
  ["event", "Burst", "e"],
  ["similar", "Similar", "l"],
];

/** The buttons alone, of those acts that there are. */
export function ActButtons({ acts, without = [] }) {
  const shown = BUTTONS.filter(([name]) => acts[name] && !without.includes(name));
  return shown.map(
    ([name, label, key]) => html`<button key=${name} aria-keyshortcuts=${key}
      onClick=${() => acts[name]()}>${label} <kbd>${key}</kbd></button>`,
  );
}

/** `acts` as gridActs gives them; `count`: of what is selected elsewhere. */
export function ActBar({ acts, selection, count = selection?.count, without }) {
  if (!count) return null;
  return html`<div class="act-bar" role="toolbar" aria-label="With the selected images">
    <span class="what" role="status">${plural(count, "image")} selected</span>
    <${ActButtons} acts=${acts} without=${without} />
    ${selection &&
    html`<button class="quiet" onClick=${() => selection.clear()}>Clear <kbd>esc</kbd></button>`}
  </div>`;
}
