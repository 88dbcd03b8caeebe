// The list of traces without reloading: the address is the filter, and what it shows is fetched in parts. Everything
// that this does, the form and the links do too.

// By the addresses in the page, which change with the files: another address would be another copy of the module.
const { liveTail } = await import(document.querySelector('link[href^="/static/traces_live.js"]').href);

const form = document.getElementById("filters");
const list = document.getElementById("list");
const live = document.getElementById("live");
const repeated = ["feedback", "attr"];
let fetching = null;

// The address and the form

function addressOf(query) {
  const text = query.toString();
  return text ? `/traces?${text}` : "/traces";
}

/** What the address says. A form that was sent without the script names what is empty, too. */
function current(url = location.href) {
  return new URLSearchParams([...new URL(url, location.href).searchParams].filter(([, value]) => value));
}

/** What the form says, as an address; at the first page. */
function readForm() {
  const query = new URLSearchParams();
  const columns = [];
  for (const [key, value] of new FormData(form)) {
    const said = value.trim();
    if (!said) continue;
    if (key === "cols") columns.push(said);
    else if (key === "from" || key === "to") query.set(key, new Date(said).getTime());
    else if (repeated.includes(key)) query.getAll(key).includes(said) || query.append(key, said);
    else query.set(key, said);
  }
  if (query.get("range") === "24h") query.delete("range");
  if (form.elements.range.value) { query.delete("from"); query.delete("to"); }
  if (current().has("cols")) query.set("cols", ["time", ...columns].join(","));
  return query;
}

function localInput(text) {
  const at = new Date(/^\d+$/.test(text) ? Number(text) : text);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, -1);
}

/** The form as an address has it. */
function fillForm(query) {
  for (const name of ["text", "service", "model", "status", "min_ms", "min_cost", "assessed", "q"]) {
    form.elements[name].value = query.get(name) ?? "";
  }
  document.getElementById("feedback").value = "";
  document.getElementById("attr").value = "";
  const custom = !query.has("range") && (query.has("from") || query.has("to"));
  for (const radio of form.querySelectorAll("[name=range]")) {
    radio.checked = radio.value === (custom ? "" : query.get("range") ?? "24h");
  }
  form.elements.from.value = custom ? localInput(query.get("from") ?? "") : "";
  form.elements.to.value = custom ? localInput(query.get("to") ?? "") : "";
  document.getElementById("custom").classList.toggle("shown", custom);
}

// Going somewhere

function state() {
  return list.querySelector(".list-state")?.dataset ?? {};
}

/** Fetch what an address shows and put it in its places. */
async function load(query, { push = true } = {}) {
  fetching?.abort();
  const mine = fetching = new AbortController();
  list.classList.add("loading");
  const address = addressOf(query);
  if (push && address !== location.pathname + location.search) history.pushState(null, "", address);
  let answer;
  try {
    answer = await fetch(address, { headers: { "X-Requested-With": "fetch" }, signal: mine.signal });
    if (!answer.headers.get("Content-Type")?.startsWith("text/html")) {
      location.reload();
      return;
    }
    const parts = document.createElement("template");
    parts.innerHTML = await answer.text();
    if (mine.signal.aborted) return;
    for (const part of parts.content.children) document.getElementById(part.id).replaceChildren(...part.childNodes);
  } catch (error) {
    if (error.name === "AbortError") return;
    const told = document.createElement("p");
    told.className = "notice error";
    told.setAttribute("role", "alert");
    told.textContent = "The collector does not answer. Is it running? This page tries again when you change something.";
    list.replaceChildren(told);
  }
  list.classList.remove("loading");
  changed();
}

/** After the list has changed. */
function changed() {
  const query = current();
  query.delete("page");
  const { export: exported, live: isLive } = state();
  for (const link of document.querySelectorAll("#exports a")) {
    link.href = `/export/traces?format=${link.dataset.format}&${exported ?? ""}`;
  }
  document.getElementById("open-sql").href = `/traces/sql?${query}`;
  live.disabled = isLive !== "yes";
  if (live.disabled) setLive(false);
  document.getElementById("q").setAttribute("aria-invalid", String(Boolean(document.getElementById("filter-error"))));
  query.delete("cols");
  query.delete("limit");
  document.dispatchEvent(new CustomEvent("traces:shown", { detail: query.toString() }));
}

function go(address) {
  const query = current(address);
  fillForm(query);
  load(query);
}

// The form at work

let typing;
form.addEventListener("input", (event) => {
  if (event.target.id !== "text") return;
  clearTimeout(typing);
  typing = setTimeout(() => load(readForm()), 350);
});
form.addEventListener("change", (event) => {
  const { name, id, value } = event.target;
  if (name === "cols" || id === "text") return;
  if (name === "range") document.getElementById("custom").classList.toggle("shown", value === "");
  if (name === "range" && value === "" && !form.elements.from.value && !form.elements.to.value) {
    form.elements.from.value = localInput(String(Date.now() - 24 * 3600 * 1000)).slice(0, 16);
    form.elements.from.focus();
    return;
  }
  clearTimeout(typing);
  load(readForm()).then(() => {
    // What was added is a chip now.
    if (id === "feedback" || id === "attr") event.target.value = "";
  });
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  load(readForm());
});
document.getElementById("q").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) load(readForm());
});
for (const zone of document.querySelectorAll(".zone")) zone.textContent = "";
const more = document.getElementById("more");
more.addEventListener("click", () => {
  const shown = document.getElementById("facets").classList.toggle("shown");
  more.setAttribute("aria-expanded", String(shown));
});

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a[data-nav]");
  if (link) {
    event.preventDefault();
    go(link.href);
    return;
  }
  const row = event.target.closest("#rows tr");
  if (row && !event.target.closest("a, button") && !getSelection().toString()) row.querySelector("a.cover").click();
});
addEventListener("popstate", () => {
  const query = current();
  fillForm(query);
  load(query, { push: false });
});
document.addEventListener("traces:brush", (event) => {
  const query = readForm();
  query.delete("range");
  query.set("from", event.detail.from);
  query.set("to", event.detail.to);
  fillForm(query);
  load(query);
});

// Columns

function chooseColumns(keys) {
  document.cookie = `hansei_trace_columns=${encodeURIComponent(keys.join(","))}; path=/; max-age=31536000; samesite=lax`;
  const query = readForm();
  const page = current().get("page");
  query.delete("cols");
  if (keys.length) query.set("cols", keys.join(","));
  if (page) query.set("page", page);
  return load(query);
}

const boxes = [...document.querySelectorAll("#columns [name=cols]")];
for (const box of boxes) {
  box.addEventListener("change", () => {
    chooseColumns(boxes.filter((one) => one.checked || one.disabled).map((one) => one.value));
  });
}
document.getElementById("usual-columns").addEventListener("click", async () => {
  await chooseColumns([]);
  const shown = state().columns?.split(",") ?? [];
  for (const box of boxes) box.checked = shown.includes(box.value);
});

// Menus close when something else is meant

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// SQL and keys

const sqlDialog = document.getElementById("sql-dialog");
const keysDialog = document.getElementById("keys-dialog");
document.getElementById("open-sql").addEventListener("click", async (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const answer = await fetch(event.currentTarget.href, { headers: { "X-Requested-With": "fetch" } });
  if (answer.headers.get("Content-Type")?.startsWith("text/html")) {
    sqlDialog.innerHTML = await answer.text();
  } else {
    const { error } = await answer.json();
    sqlDialog.innerHTML = '<h2 id="sql-title">SQL</h2><p></p><form method="dialog" class="dialog-end"><button class="button">Close</button></form>';
    sqlDialog.querySelector("p").textContent = error;
  }
  sqlDialog.showModal();
});
document.getElementById("keys").addEventListener("click", () => keysDialog.showModal());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.target.closest("input, textarea, select")) event.target.blur();
    return;
  }
  if (event.target.closest("input, textarea, select")) return;
  if (event.key === "j" || event.key === "k") {
    const links = [...document.querySelectorAll("#rows a.cover")];
    const here = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = here < 0 ? 0 : here + (event.key === "j" ? 1 : -1);
    links[Math.min(Math.max(next, 0), links.length - 1)]?.focus();
  } else if (event.key === "?") keysDialog.showModal();
  else if (event.key === "n") document.getElementById("older")?.click();
  else if (event.key === "l" && !live.disabled) live.click();
});

// Values to pick from

let known = "";
async function loadOptions() {
  const query = current();
  const time = new URLSearchParams(["range", "from", "to"].flatMap((key) => query.has(key) ? [[key, query.get(key)]] : []));
  if (known === `?${time}`) return;
  known = `?${time}`;
  const answer = await fetch(`/traces/facets?${time}`, { headers: { Accept: "application/json", "X-Requested-With": "fetch" } });
  if (!answer.ok) return;
  const found = await answer.json();
  for (const [key, values] of Object.entries(found)) {
    const options = values.flatMap(([value, traces]) => {
      const names = key === "feedback" ? [value, `${value}:false`, `${value}:true`] : [value];
      return names.map((name, index) => {
        const option = document.createElement("option");
        option.value = name;
        if (index === 0) option.label = `${name} · ${traces} ${traces === 1 ? "trace" : "traces"}`;
        return option;
      });
    });
    document.getElementById(`${key}-options`).replaceChildren(...options);
  }
}
form.addEventListener("focusin", (event) => { if (event.target.hasAttribute("list")) loadOptions(); });

// Live

const tail = liveTail({ reload: () => load(current(), { push: false }) });
function setLive(on) {
  live.setAttribute("aria-pressed", String(on));
  if (on) tail.start();
  else tail.stop();
}
live.addEventListener("click", () => setLive(live.getAttribute("aria-pressed") !== "true"));

fillForm(current());
changed();
form.dataset.ready = "";
// Nothing has ever come: what comes first shows itself.
if (list.querySelector(".sending")) setLive(true);
