// The views, by the first word of the location's hash: one table.
import { query } from "./api.js";

/**
 * name: #/NAME; title: in the navigation and in the title of the page; load: the module whose
 * default export is the component `({app, route}) => html...`; place: "main" (in the bar), "more"
 * (in the menu) or null; css: style sheets of the view alone; count: a figure beside the title.
 */
export const VIEWS = [
  { name: "", title: "Clusters", load: () => import("./wall.js"), place: "main" },
  {
    name: "unassigned",
    title: "Unassigned",
    load: () => import("./unassigned.js"),
    place: "main",
    count: (status) => status.unassigned,
  },
  { name: "queue", title: "Queues", load: () => import("./queues.js"), place: "main" },
  { name: "search", title: "Search", load: () => import("./search.js"), place: "main" },
  { name: "map", title: "Map", load: () => import("./map.js"), place: "main", css: ["map.css"] },
  {
    name: "timeline",
    title: "Timeline",
    load: () => import("./timeline.js"),
    place: "main",
    css: ["timeline.css"],
  },
  {
    name: "recluster",
    title: "Recluster",
    load: () => import("./recluster.js"),
    place: "more",
    css: ["report.css", "recluster.css"],
  },
  {
    name: "report",
    title: "Report",
    load: () => import("./report.js"),
    place: "more",
    css: ["report.css"],
  },
  {
    name: "folders",
    title: "Folders",
    load: () => import("./folders.js"),
    place: "more",
    css: ["report.css", "recluster.css", "folders.css"],
  },
  { name: "history", title: "History", load: () => import("./history.js"), place: "more" },
  { name: "cluster", title: "Cluster", load: () => import("./cluster.js"), place: null },
  { name: "images", title: "Images", load: () => import("./images.js"), place: null },
];

/** {name, args, params} of "#/cluster/3?ingest=last". */
export function parseHash(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name, ...args] = path.split("/").map(decodeURIComponent);
  return { name, args, params: Object.fromEntries(new URLSearchParams(search)) };
}

/** "#/cluster/3?ingest=last"; params that are empty are left out. */
export function hashOf(name, args = [], params = {}) {
  return `#/${[name, ...args].map(encodeURIComponent).join("/")}${query(params)}`;
}

export const viewOf = (route) => VIEWS.find((view) => view.name === route.name) || null;

const loaded = new Map();

/** The component of a view; its style sheets come before it. */
export function loadView(view) {
  if (!loaded.has(view.name)) {
    const parts = [view.load(), ...(view.css || []).map(loadCss)];
    const found = Promise.all(parts).then(([module]) => module.default);
    found.catch(() => loaded.delete(view.name));
    loaded.set(view.name, found);
  }
  return loaded.get(view.name);
}

function loadCss(file) {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = `./${file}`;
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}
