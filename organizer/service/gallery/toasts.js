// Short messages at the foot of the page, read aloud by screen readers.
import { html } from "./vendor/preact-htm.js";
import { useStore } from "./state.js";

const STAYS = { done: 5_000, other: 6_000, problem: 12_000 };

let next = 1;

/**
 * @param {object} store
 * @returns {(text: string, options?: {kind?: "done"|"other"|"problem", hint?: string,
 *   action?: {label: string, run: () => void}}) => void}
 */
export function makeToast(store) {
  const drop = (id) => store.set(({ toasts }) => ({ toasts: toasts.filter((t) => t.id !== id) }));
  return (text, { kind = "done", hint = null, action = null } = {}) => {
    const toast = { id: next++, text, kind, hint, action, drop: () => drop(toast.id) };
    // One message of each kind: what is done now replaces what was done before.
    const others = store.get().toasts.filter((t) => t.kind !== kind);
    store.set({ toasts: [...others, toast] });
    setTimeout(toast.drop, STAYS[kind]);
  };
}

export function Toasts({ app }) {
  const toasts = useStore(app.store, (s) => s.toasts);
  const one = (t) => html`
    <div class="toast ${t.kind}" key=${t.id}>
      <span>${t.text}${t.hint && html`<small>${t.hint}</small>`}</span>
      ${t.action &&
      html`<button class="quiet" onClick=${() => (t.drop(), t.action.run())}>
        ${t.action.label}
      </button>`}
      <button class="quiet icon" aria-label="Close" onClick=${t.drop}>×</button>
    </div>
  `;
  const of = (kinds) => toasts.filter((t) => kinds.includes(t.kind)).map(one);
  return html`<div class="toasts">
    <div role="status" aria-live="polite">${of(["done", "other"])}</div>
    <div role="alert" aria-live="assertive">${of(["problem"])}</div>
  </div>`;
}
