// The client of the REST API: JSON in and out, problems as errors, If-Match on decisions.

const BASE = "/api/v1";
const TRIES = 3;

/** A refusal of the service (RFC 9457), or of the network. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The service answered ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.body = body;
    this.kind = String(body.type || "").split("/").pop();
    this.hint = body.hint || null;
  }
}

/** "?a=1&b=2" of what is not empty. */
export function query(params = {}) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") found.set(name, value);
  }
  const text = found.toString();
  return text && `?${text}`;
}

let thumbnails = 1; // the version in their address, which browsers keep them by

/** Thumbnails are made in another way from now on: their addresses are others. */
export function setThumbnailVersion(version) {
  thumbnails = version;
}

export const thumbnailUrl = (id, size) =>
  `${BASE}/images/${id}/thumbnail/${size}?v=${thumbnails}`;
export const originalUrl = (id) => `${BASE}/images/${id}/original`;
export const eventsUrl = `${BASE}/events`;

/**
 * @param {{onStale?: (problem: Problem) => Promise<void>, onReach?: (is: boolean) => void,
 *   user?: () => string}} options `onStale` takes the new state when another tab or the command
 *   line was faster; `onReach(isThere)`: whether the service answers; `user()`: who decides.
 */
export function makeApi({ onStale = async () => {}, onReach = () => {}, user = () => "" } = {}) {
  let revision = null;
  const made = new Map(); // by a revision, the one that a decision of this page made of it
  let last = Promise.resolve();
  let pending = 0;
  let sent = 0;

  async function request(method, path, { body, headers = {}, signal } = {}) {
    const init = { method, headers: { Accept: "application/json", ...headers }, signal };
    if (user()) init.headers["X-Organizer-User"] = encodeURIComponent(user());
    if (body instanceof Blob) init.body = body;
    else if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers["Content-Type"] = "application/json";
    }
    let answer;
    try {
      answer = await fetch(path.startsWith("/api/") ? path : BASE + path, init);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      onReach(false);
      const detail = "The service does not answer.";
      throw new Problem(0, { detail, hint: "Is `organizer serve` running?", type: "offline" });
    }
    onReach(true);
    const text = answer.status === 204 ? "" : await answer.text();
    const found = text ? parsed(text) : null;
    if (!answer.ok) throw new Problem(answer.status, found || {});
    return found;
  }

  // What was seen, and what this page itself decided since.
  function latest(seen) {
    let found = seen;
    while (made.has(found)) found = made.get(found);
    return found;
  }

  // A decision, tried again on the new state where it still makes sense.
  async function attempt(path, body, { seen, again }) {
    let match = latest(seen);
    for (let tries = 1; ; tries += 1) {
      try {
        const headers = { "If-Match": match === null ? "*" : `"${match}"` };
        const done = await request("POST", path, { body, headers });
        if (Number.isInteger(done?.revision) && done.revision > match) {
          made.set(match, done.revision);
        }
        return done;
      } catch (problem) {
        const isStale = problem.status === 412;
        if ((!isStale && problem.kind !== "elsewhere") || tries === TRIES) throw problem;
        if (isStale) match = problem.body.revision;
        await onStale(problem);
        body = await again(problem, body);
        if (!body) throw problem;
      }
    }
  }

  return {
    get: (path, params, options) => request("GET", path + query(params), options),
    post: (path, body, options) => request("POST", path, { body, ...options }),
    delete: (path) => request("DELETE", path),

    /**
     * Sends a decision, after those that were sent before it.
     *
     * @param {string} path
     * @param {object} body
     * @param {{seen?: number, again?: (problem: Problem, body: object) => Promise<object|null>}}
     *   options `seen`: the revision of what the person saw, that of the clusters if not said;
     *   `again` says what to send on the new state after a 412; null: it no longer makes sense.
     */
    decide(path, body, { seen, again = async () => null } = {}) {
      const from = seen ?? revision;
      pending += 1;
      sent += 1;
      const done = last.then(() => attempt(path, body, { seen: from, again }));
      last = done.then(
        () => { pending -= 1; },
        () => { pending -= 1; },
      );
      return done;
    },

    /** Resolves when no decision is under way. */
    settled: () => last,
    get busy() { return pending > 0; },
    /** Decisions sent so far: what was asked for before the last one is old when it comes. */
    get sent() { return sent; },
    /** What the clusters of the store show. */
    get revision() { return revision; },
    set revision(value) { revision = value; },
    latest,
    /** Whether a decision of this page made a revision. */
    isOwn: (number) => [...made.values()].includes(number),
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { detail: text.slice(0, 200) };
  }
}

/** Whether what was done since touches none of these clusters. */
export function untouched(problem, clusters) {
  const since = problem.body.since || [];
  const mine = new Set(clusters);
  return since.every((event) => event.clusters?.length && !event.clusters.some((c) => mine.has(c)));
}
