// A photo dropped anywhere on the page is searched for.
import { html, useEffect, useState } from "./vendor/preact-htm.js";

export function Drop({ app }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const holdsFile = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    const onOver = (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const onLeave = (event) => event.relatedTarget || setOver(false);
    const onDrop = (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      setOver(false);
      const [file] = event.dataTransfer.files;
      if (file) searchWith(app, file);
    };
    const listeners = { dragover: onOver, dragleave: onLeave, drop: onDrop };
    for (const [type, run] of Object.entries(listeners)) addEventListener(type, run);
    return () => {
      for (const [type, run] of Object.entries(listeners)) removeEventListener(type, run);
    };
  }, []);
  return over && html`<div class="drop"><p>Drop the photo to find similar images</p></div>`;
}

/** Goes to the search with a photo from outside the library. */
export function searchWith(app, file) {
  const before = app.store.get().picture;
  if (before) URL.revokeObjectURL(before.url);
  app.store.set({ picture: { file, url: URL.createObjectURL(file) } });
  app.go("search", [], { picture: file.name });
}
