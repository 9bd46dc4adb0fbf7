// What is known of an image: its cluster, facts, history, where its file is, and what is like it.
import { html } from "./vendor/preact-htm.js";
import { originalUrl } from "./api.js";
import { clusterName, moment, wallClock } from "./format.js";
import { Collection } from "./collection.js";
import { hashOf } from "./routes.js";
import { useLoaded, useStore } from "./state.js";
import { Thumb } from "./thumb.js";

const LIKE = 12;
const WORDS = { auto: "assigned", unsure: "unassigned", decided: "decided by a person" };

export function Facts({ app, id, image }) {
  const clusters = useStore(app.store, (s) => s.clusters);
  const canShow = useStore(app.store, (s) => s.status?.can_show_files);
  const { value: near } = useLoaded(
    (signal) => app.api.get(`/images/${id}/neighbours`, { limit: LIKE }, { signal }),
    [id],
  );
  const hits = (near?.hits || []).filter((hit) => hit.id !== id);
  const openHit = (position) => {
    const collection = Collection.ofImages(hits, { revision: near.revision });
    app.view({ key: `near ${id}`, collection, position });
  };
  const nameOf = (cluster) =>
    clusters.has(cluster) ? clusterName(clusters.get(cluster)) : `Cluster ${cluster}`;
  return html`<aside class="facts" aria-label="Facts" tabindex="0">
    ${image && html`<${ClusterLine} image=${image} nameOf=${nameOf} />
      <dl>${factsOf(image).map(([name, value]) => html`<div key=${name}>
        <dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      ${(image.paths || []).map(
        ({ path, present }) => html`<p class="path" key=${path}>
          <code>${path}</code>${!present && html` <small>missing</small>`}
          <button onClick=${() => copy(app, path)}>Copy the path</button>
          ${present && html`<a class="button" href=${originalUrl(id)} target="_blank"
            rel="noopener">Open the file</a>`}
        </p>`,
      )}
      ${canShow && image.paths?.some(({ present }) => present) && html`<p>
        <button onClick=${() => showInFolder(app, id)}>Show in folder</button></p>`}`}
    ${hits.length > 0 && html`<h2>Like it</h2>
      <div class="near">
        ${hits.slice(0, LIKE).map(
          (hit, i) => html`<button key=${hit.id} onClick=${() => openHit(i)}
            title=${hit.cluster_name || ""}
            aria-label="Similar image ${i + 1}${hit.cluster_name ? `, ${hit.cluster_name}` : ""}">
            <${Thumb} id=${hit.id} px=${84} />
          </button>`,
        )}
      </div>
      <a href=${hashOf("search", [], { like: id })}>All that is similar</a>`}
    ${image?.decisions?.length > 0 && html`<h2>Decisions</h2>
      <ol class="facts-history">
        ${image.decisions.slice(-12).reverse().map(
          (event) => html`<li key=${`${event.step} ${event.at}`}>
            ${event.what}${" "}
            <small>${event.user && `${event.user}, `}${moment(event.at)}</small>
          </li>`,
        )}
      </ol>`}
  </aside>`;
}

function ClusterLine({ image, nameOf }) {
  if (image.cluster === null || image.cluster === undefined) {
    return html`<p class="facts-cluster">
      Unassigned${image.candidate !== null && image.candidate !== undefined &&
      html`; nearest is <a href=${hashOf("cluster", [image.candidate])}>${nameOf(image.candidate)}</a>`}
    </p>`;
  }
  return html`<p class="facts-cluster">
    <a href=${hashOf("cluster", [image.cluster])}>${nameOf(image.cluster)}</a>
    <small>${WORDS[image.state] || ""}</small>
  </p>`;
}

function factsOf(image) {
  const { width, height, format, camera } = image.facts || {};
  const size = width && height && `${width} × ${height}${format ? `, ${format}` : ""}`;
  const light = image.night === true ? "night (infrared)" : image.night === false ? "day" : null;
  const where = image.deployment?.location || image.deployment?.id || image.deployment;
  const found = [
    ["Taken", wallClock(image.time || image.facts?.taken_at)],
    ["Camera", image.camera || camera],
    ["Deployment", typeof where === "string" ? where : null],
    ["Light", light],
    ["Event", image.event],
    ["Burst", image.burst],
    ["Size", size],
    ["Distance", image.distance?.toFixed?.(3)],
  ];
  return found.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
}

async function showInFolder(app, id) {
  try {
    await app.api.post(`/images/${id}/show`);
  } catch (problem) {
    app.toast(problem.message, { kind: "problem", hint: problem.hint });
  }
}

async function copy(app, path) {
  try {
    await navigator.clipboard.writeText(path);
    app.toast("The path is copied.");
  } catch {
    app.toast("The browser does not let the page copy.", { kind: "problem", hint: path });
  }
}
