// A modal question: the browser's own dialog keeps the focus inside and escape closes it.
import { html, useLayoutEffect, useRef } from "./vendor/preact-htm.js";

/**
 * @param {{title: string, onClose: () => void, wide?: boolean, children: any}} props
 */
export function Dialog({ title, onClose, children, wide = false, className = "" }) {
  const ref = useRef();
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close(); // while it is open nothing outside can have the focus
      if (before?.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  const onCancel = (event) => {
    event.preventDefault();
    onClose();
  };
  const onClick = (event) => event.target === ref.current && onClose();
  return html`<dialog
    ref=${ref}
    class="dialog ${wide ? "wide" : ""} ${className}"
    aria-label=${title}
    onCancel=${onCancel}
    onClick=${onClick}
    onKeyDown=${(event) => event.stopPropagation()}
  >
    <div class="dialog-body">
      <h2>${title}</h2>
      ${children}
    </div>
  </dialog>`;
}

/** Asks a yes-or-no question: enter says yes, escape no. Resolves to a boolean. */
export function confirmWith(app, { title, text, yes }) {
  return new Promise((resolve) => {
    const answer = (said) => {
      app.dialog(null);
      resolve(said);
    };
    app.dialog(
      () => html`<${Dialog} title=${title} onClose=${() => answer(false)}>
        <p>${text}</p>
        <div class="buttons">
          <button onClick=${() => answer(false)}>Cancel <kbd>esc</kbd></button>
          <button class="primary" autofocus onClick=${() => answer(true)}>
            ${yes} <kbd>enter</kbd>
          </button>
        </div>
      <//>`,
    );
  });
}
