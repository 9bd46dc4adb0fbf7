// A grid with all that is done in it: keys, mouse, touch, acts, the large view.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact-htm.js";
import { ActBar } from "./act_bar.js";
import { clusterName } from "./format.js";
import { Grid } from "./grid.js";
import { gridActs } from "./grid_acts.js";
import { useKeys } from "./keys.js";
import { onPointer } from "./grid_pointer.js";
import { remember, remembered } from "./recent.js";
import { Selection } from "./selection.js";

const SMALLEST = 72;
const LARGEST = 420;

/**
 * @param {object} props
 * @param {object} props.app
 * @param {Collection} props.collection
 * @param {{cluster?: number|null, leaves?: string[]}} [props.context] `cluster`: whose images these
 *   are; `leaves`: acts after which an image is not shown here any more.
 * @param {string} props.label What the images are, for screen readers.
 * @param {any} [props.children] Shown instead of the grid where nothing is left.
 */
export function ImageGrid({ app, collection, context = {}, label, children, onGrid }) {
  const root = useRef();
  const held = useRef({});
  const [, draw] = useState(0);
  const selection = useMemo(() => new Selection(collection), [collection]);
  const isMixed = context.cluster === null || context.cluster === undefined;
  const open = (position) => app.view({ key: "grid", collection, selection, position, context });
  const acts = gridActs(app, { collection, selection, context });

  useLayoutEffect(() => {
    const grid = new Grid(root.current, {
      collection,
      selection,
      target: remembered("density", 190),
      isSquare: remembered("square", false),
      caption: isMixed ? (row) => nameOf(app, collection.clusterOf(row)) : null,
    });
    held.current = { grid };
    onGrid?.({ grid, selection });
    const stops = [
      selection.subscribe(() => draw((n) => n + 1)),
      onPointer(root.current, { grid, selection, open: (at) => held.current.open(at) }),
    ];
    draw((n) => n + 1);
    if (document.activeElement === document.body) root.current.focus({ preventScroll: true });
    return () => {
      stops.forEach((stop) => stop());
      grid.close();
    };
  }, [collection, selection]);
  held.current.open = open;

  const go = (by, { extend = false, rows = 0 } = {}) => {
    const { grid } = held.current;
    if (!collection.size) return;
    const to = rows
      ? grid.layout.beside(selection.cursor, rows)
      : selection.cursor + by;
    selection.moveTo(to, { extend });
    grid.reveal(selection.cursor);
  };
  const pages = (sign, extend) => go(0, { rows: sign * held.current.grid.pageRows, extend });
  const motion = (extend) => ({
    right: () => go(1, { extend }),
    left: () => go(-1, { extend }),
    down: () => go(0, { rows: 1, extend }),
    up: () => go(0, { rows: -1, extend }),
    "page down": () => pages(1, extend),
    "page up": () => pages(-1, extend),
    first: () => go(-Infinity, { extend }),
    last: () => go(Infinity, { extend }),
  });
  const extending = Object.entries(motion(true)).map(([name, run]) => [`select ${name}`, run]);
  useKeys(app, "grid", {
    ...motion(false),
    ...Object.fromEntries(extending),
    ...acts,
    toggle: () => selection.toggle(selection.cursor),
    all: () => (selection.count === collection.size ? selection.clear() : selection.all()),
    enter: () => collection.size && open(selection.cursor),
    larger: () => setDensity(held.current.grid, 1.25),
    smaller: () => setDensity(held.current.grid, 0.8),
    ...(selection.count ? { back: () => selection.clear() } : {}),
  });

  return html`<div class="images">
    <div
      class="grid"
      ref=${root}
      role="listbox"
      tabindex="0"
      aria-multiselectable="true"
      aria-label=${label}
      hidden=${!collection.size}
    ></div>
    ${!collection.size && html`<div class="grid-empty">${children || "No images."}</div>`}
    <${ActBar} acts=${acts} selection=${selection} context=${context} />
  </div>`;
}

function nameOf(app, id) {
  const cluster = id === null ? null : app.store.get().clusters.get(id);
  return cluster ? clusterName(cluster) : "";
}

export function setDensity(grid, factor) {
  const target = Math.round(Math.max(SMALLEST, Math.min(grid.target * factor, LARGEST)));
  grid.arrange({ target });
  grid.reveal(grid.selection.cursor);
  remember("density", target);
  dispatchEvent(new CustomEvent("density", { detail: target }));
}

/** The slider of the size of pictures, and the choice of squares. */
export function Density({ grid }) {
  const [value, setValue] = useState(remembered("density", 190));
  const [isSquare, setSquare] = useState(remembered("square", false));
  useEffect(() => {
    const onDensity = (event) => setValue(event.detail);
    addEventListener("density", onDensity);
    return () => removeEventListener("density", onDensity);
  }, []);
  const onInput = (event) => {
    const target = Number(event.target.value);
    setValue(target);
    remember("density", target);
    grid?.arrange({ target });
  };
  const onSquare = () => {
    remember("square", !isSquare);
    setSquare(!isSquare);
    grid?.arrange({ isSquare: !isSquare });
  };
  return html`<span class="density">
    <button class="quiet icon" aria-pressed=${String(isSquare)} aria-label="Squares"
      title="Squares" onClick=${onSquare}>▦</button>
    <input type="range" aria-label="Size of the pictures" min=${SMALLEST} max=${LARGEST}
      value=${value} onInput=${onInput} />
  </span>`;
}
