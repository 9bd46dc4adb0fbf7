// What is new since the last card: how many images came to which cluster, and novel clusters.
import { html, useState } from "./vendor/preact-htm.js";
import { clusterName, count, plural } from "./format.js";
import { remember, remembered } from "./recent.js";
import { useStore } from "./state.js";

const NAMED = 5;

export function News({ app }) {
  const ingest = useStore(app.store, (s) => s.status?.last_ingest);
  const clusters = useStore(app.store, (s) => s.clusters);
  const [seen, setSeen] = useState(() => remembered("seen", null));
  const key = ingest && `${ingest.id} ${ingest.at}`;
  if (!ingest || !ingest.images || seen === key) return null;
  const novel = (ingest.novel || []).map((id) => clusters.get(id)).filter(Boolean);
  const added = [...clusters.values()].filter((c) => c.added > 0 && !novel.includes(c));
  // The first ingest is all there is: no news.
  if (!novel.length && added.reduce((sum, c) => sum + c.added - c.size, 0) === 0) return null;
  added.sort((a, b) => b.added - a.added);
  const rest = added.slice(NAMED).reduce((sum, c) => sum + c.added, 0);
  const hide = () => {
    remember("seen", key);
    setSeen(key);
  };
  return html`<div class="news" role="status">
    <a href="#/images?ingest=last">${plural(ingest.images, "new image")}</a>:
    ${added.slice(0, NAMED).map(
      (c) => html`<a key=${c.id} class="chip accent" href="#/cluster/${c.id}?ingest=last&state=all">
        ${clusterName(c)} +${count(c.added)}
      </a>`,
    )}
    ${rest > 0 && html`<span>others +${count(rest)}</span>`}
    ${novel.map(
      (c) => html`<a key=${c.id} class="chip border" href="#/cluster/${c.id}">
        a novel cluster of ${count(c.size)}
      </a>`,
    )}
    <button class="quiet icon" aria-label="Hide the news" onClick=${hide}>×</button>
  </div>`;
}
