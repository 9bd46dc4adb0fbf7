// What stands where nothing is to be seen yet.
import { html, useState } from "./vendor/preact-htm.js";
import { useStore } from "./state.js";

export function Trouble({ title, text, retry }) {
  return html`<section class="empty" role="alert">
    <h1>${title}</h1>
    ${text && html`<p>${text}</p>`}
    ${retry && html`<p><button class="primary" onClick=${() => retry()}>Try again</button></p>`}
  </section>`;
}

/** A library without images, or without clusters: what to do, here or in a terminal. */
export function Empty({ app, status }) {
  const jobs = useStore(app.store, (s) => s.jobs);
  const busy = [...jobs.values()].some((job) => ["queued", "running"].includes(job.state));
  return status.images
    ? html`<${WithoutClusters} app=${app} status=${status} busy=${busy} />`
    : html`<${WithoutImages} app=${app} busy=${busy} />`;
}

async function start(app, path, body) {
  try {
    await app.runJob(path, body);
  } catch (problem) {
    app.toast(problem.message, { kind: "problem", hint: problem.hint });
  }
}

function WithoutImages({ app, busy }) {
  const [folder, setFolder] = useState("");
  const onSubmit = (event) => {
    event.preventDefault();
    if (folder.trim()) start(app, "/ingests", { paths: [folder.trim()] });
  };
  return html`<section class="empty">
    <h1>No images yet</h1>
    <p>
      Name a folder of photos on the machine where organizer runs. The photos stay where they are,
      and nothing is sent anywhere.
    </p>
    <form class="inline-form" onSubmit=${onSubmit}>
      <label for="folder">Folder</label>
      <input id="folder" value=${folder} placeholder="/home/you/photos" autocomplete="off"
        spellcheck="false" onInput=${(event) => setFolder(event.target.value)} />
      <button class="primary" disabled=${busy || !folder.trim()}>
        ${busy ? "Working…" : "Ingest"}
      </button>
    </form>
    <p class="muted">Or in a terminal: <code>organizer ingest FOLDER</code></p>
  </section>`;
}

function WithoutClusters({ app, busy, status }) {
  return html`<section class="empty">
    <h1>${status.images.toLocaleString("en")} images, no clusters yet</h1>
    <p>organizer puts alike images together; you look at the groups and name them.</p>
    <p>
      <button class="primary" disabled=${busy}
        onClick=${() => start(app, "/reclusters", { k: "auto" })}>
        ${busy ? "Working…" : "Find the clusters"}
      </button>
    </p>
    <p class="muted">
      Or in a terminal: <code>organizer recluster --k auto</code>. With a number in mind, or another
      algorithm: <a href="#/recluster">Recluster</a>.
    </p>
  </section>`;
}
