// Jobs of the service, followed to their end.
import { Problem } from "./api.js";

const ENDED = ["done", "failed", "cancelled"];
const ASK = 2_000; // ms; the stream of events tells first, this is for when it is broken

/**
 * Starts a job and resolves to it when it is done.
 *
 * @param {object} app
 * @param {string} path "/reclusters", "/ingests", ...
 * @param {object} body
 * @param {{onProgress?: (job: object) => void, signal?: AbortSignal}} options Aborting cancels it.
 * @throws {Problem} It was refused, failed, or was cancelled.
 */
export async function runJob(app, path, body, { onProgress = () => {}, signal } = {}) {
  const isRecluster = path === "/reclusters" && !body.dry_run;
  const failed = isRecluster ? app.sync.expectRecluster() : () => {};
  try {
    const job = await (isRecluster ? app.api.decide(path, body) : app.api.post(path, body));
    return await followed(app, job, { onProgress, signal });
  } catch (problem) {
    failed();
    throw problem;
  }
}

async function followed(app, begun, { onProgress, signal }) {
  let job = begun;
  app.store.set(({ jobs }) => ({ jobs: new Map(jobs).set(job.id, job) }));
  signal?.addEventListener("abort", () => app.api.delete(`/jobs/${job.id}`).catch(() => {}));
  while (!ENDED.includes(job.state)) {
    onProgress(job);
    job = await next(app, job);
  }
  onProgress(job);
  if (job.state === "failed") throw new Problem(0, job.problem || {});
  if (job.state === "cancelled") throw new Problem(0, { detail: "Cancelled." });
  return job;
}

// The job when it next changes.
function next(app, job) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      stop();
    };
    const stop = app.store.subscribe(({ jobs }) => {
      const now = jobs.get(job.id);
      if (now && now !== job) {
        end();
        resolve(now);
      }
    });
    const timer = setTimeout(() => {
      stop();
      app.api.get(`/jobs/${job.id}`).then(resolve, reject);
    }, ASK);
  });
}
