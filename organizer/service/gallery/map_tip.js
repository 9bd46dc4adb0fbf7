// The picture of the image under the pointer, and what is known of it.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { clusterName, wallClock } from "./format.js";
import { Thumb } from "./thumb.js";

const SIDE = 180;
const WAIT = 120; // ms before it is asked what else is known

/** @param {{app: object, id: string, cluster: number|null, left: number, top: number}} props */
export function MapTip({ app, id, cluster, left, top }) {
  const [image, setImage] = useState(null);
  const ref = useRef();
  useEffect(() => {
    const abort = new AbortController();
    const wait = setTimeout(() => {
      app.api.get(`/images/${id}`, {}, { signal: abort.signal }).then(setImage, () => {});
    }, WAIT);
    return () => {
      clearTimeout(wait);
      abort.abort();
    };
  }, [id]);
  useLayoutEffect(() => {
    const { offsetWidth: width, offsetHeight: height, offsetParent: stage } = ref.current;
    const beside = left + 18 + width > stage.clientWidth ? left - 18 - width : left + 18;
    const y = Math.min(Math.max(8, top - height / 2), stage.clientHeight - height - 8);
    ref.current.style.translate = `${Math.max(8, beside)}px ${Math.max(8, y)}px`;
  });
  const found = cluster === null ? null : app.store.get().clusters.get(cluster);
  const name = cluster === null ? "Unassigned" : found ? clusterName(found) : `Cluster ${cluster}`;
  const known = image?.id === id ? image : null;
  return html`<div class="map-tip" ref=${ref}>
    <${Thumb} id=${id} px=${SIDE} lazy=${false} key=${id} />
    <b>${name}</b>
    <small>${known ? [wallClock(known.time), known.camera].filter(Boolean).join(" · ") : ""}</small>
    <small class="muted">${known ? known.name : ""}</small>
  </div>`;
}
