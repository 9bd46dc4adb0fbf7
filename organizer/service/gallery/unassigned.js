// The images that are in no cluster, all or those nearest to one.
import { html, useState } from "./vendor/preact-htm.js";
import { clusterName, count } from "./format.js";
import { Density, ImageGrid } from "./image_grid.js";
import { Trouble } from "./empty.js";
import { useCollection } from "./use_collection.js";
import { useStore } from "./state.js";

const ORDERS = [
  ["border", "Nearly in a cluster first"],
  ["time", "By time"],
  ["newest", "Newest first"],
  ["path", "By path"],
];

export default function Unassigned({ app, route }) {
  const { order = "border", near = "" } = route.params;
  const clusters = useStore(app.store, (s) => s.clusters);
  const [grid, setGrid] = useState(null);
  const { collection, problem, size } = useCollection(app, { cluster: "unassigned", near }, order);
  const setParams = (params) => app.replaceParams({ ...route.params, ...params });
  const context = { cluster: null, leaves: ["move"], without: ["confirm", "exclude"] };
  return html`<section class="images">
    <header class="head">
      <h1>Unassigned <span class="chip">${count(size)}</span></h1>
      <div class="end">
        <select aria-label="Nearest cluster" value=${near}
          onChange=${(event) => setParams({ near: event.target.value })}>
          <option value="">Near any cluster</option>
          ${[...clusters.values()].map(
            (c) => html`<option key=${c.id} value=${String(c.id)}>Near ${clusterName(c)}</option>`,
          )}
        </select>
        <select aria-label="Order of the images" value=${order}
          onChange=${(event) => setParams({ order: event.target.value })}>
          ${ORDERS.map(([key, label]) => html`<option key=${key} value=${key}>${label}</option>`)}
        </select>
        <${Density} grid=${grid?.grid} />
      </div>
    </header>
    ${problem && html`<${Trouble} title=${problem.message} text=${problem.hint} />`}
    ${collection && html`<${ImageGrid} key=${collection.key} app=${app} collection=${collection}
      context=${context} label="Unassigned images" onGrid=${setGrid}>
      <h2>${near ? "None is near it" : "Every image is in a cluster"}</h2>
    <//>`}
  </section>`;
}
