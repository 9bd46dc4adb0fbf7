// One small store: what several parts of the page show.
import { useEffect, useRef, useState } from "./vendor/preact-htm.js";

/**
 * @param {object} initial
 * @returns {{get: () => object, set: (patch: object | ((state: object) => object)) => void,
 *   subscribe: (listener: (state: object, before: object) => void) => () => void}}
 */
export function makeStore(initial) {
  let state = initial;
  const listeners = new Set();
  return {
    get: () => state,
    set(patch) {
      const before = state;
      state = { ...state, ...(typeof patch === "function" ? patch(state) : patch) };
      for (const listener of [...listeners]) listener(state, before);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What `select` takes of the store; the component is drawn again when that is another value. */
export function useStore(store, select) {
  const [, draw] = useState(0);
  const latest = useRef();
  const value = select(store.get());
  latest.current = { select, value };
  useEffect(
    () =>
      store.subscribe((state) => {
        const { select: take, value: before } = latest.current;
        if (take(state) !== before) draw((count) => count + 1);
      }),
    [store],
  );
  return value;
}

/** What an asynchronous function gives: {value, problem, loading}; the latest call wins. */
export function useLoaded(load, inputs) {
  const [found, setFound] = useState({ value: null, problem: null, loading: true });
  useEffect(() => {
    const abort = new AbortController();
    setFound((before) => ({ ...before, loading: true }));
    load(abort.signal).then(
      (value) => abort.signal.aborted || setFound({ value, problem: null, loading: false }),
      (problem) => abort.signal.aborted || setFound({ value: null, problem, loading: false }),
    );
    return () => abort.abort();
  }, inputs);
  return found;
}
