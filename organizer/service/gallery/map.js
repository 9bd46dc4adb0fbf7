// The map: all images in the plane, alike together; a lasso, then any act.
import {
  html, useEffect, useLayoutEffect, useMemo, useRef, useState,
} from "./vendor/preact-htm.js";
import { ActBar } from "./act_bar.js";
import { Collection } from "./collection.js";
import { Trouble } from "./empty.js";
import { count, plural } from "./format.js";
import { gridActs } from "./grid_acts.js";
import { useKeys } from "./keys.js";
import { MapCanvas } from "./map_canvas.js";
import { NONE, SCHEMES, countGroups, paletteOf } from "./map_colours.js";
import { MapLegend } from "./map_legend.js";
import { MapPoints } from "./map_points.js";
import { MapTip } from "./map_tip.js";
import { useLoaded, useStore } from "./state.js";

const SHOWN = 5_000; // selected images that are shown as pictures, at most

export default function MapView({ app, route }) {
  const [attempt, setAttempt] = useState(0);
  const [job, setJob] = useState(null);
  const images = useStore(app.store, (s) => s.status.images);
  const load = async (signal, redraw = false) => {
    let about = await app.api.get("/map", {}, { signal });
    if (!about.drawn || redraw) {
      await app.runJob("/maps", { redraw }, { onProgress: setJob, signal });
      about = await app.api.get("/map", {}, { signal });
    }
    return MapPoints.load(about, signal);
  };
  const { value: points, problem, loading } = useLoaded(
    (signal) => load(signal, attempt > 0 && !problem),
    [attempt],
  );
  // New images are placed on the map: its points are others then.
  const [later, setLater] = useState(null);
  const change = useStore(app.store, (s) => s.change);
  useEffect(() => {
    if (!points || !change.number) return;
    const shown = later || points;
    app.api.get("/map").then(async (about) => {
      if (about.version === shown.about.version) await shown.reload();
      else setLater(await MapPoints.load(about));
    }, () => {});
  }, [change]);
  useEffect(() => setLater(null), [points]);
  if (problem) {
    return html`<${Trouble} title=${problem.message} text=${problem.hint}
      retry=${() => setAttempt((n) => n + 1)} />`;
  }
  if (!points || loading) return html`<${Drawing} job=${job} images=${images} />`;
  const shown = later || points;
  return html`<${DrawnMap} key=${shown.about.version} app=${app} route=${route} points=${shown}
    onRedraw=${() => setAttempt((n) => n + 1)} />`;
}

function Drawing({ job, images }) {
  const { what, done, total } = job?.progress || {};
  return html`<div class="empty" role="status">
    <h1>The map</h1>
    ${job
      ? html`<p>${what ? what[0].toUpperCase() + what.slice(1) : "Drawing the map"}…</p>
          <progress max=${total || 1} value=${total ? done : null} aria-label="Progress"></progress>
          <p class="small">It is drawn once, and kept: images that come later are placed on it.</p>`
      : html`<p>Opening the map of ${plural(images, "image")}…</p>`}
  </div>`;
}

/** What is selected: a flag for each image. */
class MapSelection {
  constructor(points) {
    this.flags = new Uint8Array(points.count);
    this.count = 0;
    this.listeners = new Set();
  }

  /** `how`: {add, remove}; else only these are selected. */
  take(rows, { add = false, remove = false } = {}) {
    if (!add && !remove) this.flags.fill(0);
    for (const row of rows) this.flags[row] = remove ? 0 : 1;
    this.changed();
  }

  /** For gridActs. */
  add(isIn) {
    for (let row = 0; row < this.flags.length; row += 1) if (isIn(row)) this.flags[row] = 1;
    this.changed();
  }

  clear() {
    this.flags.fill(0);
    this.changed();
  }

  rows() {
    const found = [];
    for (let row = 0; row < this.flags.length; row += 1) if (this.flags[row]) found.push(row);
    return found;
  }

  changed() {
    this.count = 0;
    for (let row = 0; row < this.flags.length; row += 1) this.count += this.flags[row];
    for (const listener of this.listeners) listener();
  }
}

function DrawnMap({ app, route, points, onRedraw }) {
  const stage = useRef();
  const held = useRef({});
  const [hovered, setHovered] = useState(null);
  const [isLassoing, setLassoing] = useState(false);
  const [shown, setShown] = useState(new Set());
  const [version, setVersion] = useState(0); // of the points' columns and the selection
  const [status, setStatus] = useState("");
  const clusters = useStore(app.store, (s) => s.clusters);
  const scheme = SCHEMES.find(({ name }) => name === route.params.colour) || SCHEMES[0];
  const selection = useMemo(() => new MapSelection(points), [points]);
  const schemes = useMemo(
    () => SCHEMES.filter((one) => one === scheme || isKnown(points, one)),
    [points, points.columns.time, scheme],
  );
  const { value: isReady } = useLoaded((signal) => points.want(scheme.column, { signal }), [scheme]);
  const draw = () => setVersion((n) => n + 1);
  useEffect(() => {
    points.want("time").then(draw, () => {});
  }, [points]);

  useEffect(() => {
    selection.listeners.add(draw);
    const stop = points.subscribe(draw);
    return () => {
      selection.listeners.delete(draw);
      stop();
    };
  }, [points, selection]);

  useLayoutEffect(() => {
    const map = new MapCanvas(
      stage.current,
      {
        hover: (row, left, top) => setHovered(row < 0 ? null : { row, left, top }),
        open: (row) => held.current.open([row]),
        lasso: (rows, how) => held.current.lasso(rows, how),
      },
      { renderer: route.params.draw },
    );
    map.setPoints(points.xy);
    held.current.map = map;
    stage.current.map = map;
    return () => map.close();
  }, [points]);

  const has = points.columns[scheme.column];
  const grouping = useMemo(
    () => (has ? scheme.group(points, { clusters }) : null),
    [scheme, has, version, isReady, scheme.name === "cluster" ? clusters : null],
  );
  const counts = useMemo(
    () => grouping && countGroups(grouping, selection.flags),
    [grouping, version],
  );
  useEffect(() => {
    if (!grouping) return;
    const n = grouping.groups.length;
    const groups = grouping.of.map((group) => (group < n ? group : n));
    held.current.map.paint(groups, paletteOf(grouping), brightness(groups));
  }, [grouping, shown, version]);

  // Bright is what is selected, else what the legend highlights.
  function brightness(groups) {
    if (selection.count) return selection.flags;
    if (!shown.size) return null;
    const isBright = Uint8Array.from(
      [...grouping.groups.map((g) => g.key), "none"],
      (key) => Number(shown.has(key)),
    );
    return groups.map((group) => isBright[group]);
  }

  const acts = mapActs(app, points, selection);
  const idOf = (row) => points.idAt(row);
  held.current.open = (rows) => {
    const state = (row) => (points.isDecided(row) ? "decided" : null);
    const images = rows.slice(0, SHOWN).map((row) => (
      { id: idOf(row), cluster: points.clusterOf(row), state: state(row) }));
    const collection = Collection.ofImages(images, { revision: points.revision });
    app.view({ key: "map", collection, position: 0, context: {} });
  };
  held.current.lasso = (rows, how) => {
    selection.take(rows, how);
    setStatus(`${plural(selection.count, "image")} selected`);
  };

  const lasso = (on) => {
    held.current.map.isLassoing = on;
    setLassoing(on);
  };
  const toggle = (key) => {
    const next = new Set(key === null ? [] : shown);
    if (key !== null && !next.delete(key)) next.add(key);
    setShown(next);
  };
  const map = () => held.current.map;
  const move = (run) => () => {
    run(map());
    map().hoverMiddle();
    const row = map().hovered;
    setStatus(row < 0 ? "" : describe(app, points, row));
  };
  useKeys(app, "map", {
    left: move((m) => m.pan(-0.15, 0)),
    right: move((m) => m.pan(0.15, 0)),
    up: move((m) => m.pan(0, 0.15)),
    down: move((m) => m.pan(0, -0.15)),
    in: move((m) => m.zoom(1.5)),
    out: move((m) => m.zoom(1 / 1.5)),
    whole: move((m) => m.reset()),
    lasso: () => lasso(!isLassoing),
    all: () => held.current.lasso(map().visible(), {}),
    enter: () => (selection.count ? held.current.open(selection.rows())
      : map().hovered >= 0 && held.current.open([map().hovered])),
    ...acts,
    ...(selection.count ? { back: () => selection.clear() }
      : isLassoing ? { back: () => lasso(false) }
      : shown.size ? { back: () => toggle(null) } : {}),
  });

  const colourBy = (name) => {
    setShown(new Set());
    app.replaceParams({ ...route.params, colour: name === "cluster" ? "" : name });
  };
  const { about } = points;
  return html`<section class="map-view" aria-label="Map">
    <div class="head">
      <h1>Map <span class="chip">${plural(about.count, "image")}</span></h1>
      <span class="tabs" role="group" aria-label="Colour by">
        ${schemes.map(({ name, title }) => html`<button key=${name}
          aria-pressed=${String(name === scheme.name)} onClick=${() => colourBy(name)}>${title}</button>`)}
      </span>
      <span class="end">
        <button aria-pressed=${String(isLassoing)} aria-keyshortcuts="s" class="lasso"
          onClick=${() => lasso(!isLassoing)} title="Draw around images to select them">
          Lasso <kbd>s</kbd></button>
        <span class="zoom" role="group" aria-label="Zoom">
          <button class="icon" aria-label="Zoom out" onClick=${() => map().zoom(1 / 1.5)}>−</button>
          <button class="icon" aria-label="Zoom in" onClick=${() => map().zoom(1.5)}>+</button>
          <button class="icon" aria-label="The whole map" onClick=${() => map().reset()}>⤢</button>
        </span>
      </span>
    </div>
    <div class="map-body">
      <div class="map-stage ${isLassoing ? "lassoing" : ""}" ref=${stage} tabindex="0"
        role="application" aria-roledescription="map"
        aria-label="Map of ${plural(about.count, "image")}. Arrows move, plus and minus zoom, s draws a lasso, a selects what is on the screen.">
        ${hovered && html`<${MapTip} app=${app} id=${idOf(hovered.row)} left=${hovered.left}
          top=${hovered.top} cluster=${points.clusterOf(hovered.row)} />`}
      </div>
      ${grouping && counts && html`<${MapLegend} grouping=${grouping} counts=${counts}
        selected=${selection.count} shown=${shown} onToggle=${toggle} />`}
    </div>
    <${Notes} about=${about} onRedraw=${onRedraw} />
    <p class="visually-hidden" role="status">${status}</p>
    <${ActBar} acts=${acts} selection=${selection} />
  </section>`;
}

// Colours that would all be the same are not offered. Cameras are known from the start; times once
// they are loaded.
function isKnown(points, { name }) {
  if (name === "camera") return points.about.cameras.length > 0;
  const times = name === "time" && points.columns.time;
  return !times || times.some((time) => !Number.isNaN(time));
}

function mapActs(app, points, selection) {
  const acts = gridActs(app, { collection: points, selection, context: {} });
  delete acts.event; // points know neither bursts nor events
  const guarded = (run) => () => {
    if (!selection.count) return app.toast("Select something first: s draws a lasso.");
    return run();
  };
  // Once it is done, the images are no longer what the next act is about.
  const done = (run) => async () => {
    const chosen = selection.rows();
    const answer = await run();
    if (answer) selection.take(chosen, { remove: true });
    return answer;
  };
  return Object.fromEntries(
    Object.entries(acts).map(([name, run]) => [name, guarded(name === "similar" ? run : done(run))]),
  );
}

function describe(app, points, row) {
  const id = points.clusterOf(row);
  const cluster = id === null ? null : app.store.get().clusters.get(id);
  return `${cluster?.name || (id === null ? "unassigned" : `cluster ${id}`)}; enter shows the picture`;
}

function Notes({ about, onRedraw }) {
  const { drawn_of: drawn, placed_since: since, hidden } = about;
  const notes = [];
  if (since) {
    notes.push(html`${plural(since, "image")} came since the map was drawn.
      <button class="quiet" onClick=${onRedraw}>Draw it anew</button>`);
  }
  if (drawn < about.count - since) {
    notes.push(`Drawn of ${count(drawn)} images; the others lie beside those most like them.`);
  }
  if (hidden) notes.push(`${plural(hidden, "image")} with people or vehicles left out.`);
  if (!notes.length) return null;
  return html`<p class="map-notes muted small">${notes.map((note, i) => html`<span key=${i}>${note}</span>`)}</p>`;
}
