// Loads the pictures of cells: few at a time, the latest first, none that scrolled away.

const AT_ONCE = 6;

export class Loader {
  #wanted = new Map(); // img -> url, the oldest first
  #loading = new Map(); // img -> what it was asked as
  #paused = false;

  /** Shows `url` in an `img` when it is decoded. */
  want(img, url) {
    this.drop(img);
    this.#wanted.set(img, url);
    this.#next();
  }

  /** The picture is not needed any more. */
  drop(img) {
    this.#wanted.delete(img);
    if (this.#loading.delete(img)) this.#next();
    img.classList.remove("shown", "failed");
    if (img.hasAttribute("src")) img.removeAttribute("src");
  }

  /** Nothing new is begun while it goes past too fast to be seen. */
  pause(paused) {
    if (this.#paused === paused) return;
    this.#paused = paused;
    this.#next();
  }

  #next() {
    if (this.#paused) return;
    while (this.#loading.size < AT_ONCE && this.#wanted.size) {
      const [img, url] = [...this.#wanted].pop();
      this.#wanted.delete(img);
      this.#load(img, url);
    }
  }

  async #load(img, url) {
    const asked = {};
    this.#loading.set(img, asked);
    img.src = url;
    let mark = "shown";
    try {
      await img.decode();
    } catch {
      mark = "failed";
    }
    // Dropped meanwhile, or given to another picture.
    if (this.#loading.get(img) !== asked) return;
    this.#loading.delete(img);
    img.classList.add(mark);
    this.#next();
  }
}
