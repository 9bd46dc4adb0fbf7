// The keys, drawn from the table that the dispatcher uses.
import { html, useLayoutEffect, useRef } from "./vendor/preact-htm.js";
import { Dialog } from "./dialog.js";
import { helpSections } from "./keys.js";

const SHOWN = {
  arrowright: "→",
  arrowleft: "←",
  arrowup: "↑",
  arrowdown: "↓",
  pageup: "page ↑",
  pagedown: "page ↓",
  escape: "esc",
};

export const Keys = ({ keys }) =>
  html`${keys
    .slice(0, 2)
    .map((key) => key.split("+").filter(Boolean))
    .map(
      (parts, i) => html`${i > 0 && " or "}${(parts.length ? parts : ["+"]).map(
        (part) => html`<kbd>${SHOWN[part] || part}</kbd>`,
      )}`,
    )}`;

function Section({ scope, title, rows }) {
  return html`<section key=${scope}>
    <h3>${title}</h3>
    <dl>
      ${rows.map(
        ({ keys, help }) => html`<div>
          <dt><${Keys} keys=${keys} /></dt>
          <dd>${help}</dd>
        </div>`,
      )}
    </dl>
  </section>`;
}

export function Help({ app }) {
  const sections = helpSections(app.keys.active());
  const columns = (isHere) => html`<div class="help-columns">
    ${sections.filter((one) => one.isHere === isHere).map(Section)}
  </div>`;
  const top = useRef();
  useLayoutEffect(() => top.current.closest("dialog").scrollTo(0, 0), []);
  return html`<${Dialog} title="Keys" wide onClose=${() => app.dialog(null)} className="help">
    <div tabindex="-1" autofocus ref=${top}>
      ${columns(true)}
      <details><summary>The keys of other views</summary>${columns(false)}</details>
    </div>
    <div class="buttons">
      <button onClick=${() => app.dialog(null)}>Close <kbd>esc</kbd></button>
    </div>
  <//>`;
}
