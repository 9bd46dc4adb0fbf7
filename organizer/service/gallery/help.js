// The keys, drawn from the table that the dispatcher uses.
import { html } from "./vendor/preact-htm.js";
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

export function Help({ app }) {
  const sections = helpSections(app.keys.active());
  return html`<${Dialog} title="Keys" wide onClose=${() => app.dialog(null)} className="help">
    <div class="help-columns" tabindex="0" autofocus>
      ${sections.map(
        ({ scope, title, rows }) => html`<section key=${scope}>
          <h3>${title}</h3>
          <dl>
            ${rows.map(
              ({ keys, help }) => html`<div>
                <dt><${Keys} keys=${keys} /></dt>
                <dd>${help}</dd>
              </div>`,
            )}
          </dl>
        </section>`,
      )}
    </div>
    <div class="buttons">
      <button onClick=${() => app.dialog(null)}>Close <kbd>esc</kbd></button>
    </div>
  <//>`;
}
