// A job of a view: started, followed, cancelled.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";

/**
 * {job, problem, run(path, body) -> finished job or null, cancel()}; leaving the view cancels
 * nothing: a job goes on, and the bar shows it.
 */
export function useJob(app) {
  const [state, setState] = useState({ job: null, problem: null });
  const abort = useRef(null);
  const isHere = useRef(true);
  useEffect(() => () => (isHere.current = false), []);
  const show = (next) => isHere.current && setState(next);
  const run = async (path, body) => {
    abort.current = new AbortController();
    show({ job: { state: "queued", progress: {} }, problem: null });
    try {
      const onProgress = (job) => show({ job, problem: null });
      return await app.runJob(path, body, { onProgress, signal: abort.current.signal });
    } catch (problem) {
      show({ job: null, problem });
      return null;
    }
  };
  const isRunning = state.job !== null && ["queued", "running"].includes(state.job.state);
  return { ...state, isRunning, run, cancel: () => abort.current?.abort() };
}

/** How far a job is, what went wrong with it, and the button that ends it. */
export function JobState({ job, problem, isRunning, cancel }) {
  if (problem) {
    return html`<p class="job-problem" role="alert">
      ${problem.message}${problem.hint && html`<br /><small>${problem.hint}</small>`}
    </p>`;
  }
  if (!isRunning) return null;
  const { what, done, total } = job.progress;
  return html`<p class="job-state" role="status">
    <progress value=${total ? done : undefined} max=${total || undefined} aria-label="progress" />
    <span>${what || "waiting"}</span>
    <button type="button" class="quiet" onClick=${cancel}>Cancel</button>
  </p>`;
}
