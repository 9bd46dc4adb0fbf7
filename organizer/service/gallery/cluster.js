// A cluster, opened: the grid of its images.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { confirmWith } from "./dialog.js";
import { clusterName, count, percent, plural } from "./format.js";
import { Density, ImageGrid } from "./image_grid.js";
import { useKeys } from "./keys.js";
import { NameField, mergeAsking } from "./names.js";
import { splitAsking } from "./split.js";
import { Trouble } from "./empty.js";
import { useCollection } from "./use_collection.js";
import { useLoaded, useStore } from "./state.js";
import { hashOf } from "./routes.js";

const ORDERS = [
  ["border", "Doubtful first"],
  ["typical", "Typical first"],
  ["time", "By time"],
  ["newest", "Newest first"],
  ["path", "By path"],
];
const STATES = [
  ["auto", "To check"],
  ["decided", "Checked"],
  ["all", "All"],
];

export default function Cluster({ app, route }) {
  const id = Number(route.args[0]);
  const cluster = useStore(app.store, (s) => s.clusters.get(id));
  const { state = "auto", order = "border", ingest = "" } = route.params;
  const [naming, setNaming] = useState(false);
  const [grid, setGrid] = useState(null);
  const filter = { cluster: id, ingest, state: state === "all" ? "" : state };
  const { collection, problem, size } = useCollection(app, filter, order);

  const change = useStore(app.store, (s) => s.change);
  const left = useLoaded(
    async (signal) => {
      await app.api.settled();
      const params = { cluster: id, state: "auto", limit: 1 };
      return (await app.api.get("/images", params, { signal })).total;
    },
    [id, state, ingest, change],
  );

  const setParams = (params) => app.replaceParams({ ...route.params, ...params });
  const beside = (step) => {
    const ids = [...app.store.get().clusters.keys()];
    const to = ids[ids.indexOf(id) + step];
    if (to !== undefined) app.go("cluster", [to]);
    else app.toast(step > 0 ? "This is the last cluster." : "This is the first cluster.");
  };
  const merge = async () => {
    const into = await mergeAsking(app, [id]);
    if (into !== null && into !== id) app.go("cluster", [into]);
  };
  const dissolve = async () => {
    const yes = await confirmWith(app, {
      title: `Dissolve ${clusterName(cluster)}`,
      text: `${plural(cluster.size, "image")} go where they fit, or are unassigned.${
        cluster.name ? " The name is gone." : ""} It can be undone.`,
      yes: "Dissolve",
    });
    if (yes && (await app.acts.retire(id))) app.go("");
  };
  useKeys(app, "cluster", {
    name: () => setNaming(true),
    merge,
    split: () => splitAsking(app, id),
    pin: () => app.acts.pin(id),
    order: () => setParams({ order: order === "border" ? "typical" : "border" }),
    show: () => setParams({ state: state === "all" ? "auto" : "all" }),
    next: () => beside(1),
    previous: () => beside(-1),
  });
  useEffect(() => {
    app.wallAt = id;
    if (cluster) document.title = `${clusterName(cluster)} – organizer`;
  }, [id, cluster?.name]);

  if (!cluster) {
    return html`<${Gone} app=${app} id=${route.args[0]} />`;
  }
  const leaves = { auto: ["confirm", "move", "exclude"], decided: ["move", "exclude"] };
  const context = { cluster: id, leaves: leaves[state] || ["move", "exclude"] };
  const closeNaming = () => {
    setNaming(false);
    grid?.grid.root.focus({ preventScroll: true });
  };
  const toCheck = state === "auto" && !ingest ? size : (left.value ?? 0);
  const figures = { auto: toCheck, decided: cluster.size - toCheck, all: cluster.size };
  return html`<section class="images">
    <header class="head">
      ${naming
        ? html`<div class="head-name"><${NameField} app=${app} cluster=${cluster}
            onDone=${closeNaming} onLeave=${closeNaming} /></div>`
        : html`<h1>
            <button class="title ${cluster.name ? "" : "unnamed"}" title="Name it (n)"
              onClick=${() => setNaming(true)}>${clusterName(cluster)}</button>
            ${cluster.doubt > 0 && html`<span class="chip border">${percent(cluster.doubt)} doubtful</span>`}
            ${cluster.pinned && !cluster.name && html`<span class="chip">pinned</span>`}
            ${collection?.hiddenByRule > 0 &&
            html`<span class="chip">${count(collection.hiddenByRule)} with people are not shown</span>`}
            ${ingest && html`<a class="chip accent" href=${hashOf("cluster", [id])}>new images only ×</a>`}
          </h1>`}
      <div class="end">
        <div class="tabs" role="group" aria-label="Which images">
          ${STATES.map(
            ([key, label]) => html`<button key=${key} aria-pressed=${String(state === key)}
              onClick=${() => setParams({ state: key === "auto" ? "" : key })}>
              ${label} <span class="figure">${count(Math.max(0, figures[key] ?? 0))}</span>
            </button>`,
          )}
        </div>
        <select aria-label="Order of the images" value=${order}
          onChange=${(event) => setParams({ order: event.target.value })}>
          ${ORDERS.map(([key, label]) => html`<option key=${key} value=${key}>${label}</option>`)}
        </select>
        <${Density} grid=${grid?.grid} />
        <span class="cluster-acts">
          <button onClick=${merge}>Merge <kbd>g</kbd></button>
          <button onClick=${() => splitAsking(app, id)}>Split <kbd>s</kbd></button>
          <button onClick=${dissolve}>Dissolve</button>
        </span>
      </div>
    </header>
    ${problem && html`<${Trouble} title=${problem.message} text=${problem.hint} />`}
    ${collection && html`<${ImageGrid} key=${collection.key} app=${app} collection=${collection}
      context=${context} label="Images of ${clusterName(cluster)}" onGrid=${setGrid}>
      <${Finished} app=${app} cluster=${cluster} state=${state} onNext=${() => beside(1)}
        onAll=${() => setParams({ state: "all" })} />
    <//>`}
  </section>`;
}

// No such cluster any more: the way on, and the way back.
function Gone({ app, id }) {
  const canUndo = useStore(app.store, (s) => s.history.can_undo);
  const back = useRef();
  useEffect(() => back.current.focus({ preventScroll: true }), []);
  return html`<section class="empty">
    <h1>There is no cluster ${id} now.</h1>
    <p role="alert">All its images were taken out, or it was merged, dissolved, or undone.</p>
    <p class="buttons">
      <a class="button primary" ref=${back} href=${hashOf("")}>Back to the clusters</a>
      ${canUndo && html`<button onClick=${() => app.acts.undo()}>Undo <kbd>ctrl+z</kbd></button>`}
    </p>
  </section>`;
}

function Finished({ cluster, state, onNext, onAll }) {
  if (state === "decided") return html`<p>No image of it has been checked yet.</p>`;
  if (state === "all") return html`<p>It has no images.</p>`;
  return html`<h2>All ${plural(cluster.size, "image")} checked</h2>
    <div class="buttons">
      <button onClick=${onAll}>See them <kbd>v</kbd></button>
      <button class="primary" onClick=${onNext}>Next cluster <kbd>j</kbd></button>
    </div>`;
}
