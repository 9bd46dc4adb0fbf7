// A scroll position of our own: browsers stop at some six million pixels, a library does not.

const SMOOTH = 55; // ms in which a step of the wheel is two thirds done
const FRICTION = 0.0028; // of a flick, per ms
const LINE = 40; // px of a wheel that counts lines

/** Moves `top` between 0 and `limit()`; `onMove(top, speed)` at most once a frame. */
export class Scroll {
  #element;
  #limit;
  #onMove;
  #frame = 0;
  #last = 0;
  #flick = 0; // px per ms
  #touch = null;

  constructor(element, { limit, onMove }) {
    this.#element = element;
    this.#limit = limit;
    this.#onMove = onMove;
    this.top = 0;
    this.target = 0;
    this.#listen();
  }

  #listen() {
    const element = this.#element;
    element.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    element.addEventListener("touchstart", (event) => this.#onTouchStart(event), { passive: true });
    element.addEventListener("touchmove", (event) => this.#onTouchMove(event), { passive: false });
    element.addEventListener("touchend", () => this.#onTouchEnd(), { passive: true });
  }

  #onWheel(event) {
    if (event.ctrlKey) return;
    event.preventDefault();
    const unit = [1, LINE, this.#element.clientHeight][event.deltaMode];
    const delta = event.deltaY * unit;
    // A touchpad sends many small steps and is followed at once; a wheel is smoothed.
    const isPad = event.deltaMode === 0 && Math.abs(event.deltaY) < 50;
    this.to(this.target + delta, { smooth: !isPad });
  }

  #onTouchStart(event) {
    const [touch] = event.touches;
    this.#flick = 0;
    this.#touch = { y: touch.clientY, at: event.timeStamp, speed: 0 };
  }

  #onTouchMove(event) {
    if (!this.#touch || event.touches.length > 1) return;
    event.preventDefault();
    const [touch] = event.touches;
    const step = this.#touch.y - touch.clientY;
    const time = Math.max(1, event.timeStamp - this.#touch.at);
    const speed = 0.7 * (step / time) + 0.3 * this.#touch.speed;
    this.#touch = { y: touch.clientY, at: event.timeStamp, speed };
    this.to(this.top + step);
  }

  #onTouchEnd() {
    this.#flick = this.#touch && Math.abs(this.#touch.speed) > 0.1 ? this.#touch.speed : 0;
    this.#touch = null;
    this.#begin();
  }

  #within(top) {
    return Math.max(0, Math.min(top, this.#limit()));
  }

  /** Goes to a height in pixels. */
  to(top, { smooth = false } = {}) {
    this.target = this.#within(top);
    if (!smooth || matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.jump = this.target;
    }
    this.#begin();
  }

  /** Draws again where it is, for example when the height has changed. */
  again() {
    this.target = this.#within(this.target);
    this.jump = this.#within(this.top);
    this.#begin();
  }

  #begin() {
    if (this.#frame) return;
    this.#last = performance.now();
    this.#frame = requestAnimationFrame((now) => this.#step(now));
  }

  #step(now) {
    this.#frame = 0;
    const time = Math.max(1, Math.min(now - this.#last, 64));
    this.#last = now;
    const before = this.top;
    if (this.#flick) {
      this.target = this.jump = this.#within(this.top + this.#flick * time);
      this.#flick *= Math.exp(-FRICTION * time);
      if (Math.abs(this.#flick) < 0.02) this.#flick = 0;
    }
    if (this.jump !== null && this.jump !== undefined) {
      this.top = this.jump;
      this.jump = null;
    }
    this.top += (this.target - this.top) * (1 - Math.exp(-time / SMOOTH));
    if (Math.abs(this.target - this.top) < 0.5) this.top = this.target;
    this.#onMove(this.top, Math.abs(this.top - before) / time);
    if (this.top !== this.target || this.#flick) {
      this.#frame = requestAnimationFrame((next) => this.#step(next));
    }
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = -1;
  }
}
