// The wall: every cluster a contact sheet.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Card } from "./card.js";
import { count, plural } from "./format.js";
import { useKeys } from "./keys.js";
import { mergeAsking } from "./names.js";
import { News } from "./news.js";
import { splitAsking } from "./split.js";
import { useStore } from "./state.js";

const SORTS = [
  ["size", "Largest first"],
  ["doubt", "Most doubtful first"],
  ["novelty", "Novel first"],
  ["newest", "Most new images first"],
  ["name", "By name"],
];

export default function Wall({ app, route }) {
  const clusters = useStore(app.store, (s) => s.clusters);
  const sort = useStore(app.store, (s) => s.sort);
  const { show = "", name = "" } = route.params;
  const [at, setAt] = useState(() => app.wallAt ?? null); // id of the cluster under the cursor
  const [naming, setNaming] = useState(null);
  const [selected, setSelected] = useState(() => new Set());
  const list = useRef();
  const filter = useRef();

  const wanted = name.trim().toLowerCase();
  const isShown = (cluster) =>
    (!wanted || (cluster.name || "").toLowerCase().includes(wanted)) &&
    (show !== "unnamed" || !cluster.name || cluster.id === naming) &&
    (show !== "named" || cluster.name);
  const shown = [...clusters.values()].filter(isShown);
  const place = Math.max(0, shown.findIndex((cluster) => cluster.id === at));
  const current = shown[place];

  const focus = (id, { scroll = "nearest" } = {}) => {
    setAt(id);
    app.wallAt = id;
    requestAnimationFrame(() => {
      const card = list.current?.querySelector(`[data-cluster="${id}"]`);
      card?.querySelector("a")?.focus({ preventScroll: true });
      card?.scrollIntoView({ block: scroll });
    });
  };
  useEffect(() => {
    const hasFocus = document.activeElement !== document.body;
    if (current && !hasFocus) focus(current.id, { scroll: app.wallAt ? "center" : "nearest" });
  }, []);

  const go = (to) => {
    const cluster = shown[Math.max(0, Math.min(to, shown.length - 1))];
    if (cluster) focus(cluster.id);
  };
  const columns = () => {
    const cards = [...(list.current?.children || [])];
    const top = cards[0]?.offsetTop;
    return Math.max(1, cards.findIndex((card) => card.offsetTop !== top)) || cards.length;
  };
  // The next one without a name; after the last, from the beginning.
  const nextUnnamed = (id) => {
    const from = shown.findIndex((cluster) => cluster.id === id);
    const order = [...shown.slice(from + 1), ...shown.slice(0, Math.max(0, from))];
    return order.find((cluster) => !cluster.name) || null;
  };
  const beginNaming = (id) => {
    setAt(id);
    app.wallAt = id;
    setNaming(id);
    requestAnimationFrame(() => {
      list.current?.querySelector(`[data-cluster="${id}"]`)?.scrollIntoView({ block: "nearest" });
    });
  };
  // A question whether to merge comes first: the name that was typed is not lost with it.
  const isAsked = () => {
    const yes = list.current?.querySelector(".merge-question .primary");
    yes?.focus();
    return Boolean(yes);
  };
  const nameIt = (id) => isAsked() || beginNaming(id);
  const onBlurred = (id) => setNaming((now) => (now === id ? null : now));
  const onNamed = (id) => {
    const next = nextUnnamed(id);
    setNaming(null);
    if (next) beginNaming(next.id);
    else focus(id);
  };
  const onLeave = (id) => {
    setNaming(null);
    focus(id);
  };
  const toggle = (id) => {
    const after = new Set(selected);
    if (!after.delete(id)) after.add(id);
    setSelected(after);
  };
  const chosen = () => {
    const there = [...selected].filter((id) => clusters.has(id));
    return there.length ? there : current ? [current.id] : [];
  };
  const merge = async () => {
    if (!chosen().length) return;
    const into = await mergeAsking(app, chosen());
    if (into === null) return;
    setSelected(new Set());
    focus(into);
  };

  useKeys(app, "wall", {
    next: () => go(place + 1),
    previous: () => go(place - 1),
    down: () => go(place + columns()),
    up: () => go(place - columns()),
    first: () => go(0),
    last: () => go(Infinity),
    enter: () => current && app.go("cluster", [current.id]),
    name: () => current && nameIt(current.id),
    select: () => current && toggle(current.id),
    merge,
    split: () => current && splitAsking(app, current.id),
    pin: () => current && app.acts.pin(current.id),
    filter: () => filter.current.focus(),
    ...(selected.size ? { back: () => setSelected(new Set()) } : {}),
  });

  const setParams = (params) => app.replaceParams({ ...route.params, ...params });
  const onFilterKey = (event) => {
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") setParams({ name: "" });
    if (shown[0]) focus(shown[0].id);
  };
  return html`<section class="wall">
    <h1 class="visually-hidden">Clusters</h1>
    <div class="head">
      <${Progress} app=${app} />
      <div class="tabs" role="group" aria-label="Which clusters">
        ${[["", "All"], ["unnamed", "Without a name"], ["named", "Named"]].map(
          ([key, label]) => html`<button key=${key} aria-pressed=${String(show === key)}
            onClick=${() => setParams({ show: key })}>${label}</button>`,
        )}
      </div>
      <input ref=${filter} type="search" aria-label="Filter by name" placeholder="Filter by name"
        value=${name} onInput=${(event) => setParams({ name: event.target.value })}
        onKeyDown=${onFilterKey} />
      <div class="end">
        ${selected.size > 0 &&
        html`<span class="small" role="status">${plural(selected.size, "cluster")} selected</span>
          <button disabled=${selected.size < 2} onClick=${merge}>Merge <kbd>g</kbd></button>`}
        <select aria-label="Order of the clusters" value=${sort}
          onChange=${(event) => app.sync.sort(event.target.value)}>
          ${SORTS.map(([key, label]) => html`<option key=${key} value=${key}>${label}</option>`)}
        </select>
      </div>
    </div>
    <${News} app=${app} />
    ${!shown.length && html`<div class="grid-empty"><p>No cluster is like that.</p></div>`}
    <ul class="cards" ref=${list}>
      ${shown.map(
        (cluster) => html`<${Card} key=${cluster.id} app=${app} cluster=${cluster}
          isCurrent=${cluster === current} isNaming=${naming === cluster.id}
          isSelected=${selected.has(cluster.id)} onFocus=${setAt} onName=${nameIt}
          onNamed=${onNamed} onLeave=${onLeave} onBlurred=${onBlurred} onToggle=${toggle} />`,
      )}
    </ul>
  </section>`;
}

function Progress({ app }) {
  const progress = useStore(app.store, (s) => s.progress);
  if (!progress) return null;
  const { named, clusters, unassigned } = progress;
  const text = `${count(named)} of ${plural(clusters, "cluster")} named`;
  return html`<div class="wall-progress">
    <progress max=${clusters || 1} value=${named} aria-label=${text}></progress>
    <span class="numbers">
      ${text}${unassigned > 0 &&
      html`, <a href="#/unassigned">${count(unassigned)} unassigned</a>`}
    </span>
  </div>`;
}
