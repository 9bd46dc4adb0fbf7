// An event: its picture, when it was, what it shows.
import { html } from "./vendor/preact-htm.js";
import { clusterColour } from "./colours.js";
import { clusterName, count } from "./format.js";
import { hashOf } from "./routes.js";
import { useStore } from "./state.js";
import { Thumb } from "./thumb.js";
import { isNightTime } from "./timeline_days.js";

const NAMED = 2; // clusters that are named on a card

/** "06:54–07:10" */
export function rangeOf(event) {
  const [start, end] = [event.start.slice(11, 16), event.end.slice(11, 16)];
  const isSameDay = event.start.slice(0, 10) === event.end.slice(0, 10);
  return start === end && isSameDay ? start : `${start}–${end}`;
}

/** @param {{app: object, event: object, place: number, isCurrent: boolean, onFocus: Function}} props */
export function EventCard({ app, event, place, isCurrent, onFocus }) {
  const clusters = useStore(app.store, (s) => s.clusters);
  const isNight = isNightTime(event.start);
  const hours = isNight ? "night" : "day";
  const there = Object.entries(event.clusters)
    .map(([id, n]) => ({ id: Number(id), n, cluster: clusters.get(Number(id)) }))
    .sort((a, b) => b.n - a.n);
  const names = there.map(({ id, cluster }) => (cluster ? clusterName(cluster) : `Cluster ${id}`));
  const light = event.night === null ? "" : event.night >= 0.5 ? "infrared" : "colour";
  const href = hashOf("images", [], { event: event.event, order: "time" });
  return html`<li data-at=${place} class="timeline-event ${isNight ? "night" : ""}">
    <a href=${href} tabindex=${isCurrent || place === 0 ? 0 : -1}
      onFocus=${() => onFocus(place)}>
      ${event.medoid
        ? html`<${Thumb} id=${event.medoid} px=${220} />`
        : html`<span class="thumb closed">${event.hidden === event.images ? "not shown" : ""}</span>`}
      <span class="event-top">
        <b class="figure">${rangeOf(event)}</b>
        <span class="light" title="${hours}, by the camera's clock">
          <span aria-hidden="true">${isNight ? "☾" : "☀"}</span>
          <span class="visually-hidden">, ${hours}, </span>
        </span>
        ${light && html`<small class="muted" title="What the picture was taken in">${light}</small>`}
        <span class="figure muted">${count(event.images)}<span class="visually-hidden">
          ${event.images === 1 ? " image" : " images"}, </span></span>
      </span>
      <span class="event-names">
        ${there.slice(0, NAMED).map(({ id }, i) => html`<span key=${id}>
          <i style=${{ background: clusterColour(id) }}></i>${names[i]}</span>`)}
        ${there.length > NAMED && html`<span class="muted">+${there.length - NAMED}</span>`}
        ${!there.length && html`<span class="muted">${event.unassigned ? "Unassigned" : ""}</span>`}
      </span>
      <span class="event-camera muted">${event.camera || ""}</span>
    </a>
  </li>`;
}
