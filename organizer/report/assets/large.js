// The large view: one picture of a list in a dialog, moved through by buttons and keys.

/** @typedef {{src: string, link: string, path: string, note: string, box: string}} Shown */

class LargeView {
  constructor(dialog) {
    this.dialog = dialog;
    this.view = dialog.querySelector(".large-view");
    const act = {
      previous: () => this.step(-1),
      next: () => this.step(1),
      close: () => dialog.close(),
    };
    for (const button of dialog.querySelectorAll("button")) {
      button.addEventListener("click", act[button.dataset.large]);
    }
    dialog.addEventListener("keydown", (event) => this.key(event));
    // A click beside the dialog is one on its backdrop.
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => this.closed());
  }

  /** Show one of a list of pictures; `closed` is called with the last one that was shown. */
  open(list, at, { group, closed }) {
    hideTip();
    Object.assign(this, { list, group });
    this.whenClosed = closed;
    this.dialog.showModal();
    this.dialog.querySelector("[data-large=close]").focus();
    this.show(at);
  }

  closed() {
    this.view.replaceChildren();
    this.whenClosed(this.at);
  }

  step(by) {
    const to = this.at + by;
    if (to in this.list) this.show(to);
  }

  key(event) {
    const last = this.list.length - 1;
    const to = {
      ArrowLeft: this.at - 1,
      ArrowUp: this.at - 1,
      ArrowRight: this.at + 1,
      ArrowDown: this.at + 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (to in this.list) this.show(to);
  }

  show(at) {
    this.at = at;
    const shown = this.list[at];
    const put = (name, text) => (document.getElementById(`large-${name}`).textContent = text);
    put("group", this.group);
    put("count", this.list.length > 1 ? `${at + 1} of ${this.list.length}` : "");
    put("note", shown.note);
    put("path", shown.path);
    const link = document.getElementById("large-link");
    link.href = shown.link;
    link.hidden = !shown.link;
    const [previous, next] = this.dialog.querySelectorAll("button");
    previous.disabled = at === 0;
    next.disabled = at === this.list.length - 1;
    previous.hidden = next.hidden = this.list.length === 1;
    this.put(shown);
  }

  /** The picture of the page at once, then that of the file where it lies on this disk. */
  put(shown) {
    const small = pictureOf(shown.src, shown.path);
    this.view.replaceChildren(small ?? line("cannot be read"));
    fromDisk(shown).then(
      (image) => {
        if (this.list[this.at] !== shown || !this.dialog.open) return;
        this.view.replaceChildren(framed(image, shown.box));
      },
      () => {}, // the file is gone, or of a kind that a browser does not show
    );
  }
}

function pictureOf(src, path) {
  if (!src) return null;
  const image = new Image();
  image.alt = path;
  image.src = src;
  return image;
}

/** The picture of a file on this disk, decoded; a page from elsewhere asks for no file. */
async function fromDisk({ link, path }) {
  if (location.protocol !== "file:" || !link) throw new Error("no file");
  const image = pictureOf(link, path);
  await image.decode();
  return image;
}

/** A photo with the outline of the crop in it. */
function framed(image, box) {
  if (!box) return image;
  const [x, y, width, height] = box.split(" ").map(Number);
  const { naturalWidth: wide, naturalHeight: tall } = image;
  const frame = document.createElement("div");
  const outline = drawn("svg", { viewBox: `0 0 ${wide} ${tall}`, "aria-hidden": true });
  const place = { x: x * wide, y: y * tall, width: width * wide, height: height * tall };
  outline.append(drawn("rect", { ...place, class: "under" }), drawn("rect", place));
  frame.className = "frame";
  frame.append(image, outline);
  return frame;
}

const large = new LargeView(document.getElementById("large"));
