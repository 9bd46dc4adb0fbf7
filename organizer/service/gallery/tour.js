// Four sentences for who is here for the first time.
import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { remember, remembered } from "./recent.js";
import { useStore } from "./state.js";

const SENTENCES = [
  "Each sheet is a cluster: images that look alike, the most typical one large.",
  "Press n and type what they show; enter goes on to the next cluster without a name.",
  "Press enter to open a cluster: c confirms an image, x takes it out, m moves it to another.",
  "Everything is saved at once, ctrl-z takes back as much as you like, and ? shows all keys.",
];

export function Tour({ app }) {
  const [at, setAt] = useState(() => (remembered("toured", false) ? null : 0));
  const clusters = useStore(app.store, (s) => s.clusters.size);
  const here = useStore(app.store, (s) => s.route.name === "");
  useEffect(() => {
    if (at === SENTENCES.length) {
      remember("toured", true);
      setAt(null);
    }
  }, [at]);
  if (at === null || !clusters || !here || at >= SENTENCES.length) return null;
  const last = at === SENTENCES.length - 1;
  return html`<aside class="tour" aria-label="First steps">
    <p aria-live="polite">${SENTENCES[at]}</p>
    <div class="buttons">
      <span class="dots" aria-hidden="true">
        ${SENTENCES.map((_, i) => html`<i class=${i === at ? "now" : ""}></i>`)}
      </span>
      ${!last && html`<button class="quiet" onClick=${() => setAt(SENTENCES.length)}>Skip</button>`}
      <button class="primary" onClick=${() => setAt(at + 1)}>${last ? "Begin" : "Next"}</button>
    </div>
  </aside>`;
}
