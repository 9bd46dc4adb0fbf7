// Asks into how many a cluster is split.
import { html, useState } from "./vendor/preact-htm.js";
import { Dialog } from "./dialog.js";
import { clusterName, plural } from "./format.js";

const MOST = 9;

/** Resolves when it is split, or not. */
export function splitAsking(app, id) {
  const cluster = app.store.get().clusters.get(id);
  return new Promise((resolve) => {
    const answer = (k) => {
      app.dialog(null);
      resolve(k ? app.acts.split(id, k) : null);
    };
    app.dialog(() => html`<${Split} cluster=${cluster} answer=${answer} />`);
  });
}

function Split({ cluster, answer }) {
  const [k, setK] = useState(2);
  const onKeyDown = (event) => {
    if (/^[2-9]$/.test(event.key)) answer(Number(event.key));
  };
  const onSubmit = (event) => {
    event.preventDefault();
    answer(k);
  };
  const title = `Split ${clusterName(cluster)}`;
  return html`<${Dialog} title=${title} onClose=${() => answer(null)}>
    <form onSubmit=${onSubmit} onKeyDown=${onKeyDown}>
      <p>
        ${plural(cluster.size, "image")} become ${k} clusters, each of images that are alike; the
        largest keeps ${cluster.name ? `the name ${cluster.name}` : "the number"}.
      </p>
      <div class="tabs split-tabs" role="group" aria-label="Clusters">
        ${Array.from({ length: MOST - 1 }, (_, i) => i + 2).map(
          (n) => html`<button type="button" key=${n} aria-pressed=${String(n === k)}
            onClick=${() => setK(n)}>${n}</button>`,
        )}
      </div>
      <div class="buttons">
        <button type="button" onClick=${() => answer(null)}>Cancel <kbd>esc</kbd></button>
        <button class="primary" autofocus>Split <kbd>enter</kbd></button>
      </div>
    </form>
  <//>`;
}
