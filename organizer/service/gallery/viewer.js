// The large view.
import { html } from "./vendor/preact-htm.js";

export function Viewer() {
  return html``;
}
