// A cluster as a contact sheet: the most typical image large, then typical and border members.
import { Component, html } from "./vendor/preact-htm.js";
import { clusterName, count, percent, plural } from "./format.js";
import { NameField } from "./names.js";
import { Thumb } from "./thumb.js";

const STRIP = 4;
const NOTABLE = 0.25; // share of doubtful members from which the card says so

/** Drawn again only when something about it is another. */
export class Card extends Component {
  shouldComponentUpdate(next) {
    const names = ["cluster", "isCurrent", "isNaming", "isSelected"];
    return names.some((name) => next[name] !== this.props[name]);
  }

  render() {
    const { cluster, isCurrent, isSelected } = this.props;
    const { id, medoid } = cluster;
    const typical = (cluster.typical || []).filter((image) => image !== medoid).slice(0, STRIP);
    const border = (cluster.border || []).slice(0, STRIP);
    const label = `${clusterName(cluster)}, ${plural(cluster.size, "image")}`;
    const strip = (images, kind) =>
      html`<span class="strip ${kind}" title=${kind === "border" ? "At the border" : "Typical"}>
        ${images.map((image) => html`<${Thumb} key=${image} id=${image} px=${80} />`)}
      </span>`;
    return html`<li class="card ${isSelected ? "selected" : ""}" data-cluster=${id}>
      <a class="sheet" href="#/cluster/${id}" aria-label=${label} tabindex=${isCurrent ? 0 : -1}
        onFocus=${() => this.props.onFocus(id)} onClick=${(event) => this.onClick(event)}>
        <${Thumb} id=${medoid} px=${340} className="medoid" />
        ${strip(typical, "typical")} ${strip(border, "border")}
      </a>
      <div class="card-foot">${this.foot()}</div>
    </li>`;
  }

  onClick(event) {
    const { cluster, onToggle, app } = this.props;
    app.wallAt = cluster.id;
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
    event.preventDefault();
    onToggle(cluster.id);
  }

  foot() {
    const { app, cluster, isNaming, onName, onNamed, onLeave, onBlurred } = this.props;
    if (isNaming) {
      return html`<${NameField} app=${app} cluster=${cluster}
        onDone=${() => onNamed(cluster.id)} onLeave=${() => onLeave(cluster.id)}
        onBlurred=${() => onBlurred(cluster.id)} />`;
    }
    return html`<div class="card-line">
        <button class="card-name ${cluster.name ? "" : "unnamed"}" tabindex="-1"
          title="Name it (n)" onClick=${() => onName(cluster.id)}>
          ${cluster.name || "Name this"}
        </button>
        <span class="card-size numbers">${count(cluster.size)}</span>
      </div>
      <div class="card-notes">${notes(cluster)}</div>`;
  }
}

function notes(cluster) {
  const found = [];
  if (cluster.added > 0) found.push(html`<span class="chip accent">+${count(cluster.added)} new</span>`);
  if (cluster.doubt >= NOTABLE) {
    found.push(html`<span class="chip border">${percent(cluster.doubt)} doubtful</span>`);
  }
  if (cluster.night >= 0.5) found.push(html`<span class="chip">infrared</span>`);
  if (cluster.pinned && !cluster.name) found.push(html`<span class="chip">pinned</span>`);
  if (cluster.hidden > 0) found.push(html`<span class="chip">${count(cluster.hidden)} hidden</span>`);
  if (cluster.missing > 0) {
    found.push(html`<span class="chip border">${count(cluster.missing)} missing</span>`);
  }
  return found.slice(0, 3);
}
