import { html } from "./vendor/preact-htm.js";
import { useStore } from "./state.js";
import { clusterName } from "./format.js";

export default function Wall({ app }) {
  const clusters = useStore(app.store, (s) => s.clusters);
  return html`<section class="page"><h1>Clusters</h1>
    ${[...clusters.values()].map((c) => html`<p key=${c.id}><a href="#/cluster/${c.id}">${clusterName(c)}</a></p>`)}
  </section>`;
}
