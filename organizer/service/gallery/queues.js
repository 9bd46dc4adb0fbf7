// The queues: what is worth a look, one question after the other.
import { html } from "./vendor/preact-htm.js";
import { Cohorts } from "./cohorts.js";
import { Questions } from "./questions.js";
import { hashOf } from "./routes.js";
import { useStore } from "./state.js";

/** name -> {title, about, Component, of}: `of` is what Questions asks. */
const QUEUES = {
  suggestions: {
    title: "Suggestions",
    about: "What your names teach: groups of images that look like a named cluster, to accept or not.",
    Component: Cohorts,
  },
  questions: {
    title: "Worth asking",
    about: "The images whose answer teaches most. A few of them, and the suggestions are better.",
    Component: Questions,
  },
  doubtful: {
    title: "Doubtful",
    about: "Images that disagree with their neighbours, the most doubtful first.",
    Component: Questions,
  },
  review: {
    title: "Review sample",
    about: "A random sample: what share of the images is right, with an interval, for the report.",
    Component: Questions,
  },
};

export default function Queues({ app, route }) {
  const unassigned = useStore(app.store, (s) => s.status?.unassigned || 0);
  const [name] = route.args;
  const queue = QUEUES[name];
  if (queue) return html`<${queue.Component} app=${app} route=${route} kind=${name} ...${queue} />`;
  return html`<section class="page">
    <h1>Queues</h1>
    <p class="muted">One question after the other, answered with one key.</p>
    <ul class="queues">
      ${Object.entries(QUEUES).map(
        ([key, { title, about }]) => html`<li key=${key}>
          <a href=${hashOf("queue", [key])}><h2>${title}</h2><p>${about}</p></a>
        </li>`,
      )}
      <li>
        <a href="#/unassigned">
          <h2>Unassigned <span class="chip">${unassigned.toLocaleString("en")}</span></h2>
          <p>Images that fit no cluster: move them, or begin new clusters with them.</p>
        </a>
      </li>
    </ul>
  </section>`;
}
