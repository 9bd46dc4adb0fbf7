// Recluster: what would change is shown before it is done.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Evidence } from "./evidence.js";
import { clusterName, count, listed, plural } from "./format.js";
import { hashOf } from "./routes.js";
import { useStore } from "./state.js";
import { Thumb } from "./thumb.js";
import { JobState, useJob } from "./use_job.js";

const CENTRES = [
  ["", "As the pictures are"],
  ["camera", "Without what all photos of a camera share"],
  ["night", "Without what all infrared photos share"],
  ["camera,night", "Without either"],
];

export default function Recluster({ app }) {
  const status = useStore(app.store, (s) => s.status);
  const job = useJob(app);
  const [preview, setPreview] = useState(null);
  const [notes, setNotes] = useState([]); // of the recluster that was made
  const [drops, setDrops] = useState(false); // whether names may be dropped
  const apply = useRef();
  const [asked, setAsked] = useState({
    how: "auto", k: 10, from: 2, to: 40, embedder: "", bursts: false, center: "",
  });
  const change = (part) => {
    setNotes([]);
    setAsked((now) => ({ ...now, ...part }));
    setPreview(null);
  };
  useEffect(() => apply.current?.focus(), [preview]);

  const show = async (event) => {
    event.preventDefault();
    setNotes([]);
    setDrops(false);
    const body = requestOf(asked);
    const done = await job.run("/reclusters", { ...body, dry_run: true });
    if (done) setPreview({ body, result: done.result, notes: done.notes || [] });
  };
  const recluster = async () => {
    const done = await job.run("/reclusters", { ...preview.body, drop_names: drops });
    if (!done) return;
    const made = await lastStep(app);
    const action = made === null ? null : { label: "Undo", run: () => app.acts.undoStep(made) };
    app.toast(`${plural(done.result.k, "cluster")} now`, { kind: "done", action });
    if (!done.notes?.length) return app.go("");
    setPreview(null);
    return setNotes(done.notes);
  };
  if (!status) return html`<p class="loading">Loading</p>`;
  return html`<section class="page">
    <h1>Recluster</h1>
    <p class="muted">
      All ${plural(status.images, "image")} are clustered again. Clusters keep their ids and names,
      decisions hold, and undo brings back what is now. First you see what would change.
    </p>
    <form class="recluster-form" onSubmit=${show}>
      <${HowMany} asked=${asked} change=${change} />
      <details>
        <summary>More choices</summary>
        <${Choices} asked=${asked} change=${change} status=${status} />
      </details>
      <div>
        <button class=${preview ? "" : "primary"} disabled=${job.isRunning}>
          Show what would change
        </button>
      </div>
    </form>
    <${JobState} ...${job} />
    ${notes.length > 0 &&
    html`<${Notes} notes=${notes} />
      <p><a class="button primary" href=${hashOf("")}>See the clusters</a></p>`}
    ${preview &&
    html`<${Preview} app=${app} result=${preview.result} notes=${preview.notes} />
      ${preview.result.dropped.length > 0 &&
      html`<${Dropped} dropped=${preview.result.dropped} drops=${drops} setDrops=${setDrops} />`}
      <div class="buttons">
        <button onClick=${() => setPreview(null)}>Leave it as it is</button>
        <button
          class="primary"
          ref=${apply}
          disabled=${job.isRunning || (preview.result.dropped.length > 0 && !drops)}
          onClick=${recluster}
        >
          Recluster
        </button>
      </div>`}
  </section>`;
}

function HowMany({ asked, change }) {
  const option = (how, text) => html`<label class="choice">
    <input
      type="radio"
      name="how"
      checked=${asked.how === how}
      onChange=${() => change({ how })}
    />
    ${text}
  </label>`;
  const number = (name, label) => html`<input
    type="number"
    aria-label=${label}
    min="1"
    max="1000000"
    required
    value=${asked[name]}
    disabled=${asked.how !== (name === "k" ? "k" : "range")}
    onInput=${(event) => change({ [name]: Number(event.target.value) })}
  />`;
  return html`<fieldset>
    <legend>How many clusters</legend>
    ${option("auto", "As many as the pictures show")}
    <div class="choice-line">${option("k", "Exactly")} ${number("k", "number of clusters")}</div>
    <div class="choice-line">
      ${option("range", "The best from")} ${number("from", "fewest clusters")} to
      ${number("to", "most clusters")}
    </div>
  </fieldset>`;
}

function Choices({ asked, change, status }) {
  return html`<div class="choices">
    <label>
      Network
      <select value=${asked.embedder} onChange=${(event) => change({ embedder: event.target.value })}>
        <option value="">${status.embedder || "the library's own"}</option>
        ${status.embedders
          .filter((one) => one.name !== status.embedder)
          .map((one) => html`<option key=${one.name} value=${one.name}>${one.name}</option>`)}
      </select>
    </label>
    <label>
      Light and cameras
      <select value=${asked.center} onChange=${(event) => change({ center: event.target.value })}>
        ${CENTRES.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}
      </select>
    </label>
    <label class="choice">
      <input
        type="checkbox"
        checked=${asked.bursts}
        onChange=${(event) => change({ bursts: event.target.checked })}
      />
      The photos of a burst count as one
    </label>
  </div>`;
}

// What the service wants the person to know, a line each.
function Notes({ notes }) {
  if (!notes.length) return null;
  return html`<div class="at-risk" role="status">${notes.map((line) => html`<p key=${line}>${line}</p>`)}</div>`;
}

// The revision that a recluster of this page has just made; null: somebody decided since.
async function lastStep(app) {
  try {
    const { revision, events } = await app.api.get("/history", { limit: 1 });
    return events[0]?.what.startsWith("recluster") ? revision : null;
  } catch {
    return null;
  }
}

function Preview({ app, result, notes }) {
  const clusters = useStore(app.store, (s) => s.clusters);
  const sizes = new Map(result.clusters.map((one) => [one.cluster_id, one.count]));
  const { lineage } = result;
  const atRisk = result.changes.filter((change) => change.is_at_risk);
  const name = (id) => (clusters.has(id) ? clusterName(clusters.get(id)) : `Cluster ${id}`);
  return html`<section class="preview" aria-label="what would change">
    <h2>${plural(result.k, "cluster")}, ${plural(lineage.images_moved, "image")} would move</h2>
    <${Notes} notes=${notes} />
    ${atRisk.length > 0 &&
    html`<p class="at-risk" role="alert">
      ${listed(atRisk.map((change) => name(change.cluster_id)))} would hold other images than now:
      look whether the ${atRisk.length > 1 ? "names" : "name"} still fit. Undo brings back what is now.
    </p>`}
    <dl class="changes">
      <${Change} title="Kept" text=${lineage.kept.length ? plural(lineage.kept.length, "cluster") : "none"} />
      ${lineage.split.length > 0 &&
      html`<${Change}
        title="Split"
        text=${lineage.split.map((one) => `${name(one.cluster_id)} into ${one.into.length}`).join("; ")}
      />`}
      ${lineage.merged.length > 0 &&
      html`<${Change}
        title="Merged"
        text=${lineage.merged.map((one) => `${listed(one.from.map(name))} into ${name(one.cluster_id)}`).join("; ")}
      />`}
      ${lineage.born.length > 0 &&
      html`<${Change}
        title="New"
        text=${`${plural(lineage.born.length, "cluster")} with ${lineage.born.map((id) => count(sizes.get(id) || 0)).join(", ")} images`}
      />`}
      ${lineage.retired.length > 0 &&
      html`<${Change} title="Gone" text=${listed(lineage.retired.map(name))} />`}
      <${Change} title="Unassigned" text=${plural(result.unsure, "image")} />
    </dl>
    <${AtRisk} changes=${atRisk} clusters=${clusters} />
    <${Evidence} candidates=${result.evidence} />
  </section>`;
}

// Clusters that a person decided about and that would be gone: only who says so drops them.
function Dropped({ dropped, drops, setDrops }) {
  const names = dropped.map(({ cluster_id: id, name }) => clusterName({ id, name }));
  const one = names.length === 1;
  return html`<div class="at-risk" role="alert">
    <p>
      ${listed(names)} ${one ? "was" : "were"} named, pinned or made by hand and would have no
      images. Undo brings ${one ? "it" : "them"} back.
    </p>
    <label class="choice">
      <input
        type="checkbox"
        checked=${drops}
        onChange=${(event) => setDrops(event.target.checked)}
      />
      Drop ${one ? "it" : "them"} all the same
    </label>
  </div>`;
}

const Change = ({ title, text }) => html`<div><dt>${title}</dt><dd>${text}</dd></div>`;

function AtRisk({ changes, clusters }) {
  const known = changes.filter((change) => clusters.has(change.cluster_id));
  if (!known.length) return null;
  return html`<ul class="at-risk-list">
    ${known.map((change) => {
      const cluster = clusters.get(change.cluster_id);
      return html`<li key=${change.cluster_id}>
        <a href=${hashOf("cluster", [change.cluster_id])}>
          ${cluster.medoid && html`<${Thumb} id=${cluster.medoid} px=${96} alt="" />`}
          <span>${clusterName(cluster)}</span>
          <small class="muted">
            ${count(change.stayed)} of ${plural(change.before, "image")} stay,
            ${count(change.after - change.stayed)} come
          </small>
        </a>
      </li>`;
    })}
  </ul>`;
}

function requestOf({ how, k, from, to, embedder, bursts, center }) {
  const number = { auto: "auto", k, range: [from, to] }[how];
  return { k: number, embedder: embedder || null, bursts, center: center || null };
}
