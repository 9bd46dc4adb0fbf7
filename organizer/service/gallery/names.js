// Names: the dialog that picks a cluster, and the field that names one.
import { html, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Completion, matches } from "./completion.js";
import { Dialog } from "./dialog.js";
import { clusterName, count, plural } from "./format.js";
import { recentNames } from "./recent.js";

function options(app, without = null) {
  const recent = recentNames();
  const rank = (cluster) => {
    const place = recent.indexOf(cluster.name);
    return cluster.name ? (place < 0 ? recent.length : place) : Infinity;
  };
  return [...app.store.get().clusters.values()]
    .filter((cluster) => cluster.id !== without)
    .sort((a, b) => rank(a) - rank(b) || b.size - a.size)
    .map((cluster) => ({
      key: String(cluster.id),
      text: clusterName(cluster),
      note: count(cluster.size),
      image: cluster.medoid,
      cluster,
    }));
}

/**
 * Asks for a cluster. Resolves to {to: id}, {name: text} of a new one, or null.
 *
 * @param {object} app
 * @param {{title: string, without?: number|null, allowNew?: boolean, onlyNew?: boolean}} asked
 */
export function pickCluster(app, { title, without = null, allowNew = false, onlyNew = false }) {
  return new Promise((resolve) => {
    const answer = (picked) => {
      app.dialog(null);
      resolve(picked);
    };
    app.dialog(() => html`<${Pick} ...${{ app, title, without, allowNew, onlyNew, answer }} />`);
  });
}

function Pick({ app, title, without, allowNew, onlyNew, answer }) {
  const [known] = useState(() => options(app, without));
  const named = recentNames().map((name) => known.find((o) => o.cluster.name === name));
  const quick = onlyNew
    ? []
    : named.filter(Boolean).map((o) => ({ text: o.text, pick: () => answer({ to: o.cluster.id }) }));
  const onPick = (option) => answer({ to: option.cluster.id });
  // What is typed is a name of a new cluster only where it is the beginning of no other.
  const onText = (text) => {
    const [best] = onlyNew ? [] : matches(known, text);
    if (best && text) onPick(best);
    else if (onlyNew || (allowNew && text)) answer({ name: text });
  };
  const hint = onlyNew
    ? "Enter without a name is fine too."
    : allowNew && "A name that no cluster has makes a new one.";
  return html`<${Dialog} title=${title} onClose=${() => answer(null)}>
    <${Completion} label=${onlyNew ? "Name" : "Cluster"} options=${known} quick=${quick}
      onPick=${onPick} onText=${onText} best=${!onlyNew} />
    ${hint && html`<p class="muted small">${hint}</p>`}
  <//>`;
}

/**
 * A field that names a cluster; of a name that another has it asks whether to merge.
 *
 * @param {object} props
 * @param {object} props.app
 * @param {object} props.cluster
 * @param {(named: boolean) => void} props.onDone A name was taken, or the field was left empty.
 * @param {() => void} props.onLeave On escape.
 * @param {() => void} [props.onBlurred] What was typed was saved when the focus went elsewhere.
 */
export function NameField({ app, cluster, onDone, onLeave, onBlurred = onLeave }) {
  const [asked, setAsked] = useState(null);
  const [typed, setTyped] = useState(cluster.name || "");
  const isOver = useRef(false); // a field that is taken away loses the focus as well
  const [known] = useState(() => options(app, cluster.id).filter((o) => o.cluster.name));
  const tidied = (text) => text.trim().replace(/\s+/g, " ");
  const finish = (done, ...args) => {
    isOver.current = true;
    return done(...args);
  };
  // False: another has the name, and it is asked whether to merge.
  const save = (tidy) => {
    const other = known.find((o) => o.text.toLowerCase() === tidy.toLowerCase());
    if (other) {
      isOver.current = true;
      setTyped(tidy);
      setAsked(other.cluster);
      return false;
    }
    app.acts.rename(cluster.id, tidy);
    return true;
  };
  const name = (text) => {
    const tidy = tidied(text);
    if (!tidy || tidy === cluster.name) return finish(onDone, false);
    return save(tidy) ? finish(onDone, true) : null;
  };
  const onBlur = (text) => {
    const tidy = tidied(text);
    if (isOver.current || !tidy || tidy === cluster.name) return;
    if (save(tidy)) finish(onBlurred);
  };
  const onKey = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    finish(onLeave);
  };
  if (asked) {
    const merge = () => {
      app.acts.merge([asked.id, cluster.id]);
      finish(onDone, true);
    };
    const keep = () => {
      isOver.current = false;
      setAsked(null);
    };
    return html`<${MergeQuestion} into=${asked} other=${cluster} onYes=${merge}
      onNo=${keep} />`;
  }
  const used = new Set(known.map((o) => o.text));
  const quick = recentNames().map((text) => ({ text, pick: name, note: used.has(text) }));
  return html`<${Completion} label="Name of ${clusterName(cluster)}" options=${known}
    placeholder="Name" initial=${typed} quick=${quick} onText=${name}
    onPick=${(option) => name(option.text)} onKey=${onKey}
    onBlur=${onBlur}
    hint=${cluster.name && `renames ${cluster.name}, ${plural(cluster.size, "image")}`} />`;
}

/** "Lion, 34 images, and Cluster 7, 12 images: one cluster?" */
export function MergeQuestion({ into, other, onYes, onNo }) {
  const onKeyDown = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    onNo();
  };
  const yes = useRef();
  useLayoutEffect(() => yes.current.focus({ preventScroll: true }), []);
  return html`<div class="merge-question" role="group" aria-label="Merge" onKeyDown=${onKeyDown}>
    <p>
      <b>${clusterName(into)}</b> has ${plural(into.size, "image")} already. Merge
      ${other.name ? html` <b>${other.name}</b> (${count(other.size)})` : ` these ${count(other.size)}`}
      ${" "}into it?
    </p>
    <div class="buttons">
      <button onClick=${onNo}>No <kbd>esc</kbd></button>
      <button class="primary" ref=${yes} onClick=${onYes}>Merge <kbd>enter</kbd></button>
    </div>
  </div>`;
}

/** Asks for a cluster to merge with, and says both names and sizes before it does it. */
export async function mergeAsking(app, ids) {
  const { clusters } = app.store.get();
  let all = ids.map((id) => clusters.get(id)).filter(Boolean);
  if (all.length < 2) {
    const picked = await pickCluster(app, {
      title: `Merge ${clusterName(all[0])} (${plural(all[0].size, "image")}) with`,
      without: all[0].id,
    });
    if (!picked) return null;
    all = [...all, clusters.get(picked.to)];
  }
  // The named one stays, of several the largest.
  all.sort((a, b) => Boolean(b.name) - Boolean(a.name) || b.size - a.size);
  const [into, ...others] = all;
  return new Promise((resolve) => {
    const answer = (yes) => {
      app.dialog(null);
      resolve(yes ? app.acts.merge(all.map((c) => c.id)).then(() => into.id) : null);
    };
    const said = others.map((c) => `${clusterName(c)} (${plural(c.size, "image")})`).join(", ");
    app.dialog(
      () => html`<${Dialog} title="Merge" onClose=${() => answer(false)}>
        <p>
          ${said} will be part of <b>${clusterName(into)}</b> (${plural(into.size, "image")}).
          ${others.some((c) => c.name) && " Only this name stays."}
        </p>
        <div class="buttons">
          <button onClick=${() => answer(false)}>Cancel <kbd>esc</kbd></button>
          <button class="primary" autofocus onClick=${() => answer(true)}>
            Merge <kbd>enter</kbd>
          </button>
        </div>
      <//>`,
    );
  });
}
