// The acts of a grid: on what is selected, else on the image under the cursor.
import { pickCluster } from "./names.js";

/**
 * @param {object} app
 * @param {{collection, selection, context: {cluster?: number|null, leaves?: string[]},
 *   rows?: () => number[]}} view `rows`: what the acts are about; usually of the selection.
 * @returns {Object<string, () => Promise>} By the actions of the "grid" scope of keys.js.
 */
export function gridActs(app, { collection, selection, context, rows = () => selection.rows() }) {
  const { cluster = null, leaves = [] } = context;
  const idsOf = (found) => found.map((row) => collection.idAt(row));

  // What an act is told: how it shows here, and what of it still makes sense after a 412.
  function view(kind, mark) {
    return (ids) => ({
      from: cluster ?? undefined,
      leave: () => {
        const isLeft = leaves.includes(kind);
        const back = isLeft ? collection.leave(ids) : collection.mark(ids, mark);
        if (isLeft) selection.clear();
        return back;
      },
      check: async () => (leaves.length ? collection.still(ids) : ids),
    });
  }

  async function confirm() {
    const found = rows().filter((row) => cluster !== null || collection.clusterOf(row) !== null);
    if (!found.length) return app.toast("It is in no cluster: m moves it to one.");
    const ids = idsOf(found);
    return app.acts.confirm(ids, view("confirm", { state: "decided" })(ids));
  }

  function moveTo(ids, to) {
    return app.acts.move(ids, to, view("move", { state: "decided", cluster: to })(ids));
  }

  async function move() {
    const ids = idsOf(rows());
    if (!ids.length) return null;
    const title = `Move ${ids.length === 1 ? "the image" : `${ids.length} images`} to`;
    const picked = await pickCluster(app, { title, without: cluster, allowNew: true });
    if (!picked) return null;
    return picked.name ? begin(ids, picked.name) : moveTo(ids, picked.to);
  }

  const begin = (ids, name) =>
    app.acts.begin(ids, name, view("move", { state: "decided", cluster: null })(ids));

  async function beginNamed() {
    const ids = idsOf(rows());
    if (!ids.length) return null;
    const title = `A new cluster of ${ids.length === 1 ? "this image" : `${ids.length} images`}`;
    const picked = await pickCluster(app, { title, onlyNew: true });
    if (!picked) return null;
    return picked.to === undefined ? begin(ids, picked.name) : moveTo(ids, picked.to);
  }

  function exclude() {
    const groups = new Map();
    for (const row of rows()) {
      const of = cluster ?? collection.clusterOf(row);
      if (of === null) continue;
      if (!groups.has(of)) groups.set(of, []);
      groups.get(of).push(collection.idAt(row));
    }
    if (!groups.size) return app.toast("It is in no cluster.");
    const ids = [...groups.values()].flat();
    return app.acts.exclude(groups, view("exclude", { state: "unsure", cluster: null })(ids));
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

  return {
    confirm,
    move,
    exclude,
    event,
    new: beginNamed,
    repeat() {
      const to = app.acts.lastTarget;
      const ids = idsOf(rows());
      if (to === null || !app.store.get().clusters.has(to)) return move();
      return ids.length ? moveTo(ids, to) : null;
    },
    similar() {
      const ids = idsOf(rows()).slice(0, 16);
      if (ids.length) app.go("search", [], { like: ids.join(",") });
    },
  };
}
