// <hansei-feedback trace-token="…">: two thumbs and a comment on one answer, kept by hansei.
// Attributes, events, parts and custom properties: docs/browser-feedback.md.

const HOME = new URL(import.meta.url).origin;

const WORDS = {
  en: {
    group: "Was this helpful?", up: "Helpful", down: "Not helpful", comment: "Why? (optional)", send: "Send",
    undo: "Undo", retry: "Try again", sending: "Saving…", saved: "Saved. Thank you!", undone: "Taken back.",
    failed: "Not saved yet; trying again…", refused: "This could not be saved.",
  },
  ja: {
    group: "この回答は役に立ちましたか?", up: "役に立った", down: "役に立たなかった", comment: "理由(任意)", send: "送信",
    undo: "取り消す", retry: "再試行", sending: "保存中…", saved: "保存しました。", undone: "取り消しました。",
    failed: "まだ保存できていません。再試行します…", refused: "保存できませんでした。",
  },
};

// A sheet that is constructed: a strict content security policy allows it. Text has the colour of the page around it.
const SHEET = new CSSStyleSheet();
SHEET.replaceSync(`
  :host { display: block; --accent: #2456b3; --on-accent: #fff; }
  @media (prefers-color-scheme: dark) { :host { --accent: #a9c4ff; --on-accent: #10131a; } }
  [hidden] { display: none !important; }
  .row, form { display: flex; flex-wrap: wrap; align-items: center; gap: .4em; }
  form { max-width: 36em; margin-top: .4em; align-items: end; }
  label { flex: 1 1 12em; }
  p { margin: 0; }
  button, textarea {
    font: inherit; color: inherit; background: none; box-sizing: border-box; padding: .3em .6em;
    border: 1px solid var(--hansei-line, color-mix(in srgb, currentColor 50%, transparent));
    border-radius: var(--hansei-radius, .5em);
  }
  button { min-width: 2em; min-height: 2em; cursor: pointer; }
  button:hover { border-color: currentColor; }
  .undo, .retry { border-color: transparent; text-decoration: underline; }
  textarea { display: block; width: 100%; resize: vertical; }
  [aria-pressed=true] {
    color: var(--hansei-on-accent, var(--on-accent)); background: var(--hansei-accent, var(--accent));
  }
  :focus-visible { outline: 2px solid var(--hansei-focus, currentColor); outline-offset: 2px; }
  svg { display: block; width: 1.2em; fill: none; stroke: currentColor; stroke-width: 1.8; }
  .down svg { rotate: 180deg; }
`);

// Made, not parsed: a page may require trusted types.
function make(tag, part, properties, ...children) {
  const made = Object.assign(document.createElement(tag), { className: part, part }, properties);
  made.append(...children);
  return made;
}

function thumb() {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 24 24");
  path.setAttribute("d", "M7 10v11H3V10zm0 0 4-8c1.7 0 3 1.3 3 3v4h5.6a2 2 0 0 1 2 2.3l-1.4 8A2 2 0 0 1 18.2 21H7");
  svg.append(path);
  return svg;
}

// The answer, or null where there was none. It is sent even when the page is left meanwhile.
const request = ({ url, token }, method, path = "", body = undefined) =>
  fetch(url + path, {
    method, body, headers: { Authorization: `Bearer ${token}` }, credentials: "omit", cache: "no-store",
    keepalive: true, signal: AbortSignal.timeout(15000),
  }).catch(() => null);

const passes = (response) => !response || response.status === 429 || response.status >= 500;

// Milliseconds until the next try: 1, 2, 4 … 60 s, a little less by chance, or what hansei asks for.
const pause = (tries, response) =>
  1000 * Math.max(Number(response?.headers.get("Retry-After")) || 0, Math.min(60, 2 ** tries / 2) * (1 - Math.random() / 4));

class HanseiFeedback extends HTMLElement {
  static observedAttributes = ["trace-token", "name", "server", "comment", "lang"];
  // What goes on about one token. `wanted`: what the person says, null for nothing. `saved`: what hansei has, undefined
  // when an answer got lost and nobody knows.
  #talk = {};
  #ui;

  connectedCallback() {
    if (!this.#ui) this.#build();
    if (!this.#talk.token) this.#begin();
    addEventListener("online", this.#online);
  }

  disconnectedCallback() {
    removeEventListener("online", this.#online);
  }

  attributeChangedCallback(attribute, before, after) {
    if (!this.#ui || before === after) return;
    if (["trace-token", "name", "server"].includes(attribute)) this.#begin();
    else this.#draw();
  }

  #online = () => this.#talk.timer && this.#send(this.#talk);

  #build() {
    const button = (part, onclick, ...children) => make("button", part, { type: "button", onclick }, ...children);
    const press = (value) => () =>
      this.#say(this.#talk.wanted?.value === value ? null : { ...this.#talk.wanted, value });
    const ui = (this.#ui = {
      up: button("thumb up", press(true), thumb()),
      down: button("thumb down", press(false), thumb()),
      undo: button("undo", () => this.#say(null)),
      retry: button("retry", () => this.#send(this.#talk)),
      status: make("p", "status", { role: "status" }),
      caption: make("span", "caption"),
      text: make("textarea", "text", { rows: 2, maxLength: 5000 }),
      send: make("button", "send"),
    });
    ui.form = make("form", "comment", {}, make("label", "label", {}, ui.caption, ui.text), ui.send);
    ui.form.onsubmit = (event) => {
      event.preventDefault();
      this.#say({ ...this.#talk.wanted, rationale: ui.text.value.trim() || undefined });
    };
    const row = make("div", "row", {}, ui.up, ui.down, ui.undo, ui.status, ui.retry);
    ui.box = make("div", "box", { role: "group" }, row, ui.form);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [SHEET];
    root.append(ui.box);
  }

  #word(key) {
    return this.getAttribute(`label-${key}`) ?? WORDS[this.#ui.box.lang][key];
  }

  #draw() {
    const { ui, talk } = { ui: this.#ui, talk: this.#talk };
    ui.box.lang = /^ja\b/i.test(this.closest("[lang]")?.lang || navigator.language) ? "ja" : "en";
    ui.box.ariaLabel = this.#word("group");
    for (const key of ["up", "down"]) {
      ui[key].ariaLabel = ui[key].title = this.#word(key);
      ui[key].ariaPressed = talk.wanted?.value === (key === "up");
      ui[key].disabled = !talk.token;
    }
    for (const key of ["undo", "retry", "send"]) ui[key].textContent = this.#word(key);
    ui.caption.textContent = this.#word("comment");
    ui.status.textContent = talk.state ? this.#word(talk.state) : "";
    ui.undo.hidden = !talk.wanted;
    ui.retry.hidden = talk.state !== "failed";
    ui.form.hidden = this.getAttribute("comment") === "no" || !talk.wanted || !(talk.said || talk.wanted.rationale);
  }

  // A token has come: ask what has been said with it.
  async #begin() {
    const name = this.getAttribute("name") || "helpful";
    const url = `${(this.getAttribute("server") || HOME).replace(/\/+$/, "")}/api/v1/feedback`;
    const talk = (this.#talk = { token: this.getAttribute("trace-token"), name, url, wanted: null, saved: null, tries: 0 });
    this.#ui.text.value = "";
    this.#draw();
    for (let tries = 1; talk.token && tries < 6; tries++) {
      const response = await request(talk, "GET");
      const found = response?.ok && (await response.json()).feedback.find((one) => one.name === name);
      if (talk.said || talk !== this.#talk) return;
      if (found) {
        talk.wanted = talk.saved = { value: found.value, rationale: found.rationale ?? undefined };
        this.#ui.text.value = found.rationale ?? "";
        return this.#draw();
      }
      if (!passes(response)) return;
      await new Promise((resolve) => setTimeout(resolve, pause(tries, response)));
    }
  }

  #say(wanted) {
    const talk = this.#talk;
    if (!wanted) {
      // Undo disappears, and must not take the keyboard with it.
      if (this.shadowRoot.activeElement === this.#ui.undo) this.#ui[talk.wanted.value ? "up" : "down"].focus();
      this.#ui.text.value = "";
    }
    talk.said = true;
    talk.wanted = wanted;
    this.#send(talk);
  }

  // One request at a time, until hansei has what the person wants: the last wish wins.
  async #send(talk) {
    clearTimeout(talk.timer);
    talk.timer = 0;
    if (talk.busy) return this.#tell(talk, "sending");
    talk.busy = true;
    let [state, error] = [talk.wanted ? "saved" : "undone"];
    while (talk.wanted !== talk.saved) {
      const { wanted, name } = talk;
      this.#tell(talk, "sending");
      const response = wanted
        ? await request(talk, "POST", "", JSON.stringify({ name, ...wanted }))
        : await request(talk, "DELETE", `/${encodeURIComponent(name)}`);
      if (response?.ok) {
        talk.saved = wanted;
        talk.tries = 0;
        state = wanted ? "saved" : "undone";
      } else if (passes(response)) {
        talk.saved = undefined;
        talk.timer = setTimeout(() => this.#send(talk), pause(++talk.tries, response));
        state = "failed";
        break;
      } else {
        ({ detail: error } = await response.json().catch(() => ({})));
        talk.wanted = talk.saved ??= null;
        state = "refused";
      }
    }
    talk.busy = false;
    this.#tell(talk, state, error);
  }

  #tell(talk, state, error) {
    talk.state = state;
    if (talk === this.#talk) this.#draw();
    const { name, wanted } = talk;
    const detail = { name, value: wanted?.value ?? null, rationale: wanted?.rationale ?? null, state, error };
    this.dispatchEvent(new CustomEvent("hansei-feedback", { detail, bubbles: true, composed: true }));
  }
}

if (!customElements.get("hansei-feedback")) customElements.define("hansei-feedback", HanseiFeedback);
