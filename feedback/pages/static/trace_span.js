// The span beside the tree: its sections as tabs, its content when another span is chosen.

const pane = document.getElementById("span-pane");
const detail = document.getElementById("span-detail");
const trace = detail.dataset.trace;
const narrow = matchMedia("(max-width: 900px)");

let shownKey = null;
let waiting = null;
let timer;

function tabs() {
  const sections = [...detail.querySelectorAll("section[data-tab]")];
  if (!sections.length) return;
  const list = document.createElement("div");
  list.className = "tabs";
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", "Of the span");
  const buttons = sections.map((section, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.id = `tab-${number}`;
    button.setAttribute("role", "tab");
    button.setAttribute("aria-controls", `panel-${number}`);
    button.textContent = section.dataset.tab;
    if (section.dataset.tabCount) {
      const count = document.createElement("span");
      count.className = "tab-count";
      count.textContent = ` ${section.dataset.tabCount}`;
      button.append(count);
    }
    section.id = `panel-${number}`;
    section.setAttribute("role", "tabpanel");
    section.setAttribute("aria-labelledby", button.id);
    list.append(button);
    return button;
  });
  const show = (number) => {
    sections.forEach((section, at) => { section.hidden = at !== number; });
    buttons.forEach((button, at) => {
      button.setAttribute("aria-selected", at === number);
      button.tabIndex = at === number ? 0 : -1;
    });
    if (sections[number].dataset.raw) raw(sections[number]);
  };
  buttons.forEach((button, number) => button.addEventListener("click", () => {
    sessionStorage.setItem("hansei-tab", sections[number].dataset.tab);
    show(number);
  }));
  list.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = (buttons.indexOf(document.activeElement) + by + buttons.length) % buttons.length;
    buttons[next].focus();
    buttons[next].click();
  });
  sections[0].before(list);
  const kept = sections.findIndex((section) => section.dataset.tab === sessionStorage.getItem("hansei-tab"));
  show(Math.max(kept, 0));
}

async function raw(section) {
  const shown = section.querySelector(".raw");
  if (shown.textContent) return;
  const answer = await fetch(section.dataset.raw, { headers: { "X-Requested-With": "fetch" } });
  shown.textContent = answer.ok ? JSON.stringify(await answer.json(), null, 2) : "It could not be read.";
}

function prepare() {
  tabs();
}

async function load(key, query = "") {
  waiting?.abort();
  waiting = new AbortController();
  const slow = setTimeout(() => pane.classList.add("loading"), 150);
  try {
    const answer = await fetch(`/traces/${trace}/spans/${encodeURIComponent(key)}${query}`, {
      headers: { "X-Requested-With": "fetch" }, signal: waiting.signal,
    });
    const type = answer.headers.get("content-type") ?? "";
    if (!type.startsWith("text/html")) throw new Error((await answer.json()).error);
    const text = await answer.text();
    const same = key === shownKey;
    shownKey = key;
    detail.innerHTML = text;
    prepare();
    if (!same) pane.scrollTop = 0;
  } catch (error) {
    if (error.name === "AbortError") return;
    const said = document.createElement("p");
    said.className = "notice error";
    said.textContent = `The span could not be read: ${error.message}`;
    detail.replaceChildren(said);
    shownKey = null;
  } finally {
    clearTimeout(slow);
    pane.classList.remove("loading");
  }
}

document.addEventListener("span-selected", (event) => {
  const { key, open } = event.detail;
  if (open && narrow.matches) sheet(true);
  if (key === shownKey) return;
  clearTimeout(timer);
  // Whoever holds an arrow key down passes many.
  timer = setTimeout(() => load(key), open ? 0 : 90);
});

function sheet(open) {
  pane.classList.toggle("open", open);
  if (open) document.getElementById("sheet-close").focus({ preventScroll: true });
}
document.getElementById("sheet-close").addEventListener("click", () => {
  sheet(false);
  document.querySelector('.span-row[aria-selected="true"]')?.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && pane.classList.contains("open")) sheet(false);
});

detail.addEventListener("click", async (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const choice = event.target.closest("[data-text]");
  const more = event.target.closest("[data-more]");
  if (choice) {
    event.preventDefault();
    document.cookie = `hansei_text=${choice.dataset.text}; path=/; max-age=31536000; samesite=lax`;
    load(current());
  } else if (more) {
    event.preventDefault();
    load(current(), "?all=1");
  } else if (event.target.closest("[data-copy-raw]")) {
    const section = event.target.closest("section");
    await raw(section);
    await navigator.clipboard.writeText(section.querySelector(".raw").textContent);
    event.target.textContent = "Copied";
  }
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-span]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  document.dispatchEvent(new CustomEvent("select-span", { detail: { key: link.dataset.span } }));
});

detail.addEventListener("input", (event) => {
  if (!event.target.matches("[data-filter]")) return;
  const text = event.target.value.trim().toLowerCase();
  const table = event.target.nextElementSibling;
  for (const row of table.rows) row.hidden = !row.textContent.toLowerCase().includes(text);
});

function current() {
  return shownKey ?? new URL(location.href).searchParams.get("span") ?? first;
}

const first = detail.querySelector("[data-raw]")?.dataset.raw.split("/").at(-2) ?? "";
shownKey = decodeURIComponent(first);
prepare();
if (narrow.matches && new URL(location.href).searchParams.has("span")) sheet(true);
