// Images by any filter of the API: #/images?ingest=last, ?camera=..., ?text=...
import { html, useState } from "./vendor/preact-htm.js";
import { count, wallClock } from "./format.js";
import { Density, ImageGrid } from "./image_grid.js";
import { Trouble } from "./empty.js";
import { useLoaded } from "./state.js";
import { useCollection } from "./use_collection.js";

const NAMES = { ingest: "ingest", camera: "camera", text: "path with", event: "event", burst: "burst" };

export default function Images({ app, route }) {
  const { order = "newest", ...filter } = route.params;
  const [grid, setGrid] = useState(null);
  const { collection, problem, size } = useCollection(app, filter, order);
  const event = useEvent(app, filter.event && collection);
  const title = filter.ingest === "last" ? "New images" : event || "Images";
  const said = Object.entries(filter).filter(
    ([name, value]) => (name !== "ingest" || value !== "last") && (name !== "event" || !event),
  );
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

// Which event it is, in the words of its first image: "Ridge 2, 1 May 2024, 06:54".
function useEvent(app, collection) {
  const id = collection && collection.total ? collection.idAt(0) : null;
  const { value } = useLoaded(
    async (signal) => (id ? app.api.get(`/images/${id}`, {}, { signal }) : null),
    [id],
  );
  const facts = value?.facts;
  const said = [value?.camera || facts?.camera, wallClock(value?.time || facts?.taken_at)];
  return said.filter(Boolean).join(", ") || null;
}
