// What a person decides: each act shows at once, is saved at once, and can be undone.
import { untouched } from "./api.js";
import { clusterName, listed, plural } from "./format.js";
import { rememberName } from "./recent.js";
import { stillSo } from "./seen.js";

/** @param {{api: object, store: object, sync: object, toast: Function}} app */
export function makeActs(app) {
  const { api, store, sync } = app;
  const named = (id) => {
    const cluster = store.get().clusters.get(id);
    return cluster ? clusterName(cluster) : `cluster ${id}`;
  };

  function patch(id, change) {
    const clusters = new Map(store.get().clusters);
    const before = clusters.get(id);
    if (!before) return;
    clusters.set(id, { ...before, ...change(before) });
    store.set({ clusters });
  }

  function say(problem) {
    app.toast(problem.message, { kind: "problem", hint: problem.hint });
  }

  function sayLeftOut(left) {
    const were = left === 1 ? "it was" : "they were";
    const text = `${plural(left, "image")} left out: ${were} decided about meanwhile.`;
    app.toast(text, { kind: "problem", hint: "Nothing was overwritten." });
  }

  // Says what was done, with an Undo of that alone; `sent` resolves to the answer. Gives the toast.
  function sayDone(text, sent) {
    app.toast(text, { action: { label: "Undo", run: () => undoOf(sent) } });
    return store.get().toasts.at(-1);
  }

  // Of the steps that this page made one after the other: what their undo calls, the last one last.
  let made = { revision: null, onUndo: [] };

  function took({ revision }, change) {
    const isOurs = made.revision !== null && api.latest(made.revision) === revision;
    made = { revision, onUndo: change(isOurs ? made.onUndo : []) };
  }

  // One batch of decisions: shown (`show` gives what takes it back), sent, taken over.
  async function decide(decisions, about) {
    const { show, done, again, seen, images = false, path, body, onUndo = null } = about;
    let wasStale = false;
    let left = 0; // images that were left out, as others decided about them
    const retry = async (problem, before) => {
      wasStale = true;
      const after = await again(problem, before);
      if (after) left += imagesOf(before) - imagesOf(after);
      return after;
    };
    const takeBack = show?.();
    const isKnown = typeof done !== "function"; // what it did, before the service says it
    const sent = api.decide(path || "/decisions", body || { decisions }, {
      seen: seen?.revision,
      again: retry,
    });
    const toast = isKnown ? sayDone(done, sent) : null;
    try {
      const answer = await sent;
      took(answer, (before) => [...before, onUndo]);
      if (!isKnown) sayDone(done(answer), sent);
      if (left) sayLeftOut(left);
      if (images || wasStale) sync.refresh();
      else sync.refreshSoon();
      return answer;
    } catch (problem) {
      toast?.drop();
      takeBack?.();
      sync.refresh({ images: problem.status === 412 });
      if (problem.status === 412) sayStale(problem);
      else say(problem);
      return null;
    }
  }

  function sayStale(problem) {
    const [event] = problem.body.since || [];
    const what = event ? `${event.user || "Someone"} was faster: ${shortened(String(event.what))}` : problem.message;
    app.toast(what, { kind: "problem", hint: "Nothing was overwritten. Look, and decide again." });
  }

  // About images: what is still as it was when the person looked is decided, the rest is not.
  function imagesAgain(seen) {
    return async (problem, body) => {
      const gone = new Set(problem.body.images); // where the service names them
      const there = problem.status === 412 ? await stillSo(api, seen) : null;
      const isThere = (id) => (there ? there.has(id) : !gone.has(id));
      if (!there && !gone.size) return null;
      const decisions = body.decisions
        .map((d) => ({ ...d, images: d.images.filter(isThere) }))
        .filter((d) => d.images.length && (d.to === undefined || store.get().clusters.has(d.to)));
      return decisions.length ? { ...body, decisions } : null;
    };
  }

  const clustersAgain = (ids) => async (problem, body) => {
    const { clusters } = store.get();
    return untouched(problem, ids) && ids.every((id) => clusters.has(id)) ? body : null;
  };

  // `leave` takes the images out of the view and returns what brings them back.
  function showing(ids, { from, to, leave }) {
    return () => {
      const back = leave?.(ids);
      if (from !== undefined && from !== to) patch(from, (c) => ({ size: c.size - ids.length }));
      if (to !== undefined && from !== to) patch(to, (c) => ({ size: c.size + ids.length }));
      return back;
    };
  }

  // Suggestions: those that are still made.
  async function suggestedAgain(problem, body) {
    const { cohorts } = await api.get("/suggestions");
    const key = (image, cluster, name) => [image, cluster, name].join();
    const now = new Set(cohorts.flatMap(({ cluster, name, images }) =>
      images.map(({ id }) => key(id, cluster, name))));
    const suggestions = body.suggestions.filter((s) => now.has(key(s.image, s.cluster, s.name)));
    return suggestions.length ? { suggestions } : null;
  }

  // Of all acts on images: `seen` is what the person saw of them (seen.js); `onUndo` is called when
  // an undo takes the act back.
  const acts = {
    /** The images are rightly where they are; `cluster`: all of them in this one. */
    confirm: (ids, { leave, seen, onUndo, cluster = null } = {}) =>
      decide([{ kind: "confirm", images: ids, cluster }], {
        seen,
        onUndo,
        show: showing(ids, { leave }),
        done: `${plural(ids.length, "image")} confirmed`,
        again: imagesAgain(seen),
      }),

    /** `to`: a cluster's id. */
    async move(ids, to, { from, leave, seen, onUndo, burst = false } = {}) {
      rememberName(store.get().clusters.get(to)?.name);
      acts.lastTarget = to;
      return decide([{ kind: "move", images: ids, to, burst }], {
        show: showing(ids, { from, to, leave }),
        seen,
        onUndo,
        done: `${plural(ids.length, "image")} moved to ${named(to)}`,
        again: imagesAgain(seen),
      });
    },

    /** `groups`: Map of cluster id -> image ids that are not in it. */
    exclude(groups, { leave, seen, onUndo } = {}) {
      const ids = [...groups.values()].flat();
      const decisions = [...groups].map(([cluster, images]) => ({
        kind: "exclude",
        cluster,
        images,
      }));
      const [from] = groups.size === 1 ? groups.keys() : [];
      return decide(decisions, {
        seen,
        onUndo,
        show: showing(ids, { from, leave }),
        done: from === undefined
          ? `${plural(ids.length, "image")} excluded from their clusters`
          : `${plural(ids.length, "image")} not in ${named(from)}`,
        again: imagesAgain(seen),
      });
    },

    async begin(ids, name, { from, leave, seen, onUndo } = {}) {
      const answer = await decide([{ kind: "new", images: ids, name: name || null }], {
        seen,
        onUndo,
        show: showing(ids, { from, leave }),
        done: `${plural(ids.length, "image")} in a new cluster${name ? `, ${name}` : ""}`,
        again: imagesAgain(seen),
      });
      if (answer) {
        rememberName(name);
        acts.lastTarget = answer.reports[0].cluster;
      }
      return answer;
    },

    rename(id, name) {
      const before = store.get().clusters.get(id);
      rememberName(name);
      return decide([{ kind: "rename", cluster: id, name }], {
        show() {
          patch(id, () => ({ name }));
          const news = before && !before.name ? 1 : 0;
          store.set(({ progress: p }) => ({ progress: p && { ...p, named: p.named + news } }));
          return () => {
            patch(id, () => ({ name: before?.name ?? null }));
            store.set(({ progress: p }) => ({ progress: p && { ...p, named: p.named - news } }));
          };
        },
        done: before?.name ? `${before.name} is now ${name}` : `Cluster ${id} is ${name}`,
        async again(problem, body) {
          const now = store.get().clusters.get(id);
          return now && (now.name === before?.name || now.name === name) ? body : null;
        },
      });
    },

    /** The first keeps its id and name; the person was asked. */
    merge(ids) {
      const { clusters } = store.get();
      const [into, ...others] = ids;
      const total = ids.reduce((sum, id) => sum + (clusters.get(id)?.size || 0), 0);
      return decide([{ kind: "merge", clusters: ids, confirm: true }], {
        images: true,
        show() {
          const before = store.get().clusters;
          const after = new Map(before);
          others.forEach((id) => after.delete(id));
          if (after.has(into)) after.set(into, { ...after.get(into), size: total });
          store.set({ clusters: after });
          return () => store.set({ clusters: before });
        },
        done: `${named(into)} has ${plural(total, "image")} now`,
        again: clustersAgain(ids),
      });
    },

    split: (id, k = 2) =>
      decide([{ kind: "split", cluster: id, k }], {
        images: true,
        done: (answer) => saidOfSplit(named(id), answer.reports[0].new),
        again: clustersAgain([id]),
      }),

    pin: (id) =>
      decide([{ kind: "pin", cluster: id }], {
        show() {
          patch(id, () => ({ pinned: true }));
          return () => patch(id, () => ({ pinned: false }));
        },
        done: `${named(id)} is pinned: it stays through every recluster`,
        again: clustersAgain([id]),
      }),

    retire: (id) =>
      decide([{ kind: "retire", cluster: id }], {
        images: true,
        done: `${named(id)} is dissolved`,
        again: clustersAgain([id]),
      }),

    /** Suggestions as /suggestions gave them: [{image, cluster, name}]. */
    accept: (suggestions, { leave, seen } = {}) =>
      decide([], {
        seen,
        path: "/suggestions/accept",
        body: { suggestions },
        show: () => leave?.(suggestions.map((s) => s.image)),
        done: `${plural(suggestions.length, "image")} accepted as ${suggestions[0]?.name}`,
        again: suggestedAgain,
      }),

    undo: () => step("/undo"),
    redo: () => step("/redo"),
    /** Undoes the step that made a revision, where it is still the last one. */
    undoStep: (revision) => undoOf(Promise.resolve({ revision })),
    lastTarget: null,
  };

  async function undoOf(sent) {
    const answer = await sent.catch(() => null);
    if (!answer) return; // it was refused: there is nothing to take back
    await api.settled();
    if (api.latest(answer.revision) === answer.revision) await step("/undo", answer.revision);
    else sayElse();
  }

  function sayElse() {
    const hint = "Nothing was undone. The history shows what was decided; Ctrl+Z undoes the last step.";
    app.toast("Something else was decided since.", { kind: "problem", hint });
  }

  // `seen`: the revision whose step is meant; else the last step that the page knows.
  async function step(path, seen) {
    try {
      const answer = await api.decide(path, {}, { seen });
      const onUndo = path === "/undo" ? undone(answer) : took(answer, () => []);
      const what = (answer.what || []).join("; ");
      app.toast(`${answer.done === "redone" ? "Redone" : "Undone"}: ${shortened(what)}`, {
        action: path === "/undo"
          ? { label: "Redo", run: acts.redo }
          : { label: "Undo", run: () => acts.undoStep(answer.revision) },
      });
      await sync.refresh();
      onUndo?.();
    } catch (problem) {
      if (problem.status === 412) {
        await sync.refresh();
        if (seen === undefined) sayStale(problem);
        else sayElse();
      } else if (problem.status === 409) {
        app.toast(path === "/undo" ? "There is nothing to undo." : "There is nothing to redo.");
      } else say(problem);
    }
  }

  // What the undone step calls.
  function undone(answer) {
    let found = null;
    took(answer, (before) => {
      found = before.at(-1);
      return before.slice(0, -1);
    });
    return found;
  }

  return acts;
}

const imagesOf = ({ suggestions, decisions = [] }) =>
  suggestions?.length ?? decisions.reduce((sum, d) => sum + (d.images?.length || 0), 0);

function saidOfSplit(name, found) {
  const clusters = listed(found.map((id) => `cluster ${id}`));
  return `${name} is split: ${clusters} ${found.length === 1 ? "is" : "are"} new`;
}

const LONGEST = 120; // characters of what a toast says was done

/** A text, cut where it is too long for a toast. */
export const shortened = (text) =>
  text.length > LONGEST ? `${text.slice(0, LONGEST - 1).trimEnd()}…` : text;
