// Every step of the history, who did it, and one button that takes back the last.
import { html, useState } from "./vendor/preact-htm.js";
import { moment } from "./format.js";
import { WhoDecides } from "./signin.js";
import { useLoaded, useStore } from "./state.js";

const STEPS = 200;

export default function History({ app }) {
  const history = useStore(app.store, (s) => s.history);
  const [limit, setLimit] = useState(STEPS);
  const { value } = useLoaded(
    (signal) => app.api.get("/history", { limit }, { signal }),
    [history, limit],
  );
  const events = value?.events || [];
  return html`<section class="page">
    <h1>History</h1>
    <p class="muted">
      Undo takes back the last step, whoever did it, and again the one before.
      ${history.can_undo && html` Next: <b>${history.can_undo}</b>`}
    </p>
    <div>
      <button disabled=${!history.can_undo} onClick=${() => app.acts.undo()}>
        Undo <kbd>ctrl</kbd><kbd>z</kbd>
      </button>${" "}
      <button disabled=${!history.can_redo} onClick=${() => app.acts.redo()}>
        Redo <kbd>ctrl</kbd><kbd>shift</kbd><kbd>z</kbd>
      </button>
    </div>
    <${WhoDecides} usual=${app.store.get().status?.user} />
    <ol class="history" reversed>
      ${events.map(
        (event) => html`<li key=${`${event.step} ${event.at} ${event.what}`}>
          <time datetime=${event.at}>${moment(event.at)}</time>
          <span>${event.what}</span>
          <small>${event.user || ""}</small>
        </li>`,
      )}
    </ol>
    ${events.length >= limit &&
    html`<p><button onClick=${() => setLimit(limit + STEPS)}>Earlier</button></p>`}
  </section>`;
}
