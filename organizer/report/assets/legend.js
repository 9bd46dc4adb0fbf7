// The legend of the map.

const NONE = 0xffff; // no cluster, or no class

/** The entries of the map's clusters or classes, as buttons that select them. */
class Legend {
  constructor(root, data, choose) {
    this.root = root;
    this.data = data;
    this.choose = choose;
  }

  /** List the entries of "clusters" or "classes"; `group` is the entry of each point. */
  list(by, group) {
    const entries = this.data[by];
    const rest = group.reduce((sum, one) => sum + (one === NONE), 0);
    const items = entries
      .map((entry, i) => this.item(entry, i))
      .filter((_, i) => entries[i].count > 0);
    if (rest) items.push(this.item(this.restEntry(by, rest), NONE));
    document.getElementById("map-legend").replaceChildren(...items);
    document.getElementById("map-legend-title").textContent =
      by === "clusters" ? "Clusters" : "Labels";
  }

  restEntry(by, count) {
    const label = by === "clusters" ? "unassigned" : "no label";
    return { label, count, tint: "--neutral", shape: 0 };
  }

  item({ label, count, tint, shape }, i) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.group = i;
    const name = document.createElement("bdi");
    const number = document.createElement("small");
    name.textContent = button.title = label;
    number.textContent = count.toLocaleString("en");
    button.append(swatch(this.data.shapes[shape], tint), name, number);
    button.addEventListener("click", () => this.choose(i));
    item.append(button);
    return item;
  }

  /** Mark the chosen entries. */
  mark(chosen) {
    this.root.classList.toggle("choosing", chosen.size > 0);
    document.getElementById("map-all").hidden = chosen.size === 0;
    for (const button of this.root.querySelectorAll("li button")) {
      button.setAttribute("aria-pressed", chosen.has(Number(button.dataset.group)));
    }
  }
}

function swatch(shape, tint) {
  const svg = drawn("svg", { viewBox: "-1.4 -1.4 2.8 2.8", class: "swatch", "aria-hidden": true });
  svg.append(drawn("path", { d: shape, fill: `var(${tint})` }));
  return svg;
}

/** An element of SVG. */
function drawn(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
