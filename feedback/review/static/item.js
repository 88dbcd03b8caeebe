/* One item: drafts as one types, time in view, keys, handing in. */

import { addLine, answersOf, enliven, fill, isAnswered, questions, say, showMissing } from "./form.js";
import { post } from "./outbox.js";

const QUIET = 400;
/** Milliseconds between two signs of life, where leases are long. */
const HEARTBEAT = 30_000;
/** Refusals after which the page at hand is none any more: loaded again, it says why. */
const GONE = new Set(["unknown", "expired", "closed", "not_yours"]);

/** Start the page of an item; all of it ends with `signal`. */
export function startItem({ outbox, texts, go, signal }) {
  const { here, item, lease, revision: stored, seconds: before } = document.body.dataset;
  const form = document.getElementById("answers");
  const reading = document.getElementById("reading");
  const state = document.getElementById("state");
  const submitButton = document.getElementById("submit");
  const touch = matchMedia("(pointer: coarse)").matches;
  const on = (target, name, listener, more = {}) => target.addEventListener(name, listener, { signal, ...more });
  let revision = Number(stored);
  let timer = 0;
  let leaving = false;
  let lost = document.body.dataset.state === "released";
  let active = null;

  // --- time in view ---
  let counted = Number(before);
  let since = document.visibilityState === "visible" ? performance.now() : null;
  const seconds = () => Math.round((counted + (since === null ? 0 : (performance.now() - since) / 1000)) * 10) / 10;
  on(document, "visibilitychange", () => {
    if (document.visibilityState === "visible") since ??= performance.now();
    else {
      counted = seconds();
      since = null;
      flush();
    }
  });

  const show = (key, warn = false) => {
    state.textContent = key ? texts[key] : "";
    state.classList.toggle("warn", warn);
  };

  // --- drafts ---
  function changed() {
    revision = Math.max(revision + 1, Date.now());
    outbox.keep(item, { revision, seconds: seconds(), answers: answersOf(form), submit: false });
    submitButton.disabled = lost;
    show("saving");
    clearTimeout(timer);
    timer = setTimeout(flush, QUIET);
  }
  function flush() {
    clearTimeout(timer);
    timer = 0;
    if (outbox.kept(item)) outbox.send(item);
  }

  outbox.tell = (about, what, said) => {
    if (signal.aborted || leaving) return;
    if (about !== item) {
      if (what !== "offline" && what !== "waiting") show("");
      return;
    }
    if (what === "draft") show(outbox.kept(item) ? "saving" : "saved");
    else if (what === "kept") show("kept");
    else if (what === "offline") show("offline", true);
    else if (what === "waiting") show("waiting", true);
    else if (what === "submit") leave(said.next);
    else if (what === "invalid") {
      submitButton.disabled = lost;
      show("");
      let first = null;
      for (const question of questions(form)) {
        const problem = said.problems?.[question.dataset.question] ?? "";
        say(question, problem);
        if (problem) first ??= question;
      }
      if (first) activate(first, true);
    } else refused(said);
  };

  function refused(said) {
    show("");
    if (said.error === "taken") {
      lost = true;
      submitButton.disabled = true;
      const notice = document.getElementById("taken");
      notice.hidden = false;
      notice.scrollIntoView({ block: "nearest" });
      notice.querySelector("a").focus();
    } else if (GONE.has(said.error)) go(here);
    else {
      submitButton.disabled = lost;
      state.textContent = said.text ?? "";
      state.classList.add("warn");
    }
  }

  async function leave(path) {
    leaving = true;
    show("loading");
    await go(path);
  }

  function submit() {
    if (lost || leaving || submitButton.disabled) return;
    const first = showMissing(form, texts);
    if (first) {
      activate(first, true);
      return;
    }
    clearTimeout(timer);
    revision = Math.max(revision + 1, Date.now());
    outbox.keep(item, { revision, seconds: seconds(), answers: answersOf(form), submit: true });
    submitButton.disabled = true;
    show("sending");
    outbox.send(item);
  }

  on(form, "input", (event) => {
    const question = event.target.closest(".question");
    if (question) say(question, "");
    changed();
  });
  on(form, "submit", (event) => {
    event.preventDefault();
    if (event.submitter?.id === "skip") openDialog("skip");
    else submit();
  });
  on(window, "pagehide", () => outbox.farewell(item));
  enliven(form, texts, changed);

  const beat = setInterval(async () => {
    if (document.visibilityState !== "visible" || lost || leaving) return;
    const answer = await post(`${here}/heartbeat`, { seconds: seconds() }).catch(() => null);
    if (answer && [403, 404, 409, 410].includes(answer.status) && !signal.aborted) refused(await answer.json());
  }, Math.min(HEARTBEAT, (Number(lease) * 60_000) / 3));
  signal.addEventListener("abort", () => {
    clearInterval(beat);
    clearTimeout(timer);
    if (outbox.kept(item)) outbox.send(item);
  });

  // --- where the keys work ---
  function activate(question, focus = false) {
    if (question !== active) {
      active?.classList.remove("active");
      active = question;
      active?.classList.add("active");
    }
    if (!focus || !question) return;
    const typed = question.querySelector("textarea[name^='answer-'], .line input, input[type=number]");
    (typed && !touch ? typed : question).focus({ preventScroll: true });
    question.scrollIntoView({ block: "nearest" });
  }
  function move(step) {
    const all = questions(form);
    const next = all[all.indexOf(active) + step];
    if (next) activate(next, true);
    else if (step > 0) submitButton.focus();
  }
  on(form, "focusin", (event) => {
    const question = event.target.closest(".question");
    if (question) activate(question);
  });

  /** The n-th choice of the active question; one that is alone moves on. */
  function choose(number) {
    const choice = active?.querySelectorAll(".choice input")[number - 1];
    if (!choice || choice.closest(".question") !== active) return;
    choice.click();
    if (choice.type === "radio") {
      const open = questions(form).slice(questions(form).indexOf(active) + 1);
      if (open.length) activate(open[0], true);
      else active.focus({ preventScroll: true });
    }
  }

  function enter(event) {
    const target = event.target;
    if (target.matches("a, button, summary")) return;
    event.preventDefault();
    if (target.matches(".line input")) {
      if (target.value.trim()) addLine(active, texts)?.focus();
      else move(1);
      return;
    }
    const last = questions(form).at(-1) === active;
    if (last && !target.matches("input[type=number]")) submit();
    else move(1);
  }

  const typing = (target) => target.matches("textarea, input[type=text], input[type=number]");
  const keys = {
    s: () => document.getElementById("skip") && openDialog("skip"),
    f: () => document.getElementById("flag") && openDialog("flag"),
    b: () => document.getElementById("back")?.click(),
    ArrowLeft: () => document.getElementById("back")?.click(),
    ArrowRight: () => document.getElementById("forward")?.click(),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    "?": () => openDialog("help"),
  };
  on(document, "keydown", (event) => {
    const target = event.target;
    if (document.querySelector("dialog[open]") || event.isComposing || event.altKey) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit();
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    if (event.key === "PageDown" || event.key === "PageUp") {
      if (target.matches("textarea") || getComputedStyle(reading).overflowY !== "auto") return;
      event.preventDefault();
      reading.scrollBy({ top: (event.key === "PageDown" ? 0.85 : -0.85) * reading.clientHeight });
      return;
    }
    if (event.key === "Escape" && typing(target)) {
      target.closest(".question")?.focus({ preventScroll: true });
      return;
    }
    if (event.key === "Enter") {
      if (!target.matches("textarea")) enter(event);
      return;
    }
    if (typing(target)) return;
    // Arrows belong to radio buttons, the slider and the pane that scrolls, where these have the focus.
    if (event.key.startsWith("Arrow") && target.matches("input, .reading")) return;
    if (/^[1-9]$/.test(event.key)) {
      event.preventDefault();
      choose(Number(event.key));
    } else if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  // --- skip, flag, help ---
  function openDialog(name) {
    const dialog = document.getElementById(`${name}-dialog`);
    dialog.showModal();
    dialog.querySelector("input, textarea")?.focus();
  }
  for (const name of ["flag", "help"]) {
    const button = document.getElementById(name);
    if (button) on(button, "click", () => openDialog(name));
  }
  for (const button of document.querySelectorAll("[data-close]")) on(button, "click", () => button.closest("dialog").close());

  on(document.querySelector("#skip-dialog form"), "submit", async (event) => {
    event.preventDefault();
    const dialog = event.target.closest("dialog");
    const answer = await post(`${here}/skip`, { reason: event.target.elements.reason.value }).catch(() => null);
    dialog.close();
    if (!answer || answer.status >= 500) {
      show("skip_failed", true);
      return;
    }
    const said = await answer.json();
    if (said.next) leave(said.next);
    else refused(said);
  });
  const flagForm = document.querySelector("#flag-dialog form");
  on(flagForm, "keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) flagForm.requestSubmit();
  });
  on(flagForm, "submit", async (event) => {
    event.preventDefault();
    const note = flagForm.elements.note.value.trim();
    const answer = await post(`${here}/flag`, { note }).catch(() => null);
    if (!answer?.ok) {
      flagForm.closest("dialog").close();
      show("flag_failed", true);
      return;
    }
    const shown = document.getElementById("flagged");
    shown.hidden = !note;
    shown.textContent = texts.your_note.replace("{note}", () => note);
    flagForm.closest("dialog").close();
    show(note ? "flagged" : "flag_removed");
  });

  // --- what was kept in this browser, and did not get to the server ---
  const kept = outbox.kept(item);
  if (kept && kept.revision > revision) {
    fill(form, kept.answers, texts);
    revision = kept.revision;
    if (kept.submit) {
      submitButton.disabled = true;
      show("sending");
    }
    if (kept.stuck) outbox.keep(item, { ...kept, stuck: false });
  } else if (kept) outbox.forget(item);

  const all = questions(form);
  activate(all.find((question) => !isAnswered(question)) ?? all[0], !touch && !lost);
  outbox.retry();
}
