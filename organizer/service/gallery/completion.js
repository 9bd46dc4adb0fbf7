// A field with completion: what is typed picks the best of the options below it.
import { html, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Thumb } from "./thumb.js";

const SHOWN = 8;

/** Options that hold the text: those that begin with it first, then those with a word that does. */
export function matches(options, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return options;
  const rank = (option) => {
    const name = option.text.toLowerCase();
    if (name === wanted) return 0;
    if (name.startsWith(wanted)) return 1;
    if (name.split(/[\s_-]+/).some((word) => word.startsWith(wanted))) return 2;
    return name.includes(wanted) ? 3 : 9;
  };
  return options
    .map((option, place) => ({ option, place, rank: rank(option) }))
    .filter((found) => found.rank < 9)
    .sort((a, b) => a.rank - b.rank || a.place - b.place)
    .map((found) => found.option);
}

let ids = 0;

/**
 * @param {object} props
 * @param {{key: string, text: string, note?: string, image?: string}[]} props.options
 * @param {(option: object) => void} props.onPick An option was chosen.
 * @param {(text: string) => void} [props.onText] What was typed is of no option (or was not chosen
 *   by the arrows): taken as it is. Without it the best option is picked.
 * @param {boolean} [props.best] The best option is chosen from the start.
 * @param {{text: string}[]} [props.quick] Up to nine, picked by 1 to 9 while nothing is typed.
 * @param {string} [props.hint] What it is about to do.
 * @param {string} [props.initial]
 * @param {(event: KeyboardEvent) => void} [props.onKey] Keys that are not its own.
 * @param {(text: string) => void} [props.onBlur] The focus went elsewhere on the page.
 */
export function Completion(props) {
  const { label, options, onPick, onText, quick = [], initial = "", onKey, onBlur, placeholder } = props;
  const { best = !onText, hint } = props;
  const [text, setText] = useState(initial);
  const [at, setAt] = useState(best ? 0 : -1);
  const [id] = useState(() => `completion-${(ids += 1)}`);
  const input = useRef();
  const found = text.trim() || best ? matches(options, text).slice(0, SHOWN) : [];
  // Before the next letter can come.
  useLayoutEffect(() => {
    input.current.focus({ preventScroll: true });
    input.current.select();
  }, []);

  const type = (value) => {
    setText(value);
    setAt(best ? 0 : -1);
  };
  const take = () => {
    const typed = text.trim();
    const same = options.find((o) => o.text.toLowerCase() === typed.toLowerCase());
    if (at >= 0 && found[at]) onPick(found[at]);
    else if (same && typed) onPick(same);
    else if (onText) onText(typed);
    else if (found[0]) onPick(found[0]);
  };
  const keys = {
    ArrowDown: () => setAt(Math.min(at + 1, found.length - 1)),
    ArrowUp: () => setAt(Math.max(at - 1, best ? 0 : -1)),
    Enter: take,
    Tab: () => found.length && (setText(found[Math.max(at, 0)].text), setAt(-1)),
  };
  const onKeyDown = (event) => {
    if (event.isComposing) return;
    const digit = !text && /^[1-9]$/.test(event.key) && quick[event.key - 1];
    if (digit) {
      event.preventDefault();
      (digit.pick || onText)(digit.text);
    } else if (keys[event.key] && !(event.key === "Tab" && (event.shiftKey || !text || !found.length))) {
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    } else onKey?.(event);
  };
  const listed = found.length > 0;
  return html`<div class="completion">
    <input
      ref=${input}
      role="combobox"
      aria-label=${label}
      aria-expanded=${String(listed)}
      aria-controls=${id}
      aria-autocomplete="list"
      aria-activedescendant=${at >= 0 && listed ? `${id}-${at}` : null}
      autocomplete="off"
      spellcheck="false"
      placeholder=${placeholder || ""}
      value=${text}
      onInput=${(event) => type(event.target.value)}
      onKeyDown=${onKeyDown}
      onBlur=${(event) => event.target !== document.activeElement && onBlur?.(event.target.value)}
    />
    ${hint && html`<small class="muted completion-hint">${hint}</small>`}
    <ul role="listbox" id=${id} aria-label=${label} hidden=${!listed}>
      ${found.map(
        (option, i) => html`<li
          key=${option.key}
          id="${id}-${i}"
          role="option"
          aria-selected=${String(i === at)}
          onMouseDown=${(event) => event.preventDefault()}
          onClick=${() => onPick(option)}
        >
          ${option.image && html`<${Thumb} id=${option.image} px=${32} />`}
          <span>${option.text}</span>
          ${option.note && html`<small>${option.note}</small>`}
        </li>`,
      )}
    </ul>
    ${!text &&
    quick.length > 0 &&
    html`<div class="quick" aria-label="Last names">
      ${quick.map(
        (one, i) => html`<button type="button" tabindex="-1" key=${one.text}
          onMouseDown=${(event) => event.preventDefault()}
          onClick=${() => (one.pick || onText)(one.text)}>
          <kbd>${i + 1}</kbd> ${one.text}
        </button>`,
      )}
    </div>`}
  </div>`;
}
