/* What was answered and is not on the server yet: kept in this browser under the item's id until the server says that it
   has it, sent again by itself as often as it takes. */

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;
const TIMEOUT = 15_000;
const AWAY = new Set([408, 425, 429, 500, 502, 503, 504]);

export class Outbox {
  /** `base`: the path of the link. `work`: whose work in which session it is. */
  constructor(base, work) {
    this.base = base;
    this.prefix = `hansei-review:${work}:`;
    this.memory = new Map();
    this.pause = FIRST_PAUSE;
    this.timer = 0;
    this.sending = new Map();
    /** Told what happens: `(item, what, answer)`. */
    this.tell = () => {};
    addEventListener("online", () => this.retry());
  }

  /** What is kept of an item, or null. */
  kept(item) {
    try {
      const text = localStorage.getItem(this.prefix + item);
      return text === null ? this.memory.get(item) ?? null : JSON.parse(text);
    } catch {
      return this.memory.get(item) ?? null;
    }
  }

  /** The items of which something is to be sent. */
  waiting() {
    return this.items().filter((item) => !this.kept(item)?.stuck);
  }

  items() {
    const found = new Set(this.memory.keys());
    try {
      for (const key of Object.keys(localStorage)) if (key.startsWith(this.prefix)) found.add(key.slice(this.prefix.length));
    } catch { /* There is no storage: memory is all. */ }
    return [...found];
  }

  keep(item, entry) {
    this.memory.set(item, entry);
    try {
      localStorage.setItem(this.prefix + item, JSON.stringify(entry));
    } catch { /* Full or forbidden: memory is all. */ }
  }

  forget(item) {
    this.memory.delete(item);
    try {
      localStorage.removeItem(this.prefix + item);
    } catch { /* There was none. */ }
  }

  /** Send what is kept of an item, once at a time. */
  send(item) {
    if (!this.sending.has(item)) {
      const done = this.sendNow(item).finally(() => {
        this.sending.delete(item);
        const left = this.kept(item);
        if (left && !left.stuck && !this.timer) this.send(item);
      });
      this.sending.set(item, done);
    }
    return this.sending.get(item);
  }

  async sendNow(item) {
    const entry = this.kept(item);
    if (!entry || entry.stuck) return;
    const what = entry.submit ? "submit" : "draft";
    let answer;
    try {
      answer = await post(`${this.base}/items/${item}/${what}`, entry, { signal: AbortSignal.timeout(TIMEOUT) });
    } catch {
      return this.later(item, entry);
    }
    if (AWAY.has(answer.status)) return this.later(item, entry);
    this.pause = FIRST_PAUSE;
    const said = await answer.json().catch(() => ({}));
    const now = this.kept(item);
    if (now && now.revision === entry.revision && now.submit === entry.submit) {
      // A server that keeps no drafts says so: then they stay here.
      const here = answer.ok && what === "draft" && said.revision < entry.revision;
      if (here) {
        this.keep(item, { ...entry, stuck: true });
        this.tell(item, "kept", said);
        return;
      }
      if (answer.ok) this.forget(item);
      // What is not taken as it is may still be kept as a draft.
      else this.keep(item, { ...entry, submit: false, stuck: !entry.submit });
    } else if (answer.ok && entry.submit) {
      // Changed meanwhile; the later answers follow as a draft of what was handed in.
      return;
    }
    this.tell(item, answer.ok ? what : said.error === "invalid" ? "invalid" : "refused", said);
  }

  later(item, entry) {
    this.tell(item, entry.submit ? "waiting" : "offline", {});
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.retry(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  /** Try everything that is kept, now. */
  retry() {
    clearTimeout(this.timer);
    this.timer = 0;
    for (const item of this.items()) this.send(item);
  }

  /** The page goes away: send without waiting for an answer; what is kept is forgotten when the server is asked again. */
  farewell(item) {
    const entry = this.kept(item);
    if (!entry || entry.stuck) return;
    const path = `${this.base}/items/${item}/${entry.submit ? "submit" : "draft"}`;
    const body = new Blob([JSON.stringify(entry)], { type: "application/json" });
    if (!navigator.sendBeacon?.(path, body)) post(path, entry, { keepalive: true }).catch(() => {});
  }
}

/** Send JSON. */
export function post(path, content, more = {}) {
  return fetch(path, {
    method: "POST", body: JSON.stringify(content),
    headers: { "Content-Type": "application/json", Accept: "application/json" }, ...more,
  });
}
