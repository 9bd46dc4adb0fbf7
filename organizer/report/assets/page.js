// Sorts tables, shows the paths of pictures, marks the current section.

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

/** Make a list of pictures one Tab stop; the arrow keys move inside it. */
function useArrowKeys(list) {
  const figures = [...list.querySelectorAll("figure")];
  figures.forEach((figure, i) => (figure.tabIndex = i === 0 ? 0 : -1));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const to = figures[figures.indexOf(document.activeElement) + step];
    if (!step || !to) return;
    event.preventDefault();
    document.activeElement.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  });
}

document.querySelectorAll(".pictures").forEach(useArrowKeys);

function showPath(event) {
  const figure = event.target.closest?.("figure[data-path]");
  if (!figure) return;
  const box = figure.getBoundingClientRect();
  showTip([figure.dataset.path], box.left - 14, box.bottom - 14);
}

const sheets = document.getElementById("sheets");
if (sheets) {
  sheets.addEventListener("pointerover", showPath);
  sheets.addEventListener("focusin", showPath);
  sheets.addEventListener("pointerout", hideTip);
  sheets.addEventListener("focusout", hideTip);
}

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
