// What this browser remembers: the last names, and how large the pictures are.

const PREFIX = "organizer.";

export function remembered(key, usual) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key)) ?? usual;
  } catch {
    return usual;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing: the page works all the same.
  }
}

/** The last nine names, the newest first. */
export const recentNames = () => remembered("names", []);

export function rememberName(name) {
  if (!name) return;
  remember("names", [name, ...recentNames().filter((n) => n !== name)].slice(0, 9));
}
