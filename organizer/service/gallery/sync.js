// Keeps the store in step with the library: loads it, and takes the events of others.
import { shortened } from "./acts.js";
import { listen } from "./events.js";

const TOGETHER = 150; // ms; what others do within these is loaded at once
const SOON = 350; // ms after a decision until the figures of all clusters are loaded
const CALM = 1_500; // ms between two looks at a library that an ingest fills

/** What the store holds at first. */
export const INITIAL = {
  route: { name: "", args: [], params: {} },
  status: null,
  clusters: new Map(), // id -> Cluster, in the order of `sort`
  sort: "size",
  progress: null,
  history: { can_undo: null, can_redo: null },
  jobs: new Map(),
  online: true,
  problem: null, // why nothing could be loaded
  change: { number: 0 }, // the last change that views of images load anew for
  toasts: [],
  dialog: null,
  viewer: null,
};

/** @param {{api: object, store: object}} app */
export function makeSync(app) {
  const { api, store } = app;
  let waiting = []; // events that came while a decision of this page was under way
  let gathering = 0;
  let calm = 0;
  let soon = 0;
  let expected = 0; // reclusters that this page asked for, and whose event has not come yet

  // A decision made meanwhile is shown already; what is there after it is asked for by it.
  function isOld(found, sent) {
    return api.sent !== sent || (api.revision !== null && found.revision < api.revision);
  }

  async function loadAll({ anyRevision = false } = {}) {
    const { sort } = store.get();
    const { sent } = api;
    try {
      const [status, found, history] = await Promise.all([
        api.get("/status"),
        api.get("/clusters", { sort }),
        api.get("/history", { limit: 1 }),
      ]);
      if (isOld(anyRevision ? { revision: api.revision } : found, sent)) return;
      api.revision = found.revision;
      const clusters = new Map(found.clusters.map((c) => [c.id, c]));
      store.set({ status, clusters, progress: found.progress, history, problem: null });
    } catch (problem) {
      store.set({ problem });
    }
  }

  /** Loads the clusters; `images`: views of images load anew too. */
  async function refresh({ images = true } = {}) {
    await loadAll();
    if (images) announce();
  }

  function announce() {
    store.set(({ change }) => ({ change: { number: change.number + 1 } }));
  }

  function onState(data) {
    if (api.busy) {
      waiting.push(data);
      api.settled().then(() => waiting.splice(0).forEach(onState));
      return;
    }
    if (api.isOwn(data.revision)) return;
    gathering ||= setTimeout(() => {
      gathering = 0;
      refresh();
    }, TOGETHER);
    if (expected && data.what?.[0]?.startsWith("recluster")) {
      expected -= 1; // the view that asked for it says it
      return;
    }
    const who = data.user && data.user !== store.get().status?.user ? `${data.user}: ` : "";
    if (data.what?.length) app.toast(`${who}${shortened(data.what[0])}`, { kind: "other" });
  }

  function onJob(job) {
    store.set(({ jobs }) => ({ jobs: new Map(jobs).set(job.id, job) }));
  }

  function onImages() {
    if (calm) return;
    calm = setTimeout(() => {
      calm = 0;
      refresh();
    }, CALM);
  }

  const takers = {
    hello: (data) => {
      if (api.revision !== null && data.revision !== api.latest(api.revision)) anew();
    },
    state: onState,
    job: onJob,
    images: onImages,
    reset: anew,
  };

  // Whatever the page knows: it may be another library by now, with a lower revision.
  async function anew() {
    expected = 0; // their events may have been missed
    await loadAll({ anyRevision: true });
    announce();
  }

  // Decisions that follow each other quickly are looked at once.
  function refreshSoon() {
    clearTimeout(soon);
    soon = setTimeout(() => api.settled().then(() => refresh({ images: false })), SOON);
  }

  return {
    start() {
      listen((kind, data) => takers[kind](data), (online) => store.set({ online }));
      api.get("/jobs").then(({ jobs }) => jobs.reverse().forEach(onJob), () => {});
      return loadAll();
    },
    /** A recluster of this page begins: its event is not said. Gives what says that it failed. */
    expectRecluster() {
      expected += 1;
      return () => { expected = Math.max(0, expected - 1); };
    },
    refresh,
    refreshSoon,
    announce,
    sort(sort) {
      store.set({ sort });
      return loadAll();
    },
  };
}
