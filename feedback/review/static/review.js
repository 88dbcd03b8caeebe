/* The review app: pages are fetched before the one at hand is left, so that a connection that is gone leaves it as it is. */

import { startItem } from "./item.js";
import { Outbox } from "./outbox.js";

const LOOK_AGAIN = 20_000;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;

let outbox = null;
let ended = null;
let journey = 0;

document.documentElement.classList.add("scripted");

function start() {
  ended?.abort();
  ended = new AbortController();
  const { page, base, work, texts } = document.body.dataset;
  if (page === "message") return;
  if (outbox?.base !== base) outbox = new Outbox(base, work);
  const context = { outbox, texts: JSON.parse(texts), go, signal: ended.signal };
  if (page === "item") startItem(context);
  else startRest(page, context);
}

/** The pages before and after the work. */
function startRest(page, { texts, signal }) {
  const state = document.getElementById("state");
  const show = () => { state.textContent = outbox.waiting().length ? texts.leftover : ""; };
  outbox.tell = () => { if (!signal.aborted) show(); };
  show();
  outbox.retry();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && !event.target.matches("a, button")) document.querySelector(".button.primary:not([hidden] *)")?.click();
    if (event.key === "b" || event.key === "ArrowLeft") document.getElementById("change")?.click();
  }, { signal });
  if (page === "done") lookForMore(signal);
}

function lookForMore(signal) {
  const timer = setInterval(async () => {
    if (document.visibilityState !== "visible") return;
    const answer = await fetch(`${document.body.dataset.base}/progress`).catch(() => null);
    const told = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!told || signal.aborted) return;
    document.querySelector("[data-new]").hidden = !told.left;
    document.querySelector("[data-nothing]").hidden = Boolean(told.left);
  }, LOOK_AGAIN);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Go to another page: it is fetched first, as often as it takes. */
async function go(path, { push = true } = {}) {
  const mine = ++journey;
  const here = ended;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const answer = await fetch(path, { headers: { Accept: "text/html" } }).catch(() => null);
    if (mine !== journey || here.signal.aborted) return;
    if (answer && answer.status < 500) {
      const text = await answer.text().catch(() => null);
      if (mine !== journey) return;
      if (text !== null) {
        show(text, answer.url, push);
        return;
      }
    }
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, pause);
      addEventListener("online", () => { clearTimeout(timer); resolve(); }, { once: true });
    });
  }
}

function show(text, address, push) {
  const made = new DOMParser().parseFromString(text, "text/html");
  if (push && address !== location.href) history.pushState(null, "", address);
  document.title = made.title;
  document.documentElement.lang = made.documentElement.lang;
  document.body.replaceWith(document.adoptNode(made.body));
  scrollTo(0, 0);
  start();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target) return;
  const base = document.body.dataset.base;
  if (!base || !link.getAttribute("href").startsWith(base) || link.closest(".reading")) return;
  event.preventDefault();
  go(link.href);
});
addEventListener("popstate", () => go(location.href, { push: false }));

start();
