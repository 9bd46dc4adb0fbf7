// An image, large: with its boxes, its facts, what is like it, and all acts.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { originalUrl, thumbnailUrl } from "./api.js";
import { ActButtons } from "./act_bar.js";
import { count } from "./format.js";
import { gridActs } from "./grid_acts.js";
import { useKeys } from "./keys.js";
import { remember, remembered } from "./recent.js";
import { useLoaded, useStore } from "./state.js";
import { Facts } from "./viewer_facts.js";

const AHEAD = 2; // pictures that are fetched before they are asked for
const SHOWN_AS_THEY_ARE = /\.(jpe?g|png|webp|gif|avif|bmp|svg)$/i;

/**
 * @param {object} props
 * @param {Collection} props.collection
 * @param {Selection} [props.selection]
 * @param {number} props.position
 * @param {object} [props.context] As of ImageGrid; `answers`: acts of the view in the place of those
 *   of a grid, by their names: (place) => Promise of whether it was answered.
 */
export function Viewer({ app, collection, selection, position, context = {} }) {
  const root = useRef();
  const [at, setAt] = useState(position);
  const [hasFacts, setFacts] = useState(() => remembered("facts", innerWidth > 900));
  const [isZoomed, setZoomed] = useState(false);
  const [, draw] = useState(0);
  const change = useStore(app.store, (s) => s.change);
  const place = Math.min(at, collection.size - 1);
  const row = collection.rowAt(place);
  const id = row === undefined ? null : collection.idAt(row);
  const { value: image } = useLoaded(
    async (signal) => id && app.api.get(`/images/${id}`, {}, { signal }),
    [id, change, collection.state[row]],
  );

  useLayoutEffect(() => {
    const before = document.activeElement;
    root.current.focus({ preventScroll: true });
    const stop = collection.subscribe(() => () => draw((n) => n + 1));
    return () => {
      stop();
      (before?.isConnected ? before : document.querySelector(".grid"))?.focus({
        preventScroll: true,
      });
    };
  }, []);
  useEffect(() => {
    if (id === null) close();
    for (let i = place + 1; i <= place + AHEAD && i < collection.size; i += 1) {
      new Image().src = thumbnailUrl(collection.idAt(collection.rowAt(i)), 768);
    }
    selection?.moveTo(place);
  }, [id]);

  const close = () => app.view(null);
  const go = (step) => {
    setAt(Math.max(0, Math.min(place + step, collection.size - 1)));
    setZoomed(false);
  };
  // An act on the image, and on to the next: where it leaves the view, that is at its place.
  const acts = gridActs(app, {
    collection,
    selection: selection || { clear() {}, count: 0 },
    context,
    rows: () => (row === undefined ? [] : [row]),
  });
  const advancing = (name) => async () => {
    const before = collection.size;
    const done = acts[name]();
    if (name !== "move" && name !== "new" && collection.size === before) go(1);
    await done;
  };
  const answering = (name) => async () => {
    if (await context.answers[name](place)) go(1);
  };
  const isUnassigned = (context.cluster ?? collection.clusterOf(row)) === null;
  const actions = context.answers
    ? actionsOf(Object.keys(context.answers), answering)
    : actionsOf(offered(acts, isUnassigned), advancing);
  actions.similar = acts.similar;
  useKeys(
    app,
    "viewer",
    {
      next: () => go(1),
      previous: () => go(-1),
      ...actions,
      toggle: () => selection?.toggle(place),
      facts: () => {
        remember("facts", !hasFacts);
        setFacts(!hasFacts);
      },
      zoom: () => setZoomed(!isZoomed),
      close,
    },
    { exclusive: true },
  );
  if (id === null) return null;
  const isSelected = selection?.has(row);
  const onTab = (event) => keepInside(event, root.current);
  return html`<div class="viewer" role="dialog" aria-modal="true" tabindex="-1" ref=${root}
    aria-label=${image ? image.name || image.path : "Image"} onKeyDown=${onTab}>
    <div class="viewer-main">
      <div class="viewer-bar">
        <span class="numbers" role="status">${count(place + 1)} of ${count(collection.size)}</span>
        <span class="viewer-name">${image?.name || ""}</span>
        ${image?.missing && html`<span class="chip border">file missing</span>`}
        ${isSelected && html`<span class="chip accent">selected</span>`}
        <button class="quiet" aria-pressed=${String(hasFacts)} onClick=${() => setFacts(!hasFacts)}>
          Facts <kbd>i</kbd>
        </button>
        <button class="quiet icon" aria-label="Close" onClick=${close}>×</button>
      </div>
      <${Picture} key=${id} id=${id} image=${image} ratio=${collection.ratio[row]}
        isZoomed=${isZoomed} onZoom=${() => setZoomed(!isZoomed)} onSwipe=${go} />
      <button class="viewer-side left" aria-label="Previous image" disabled=${place === 0}
        onClick=${() => go(-1)}>‹</button>
      <button class="viewer-side right" aria-label="Next image"
        disabled=${place >= collection.size - 1} onClick=${() => go(1)}>›</button>
      <div class="viewer-acts" role="toolbar" aria-label="With this image">
        <${ActButtons} acts=${actions} without=${["event"]} />
      </div>
    </div>
    ${hasFacts && html`<${Facts} app=${app} id=${id} image=${image} />`}
  </div>`;
}

const actionsOf = (names, run) => Object.fromEntries(names.map((name) => [name, run(name)]));

// An unassigned image is in no cluster: there is nothing to confirm, and nothing it is not in.
const offered = (acts, isUnassigned) =>
  ["confirm", "move", "repeat", "exclude", "new"].filter(
    (name) => acts[name] && !(isUnassigned && ["confirm", "exclude"].includes(name)),
  );

// The tab key goes round among what can be reached in the dialog.
function keepInside(event, root) {
  if (event.key !== "Tab") return;
  const reached = [...root.querySelectorAll("button:not(:disabled), a[href], summary, input")];
  const last = reached[reached.length - 1];
  const isOut = event.shiftKey
    ? document.activeElement === reached[0] || document.activeElement === root
    : document.activeElement === last;
  if (!isOut || !reached.length) return;
  event.preventDefault();
  (event.shiftKey ? last : reached[0]).focus();
}

/** The small picture at once, the large one over it when it is there; boxes above both. */
function Picture({ id, image, ratio, isZoomed, onZoom, onSwipe }) {
  const [isLarge, setLarge] = useState(false);
  const [large, setSource] = useState(null);
  const from = useRef(null);
  useEffect(() => {
    if (!image || image.id !== id) return;
    // A crop has no file of its own; formats that a browser cannot show come as large thumbnails.
    const asIs = SHOWN_AS_THEY_ARE.test(image.path || "") && !image.frame;
    setSource(asIs ? originalUrl(id) : thumbnailUrl(id, 1536));
  }, [image, id]);
  const onTouch = {
    onTouchStart: (event) => {
      from.current = event.touches.length === 1 ? event.touches[0] : null;
    },
    onTouchEnd: (event) => {
      const [to] = event.changedTouches;
      const far = from.current && !isZoomed ? to.clientX - from.current.clientX : 0;
      if (Math.abs(far) > 60) onSwipe(far < 0 ? 1 : -1);
    },
  };
  const { width, height } = image?.facts || {};
  const shape = width && height && !image.frame ? width / height : ratio || 4 / 3;
  const boxes = image?.id === id ? boxesOf(image) : [];
  const onError = () => large && !large.includes("thumbnail") && setSource(thumbnailUrl(id, 1536));
  return html`<div class="picture ${isZoomed ? "zoomed" : ""}" ...${onTouch}>
    <div class="frame" onDblClick=${onZoom}
      style=${styleOf({ shape, width, isZoomed })}>
      <img class="small" src=${thumbnailUrl(id, 768)} alt="" draggable=${false}
        onError=${({ target }) => (target.style.visibility = "hidden")} />
      ${large && html`<img class="large ${isLarge ? "shown" : ""}" src=${large} alt=""
        draggable=${false} decoding="async" onLoad=${() => setLarge(true)} onError=${onError} />`}
      ${boxes.map(
        ({ box: [x, y, w, h], label, key }) => html`<span class="box" key=${key} style=${{
          left: `${100 * x}%`,
          top: `${100 * y}%`,
          width: `${100 * w}%`,
          height: `${100 * h}%`,
        }}><small>${label}</small></span>`,
      )}
    </div>
  </div>`;
}

// As large as there is room, but a small picture not more than twice as large as it is.
function styleOf({ shape, width, isZoomed }) {
  const most = width ? `${Math.max(2 * width, 480)}px` : "100cqw";
  const style = { aspectRatio: String(shape), "--ratio": String(shape), "--most": most };
  return isZoomed && width ? { ...style, width: `${width}px` } : style;
}

function boxesOf(image) {
  return [...(image.crops || []), ...(image.boxes || [])]
    .filter((found) => found.box)
    .map((found, i) => ({ box: found.box, label: found.category || "", key: found.id || i }));
}
