// The token, where other machines reach the service: shown once, then a cookie that no script reads.
import { html, useState } from "./vendor/preact-htm.js";
import { remember, remembered } from "./recent.js";

/** Who decides, as this browser says it; empty: as the service says it. */
export const userName = () => remembered("user", "");

export function SignIn({ app }) {
  const [refused, setRefused] = useState(null);
  const onSubmit = async (event) => {
    event.preventDefault();
    const said = new FormData(event.target);
    remember("user", said.get("user").trim());
    try {
      await app.api.post("/session", { token: said.get("token").trim() });
      location.reload(); // the stream of events begins anew, with the cookie
    } catch (problem) {
      setRefused(problem);
    }
  };
  return html`<section class="empty">
    <h1>This library needs a token</h1>
    <p>It is what <code>organizer serve</code> was started with: <code>--token</code> or
      <code>ORGANIZER_TOKEN</code>.</p>
    <form class="sign-in" onSubmit=${onSubmit}>
      <label>Token
        <input name="token" type="password" required autocomplete="current-password"
          aria-invalid=${String(Boolean(refused))} /></label>
      <label>Your name
        <input name="user" autocomplete="name" value=${userName()}
          placeholder="kept with what you decide" /></label>
      ${refused && html`<p role="alert" class="refused">${refused.message}</p>`}
      <div><button class="primary">Go on</button></div>
    </form>
  </section>`;
}

/** Who decides: a field that can be changed at any time. */
export function WhoDecides({ usual }) {
  const [name, setName] = useState(userName());
  const onInput = (event) => {
    setName(event.target.value);
    remember("user", event.target.value.trim());
  };
  return html`<label class="who">You decide as
    <input value=${name} placeholder=${usual || "your name"} autocomplete="name"
      onInput=${onInput} /></label>`;
}
