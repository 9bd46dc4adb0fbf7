// The one stream of events of the page.
import { eventsUrl } from "./api.js";

const KINDS = ["hello", "state", "job", "images", "reset"];
const HIDDEN_FOR = 60_000; // ms; a browser has six connections a host, for all tabs together

/**
 * Listens while the page is visible, and for a minute after.
 *
 * @param {(kind: string, data: object) => void} take Called with each event; `reset` when some may
 *   have been missed.
 * @param {(open: boolean) => void} onOpen Called when the stream opens or breaks.
 */
export function listen(take, onOpen = () => {}) {
  let source = null;
  let timer = 0;

  function open({ missed }) {
    source = new EventSource(eventsUrl);
    source.onopen = () => onOpen(true);
    source.onerror = () => {
      onOpen(false);
      // A refused stream is closed for good: ask again later.
      if (source?.readyState === EventSource.CLOSED) again();
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => take(kind, JSON.parse(event.data || "{}")));
    }
    if (missed) take("reset", {});
  }

  function close() {
    source?.close();
    source = null;
  }

  function again() {
    close();
    clearTimeout(timer);
    timer = setTimeout(() => open({ missed: true }), 3_000);
  }

  function onVisibility() {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(close, HIDDEN_FOR);
    else if (!source) open({ missed: true });
  }

  open({ missed: false });
  document.addEventListener("visibilitychange", onVisibility);
  addEventListener("pagehide", close);
  return close;
}
