// The keys: one table, from which the dispatcher and the help are made.
import { useLayoutEffect, useRef } from "./vendor/preact-htm.js";

/** scope, keys (any of them), action, what the help says of it ("": it does not list it). */
export const KEYS = [
  ["everywhere", ["/"], "search", "search"],
  ["everywhere", ["o"], "open", "open a view or a cluster by its name"],
  ["everywhere", ["ctrl+z"], "undo", "undo, as often as you like"],
  ["everywhere", ["ctrl+shift+z", "ctrl+y"], "redo", "redo"],
  ["everywhere", ["?"], "help", "this help"],
  ["everywhere", ["escape"], "back", "back"],

  ["wall", ["arrowright", "j"], "next", "next cluster"],
  ["wall", ["arrowleft", "k"], "previous", "previous cluster"],
  ["wall", ["arrowdown"], "down", "cluster below"],
  ["wall", ["arrowup"], "up", "cluster above"],
  ["wall", ["home"], "first", ""],
  ["wall", ["end"], "last", ""],
  ["wall", ["enter"], "enter", "open the cluster"],
  ["wall", ["n"], "name", "name it; enter goes on to the next one without a name"],
  ["wall", ["1 – 9"], "last names", "while you name it: one of the last names"],
  ["wall", ["space"], "select", "select clusters, to merge them"],
  ["wall", ["g"], "merge", "merge it (or those selected) with another"],
  ["wall", ["s"], "split", "split it; 2 to 9: into so many"],
  ["wall", ["p"], "pin", "pin it: it stays through every recluster"],
  ["wall", ["f"], "filter", "filter by name"],

  ["grid", ["arrowright"], "right", "next image; with shift: select on the way"],
  ["grid", ["arrowleft"], "left", "previous image"],
  ["grid", ["arrowdown"], "down", "row below"],
  ["grid", ["arrowup"], "up", "row above"],
  ["grid", ["shift+arrowright"], "select right", ""],
  ["grid", ["shift+arrowleft"], "select left", ""],
  ["grid", ["shift+arrowdown"], "select down", ""],
  ["grid", ["shift+arrowup"], "select up", ""],
  ["grid", ["pagedown"], "page down", "a page down"],
  ["grid", ["pageup"], "page up", "a page up"],
  ["grid", ["home"], "first", "first image"],
  ["grid", ["end"], "last", "last image"],
  ["grid", ["shift+pagedown"], "select page down", ""],
  ["grid", ["shift+pageup"], "select page up", ""],
  ["grid", ["shift+home"], "select first", ""],
  ["grid", ["shift+end"], "select last", ""],
  ["grid", ["space"], "toggle", "select the image"],
  ["grid", ["a"], "all", "select all; again: none"],
  ["grid", ["e"], "event", "select its burst; again: its event"],
  ["grid", ["enter"], "enter", "see it large"],
  ["grid", ["c"], "confirm", "confirm: rightly in its cluster"],
  ["grid", ["m"], "move", "move to another cluster"],
  ["grid", ["r"], "repeat", "move to the same cluster as last time"],
  ["grid", ["x", "u"], "exclude", "not in this cluster: unassign"],
  ["grid", ["b"], "new", "begin a new cluster with them"],
  ["grid", ["l"], "similar", "look for similar images"],
  ["grid", ["escape"], "back", "select nothing; again: back"],
  ["grid", ["+", "="], "larger", "larger pictures"],
  ["grid", ["-"], "smaller", "smaller pictures"],

  ["cluster", ["n"], "name", "name the cluster"],
  ["cluster", ["g"], "merge", "merge the cluster with another"],
  ["cluster", ["s"], "split", "split the cluster; 2 to 9: into so many"],
  ["cluster", ["p"], "pin", "pin the cluster"],
  ["cluster", ["d"], "order", "doubtful first, or typical first"],
  ["cluster", ["v"], "show", "show what is to check, or all"],
  ["cluster", ["j", "]"], "next", "next cluster"],
  ["cluster", ["k", "["], "previous", "previous cluster"],

  ["viewer", ["arrowright", "j"], "next", "next image"],
  ["viewer", ["arrowleft", "k"], "previous", "previous image"],
  ["viewer", ["space"], "toggle", "select the image"],
  ["viewer", ["c"], "confirm", "confirm, and on to the next"],
  ["viewer", ["m"], "move", "move to another cluster"],
  ["viewer", ["r"], "repeat", "move to the same cluster as last time"],
  ["viewer", ["x", "u"], "exclude", "not in this cluster"],
  ["viewer", ["l"], "similar", "look for similar images"],
  ["viewer", ["i"], "facts", "facts about it, or the picture alone"],
  ["viewer", ["z"], "zoom", "as large as it is, or all of it"],
  ["viewer", ["escape", "enter"], "close", "back"],

  ["cohorts", ["y"], "all", "yes: accept all (of those selected, if some are)"],
  ["cohorts", ["x"], "none", "no: pass over, nothing changes"],
  ["cohorts", ["j"], "next", "next group"],
  ["cohorts", ["k"], "previous", "previous group"],

  ["questions", ["y", "c"], "yes", "yes"],
  ["questions", ["x"], "no", "no"],
  ["questions", ["m"], "move", "it belongs to another cluster"],
  ["questions", ["arrowright", "j"], "next", "pass over"],
  ["questions", ["arrowleft", "k"], "previous", "back to the one before"],
  ["questions", ["enter"], "enter", "see it large"],

  ["search", ["w"], "like", "more like these"],
  ["search", ["q"], "unlike", "unlike these"],
  ["search", ["/"], "search", ""],

  ["map", ["arrowleft"], "left", "move the map; + and - zoom, 0 shows all of it"],
  ["map", ["arrowright"], "right", ""],
  ["map", ["arrowup"], "up", ""],
  ["map", ["arrowdown"], "down", ""],
  ["map", ["+", "="], "in", ""],
  ["map", ["-"], "out", ""],
  ["map", ["0"], "whole", ""],
  ["map", ["s"], "lasso", "draw a lasso; shift adds to what is selected, alt takes away"],
  ["map", ["a"], "all", "select what is on the screen"],
  ["map", ["enter"], "enter", "see the image in the middle, or the selected ones, large"],
  ["map", ["c"], "confirm", "confirm the selected images"],
  ["map", ["m"], "move", "move them to another cluster"],
  ["map", ["r"], "repeat", "move them to the same cluster as last time"],
  ["map", ["x", "u"], "exclude", "not in their cluster: unassign"],
  ["map", ["b"], "new", "begin a new cluster with them"],
  ["map", ["l"], "similar", "look for similar images"],
  ["map", ["escape"], "back", "select nothing; again: leave the lasso"],

  ["timeline", ["arrowright"], "right", "next event"],
  ["timeline", ["arrowleft"], "left", "previous event"],
  ["timeline", ["arrowdown"], "down", "event below"],
  ["timeline", ["arrowup"], "up", "event above"],
  ["timeline", ["j", "]"], "next day", "next day"],
  ["timeline", ["k", "["], "previous day", "previous day"],
  ["timeline", ["home"], "first", ""],
  ["timeline", ["end"], "last", ""],
  ["timeline", ["c"], "confirm", "confirm all images of the event"],
  ["timeline", ["m"], "move", "move them to a cluster"],
  ["timeline", ["r"], "repeat", "move them to the same cluster as last time"],
  ["timeline", ["x", "u"], "exclude", "not in their clusters: unassign"],
  ["timeline", ["b"], "new", "begin a new cluster with them"],
].map(([scope, keys, action, help]) => ({ scope, keys, action, help }));

// A scope comes before those that stand above it in the table.
const SCOPES = [...new Set(KEYS.map((row) => row.scope))];

const TITLES = {
  everywhere: "Everywhere",
  wall: "Wall of clusters",
  grid: "Images",
  cluster: "Cluster",
  viewer: "Large view",
  cohorts: "Suggestions",
  questions: "Questions",
  map: "Map",
  timeline: "Timeline",
};

/** The table as the help shows it: [{scope, title, rows: [{keys, help}]}], active scopes first. */
export function helpSections(active = []) {
  const place = (scope) => (active.includes(scope) ? 0 : scope === "everywhere" ? 1 : 2);
  return SCOPES.map((scope) => ({
      scope,
      title: TITLES[scope] || scope[0].toUpperCase() + scope.slice(1),
      rows: KEYS.filter((row) => row.scope === scope && row.help),
      isHere: active.includes(scope),
    }))
    .filter((section) => section.rows.length)
    .sort((a, b) => place(a.scope) - place(b.scope));
}

/** "ctrl+shift+z" of a keyboard event. The command key of a Mac is taken for ctrl. */
export function keyOf(event) {
  const key = event.key === " " ? "space" : event.key.toLowerCase();
  const ctrl = event.ctrlKey || event.metaKey;
  const shift = event.shiftKey && (key.length > 1 || ctrl);
  return `${ctrl ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${shift ? "shift+" : ""}${key}`;
}

const TYPED = "input:not([type=checkbox],[type=radio],[type=range],[type=button]),textarea,select";
const PRESSED = "button,summary,input[type=checkbox],input[type=radio],[role=tab]";

// Whether the key is meant for the element that has the focus.
function belongsTo(target, key) {
  if (!(target instanceof Element) || key.startsWith("ctrl+")) {
    return target instanceof Element && target.matches(TYPED);
  }
  if (target.matches(TYPED) || target.isContentEditable) return key !== "escape";
  if (target.matches("input[type=range]")) return /arrow|home|end|page/.test(key);
  if (target.matches("a[href]")) return key === "enter";
  return target.matches(PRESSED) && (key === "enter" || key === "space");
}

function isField(target) {
  const isElement = target instanceof Element;
  return isElement && target.matches(TYPED) && !target.closest("dialog");
}

/** The dispatcher. `exclusive` scopes hide all others but "everywhere". */
export function makeKeys() {
  const active = [];

  function onKey(event) {
    if (event.defaultPrevented || event.isComposing) return;
    const key = keyOf(event);
    document.documentElement.classList.add("keyboard");
    if (belongsTo(event.target, key)) return;
    // From a field to what lies below it; the next escape goes back.
    if (key === "escape" && isField(event.target)) {
      event.preventDefault();
      event.target.blur();
      document.querySelector("main .grid")?.focus({ preventScroll: true });
      return;
    }
    const top = active.findLastIndex((scope) => scope.exclusive);
    const scopes = active.filter((s, i) => i >= top || s.name === "everywhere").reverse();
    scopes.sort((a, b) => SCOPES.indexOf(b.name) - SCOPES.indexOf(a.name));
    for (const scope of scopes) {
      const row = KEYS.find(
        (r) => r.scope === scope.name && r.keys.includes(key) && scope.handlers()[r.action],
      );
      if (!row) continue;
      event.preventDefault();
      scope.handlers()[row.action](event);
      return;
    }
  }

  // In keyboard mode the resting mouse lights nothing up: only one that is moved ends the mode.
  let from = null;
  function onMouse(event) {
    from ??= event;
    const far = Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > 12;
    if (far || event.type === "pointerdown") {
      document.documentElement.classList.remove("keyboard");
      from = null;
    }
  }

  return {
    listen() {
      document.addEventListener("keydown", onKey);
      document.addEventListener("pointermove", onMouse, { passive: true });
      document.addEventListener("pointerdown", onMouse, { passive: true });
    },
    add(scope) {
      active.push(scope);
      return () => active.splice(active.indexOf(scope), 1);
    },
    active: () => active.map((scope) => scope.name),
  };
}

/** Handles the keys of a scope while the component is there: {action: (event) => void}. */
export function useKeys(app, name, handlers, { exclusive = false, when = true } = {}) {
  const latest = useRef(handlers);
  latest.current = handlers;
  // Before the next key can come.
  useLayoutEffect(() => {
    if (!when) return undefined;
    return app.keys.add({ name, exclusive, handlers: () => latest.current });
  }, [app, name, exclusive, when]);
}
