// The scrollbar of a grid: dragged, it says where it is.

const LEAST = 36; // px, the height of its handle

export class Scrubber {
  #track = document.createElement("div");
  #handle = document.createElement("div");
  #bubble = document.createElement("div");
  #drag = null;
  #place = { top: 0, height: 0, whole: 0 };

  /** @param {{onDrag: (top: number) => void, describe: (top: number) => string}} options */
  constructor(root, { onDrag, describe }) {
    this.onDrag = onDrag;
    this.describe = describe;
    this.#track.className = "scrubber";
    this.#handle.className = "scrubber-handle";
    this.#bubble.className = "scrubber-bubble";
    this.#track.setAttribute("aria-hidden", "true"); // the keys scroll
    this.#track.append(this.#handle, this.#bubble);
    root.append(this.#track);
    this.#track.addEventListener("pointerdown", (event) => this.#onDown(event));
    this.#track.addEventListener("pointermove", (event) => this.#onMove(event));
    for (const type of ["pointerup", "pointercancel"]) {
      this.#track.addEventListener(type, () => this.#onUp());
    }
  }

  #sizes() {
    const { height, whole } = this.#place;
    const handle = Math.max(LEAST, (height * height) / Math.max(whole, 1));
    return { handle, room: Math.max(1, height - handle), range: Math.max(1, whole - height) };
  }

  #onDown(event) {
    event.preventDefault();
    this.#track.setPointerCapture(event.pointerId);
    const onHandle = event.target === this.#handle;
    this.#drag = { grip: onHandle ? event.offsetY : this.#sizes().handle / 2 };
    this.#track.classList.add("dragged");
    if (!onHandle) this.#follow(event);
  }

  #onMove(event) {
    if (this.#drag) this.#follow(event);
  }

  #follow(event) {
    const { room, range } = this.#sizes();
    const y = event.clientY - this.#track.getBoundingClientRect().top - this.#drag.grip;
    this.onDrag((Math.max(0, Math.min(y, room)) / room) * range);
  }

  #onUp() {
    this.#drag = null;
    this.#track.classList.remove("dragged");
  }

  draw(top, height, whole) {
    this.#place = { top, height, whole };
    this.#track.hidden = whole <= height;
    const { handle, room, range } = this.#sizes();
    const y = Math.min(1, top / range) * room;
    this.#handle.style.height = `${handle}px`;
    this.#handle.style.transform = `translateY(${y}px)`;
    if (this.#drag) {
      this.#bubble.textContent = this.describe(top);
      this.#bubble.style.transform = `translateY(${y + handle / 2}px) translateY(-50%)`;
    }
  }
}
