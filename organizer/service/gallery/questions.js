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
const UNSURE = 0.4; // less probable than this: what it is is asked, not whether it is the guess
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
  const isLast = (place) => place + 1 >= items.length;
  const next = () => setAt(Math.min(at + 1, items.length));
  const seenOf = (one) => ({ seen: seenAlone(one, value.revision) });
  const forget = (id) => setAnswers((before) => {
    const after = new Map(before);
    after.delete(id);
    return after;
  });
  // The question at a place is answered, and the next one asked; large, the view ends with the last.
  const answered = (place, said) => {
    setAnswers((before) => new Map(before).set(items[place].id, said));
    setAt(place + 1);
    if (isLast(place)) app.view(null);
    return !isLast(place);
  };
  // Undone, or refused: the question is asked again, in its place.
  const asking = (place) => ({
    ...seenOf(items[place]),
    onUndo: () => {
      forget(items[place].id);
      setAt(place);
    },
  });
  const unlessRefused = async (place, deciding) => {
    if (!(await deciding)) forget(items[place].id);
  };
  // What a review finds is kept for the report; what is wrong is then decided too.
  const store = ({ id, shown_in: shown, drawn, clustering }, belongs) => {
    if (kind === "questions") return;
    const answer = { image: id, cluster: shown, belongs, drawn, clustering };
    app.api.post("/review/answers", { answers: [answer] }).catch((refused) =>
      app.toast(refused.message, { kind: "problem", hint: refused.hint }),
    );
  };
  const yes = (place) => {
    const one = items[place];
    if (!one) return false;
    const said = asked(kind, one);
    if (said === null) return move(place);
    store(one, true);
    const isElsewhere = kind === "questions" && said !== one.cluster;
    unlessRefused(place, isElsewhere
      ? app.acts.move([one.id], said, asking(place))
      : app.acts.confirm([one.id], { ...asking(place), cluster: said }));
    return answered(place, "yes");
  };
  const no = (place) => {
    const one = items[place];
    if (!one) return false;
    const said = asked(kind, one);
    if (said !== null) store(one, false);
    if (said !== null && said === one.cluster) {
      unlessRefused(place, app.acts.exclude(new Map([[said, [one.id]]]), asking(place)));
    }
    return answered(place, "no");
  };
  const move = async (place) => {
    const one = items[place];
    if (!one) return false;
    const about = asking(place);
    const picked = await pickCluster(app, { title: "It belongs to", allowNew: true });
    if (!picked) return false;
    if (one.cluster !== null && picked.to !== one.cluster) store(one, false);
    unlessRefused(place, picked.name
      ? app.acts.begin([one.id], picked.name, about)
      : app.acts.move([one.id], picked.to, about));
    return answered(place, "moved");
  };
  const large = () => item && app.view({
    key: "question",
    collection: Collection.ofImages(items, { revision: value.revision }),
    position: at,
    context: { answers: { confirm: yes, move, exclude: no } },
  });
  useKeys(app, "questions", {
    yes: () => yes(at),
    no: () => no(at),
    move: () => move(at),
    next,
    previous: () => setAt(Math.max(0, at - 1)),
    enter: large,
  });
  useEffect(() => {
    for (const later of items.slice(at + 1, at + 3)) new Image().src = thumbnailUrl(later.id, 768);
  }, [items, at]);

  if (problem) return html`<${Trouble} title=${problem.message} text=${problem.hint} />`;
  if (!value) {
    return html`<section class="page">
      <h1>${title}</h1>
      <p class="loading" role="status">Looking for questions…</p>
    </section>`;
  }
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
      ${of && html`<div class="question-like" role="group" aria-label="Typical of ${clusterName(of)}">
        ${[of.medoid, ...(of.typical || []).filter((id) => id !== of.medoid)].slice(0, 4).map(
          (id) => html`<${Thumb} key=${id} id=${id} px=${120} />`,
        )}
        <small class="muted">typical of ${clusterName(of)}</small>
      </div>`}
    </div>
    <p class="muted small">${reason(item, clusters, guess)}</p>
    <div class="question-acts" role="toolbar" aria-label="Answers">
      ${of && html`<button class="primary" onClick=${() => yes(at)}>Yes <kbd>y</kbd></button>
        <button onClick=${() => no(at)}>No <kbd>x</kbd></button>`}
      <button onClick=${() => move(at)}>It is… <kbd>m</kbd></button>
      <button class="quiet" onClick=${next}>Pass over <kbd>→</kbd></button>
    </div>
  </section>`;
}

// The cluster that is asked about; null: nobody knows well enough.
function asked(kind, item) {
  if (kind !== "questions") return item.shown_in ?? null;
  return item.confidence !== null && item.confidence < UNSURE ? null : (item.guess ?? null);
}

function reason(item, clusters, guess) {
  const parts = [];
  const nearest = guess === null && clusters.get(item.guess);
  if (item.confidence) {
    const sure = `${percent(item.confidence)} sure`;
    parts.push(nearest ? `perhaps ${clusterName(nearest)}, ${sure}` : sure);
  }
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
