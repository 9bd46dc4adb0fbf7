// "Go to": a view or a cluster by a few letters of its name.
import { html } from "./vendor/preact-htm.js";
import { Completion } from "./completion.js";
import { Dialog } from "./dialog.js";
import { clusterName, count } from "./format.js";
import { QUEUE_TITLES } from "./queue_titles.js";
import { VIEWS } from "./routes.js";

export function openAnything(app) {
  const views = VIEWS.filter((view) => view.place).map((view) => ({
    key: `view ${view.name}`,
    text: view.title,
    note: "view",
    go: () => app.go(view.name),
  }));
  const queues = Object.entries(QUEUE_TITLES).map(([name, { title }]) => ({
    key: `queue ${name}`,
    text: title,
    note: "queue",
    go: () => app.go("queue", [name]),
  }));
  const clusters = [...app.store.get().clusters.values()].map((cluster) => ({
    key: `cluster ${cluster.id}`,
    text: clusterName(cluster),
    note: count(cluster.size),
    image: cluster.medoid,
    go: () => app.go("cluster", [cluster.id]),
  }));
  const pick = (found) => {
    app.dialog(null);
    found.go();
  };
  app.dialog(
    () => html`<${Dialog} title="Go to" onClose=${() => app.dialog(null)}>
      <${Completion} label="View, queue or cluster" options=${[...views, ...queues, ...clusters]} onPick=${pick} />
    <//>`,
  );
}
