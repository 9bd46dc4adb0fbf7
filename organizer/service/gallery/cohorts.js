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
  const [refused, setRefused] = useState(() => new Set()); // "cluster image": not accepted
  const [taken, setTaken] = useState({ of: null, clusters: [] }); // of the list that is shown
  const [at, setAt] = useState(0);
  if (problem) return html`<${Trouble} title=${problem.message} text=${problem.hint} />`;
  if (!value) {
    return html`<p class="loading" role="status">${loading ? "Looking at what your names teach…" : ""}</p>`;
  }
  const gone = taken.of === value ? taken.clusters : [];
  const open = value.cohorts
    .filter((c) => !passed.has(c.cluster) && !gone.includes(c.cluster))
    .map((c) => ({
      ...c,
      key: `${c.cluster} ${c.count} ${c.images[0].id}`,
      images: c.images.filter(({ id }) => !refused.has(`${c.cluster} ${id}`)),
    }))
    .filter((c) => c.images.length);
  const place = Math.min(at, open.length - 1);
  const cohort = open[place];
  // Nothing is decided by either: it is only not shown here, and the message takes that back.
  const pass = ({ cluster, name }) => {
    setPassed((before) => new Set(before).add(cluster));
    const run = () => setPassed((before) => new Set([...before].filter((c) => c !== cluster)));
    app.toast(`${name}: passed over`, { action: { label: "Take back", run } });
  };
  const refuse = ({ cluster, name }, ids, back) => {
    const keys = ids.map((id) => `${cluster} ${id}`);
    setRefused((before) => new Set([...before, ...keys]));
    const run = () => {
      setRefused((before) => new Set([...before].filter((key) => !keys.includes(key))));
      back();
    };
    app.toast(`${plural(ids.length, "image")} not accepted as ${name}`, {
      action: { label: "Take back", run },
    });
  };
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
  const right = value.held_out ? value.right / value.held_out : null;
  const step = (by) => setAt(Math.max(0, Math.min(place + by, open.length - 1)));
  return html`<${Cohort} key=${cohort.key} app=${app} cohort=${cohort} revision=${value.revision} place=${place} of=${open.length}
    right=${right} onPass=${pass} onRefuse=${refuse} onAccept=${accept} onStep=${step} />`;
}

function Cohort({ app, cohort, revision, place, of, right, onPass, onRefuse, onAccept, onStep }) {
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
  // Those that are selected leave the group; with none selected, or all, the group is passed over.
  const none = () => {
    const { selection } = held || {};
    const shown = collection.current;
    if (!selection?.count || selection.count === shown.size) return onPass(cohort);
    const ids = selection.rows().map((row) => shown.idAt(row));
    const back = shown.leave(ids);
    selection.clear();
    return onRefuse(cohort, ids, back);
  };
  useKeys(app, "cohorts", {
    all: accept,
    none,
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
          Group ${place + 1} of ${of}.${right !== null &&
          html` Of the images that you decided one by one, ${percent(right)} would have been
          suggested correctly.`}
        </p>
      </div>
      <div class="end">
        <button class="primary" onClick=${accept}>
          ${some ? `Accept these ${some}` : "Accept all"} <kbd>y</kbd>
        </button>
        <button onClick=${none}>${some && some < size ? `Not these ${some}` : "Pass over"} <kbd>x</kbd></button>
        <${Density} grid=${held?.grid} />
      </div>
    </header>
    <${ImageGrid} app=${app} collection=${collection.current}
      label="Images that look like ${cohort.name}" onGrid=${setHeld}
      context=${{ cluster: null, leaves: ["move"], without: ["confirm", "exclude"] }} />
  </section>`;
}
