// The acts of a grid: on what is selected, else on the image under the cursor.
import { count } from "./format.js";
import { pickCluster } from "./names.js";
import { seenIn } from "./seen.js";

export const MOST = 100_000; // images of one decision: what the service takes

/**
 * @param {object} app
 * @param {{collection, selection, context: {cluster?: number|null, leaves?: string[],
 *   without?: string[]}, rows?: () => number[]}} view `rows`: what the acts are about; usually of
 *   the selection. `without`: acts that there are not, as they mean nothing for these images.
 * @returns {Object<string, () => Promise>} By the actions of the "grid" scope of keys.js.
 */
export function gridActs(app, { collection, selection, context, rows = () => selection.rows() }) {
  const { cluster = null, leaves = [], without = [] } = context;
  const idsOf = (found) => found.map((row) => collection.idAt(row));

  // What an act is told: what the person saw, and how it shows here.
  function view(kind, mark, seen) {
    const ids = [...seen.images.keys()];
    return {
      seen,
      from: cluster ?? undefined,
      leave: () => {
        const isLeft = leaves.includes(kind);
        const back = isLeft ? collection.leave(ids) : collection.mark(ids, mark);
        if (isLeft) selection.clear();
        return back;
      },
    };
  }

  // What is chosen, as it is seen now: it may change while a dialog is open.
  function chosen(found = rows()) {
    if (found.length > MOST) {
      app.toast(`That are too many for one decision: select ${count(MOST)} images at most.`);
      return null;
    }
    return found.length ? { ids: idsOf(found), seen: seenIn(collection, found) } : null;
  }

  async function confirm() {
    const found = rows().filter((row) => cluster !== null || collection.clusterOf(row) !== null);
    if (!found.length) return app.toast("It is in no cluster: m moves it to one.");
    const what = chosen(found);
    if (!what) return null;
    const { ids, seen } = what;
    return app.acts.confirm(ids, { ...view("confirm", { state: "decided" }, seen), cluster });
  }

  function moveTo({ ids, seen }, to) {
    return app.acts.move(ids, to, view("move", { state: "decided", cluster: to }, seen));
  }

  async function move() {
    const what = chosen();
    if (!what) return null;
    const { ids } = what;
    const title = `Move ${ids.length === 1 ? "the image" : `${ids.length} images`} to`;
    const picked = await pickCluster(app, { title, without: cluster, allowNew: true });
    if (!picked) return null;
    return picked.name ? begin(what, picked.name) : moveTo(what, picked.to);
  }

  async function begin({ ids, seen }, name) {
    const shown = view("move", { state: "decided", cluster: null }, seen);
    const answer = await app.acts.begin(ids, name, shown);
    // It has an id only now.
    if (answer && !leaves.includes("move")) {
      collection.mark(ids, { cluster: answer.reports[0].cluster });
    }
    return answer;
  }

  async function beginNamed() {
    const what = chosen();
    if (!what) return null;
    const { ids } = what;
    const title = `A new cluster of ${ids.length === 1 ? "this image" : `${ids.length} images`}`;
    const picked = await pickCluster(app, { title, onlyNew: true });
    if (!picked) return null;
    return picked.to === undefined ? begin(what, picked.name) : moveTo(what, picked.to);
  }

  function exclude() {
    const of = (row) => cluster ?? collection.clusterOf(row);
    const found = rows().filter((row) => of(row) !== null);
    if (!found.length) return app.toast("It is in no cluster.");
    const what = chosen(found);
    if (!what) return null;
    const groups = new Map();
    found.forEach((row, i) => {
      if (!groups.has(of(row))) groups.set(of(row), []);
      groups.get(of(row)).push(what.ids[i]);
    });
    return app.acts.exclude(groups, view("exclude", { state: "unsure", cluster: null }, what.seen));
  }

  // The burst of the images; when all of it is selected, the event.
  function event() {
    const found = rows();
    for (const column of [collection.burst, collection.event]) {
      const groups = new Set(found.map((row) => column[row]).filter((n) => n >= 0));
      const before = selection.count;
      if (!groups.size) continue;
      selection.add((row) => groups.has(column[row]));
      if (selection.count > Math.max(before, 1)) return;
    }
    if (selection.count < 2) app.toast("It is of no burst and no event with others here.");
  }

  const acts = {
    confirm,
    move,
    exclude,
    event,
    new: beginNamed,
    repeat() {
      const to = app.acts.lastTarget;
      if (to === null || !app.store.get().clusters.has(to)) return move();
      const what = chosen();
      return what && moveTo(what, to);
    },
    similar() {
      const ids = idsOf(rows()).slice(0, 16);
      if (ids.length) app.go("search", [], { like: ids.join(",") });
    },
  };
  return Object.fromEntries(Object.entries(acts).filter(([name]) => !without.includes(name)));
}
