// Sorts tables, enlarges pictures and shows their paths, unfolds and marks sections.

/** Sort a table by a column; rows without a value stay last. */
function sortBy(header) {
  const table = header.closest("table");
  const column = [...header.parentElement.children].indexOf(header);
  const isNumber = header.querySelector("button").dataset.kind === "number";
  const was = header.getAttribute("aria-sort");
  // Numbers are first sorted from the largest, text from A.
  const first = isNumber ? "descending" : "ascending";
  const second = isNumber ? "ascending" : "descending";
  const order = was === first ? second : first;
  for (const other of header.parentElement.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [row.cells[column].dataset.value, row]);
  keyed.sort(([a], [b]) => compare(a, b, isNumber, sign));
  body.append(...keyed.map(([, row]) => row));
}

function compare(a, b, isNumber, sign) {
  if (a === "" || b === "") return (a === "") - (b === "");
  return sign * (isNumber ? a - b : collator.compare(a, b));
}

const collator = new Intl.Collator(undefined, { numeric: true });

for (const button of document.querySelectorAll("table.sortable thead button")) {
  button.addEventListener("click", () => sortBy(button.closest("th")));
}

/** A list of pictures: one Tab stop in which the arrow keys move; a click enlarges. */
function useList(list) {
  const links = [...list.querySelectorAll("a")];
  const focus = (i) => {
    links.forEach((link, at) => (link.tabIndex = at === i ? 0 : -1));
    links[i].focus();
  };
  links.forEach((link, i) => (link.tabIndex = i === 0 ? 0 : -1));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const to = links.indexOf(document.activeElement) + step;
    if (!step || !(to in links) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    focus(to);
  });
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    // With a key held the link does what links do: it opens the file.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    large.open(links.map(shownOf), links.indexOf(link), { group: list.dataset.group, closed: focus });
  });
}

/** What the large view shows of a picture; of one that could not be read the file may be another. */
function shownOf(link) {
  const { path, note, box } = link.dataset;
  const src = link.querySelector("img")?.src;
  return { path, note, box, src, link: src ? link.getAttribute("href") : "" };
}

document.querySelectorAll(".pictures").forEach(useList);

function showPath(event) {
  const link = event.target.closest?.("a[data-path]");
  if (!link) return;
  const box = link.getBoundingClientRect();
  showTip([link.dataset.path, link.dataset.note], box.left - 14, box.bottom - 14);
}

const sheets = document.getElementById("sheets");
if (sheets) {
  sheets.addEventListener("pointerover", showPath);
  sheets.addEventListener("focusin", showPath);
  sheets.addEventListener("pointerout", hideTip);
  sheets.addEventListener("focusout", hideTip);
}

/** Unfold the section that a link leads to. */
function unfold(hash) {
  const section = hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
  section?.querySelector?.(":scope > details")?.setAttribute("open", "");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (link) unfold(link.hash);
});
unfold(location.hash);

// On paper nothing can be unfolded: all is, and after printing it is as it was.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) {
    part.open = true;
    addEventListener("afterprint", () => (part.open = false), { once: true });
  }
});

/** Mark the current section in the table of contents. */
function markSections() {
  const links = new Map(
    [...document.querySelectorAll(".toc a")].map((link) => [link.hash.slice(1), link]),
  );
  const sections = [...links.keys()].map((id) => document.getElementById(id));
  const mark = () => {
    const line = Math.min(innerHeight / 3, 260);
    const past = sections.filter((section) => section.getBoundingClientRect().top < line);
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const current = atEnd && scrollY > 0 ? sections.at(-1) : past.at(-1) ?? sections[0];
    const now = links.get(current.id);
    if (now.hasAttribute("aria-current")) return;
    links.forEach((link) => link.removeAttribute("aria-current"));
    now.setAttribute("aria-current", "true");
    // On a narrow screen the table of contents is one row that scrolls sideways.
    const row = now.closest("ol");
    row.scrollLeft = now.offsetLeft - (row.clientWidth - now.offsetWidth) / 2;
  };
  let requested = false;
  const request = () => {
    if (requested) return;
    requested = true;
    requestAnimationFrame(() => {
      requested = false;
      mark();
    });
  };
  addEventListener("scroll", request, { passive: true });
  request();
}

markSections();
