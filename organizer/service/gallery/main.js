// Puts the page together.
import { html, render } from "./vendor/preact-htm.js";
import { pickCluster } from "./names.js";
import { makeActs } from "./acts.js";
import { makeApi, setThumbnailVersion } from "./api.js";
import { makeKeys } from "./keys.js";
import { hashOf, parseHash } from "./routes.js";
import { userName } from "./signin.js";
import { Shell } from "./shell.js";
import { makeStore } from "./state.js";
import { INITIAL, makeSync } from "./sync.js";
import { makeToast } from "./toasts.js";
import { runJob } from "./jobs.js";

const app = {};
app.store = makeStore({ ...INITIAL, route: parseHash(location.hash) });
app.toast = makeToast(app.store);
app.api = makeApi({
  user: userName,
  onStale: () => app.sync.refresh(),
  onReach: (online) => online !== app.store.get().online && app.store.set({ online }),
});
app.sync = makeSync(app);
app.acts = makeActs(app);
app.keys = makeKeys();
app.pickCluster = (asked) => pickCluster(app, asked);
app.runJob = (path, body, options) => runJob(app, path, body, options);

/** Goes to a view: app.go("cluster", [3], {ingest: "last"}). */
app.go = (name, args = [], params = {}) => {
  location.hash = hashOf(name, args, params);
};

/** Changes the params of the view without a step in the browser's history. */
app.replaceParams = (params) => {
  const { name, args } = app.store.get().route;
  history.replaceState(history.state, "", hashOf(name, args, params));
  app.store.set({ route: parseHash(location.hash) });
};

/** Shows a component as the dialog; null closes it. */
app.dialog = (Component) => app.store.set({ dialog: Component });

/** Shows images large: {collection, position, context}; null closes it. See viewer.js. */
app.view = (viewer) => app.store.set({ viewer });

// Each step keeps the view it came from: escape goes back there.
addEventListener("hashchange", (event) => {
  if (history.state === null) {
    history.replaceState({ before: new URL(event.oldURL).hash }, "");
  }
  app.store.set({ route: parseHash(location.hash), viewer: null, dialog: null });
});

app.store.subscribe(({ status }) => {
  if (status) setThumbnailVersion(status.thumbnail_version);
});

if (history.state === null) history.replaceState({ before: null }, "");
app.keys.listen();
app.sync.start();
render(html`<${Shell} app=${app} />`, document.getElementById("app"));
