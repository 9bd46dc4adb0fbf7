// The timeline: what each camera saw, event by event, in rows by day.
import {
  html, useEffect, useLayoutEffect, useMemo, useRef, useState,
} from "./vendor/preact-htm.js";
import { Collection } from "./collection.js";
import { Trouble } from "./empty.js";
import { count, plural } from "./format.js";
import { gridActs } from "./grid_acts.js";
import { ImageGrid } from "./image_grid.js";
import { useKeys } from "./keys.js";
import { useLoaded, useStore } from "./state.js";
import { EventCard } from "./timeline_card.js";
import { dayRows, dayTitle, monthsOf } from "./timeline_days.js";

const AHEAD = 600; // pixels above and below what is seen that are there already
const CARD = 168; // pixels of a card at least, and its gap
const GAP = 10;
const HEIGHTS = { day: 52, cards: 196 };

// What is apart, and closed until it is asked for.
const TABS = [
  { name: "", title: "Events", groups: ["animals", "no detector result"] },
  { name: "empty", title: "Empty", groups: ["empty"] },
  { name: "people", title: "People", groups: ["people"], list: "people" },
  { name: "vehicles", title: "Vehicles", groups: ["vehicles"], list: "vehicles" },
];

export default function TimelineView({ app, route }) {
  const { camera = "", deployment = "", show = "" } = route.params;
  const change = useStore(app.store, (s) => s.change);
  const [acted, setActed] = useState(0); // what is decided here is announced to nobody
  const { value: found, problem } = useLoaded(
    (signal) => app.api.get("/timeline", { camera, deployment }, { signal }),
    [camera, deployment, change, acted],
  );
  const set = (params) => app.replaceParams({ ...route.params, ...params });
  if (problem) {
    const retry = () => set({ camera: "", deployment: "" });
    return html`<${Trouble} title=${problem.message} text=${problem.hint} retry=${retry} />`;
  }
  if (!found) return html`<p class="loading" role="status">Reading the events…</p>`;
  const tab = TABS.find(({ name }) => name === show) || TABS[0];
  const of = (groups) => found.events.filter((event) => groups.includes(event.group));
  const counts = new Map(TABS.map(({ name, groups }) => [name, of(groups).length]));
  return html`<section class="timeline" aria-label="Timeline">
    <div class="head">
      <h1>Timeline <span class="chip">${plural(found.events.length, "event")}</span></h1>
      <span class="tabs" role="group" aria-label="What the photos show">
        ${TABS.filter(({ name }) => !name || counts.get(name)).map(({ name, title }) => html`<button
          key=${name} aria-pressed=${String(show === name)} onClick=${() => set({ show: name })}
          >${title} <span class="figure">${count(counts.get(name))}</span></button>`)}
        ${found.untimed > 0 && html`<button aria-pressed=${String(show === "untimed")}
          onClick=${() => set({ show: "untimed" })}>Without a time
          <span class="figure">${count(found.untimed)}</span></button>`}
      </span>
      <span class="end">
        <${Choice} label="Deployment" value=${deployment} options=${found.deployments}
          onPick=${(value) => set({ deployment: value, camera: "" })} />
        ${(!found.deployments.length || found.cameras.length > found.deployments.length) &&
        html`<${Choice} label="Camera" value=${camera} options=${found.cameras}
          onPick=${(value) => set({ camera: value, deployment: "" })} />`}
      </span>
    </div>
    ${show === "untimed" ? html`<${Untimed} app=${app} found=${found} />`
      : !counts.get(tab.name) ? html`<div class="grid-empty"><p>No events here.</p></div>`
      : html`<${Days} key=${[show, camera, deployment].join()} app=${app}
          events=${of(tab.groups)} revision=${found.revision} tab=${tab} onActed=${() => setActed((n) => n + 1)} />`}
  </section>`;
}

function Choice({ label, value, options, onPick }) {
  if (options.length < 2) return null;
  return html`<label class="choice"><span class="visually-hidden">${label}</span>
    <select value=${value} onChange=${(event) => onPick(event.target.value)}>
      <option value="">${`All ${label.toLowerCase()}s`}</option>
      ${options.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
    </select>
  </label>`;
}

function Untimed({ app, found }) {
  const collection = useMemo(() => Collection.ofIds(found.untimed_images, { revision: found.revision }), [found]);
  const more = found.untimed - found.untimed_images.length;
  return html`<p class="timeline-note muted">
      ${plural(found.untimed, "photo")} without a time: the camera wrote none, so they are of no
      event.${more > 0 ? ` ${count(found.untimed_images.length)} of them:` : ""}
    </p>
    <${ImageGrid} app=${app} collection=${collection} label="Photos without a time" />`;
}

/** The days: rows of known heights, of which only those that are seen are there. */
function Days({ app, events, revision, tab, onActed }) {
  const root = useRef();
  const [view, setView] = useState({ top: 0, height: 900, width: 1000 });
  const [at, showAt] = useState(-1); // the event under the cursor, by its place in the rows
  const here = useRef(-1); // likewise, at once: keys may come faster than they are shown
  const setAt = (place) => {
    here.current = place;
    showAt(place);
  };
  const columns = Math.max(1, Math.floor((view.width - 32 + GAP) / (CARD + GAP)));
  const { rows, order, height } = useMemo(
    () => dayRows(events, columns, HEIGHTS),
    [events, columns],
  );
  const [photos, setPhotos] = useState(null); // of people, once they were asked for

  useLayoutEffect(() => {
    const element = root.current;
    const see = () => setView({
      top: element.scrollTop,
      height: element.clientHeight,
      width: element.clientWidth,
    });
    const observer = new ResizeObserver(see);
    observer.observe(element);
    element.addEventListener("scroll", see, { passive: true });
    see();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", see);
    };
  }, []);

  const first = firstBelow(rows, view.top - AHEAD);
  const last = firstBelow(rows, view.top + view.height + AHEAD);
  const shown = rows.slice(first, last + 1);

  const reveal = (place) => {
    const row = rows.find((r) => r.kind === "cards" && place < r.from + r.events.length);
    if (!row) return;
    const element = root.current;
    const top = row.isFirst ? row.top - HEIGHTS.day : row.top;
    if (top < element.scrollTop) element.scrollTop = top;
    const lower = row.top + HEIGHTS.cards - element.clientHeight;
    if (lower > element.scrollTop) element.scrollTop = lower;
  };
  const go = (place) => {
    if (!order.length) return;
    const to = Math.min(Math.max(place, 0), order.length - 1);
    setAt(to);
    reveal(to);
  };
  // Back from an event: where it stands.
  useEffect(() => {
    const before = order.findIndex((event) => event.event === app.timelineAt);
    if (before >= 0) go(before);
  }, []);
  const focused = (place) => {
    app.timelineAt = order[place].event;
    setAt(place);
  };
  // Before the next key: a focus that comes late would take a step back.
  useLayoutEffect(() => {
    if (at < 0 || at !== here.current) return; // a key that came meanwhile is shown next
    root.current?.querySelector(`[data-at="${at}"] a`)?.focus({ preventScroll: true });
  }, [at, view]);

  // Up and down: to the card above or below, also of another day.
  const beside = (sign) => {
    const from = here.current;
    const row = rows.findIndex((r) => r.kind === "cards" && from < r.from + r.events.length);
    if (from < 0 || row < 0) return go(0);
    const column = from - rows[row].from;
    let next = row + sign;
    while (rows[next] && rows[next].kind !== "cards") next += sign;
    return rows[next] ? go(rows[next].from + Math.min(column, rows[next].events.length - 1)) : null;
  };
  const day = (sign) => {
    const days = rows.filter((r) => r.kind === "day");
    const now = days.findLastIndex((r) => r.from <= Math.max(here.current, 0));
    const to = days[Math.min(Math.max(now + sign, 0), days.length - 1)];
    if (to) go(to.from);
  };
  const acts = eventActs(app, () => order[here.current], { revision, onActed });
  useKeys(app, "timeline", {
    right: () => go(here.current + 1),
    left: () => go(here.current - 1),
    down: () => beside(1),
    up: () => beside(-1),
    "next day": () => day(1),
    "previous day": () => day(-1),
    first: () => go(0),
    last: () => go(order.length - 1),
    ...acts,
  });

  if (photos) {
    return html`<${ImageGrid} app=${app} collection=${photos} label=${tab.title} />`;
  }
  const months = monthsOf(rows);
  return html`
    ${tab.list && html`<p class="timeline-note muted">
      Photos with ${tab.list} are not shown until you ask for them.
      <button onClick=${async () => {
        const { items, revision: shown } = await app.api.get(`/groups/${tab.list}`);
        setPhotos(Collection.ofImages(items, { revision: shown }));
      }}>Show them</button></p>`}
    ${months.length > 1 && html`<nav class="months" aria-label="Months">
      ${months.map(({ label, top, key }) => html`<button class="quiet" key=${key}
        onClick=${() => { root.current.scrollTop = top; }}>${label}</button>`)}
    </nav>`}
    <div class="days" ref=${root} tabindex="-1">
      <div class="days-all" style=${{ height: `${height}px` }}>
        ${shown.map((row) => row.kind === "day"
          ? html`<${DayTitle} key=${`day ${row.day}`} row=${row} />`
          : html`<ul class="timeline-cards" key=${`cards ${row.from}`} aria-label=${dayTitle(row.day)}
              style=${{ top: `${row.top}px`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
              ${row.events.map((event, i) => html`<${EventCard} key=${event.event} app=${app}
                event=${event} place=${row.from + i} isCurrent=${row.from + i === at}
                onFocus=${focused} />`)}
            </ul>`)}
      </div>
    </div>`;
}

// A day: its date, and its hours with a mark for each event.
function DayTitle({ row }) {
  return html`<div class="timeline-day" style=${{ top: `${row.top}px` }}>
    <h2>${dayTitle(row.day)}</h2>
    <span class="muted small">${plural(row.images, "image")} in ${plural(row.events, "event")}</span>
    <svg class="hours" viewBox="0 0 240 18" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" x="0" y="7" width="240" height="4" />
      ${[6, 12, 18].map((hour) => html`<rect key=${hour} class="hour" x=${10 * hour} y="4" width="0.6" height="10" />`)}
      ${row.marks.map(({ from, width, isNight }, i) => html`<rect key=${i} x=${from} y="2"
        width=${width} height="14" class=${isNight ? "mark night" : "mark"} />`)}
    </svg>
  </div>`;
}

// What can be decided about all images of an event at once.
function eventActs(app, current, { revision, onActed }) {
  const about = (name) => async () => {
    const event = current();
    if (!event) return app.toast("Choose an event first: the arrows go from one to the next.");
    if (!event.images || event.hidden === event.images) return null;
    const collection = await Collection.load(app, { event: event.event }, { order: "time" });
    if (collection.revision !== app.api.latest(revision)) {
      onActed();
      return app.toast("Something was decided meanwhile. Look, and decide again.");
    }
    const rows = Array.from({ length: collection.total }, (_, row) => row);
    const selection = { rows: () => rows, count: rows.length, clear() {} };
    const answer = await gridActs(app, { collection, selection, context: {} })[name]();
    return answer && onActed();
  };
  return {
    confirm: about("confirm"),
    move: about("move"),
    repeat: about("repeat"),
    exclude: about("exclude"),
    new: about("new"),
  };
}

// The first row that ends below a height.
function firstBelow(rows, top) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].top + HEIGHTS[rows[middle].kind] < top) low = middle + 1;
    else high = middle;
  }
  return low;
}
