// How good the clusters are: the scores in words, the evidence for k, and the whole report as a page.
import { html, useMemo, useState } from "./vendor/preact-htm.js";
import { Evidence } from "./evidence.js";
import { count, percent, plural } from "./format.js";
import { hashOf } from "./routes.js";
import { useLoaded, useStore } from "./state.js";
import { JobState, useJob } from "./use_job.js";

const LABELS = [
  ["", "no known classes"],
  ["folders", "the folders of the files"],
  ["camera", "the cameras"],
  ["light", "day and infrared"],
  ["format", "the file formats"],
];

export default function Report({ app, route }) {
  const labels = route.params.labels || "";
  const change = useStore(app.store, (s) => s.change);
  const report = useLoaded(
    (signal) => app.api.get("/report", { labels: labels || null }, { signal }),
    [labels, change],
  );
  const evidence = useLoaded((signal) => app.api.get("/evidence", {}, { signal }), [change]);
  const found = report.value?.report;
  return html`<section class="page report">
    <div class="report-head">
      <h1>Report</h1>
      <label>
        Compare with${" "}
        <select
          value=${labels}
          onChange=${(event) => app.replaceParams({ labels: event.target.value })}
        >
          ${LABELS.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}
        </select>
      </label>
      <${WholeReport} app=${app} labels=${labels} />
    </div>
    ${report.problem && html`<p role="alert">${report.problem.message}</p>`}
    ${!found && !report.problem && html`<p class="loading">Scoring the clusters</p>`}
    ${found && html`<${Scores} found=${found} />`}
    ${evidence.value && evidence.value.candidates.length > 1 &&
    html`<h2>How many clusters</h2>
      <${Evidence} candidates=${evidence.value.candidates} />`}
    ${found &&
    html`<h2>Clusters</h2>
      <${PerCluster} rows=${found.per_cluster} hasTruth=${"purity" in found} />
      <${Factors} factors=${found.factors} />`}
  </section>`;
}

function WholeReport({ app, labels }) {
  const job = useJob(app);
  const [page, setPage] = useState(null);
  const make = async () => {
    const done = await job.run("/reports", { labels: labels || null });
    if (done) setPage(done.download);
  };
  return html`<span class="whole-report">
    ${page
      ? html`<a class="button primary" href=${page} target="_blank" rel="noopener">Open the page</a>`
      : html`<button onClick=${make} disabled=${job.isRunning}>Make a page of it</button>`}
    <${JobState} ...${job} />
  </span>`;
}

function Scores({ found }) {
  const scores = [
    ["Images", count(found.images), `in ${plural(found.k, "cluster")}, ${count(found.unsure)} unassigned`],
    found.silhouette !== null && [
      "Silhouette",
      found.silhouette.toFixed(3),
      "from -1 to 1: how well the clusters are apart, on the vectors",
    ],
    found.audit && [
      "Purity by your answers",
      percent(found.audit.purity.share),
      `between ${percent(found.audit.purity.low)} and ${percent(found.audit.purity.high)} with 95% confidence`,
    ],
    "purity" in found && ["Purity", percent(found.purity), "images that are in a cluster of their own class"],
    "nmi" in found && ["NMI", found.nmi.toFixed(3), "what clusters and classes have in common, 0 to 1"],
    "ari" in found && ["ARI", found.ari.toFixed(3), "pairs on which they agree beyond chance, up to 1"],
    "acc" in found && ["Accuracy", percent(found.acc), "with each cluster taken for one class"],
  ].filter(Boolean);
  return html`<dl class="scores">
    ${scores.map(
      ([title, value, text]) => html`<div key=${title}>
        <dt>${title}</dt>
        <dd><b>${value}</b> <small>${text}</small></dd>
      </div>`,
    )}
  </dl>`;
}

const COLUMNS = [
  ["count", "Images", count],
  ["silhouette", "Silhouette", (value) => value.toFixed(2)],
  ["cohesion", "Cohesion", (value) => value.toFixed(2)],
  ["purity", "Purity", percent],
  ["majority", "Mostly", (value) => value],
];

function PerCluster({ rows, hasTruth }) {
  const [by, setBy] = useState("count");
  const columns = COLUMNS.filter(([name]) => hasTruth || !["purity", "majority"].includes(name));
  const hasReasons = rows.some((row) => row.reason);
  const sorted = useMemo(() => {
    const sign = by === "count" ? -1 : 1;
    const key = (row) => row[by] ?? Infinity;
    return [...rows].sort((a, b) => (key(a) < key(b) ? -sign : key(a) > key(b) ? sign : 0));
  }, [rows, by]);
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="scores by cluster">
    <table>
      <thead>
        <tr>
          <th scope="col">Cluster</th>
          ${columns.map(
            ([name, title]) => html`<th key=${name} scope="col" aria-sort=${by === name ? (name === "count" ? "descending" : "ascending") : null}>
              <button class="quiet" onClick=${() => setBy(name)}>${title}</button>
            </th>`,
          )}
          ${hasReasons && html`<th scope="col">Held together by</th>`}
        </tr>
      </thead>
      <tbody>
        ${sorted.map(
          (row) => html`<tr key=${row.cluster_id}>
            <th scope="row">
              <a href=${hashOf("cluster", [row.cluster_id])}>${row.name || `Cluster ${row.cluster_id}`}</a>
            </th>
            ${columns.map(([name, , show]) => {
              const isKnown = row[name] !== null && row[name] !== undefined;
              return html`<td key=${name}>${isKnown ? show(row[name]) : "–"}</td>`;
            })}
            ${hasReasons &&
            html`<td class=${row.doubtful ? "doubtful" : ""}>${row.reason || ""}</td>`}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Factors({ factors }) {
  if (!factors.length) return null;
  return html`<p class="muted">
    How much the clusters have in common with what is known of the photos (0 nothing, 1 all):${" "}
    ${factors.map((one) => `${one.name} ${one.nmi.toFixed(2)}`).join(", ")}.
  </p>`;
}
