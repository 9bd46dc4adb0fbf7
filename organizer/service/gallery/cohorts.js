// Suggestions in groups: "34 images look like Red fox". All of them, some, or none, a key each.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Collection } from "./collection.js";
import { Trouble } from "./empty.js";
import { percent, plural } from "./format.js";
import { Density, ImageGrid } from "./image_grid.js";
import { useKeys } from "./keys.js";
import { useLoaded, useStore } from "./state.js";
import { Thumb } from "./thumb.js";

export function Cohorts({ app, title }) {
  const change = useStore(app.store, (s) => s.change);
  const [round, setRound] = useState(0); // what was accepted teaches: there may be more
  const { value, problem, loading } = useLoaded(
    async (signal) => {
      await app.api.settled();
      return app.api.get("/suggestions", {}, { signal });
    },
    [change, round],
  );
  const [passed, setPassed] = useState(() => new Set()); // clusters that nothing was taken for
  const [taken, setTaken] = useState({ of: null, clusters: [] }); // of the list that is shown
  const [at, setAt] = useState(0);
  if (problem) return html`<${Trouble} title=${problem.message} text=${problem.hint} />`;
  if (!value) {
    return html`<p class="loading" role="status">${loading ? "Looking at what your names teach…" : ""}</p>`;
  }
  const gone = taken.of === value ? taken.clusters : [];
  const open = value.cohorts.filter((c) => !passed.has(c.cluster) && !gone.includes(c.cluster));
  const place = Math.min(at, open.length - 1);
  const cohort = open[place];
  const pass = (cluster) => setPassed(new Set(passed).add(cluster));
  const accept = async (suggestions, { leave, isAll }) => {
    if (isAll) setTaken({ of: value, clusters: [...gone, cohort.cluster] });
    await app.acts.accept(suggestions, { leave, seen: { revision: value.revision } });
    setRound((n) => n + 1);
  };
  if (!cohort) {
    return html`<section class="page">
      <h1>${title}</h1>
      <p class="muted">
        ${value.cohorts.length ? "Every group is answered." : "There is nothing to suggest now."}
        ${" "}Names and confirmed images teach: the more there are, the more is suggested.
      </p>
      <p>
        <a class="button" href="#/queue/questions">What is worth asking</a>${" "}
        <a class="button" href="#/">The wall</a>
      </p>
    </section>`;
  }
  const key = `${cohort.cluster} ${cohort.count} ${cohort.images[0].id}`;
  const right = value.held_out ? value.right / value.held_out : null;
  const step = (by) => setAt(Math.max(0, Math.min(place + by, open.length - 1)));
  return html`<${Cohort} key=${key} app=${app} cohort=${cohort} revision=${value.revision} place=${place} of=${open.length}
    right=${right} onPass=${pass} onAccept=${accept} onStep=${step} />`;
}

function Cohort({ app, cohort, revision, place, of, right, onPass, onAccept, onStep }) {
  const collection = useRef(null);
  collection.current ??= Collection.ofImages(cohort.images, { revision });
  const [held, setHeld] = useState(null);
  const medoid = useStore(app.store, (s) => s.clusters.get(cohort.cluster));
  const [, draw] = useState(0);
  useEffect(() => held?.selection.subscribe(() => draw((n) => n + 1)), [held]);

  const accept = () => {
    const { selection } = held || {};
    const rows = selection?.count ? selection.rows() : [...collection.current.order];
    const ids = rows.map((row) => collection.current.idAt(row));
    const isAll = ids.length === collection.current.size;
    const suggestions = ids.map((image) => ({ image, cluster: cohort.cluster, name: cohort.name }));
    onAccept(suggestions, {
      isAll,
      leave: (left) => {
        const back = collection.current.leave(left);
        selection?.clear();
        return back;
      },
    });
  };
  useKeys(app, "cohorts", {
    all: accept,
    none: () => onPass(cohort.cluster),
    next: () => onStep(1),
    previous: () => onStep(-1),
  });
  const some = held?.selection.count || 0;
  const size = collection.current.size;
  return html`<section class="images">
    <header class="head">
      ${medoid && html`<span class="cohort-like">
        ${[medoid.medoid, ...(medoid.typical || [])].slice(0, 3).map(
          (id) => html`<${Thumb} key=${id} id=${id} px=${56} />`,
        )}
      </span>`}
      <div>
        <h1>${plural(size, "image")} look${size === 1 ? "s" : ""} like ${cohort.name}</h1>
        <p class="muted small">
          Group ${place + 1} of ${of}${right !== null &&
          html`; of what you decided yourself ${percent(right)} would have been told right`}
        </p>
      </div>
      <div class="end">
        <button class="primary" onClick=${accept}>
          ${some ? `Accept these ${some}` : "Accept all"} <kbd>y</kbd>
        </button>
        <button onClick=${() => onPass(cohort.cluster)}>Pass over <kbd>x</kbd></button>
        <${Density} grid=${held?.grid} />
      </div>
    </header>
    <${ImageGrid} app=${app} collection=${collection.current}
      label="Images that look like ${cohort.name}" onGrid=${setHeld}
      context=${{ cluster: null, leaves: ["move", "exclude"], keys: "cohorts" }} />
  </section>`;
}
