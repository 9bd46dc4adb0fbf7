// Small pictures of the library.
import { html } from "./vendor/preact-htm.js";
import { thumbnailUrl } from "./api.js";

const SIZES = [96, 192, 384, 768, 1536];

/** The size that is sharp at `px` CSS pixels on this screen. */
export function sizeFor(px, { most = 768 } = {}) {
  const wanted = px * Math.min(devicePixelRatio || 1, 2);
  return Math.min(SIZES.find((size) => size >= wanted * 0.9) || most, most);
}

/** `px`: its longer side on the screen. Decorative unless `alt` says what it is. */
export function Thumb({ id, px, alt = "", className = "", lazy = true }) {
  if (!id) return html`<span class="thumb none ${className}"></span>`;
  return html`<img
    class="thumb ${className}"
    src=${thumbnailUrl(id, sizeFor(px))}
    alt=${alt}
    loading=${lazy ? "lazy" : "eager"}
    decoding="async"
    draggable=${false}
    onError=${(event) => event.target.classList.add("none")}
  />`;
}
