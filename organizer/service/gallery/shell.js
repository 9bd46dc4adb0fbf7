// What surrounds the views: the bar, the dialog, the large view, the messages.
import { html, useEffect, useErrorBoundary, useRef, useState } from "./vendor/preact-htm.js";
import { Drop } from "./drop.js";
import { count } from "./format.js";
import { Help } from "./help.js";
import { useKeys } from "./keys.js";
import { openAnything } from "./open.js";
import { VIEWS, hashOf, loadView, parseHash, viewOf } from "./routes.js";
import { useStore } from "./state.js";
import { SignIn } from "./signin.js";
import { Toasts } from "./toasts.js";
import { Tour } from "./tour.js";
import { Viewer } from "./viewer.js";
import { Empty, Trouble } from "./empty.js";

export function Shell({ app }) {
  const dialog = useStore(app.store, (s) => s.dialog);
  const viewer = useStore(app.store, (s) => s.viewer);
  useKeys(app, "everywhere", {
    search: () => app.go("search"),
    open: () => openAnything(app),
    undo: () => app.acts.undo(),
    redo: () => app.acts.redo(),
    help: () => app.dialog(() => html`<${Help} app=${app} />`),
    back: () => goBack(app),
  });
  const DialogNow = dialog;
  return html`
    <a class="skip" href="#main" onClick=${toMain}>To the images</a>
    <${Bar} app=${app} inert=${Boolean(viewer)} />
    <main id="main" tabindex="-1" inert=${Boolean(viewer)}><${View} app=${app} /></main>
    ${viewer && html`<${Viewer} app=${app} key=${viewer.key} ...${viewer} />`}
    ${dialog && html`<${DialogNow} />`}
    <${Drop} app=${app} />
    <${Toasts} app=${app} />
    <${Tour} app=${app} />
  `;
}

function toMain(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

// To the view that this one was opened from, where it is of one; else to the wall.
const OPENED = ["cluster", "images"];

function goBack(app) {
  const { route } = app.store.get();
  const before = history.state?.before;
  const from = before ? parseHash(before).name : null;
  if (from && OPENED.includes(route.name) && !OPENED.includes(from)) history.back();
  else if (route.name === "queue" && route.args.length) app.go("queue");
  else if (route.name !== "") app.go("");
}

function Bar({ app, inert }) {
  const route = useStore(app.store, (s) => s.route);
  const status = useStore(app.store, (s) => s.status);
  const history = useStore(app.store, (s) => s.history);
  const online = useStore(app.store, (s) => s.online);
  const link = (view) => {
    const here = view.name === route.name || (view.name === "" && route.name === "cluster");
    const figure = status && view.count ? view.count(status) : 0;
    return html`<a
      key=${view.name}
      href=${hashOf(view.name)}
      aria-current=${here ? "page" : null}
    >
      ${view.title}${figure > 0 && html` <span class="figure">${count(figure)}</span>`}
    </a>`;
  };
  const more = VIEWS.filter((view) => view.place === "more");
  return html`<header class="bar" inert=${inert}>
    <a class="brand" href="#/" title="organizer">
      <img src="./icon.svg" alt="" width="22" height="22" /> <span>organizer</span>
    </a>
    <nav aria-label="Views">
      ${VIEWS.filter((view) => view.place === "main").map(link)}
      <${Menu} route=${route}>${more.map(link)}<//>
    </nav>
    <div class="bar-end">
      ${!online && html`<span class="offline" role="status">No connection</span>`}
      <${Jobs} app=${app} />
      <button class="quiet" disabled=${!history.can_undo} title=${`Undo: ${history.can_undo || "nothing"}`}
        aria-label="Undo" aria-keyshortcuts="Control+Z" onClick=${() => app.acts.undo()}>↶</button>
      <button class="quiet" disabled=${!history.can_redo} title=${`Redo: ${history.can_redo || "nothing"}`}
        aria-label="Redo" aria-keyshortcuts="Control+Shift+Z" onClick=${() => app.acts.redo()}
        >↷</button>
      <button class="quiet" aria-label="Help: the keys" aria-keyshortcuts="?"
        onClick=${() => app.dialog(() => html`<${Help} app=${app} />`)}>?</button>
    </div>
  </header>`;
}

function Menu({ route, children }) {
  const ref = useRef();
  useEffect(() => {
    ref.current.open = false;
  }, [route]);
  useEffect(() => {
    const onClick = (event) => {
      if (!ref.current.contains(event.target)) ref.current.open = false;
    };
    const onKey = (event) => {
      if (event.key !== "Escape" || !ref.current.open) return;
      event.preventDefault();
      event.stopPropagation();
      ref.current.open = false;
      ref.current.querySelector("summary").focus();
    };
    document.addEventListener("pointerdown", onClick);
    document.addEventListener("keydown", onKey, { capture: true });
    return () => {
      document.removeEventListener("pointerdown", onClick);
      document.removeEventListener("keydown", onKey, { capture: true });
    };
  }, []);
  const close = () => {
    ref.current.open = false;
  };
  const onFocusOut = (event) => {
    if (event.relatedTarget && !ref.current.contains(event.relatedTarget)) close();
  };
  return html`<details class="menu" ref=${ref} onFocusOut=${onFocusOut}>
    <summary>More</summary>
    <div class="menu-list" onClick=${close}>${children}</div>
  </details>`;
}

/** The job that runs: what it does, how far it is, a button that cancels it. */
function Jobs({ app }) {
  const jobs = useStore(app.store, (s) => s.jobs);
  const running = [...jobs.values()].find((job) => job.state === "running");
  if (!running) return null;
  const { what, done, total } = running.progress || {};
  const text = what || running.kind;
  return html`<span class="job" role="status">
    <span class="job-text">${text}${done ? ` ${count(done)}${total ? ` of ${count(total)}` : ""}` : "…"}</span>
    <progress max=${total || 1} value=${total ? done : null} aria-label=${text}></progress>
    <button class="quiet icon" aria-label="Cancel: ${text}"
      onClick=${() => app.api.delete(`/jobs/${running.id}`).catch(() => {})}>×</button>
  </span>`;
}

function View({ app }) {
  const route = useStore(app.store, (s) => s.route);
  const status = useStore(app.store, (s) => s.status);
  const problem = useStore(app.store, (s) => s.problem);
  const view = viewOf(route);
  const [loaded, setLoaded] = useState({});
  const [attempt, setAttempt] = useState(0);
  const [error, resetError] = useErrorBoundary((found) => console.error(found));
  useEffect(() => {
    document.title = `${view && view.name ? `${view.title} – ` : ""}organizer`;
    resetError?.();
    if (!view) return;
    loadView(view).then(
      (component) => setLoaded({ name: view.name, component }),
      (found) => setLoaded({ name: view.name, found }),
    );
  }, [view, attempt]);
  // A browser minds `autofocus` only while it loads the page.
  useEffect(() => {
    const wanted = document.querySelector("main [autofocus]");
    if (document.activeElement === document.body) wanted?.focus({ preventScroll: true });
  }, [loaded, route]);
  if (error) {
    return html`<${Trouble} title="This view stopped." text=${error.message}
      retry=${resetError} />`;
  }
  if (!view) return html`<${Trouble} title="There is no such view." />`;
  if (problem?.status === 401) return html`<${SignIn} app=${app} />`;
  if (problem && !status) {
    return html`<${Trouble} title=${problem.message} text=${problem.hint}
      retry=${() => app.sync.refresh()} />`;
  }
  if (!status) return html`<p class="loading" role="status">Opening the library…</p>`;
  if (!status.images || (!status.clustering && ["", "cluster", "unassigned", "queue"].includes(view.name))) {
    return html`<${Empty} app=${app} status=${status} />`;
  }
  if (loaded.name !== view.name) return html`<p class="loading" role="status"></p>`;
  if (loaded.found) {
    const retry = () => {
      if (attempt > 0) return location.reload(); // some browsers keep a module that failed
      setLoaded({});
      return setAttempt((n) => n + 1);
    };
    return html`<${Trouble} title="This view could not be loaded."
      text="Perhaps the service was stopped, or is another version now." retry=${retry} />`;
  }
  const Component = loaded.component;
  return html`<${Component} key=${[route.name, ...route.args].join("/")} app=${app} route=${route} />`;
}
