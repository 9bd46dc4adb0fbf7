// One image after the other: is it what it is said to be? A key answers and goes on.
import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { thumbnailUrl } from "./api.js";
import { Collection } from "./collection.js";
import { Trouble } from "./empty.js";
import { clusterName, count, percent } from "./format.js";
import { useKeys } from "./keys.js";
import { pickCluster } from "./names.js";
import { seenAlone } from "./seen.js";
import { useLoaded, useStore } from "./state.js";
import { Thumb } from "./thumb.js";

const LIMIT = 50;
const PATHS = {
  questions: "/questions",
  doubtful: "/review/doubtful",
  review: "/review/sample",
};

export function Questions({ app, route, kind, title }) {
  const clusters = useStore(app.store, (s) => s.clusters);
  const { cluster = "" } = route.params;
  const { value, problem } = useLoaded(
    async (signal) => {
      await app.api.settled();
      return app.api.get(PATHS[kind], { limit: LIMIT, cluster }, { signal });
    },
    [kind, cluster],
  );
  const [at, setAt] = useState(0);
  const [answers, setAnswers] = useState(() => new Map());
  const items = value?.questions || value?.images || [];
  const item = items[at];
  const guess = item && asked(kind, item);
  const next = () => setAt(Math.min(at + 1, items.length));
  const seen = () => ({ seen: seenAlone(item, value.revision) });
  const answered = (said) => {
    setAnswers(new Map(answers).set(item.id, said));
    next();
  };
  // What a review finds is kept for the report; what is wrong is then decided too.
  const store = (belongs) => {
    if (kind === "questions") return;
    const { id, shown_in: cluster, drawn, clustering } = item;
    const answer = { image: id, cluster, belongs, drawn, clustering };
    app.api.post("/review/answers", { answers: [answer] }).catch((refused) =>
      app.toast(refused.message, { kind: "problem", hint: refused.hint }),
    );
  };
  const yes = () => {
    if (!item || guess === null) return move();
    store(true);
    if (kind === "questions" && guess !== item.cluster) app.acts.move([item.id], guess, seen());
    else app.acts.confirm([item.id], { ...seen(), cluster: guess });
    return answered("yes");
  };
  const no = () => {
    if (!item) return;
    store(false);
    if (guess === item.cluster) app.acts.exclude(new Map([[guess, [item.id]]]), seen());
    answered("no");
  };
  const move = async () => {
    if (!item) return;
    const asSeen = seen();
    const picked = await pickCluster(app, { title: "It belongs to", allowNew: true });
    if (!picked) return;
    if (item.cluster !== null && picked.to !== item.cluster) store(false);
    if (picked.name) app.acts.begin([item.id], picked.name, asSeen);
    else app.acts.move([item.id], picked.to, asSeen);
    answered("moved");
  };
  useKeys(app, "questions", {
    yes,
    no,
    move,
    next,
    previous: () => setAt(Math.max(0, at - 1)),
    enter: () => item && app.view({ key: "question", collection: Collection.ofImages(items, { revision: value.revision }), position: at }),
  });
  useEffect(() => {
    for (const later of items.slice(at + 1, at + 3)) new Image().src = thumbnailUrl(later.id, 768);
  }, [items, at]);

  if (problem) return html`<${Trouble} title=${problem.message} text=${problem.hint} />`;
  if (!value) return html`<p class="loading" role="status">Looking for questions…</p>`;
  if (!item) return html`<${Done} app=${app} kind=${kind} title=${title} answers=${answers} />`;
  const of = guess === null ? null : clusters.get(guess);
  return html`<section class="question">
    <div class="question-bar">
      <progress max=${items.length} value=${at} aria-label="Answered"></progress>
      <span class="muted numbers" role="status">${title}, ${count(at + 1)} of ${count(items.length)}</span>
    </div>
    <h1>${of ? html`Is this <b>${clusterName(of)}</b>?` : "What is this?"}</h1>
    <div class="question-pictures">
      <img class="question-picture" key=${item.id} src=${thumbnailUrl(item.id, 768)} alt="The image asked about" />
      ${of && html`<div class="question-like" aria-label="Typical of ${clusterName(of)}">
        ${[of.medoid, ...(of.typical || []).filter((id) => id !== of.medoid)].slice(0, 4).map(
          (id) => html`<${Thumb} key=${id} id=${id} px=${120} />`,
        )}
        <small class="muted">typical of ${clusterName(of)}</small>
      </div>`}
    </div>
    <p class="muted small">${reason(item, clusters)}</p>
    <div class="question-acts" role="toolbar" aria-label="Answers">
      ${of && html`<button class="primary" onClick=${yes}>Yes <kbd>y</kbd></button>
        <button onClick=${no}>No <kbd>x</kbd></button>`}
      <button onClick=${move}>It is… <kbd>m</kbd></button>
      <button class="quiet" onClick=${next}>Pass over <kbd>→</kbd></button>
    </div>
  </section>`;
}

const asked = (kind, item) => (kind === "questions" ? item.guess : item.shown_in) ?? null;

function reason(item, clusters) {
  const parts = [];
  if (item.confidence) parts.push(`${percent(item.confidence)} sure`);
  if (item.disagreeing) {
    parts.push(`${percent(item.disagreeing)} of its neighbours are in other clusters`);
  }
  if (clusters.has(item.other)) parts.push(`more like ${clusterName(clusters.get(item.other))}`);
  return parts.join(", ");
}

function Done({ app, kind, title, answers }) {
  const { value: audit } = useLoaded(
    async (signal) => kind === "review" && app.api.get("/review/audit", {}, { signal }),
    [kind],
  );
  const overall = audit?.audit?.overall;
  return html`<section class="page">
    <h1>${title}</h1>
    <p>${answers.size ? `${count(answers.size)} answered.` : "There is nothing to ask now."}</p>
    ${overall && html`<p>
      ${percent(overall.share)} of the images are in the right cluster
      (between ${percent(overall.low)} and ${percent(overall.high)}).
    </p>`}
    <p><a class="button primary" href="#/queue">Queues</a></p>
  </section>`;
}
