// The queues: what is worth a look, one question after the other.
import { html, useEffect, useRef } from "./vendor/preact-htm.js";
import { Cohorts } from "./cohorts.js";
import { Questions } from "./questions.js";
import { QUEUE_TITLES } from "./queue_titles.js";
import { hashOf } from "./routes.js";
import { useStore } from "./state.js";

export default function Queues({ app, route }) {
  const unassigned = useStore(app.store, (s) => s.status?.unassigned || 0);
  const [name] = route.args;
  const queue = Object.hasOwn(QUEUE_TITLES, name || "") ? QUEUE_TITLES[name] : null;
  if (!queue) return html`<${List} unassigned=${unassigned} />`;
  const Queue = name === "suggestions" ? Cohorts : Questions;
  return html`<${Queue} key=${name} app=${app} route=${route} kind=${name} title=${queue.title} />`;
}

const STEPS = { ArrowDown: 1, ArrowRight: 1, j: 1, ArrowUp: -1, ArrowLeft: -1, k: -1 };

function List({ unassigned }) {
  const list = useRef();
  useEffect(() => list.current.querySelector("a").focus({ preventScroll: true }), []);
  const onKeyDown = (event) => {
    const by = event.ctrlKey || event.metaKey || event.altKey ? 0 : STEPS[event.key];
    if (!by) return;
    event.preventDefault();
    const links = [...list.current.querySelectorAll("a")];
    const to = links.indexOf(document.activeElement) + by;
    links[Math.max(0, Math.min(to, links.length - 1))].focus();
  };
  return html`<section class="page">
    <h1>Queues</h1>
    <p class="muted">One question after the other, answered with one key.</p>
    <ul class="queues" ref=${list} onKeyDown=${onKeyDown}>
      ${Object.entries(QUEUE_TITLES).map(
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
