// Images by any filter of the API: #/images?ingest=last, ?camera=..., ?text=...
import { html, useState } from "./vendor/preact-htm.js";
import { count } from "./format.js";
import { Density, ImageGrid } from "./image_grid.js";
import { Trouble } from "./empty.js";
import { useCollection } from "./use_collection.js";

const NAMES = { ingest: "ingest", camera: "camera", text: "path with", event: "event", burst: "burst" };

export default function Images({ app, route }) {
  const { order = "newest", ...filter } = route.params;
  const [grid, setGrid] = useState(null);
  const { collection, problem, size } = useCollection(app, filter, order);
  const title = filter.ingest === "last" ? "New images" : "Images";
  const said = Object.entries(filter).filter(([name, value]) => name !== "ingest" || value !== "last");
  return html`<section class="images">
    <header class="head">
      <h1>
        ${title} <span class="chip">${count(size)}</span>
        ${said.map(([name, value]) => html`<span class="chip">${NAMES[name] || name} ${value}</span>`)}
      </h1>
      <div class="end"><${Density} grid=${grid?.grid} /></div>
    </header>
    ${problem && html`<${Trouble} title=${problem.message} text=${problem.hint} />`}
    ${collection && html`<${ImageGrid} key=${collection.key} app=${app} collection=${collection}
      label=${title} onGrid=${setGrid} />`}
  </section>`;
}
