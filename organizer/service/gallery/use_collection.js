// The collection of a view: loaded, loaded anew when others change what it shows.
import { useEffect, useState } from "./vendor/preact-htm.js";
import { Collection } from "./collection.js";
import { useStore } from "./state.js";

let keys = 0;

/**
 * @param {object} app
 * @param {object} filter As GET /images/columns has it.
 * @param {string} order
 * @returns {{collection: Collection|null, problem: Error|null, size: number}}
 */
export function useCollection(app, filter, order) {
  const key = JSON.stringify([filter, order]);
  const load = () => Collection.load(app, filter, { order });
  return useLoadedCollection(app, load, key);
}

/** As `useCollection`, of what `load` gives; `key`: of what it depends on. */
export function useLoadedCollection(app, load, key) {
  const [found, setFound] = useState({ collection: null, problem: null });
  const [, draw] = useState(0);
  const change = useStore(app.store, (s) => s.change);

  useEffect(() => {
    let isLatest = true;
    let stop = () => {};
    load().then(
      (collection) => {
        if (!isLatest) return;
        collection.key = keys += 1;
        collection.loadedAt = app.store.get().change.number;
        stop = collection.subscribe(() => () => draw((n) => n + 1));
        setFound({ collection, problem: null });
      },
      (problem) => isLatest && setFound({ collection: null, problem }),
    );
    return () => {
      isLatest = false;
      stop();
    };
  }, [key]);

  useEffect(() => {
    const { collection } = found;
    if (!collection || change.number === collection.loadedAt) return;
    collection.loadedAt = change.number;
    collection.reload().catch((problem) => setFound({ collection: null, problem }));
  }, [change]);

  return { ...found, size: found.collection?.size ?? 0 };
}
