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

const TOUCH_SENTENCES = [
  SENTENCES[0],
  "Tap “Name this” below a sheet and type what it shows.",
  "Tap a sheet to open its cluster. There, press long on images to select them, then confirm or move them with the buttons.",
  "Everything is saved at once, ↶ takes back as much as you like.",
];

const TOUCH = "(pointer: coarse), (max-width: 720px)";

export function Tour({ app }) {
  const [sentences] = useState(() => (matchMedia(TOUCH).matches ? TOUCH_SENTENCES : SENTENCES));
  const [at, setAt] = useState(() => (remembered("toured", false) ? null : 0));
  const clusters = useStore(app.store, (s) => s.clusters.size);
  const here = useStore(app.store, (s) => s.route.name === "");
  const isShown = at !== null && clusters > 0 && here && at < sentences.length;
  useEffect(() => {
    if (!isShown) return undefined;
    const onKey = (event) => {
      const isElsewhere = document.querySelector("dialog[open], .viewer") !== null;
      if (event.key !== "Escape" || isElsewhere || event.target.matches?.("input, select")) return;
      setAt(sentences.length);
    };
    document.addEventListener("keydown", onKey, { capture: true });
    return () => document.removeEventListener("keydown", onKey, { capture: true });
  }, [isShown]);
  useEffect(() => {
    if (at === sentences.length) {
      remember("toured", true);
      setAt(null);
    }
  }, [at]);
  if (!isShown) return null;
  const last = at === sentences.length - 1;
  return html`<aside class="tour" aria-label="First steps">
    <p aria-live="polite">${sentences[at]}</p>
    <div class="buttons">
      <span class="dots" aria-hidden="true">
        ${sentences.map((_, i) => html`<i class=${i === at ? "now" : ""}></i>`)}
      </span>
      ${!last && html`<button class="quiet" onClick=${() => setAt(sentences.length)}>Skip</button>`}
      <button class="primary" onClick=${() => setAt(at + 1)}>${last ? "Begin" : "Next"}</button>
    </div>
  </aside>`;
}
