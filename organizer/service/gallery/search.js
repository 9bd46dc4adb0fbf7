// Search: like these and unlike those, by text where the library can, or with a photo from outside.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Collection } from "./collection.js";
import { searchWith } from "./drop.js";
import { Trouble } from "./empty.js";
import { plural } from "./format.js";
import { Density, ImageGrid } from "./image_grid.js";
import { useKeys } from "./keys.js";
import { useStore } from "./state.js";
import { Thumb } from "./thumb.js";
import { useLoadedCollection } from "./use_collection.js";

const LIMIT = 200;
const split = (text) => (text ? text.split(",") : []);

export default function Search({ app, route }) {
  const { like = "", unlike = "", text = "", picture = "", path = "" } = route.params;
  const canText = useStore(app.store, (s) => s.status?.can_search_text);
  const dropped = useStore(app.store, (s) => s.picture);
  const [held, setHeld] = useState(null);
  const field = useRef();
  const asked = Boolean(like || unlike || text || path || (picture && dropped));
  const key = JSON.stringify([like, unlike, text, path, picture && dropped?.url]);
  const load = async () => {
    try {
      const of = await find(app, { like, unlike, text, path, file: picture && dropped?.file });
      return Object.assign(of, { asked: key });
    } catch (refused) {
      throw Object.assign(refused, { asked: key });
    }
  };
  const { collection, problem: found, size } = useLoadedCollection(app, load, key);
  // What is there may be of the search before.
  const isSearching = asked && (found ? (found.asked ?? key) : collection?.asked) !== key;
  const problem = isSearching ? null : found;
  useEffect(() => {
    if (!asked) field.current?.focus();
  }, []);

  const set = (params) => app.go("search", [], { like, unlike, text, picture: "", path, ...params });
  const chosen = () => {
    const rows = held?.selection.rows() || [];
    return rows.map((row) => collection.idAt(row));
  };
  const add = (name) => () => {
    const ids = chosen();
    if (!ids.length) return;
    if (picture && dropped) {
      const run = () => set({ like: ids.join(",") });
      app.toast("A photo from outside cannot be combined with images of the library.", {
        kind: "other",
        action: name === "like" ? { label: "Search with these instead", run } : undefined,
      });
      return;
    }
    const other = name === "like" ? "unlike" : "like";
    const now = { like: split(like), unlike: split(unlike) };
    now[name] = [...new Set([...now[name], ...ids])];
    now[other] = now[other].filter((id) => !ids.includes(id));
    set({ like: now.like.join(","), unlike: now.unlike.join(",") });
  };
  const drop = (name, id) => {
    const rest = split(name === "like" ? like : unlike).filter((one) => one !== id);
    set({ [name]: rest.join(",") });
  };
  useKeys(app, "search", {
    like: add("like"),
    unlike: add("unlike"),
    search: () => field.current?.focus(),
  });
  const onSubmit = (event) => {
    event.preventDefault();
    const said = new FormData(event.target).get("text").trim();
    set(canText ? { text: said, path: "" } : { path: said, text: "" });
    field.current.blur();
  };
  const examples = (name, ids, sign) =>
    ids.map(
      (id) => html`<button class="example ${name}" key=${id} onClick=${() => drop(name, id)}
        aria-label="No longer ${name} this image" title="Take it away">
        <${Thumb} id=${id} px=${52} /><span>${sign}</span>
      </button>`,
    );
  return html`<section class="images">
    <header class="head">
      <h1>Search</h1>
      <form class="search-form" role="search" onSubmit=${onSubmit}>
        <input ref=${field} name="text" type="search" key=${text || path} value=${text || path}
          aria-label=${canText ? "What the images show" : "Part of the path"}
          placeholder=${canText ? "What the images show" : "Part of the path"} />
      </form>
      <${PhotoButton} app=${app} />
      <div class="examples">
        ${picture && dropped && html`<${Dropped} key=${dropped.url} ...${dropped} />`}
        ${examples("like", split(like), "+")} ${examples("unlike", split(unlike), "−")}
      </div>
      <div class="end">
        ${asked && !problem && html`<span class="muted" role="status">
          ${isSearching ? "Searching…" : plural(size, "image")}</span>`}
        ${asked && html`<button onClick=${add("like")}>More like <kbd>w</kbd></button>
          <button onClick=${add("unlike")}>Unlike <kbd>q</kbd></button>`}
        <${Density} grid=${held?.grid} />
      </div>
    </header>
    ${problem && (picture && dropped
      ? html`<${Trouble} title="This file cannot be searched with." text=${[problem.message, problem.hint].filter(Boolean).join(" ")} />`
      : html`<${Trouble} title=${problem.message} text=${problem.hint} />`)}
    ${isSearching && html`<p class="loading">Searching…</p>`}
    ${!asked && html`<div class="grid-empty search-empty">
      <h2>Find images</h2>
      <p>
        Drop a photo anywhere on the page, or press <kbd>l</kbd> on any image for what is similar.
        ${canText
          ? " Or write what they show."
          : html` Searching by words needs an OpenCLIP embedder in the library:
              <code>organizer ingest --embedder openclip</code>`}
      </p>
    </div>`}
    ${asked && !isSearching && collection && html`<${ImageGrid} key=${collection.key} app=${app}
      collection=${collection} label="Search results" onGrid=${setHeld}>
      <h2>Nothing found</h2>
    <//>`}
  </section>`;
}

// The photo searched with; the name of the file where the browser cannot show it.
function Dropped({ file, url }) {
  const [isShown, setShown] = useState(true);
  if (!isShown) return html`<span class="chip">${file.name}</span>`;
  return html`<span class="example"><img class="thumb" src=${url} alt="The photo searched with"
    onError=${() => setShown(false)} /></span>`;
}

function PhotoButton({ app }) {
  const input = useRef();
  return html`<button onClick=${() => input.current.click()}>With a photo…</button>
    <input ref=${input} type="file" accept="image/*" hidden aria-label="A photo to search with"
      onChange=${(event) => event.target.files[0] && searchWith(app, event.target.files[0])} />`;
}

async function find(app, { like, unlike, text, path, file }) {
  if (file) {
    const headers = { "Content-Type": file.type || "image/jpeg" };
    const to = `/search/picture?limit=${LIMIT}`;
    return found(() => app.api.post(to, file, { headers }));
  }
  if (path && !like && !unlike) return Collection.load(app, { text: path }, { order: "path" });
  if (!like && !unlike && !text) return Collection.ofImages([]);
  const body = { likes: split(like), unlikes: split(unlike), text: text || null, limit: LIMIT };
  return found(() => app.api.post("/search", body));
}

// Asked again after a change: the hits may be in other clusters then.
async function found(ask) {
  const reload = async () => {
    const { hits, revision } = await ask();
    return { images: hits, revision };
  };
  const { images, revision } = await reload();
  return Collection.ofImages(images, { revision, reload });
}
