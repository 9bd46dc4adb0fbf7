// Clusters written out as folders: a plan first, then the files, and an undo.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { count, plural } from "./format.js";
import { useLoaded, useStore } from "./state.js";
import { JobState, useJob } from "./use_job.js";

const ACTIONS = [
  ["link", "Link", "The photos stay where they are; the folders hold links, which take no room."],
  ["copy", "Copy", "The photos stay where they are; the folders hold copies."],
  ["move", "Move", "The photos move into the folders, with the files beside them."],
];

const MOST_REFUSALS = 20; // that are shown
const DONE = ["done", "undone", "there"];

export default function Folders({ app }) {
  const status = useStore(app.store, (s) => s.status);
  const job = useJob(app);
  const [asked, setAsked] = useState({ target: "", action: "link", by: "name" });
  const [plan, setPlan] = useState(null);
  const [report, setReport] = useState(null); // of what was not done as a whole
  const [again, setAgain] = useState(0);
  const arrange = useRef();
  const active = useLoaded((signal) => app.api.get("/arrangements", {}, { signal }), [again]);
  const target = asked.target || proposed(status);
  useEffect(() => arrange.current?.focus(), [plan]);
  const change = (part) => {
    setAsked((now) => ({ ...now, ...part }));
    setPlan(null);
    setReport(null);
  };
  const request = { target, action: asked.action, by: asked.by };
  const show = async (event) => {
    event.preventDefault();
    const done = await job.run("/arrangements", { ...request, dry_run: true });
    if (done) setPlan(done);
  };
  const run = async (path, body, say) => {
    setReport(null);
    const done = await job.run(path, body);
    setPlan(null);
    setAgain((n) => n + 1);
    if (!done) return;
    const { text, isWhole } = say(done.result);
    if (isWhole && !done.result.refusals?.length) app.toast(text, { kind: "done" });
    else setReport({ text, result: done.result });
  };
  const begin = () => run("/arrangements", { ...request, dry_run: false }, saidOfArranging);
  if (!status) return html`<p class="loading">Loading</p>`;
  return html`<section class="page">
    <h1>Folders</h1>
    <p class="muted">
      Each cluster becomes a folder. Nothing is ever overwritten, and undo takes all of it back.
    </p>
    <form class="folders-form" onSubmit=${show}>
      <label>
        Into the folder
        <input
          autofocus
          value=${target}
          spellcheck=${false}
          onInput=${(event) => change({ target: event.target.value })}
        />
      </label>
      <fieldset>
        <legend>The files</legend>
        ${ACTIONS.map(
          ([action, title, text]) => html`<label key=${action} class="choice">
            <input
              type="radio"
              name="action"
              checked=${asked.action === action}
              onChange=${() => change({ action })}
            />
            <span><b>${title}</b> <small class="muted">${text}</small></span>
          </label>`,
        )}
      </fieldset>
      <label>
        A folder for each
        <select value=${asked.by} onChange=${(event) => change({ by: event.target.value })}>
          <option value="name">name</option>
          <option value="cluster">cluster</option>
          ${status.has_times && html`<option value="event">event of a cluster</option>`}
          ${status.has_deployments && html`<option value="camera">cluster and camera</option>`}
        </select>
      </label>
      <div>
        <button class=${plan ? "" : "primary"} disabled=${job.isRunning}>Show the plan</button>
      </div>
    </form>
    <${JobState} ...${job} />
    ${report && html`<${NotDone} ...${report} />`}
    ${plan &&
    html`<${Plan} job=${plan} />
      <div class="buttons">
        <button onClick=${() => setPlan(null)}>Not now</button>
        <button class="primary" ref=${arrange} disabled=${job.isRunning} onClick=${begin}>
          ${ACTIONS.find(([action]) => action === asked.action)[1]}${" "}
          ${plural(plan.result.files, "file")}
        </button>
      </div>`}
    <${InPlace}
      found=${active.value?.arrangements || []}
      isRunning=${job.isRunning}
      undo=${(one) => run("/arrangements/undo", { target: one.target }, saidOfUndo)}
      goOn=${() => run("/arrangements/continue", {}, saidOfArranging)}
    />
  </section>`;
}

// What became of files that were not arranged or not taken back.
const RESULTS = {
  pending: "not tried yet",
  missing: "not found where they were",
  changed: "changed since, and left as they are",
  occupied: "not written: another file has the name",
  failed: "refused by the system",
  gone: "not there any more",
  kept: "kept: the last copy of their content",
};

function saidOfArranging({ done, there = 0, files, to, finished }) {
  const isWhole = finished && done > 0 && done + there >= files;
  const already = there ? `, ${count(there)} were there already` : "";
  return { isWhole, text: `${count(done)} of ${plural(files, "file")} in ${to}${already}` };
}

function saidOfUndo({ undone, results = {}, finished }) {
  const others = Object.values(results).reduce((sum, number) => sum + number, 0);
  const total = Math.max(undone, others);
  const isWhole = finished && undone > 0 && undone >= total;
  return { isWhole, text: `${count(undone)} of ${plural(total, "file")} taken back` };
}

// What was refused, and why: the first of them by name, the rest as numbers.
function NotDone({ text, result }) {
  const { refusals = [], left = {}, results = {} } = result;
  const others = Object.entries(results).filter(([what, number]) => number && !DONE.includes(what));
  const stayed = Object.entries(left).filter(([, number]) => number);
  return html`<section class="job-problem" role="alert">
    <p><b>${text}</b></p>
    ${others.map(([what, number]) => html`<p key=${what}>${count(number)} ${RESULTS[what] || what}</p>`)}
    ${stayed.map(([why, number]) => html`<p key=${why}>${count(number)} left where they are: ${why}</p>`)}
    ${refusals.length > 0 &&
    html`<ul>
      ${refusals.slice(0, MOST_REFUSALS).map(
        ({ path, reason }) => html`<li key=${path}><code>${path}</code>: ${reason}</li>`,
      )}
    </ul>`}
    ${refusals.length > MOST_REFUSALS &&
    html`<p>And ${count(refusals.length - MOST_REFUSALS)} more.</p>`}
  </section>`;
}

function Plan({ job }) {
  const { result } = job;
  const left = Object.entries(result.left).filter(([, number]) => number);
  return html`<section class="preview" aria-label="the plan">
    <h2>${plural(result.files, "file")} into ${result.to}</h2>
    ${left.length > 0 &&
    html`<p class="muted">
      Left where they are: ${left.map(([why, number]) => `${count(number)} ${why}`).join(", ")}.
    </p>`}
    <div class="table-wrap" tabindex="0" role="region" aria-label="first files of the plan">
      <table class="plan">
        <thead><tr><th scope="col">From</th><th scope="col">To</th></tr></thead>
        <tbody>
          ${result.rows.map(
            (row) => html`<tr key=${row.target}><td>${row.source}</td><td>${row.target}</td></tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="small muted">
      ${result.files > result.rows.length && html`The first ${result.rows.length} files. `}
      ${job.download && html`<a href=${job.download} download>The whole plan as a table</a>`}
    </p>
  </section>`;
}

function InPlace({ found, isRunning, undo, goOn }) {
  if (!found.length) return null;
  return html`<h2>In place</h2>
    <ul class="in-place">
      ${found.map(
        (one, at) => html`<li key=${one.created_at}>
          <span>
            <b>${one.target}</b>${" "}
            <small class="muted">
              ${plural(one.done, "file")} (${one.action})${one.finished ? "" : ", not finished"}
            </small>
          </span>
          ${at === 0 &&
          html`<span>
            ${!one.finished &&
            !one.undoing &&
            html`<button disabled=${isRunning} onClick=${goOn}>Go on</button>${" "}`}
            <button disabled=${isRunning} onClick=${() => undo(one)}>Undo</button>
          </span>`}
        </li>`,
      )}
    </ul>`;
}

// Beside the first folder that was ingested; of Windows' paths too.
function proposed(status) {
  const root = status?.roots[0] || status?.library || "";
  const mark = root.includes("\\") ? "\\" : "/";
  return root ? `${root.slice(0, root.lastIndexOf(mark))}${mark}sorted` : "";
}
