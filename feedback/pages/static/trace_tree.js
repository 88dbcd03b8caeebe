// The tree of a trace. It has a row for each span, of which only those that are looked at exist: a trace may have tens of
// thousands. Others hear "span-selected" when one is chosen, and ask for one with "select-span".

document.documentElement.classList.add("js");

const data = JSON.parse(document.getElementById("trace-spans").textContent);
const scroller = document.getElementById("tree-scroll");
const tree = document.getElementById("tree");
const body = document.getElementById("tree-body");
const head = tree.querySelector(".tree-head");
const template = document.getElementById("span-row").content.firstElementChild;
const search = document.getElementById("tree-search");
const counted = document.getElementById("tree-count");
const onlyErrors = document.getElementById("only-errors");
const narrow = matchMedia("(max-width: 900px)");

const count = data.key.length;
const MORE = 12; // rows beside those in sight
const parent = new Int32Array(count).fill(-1);
const end = new Int32Array(count); // the first row after the subtree
const folded = new Uint8Array(count);
const place = new Int32Array(count); // where a row is among the visible, -1 where it is not

let visible = [];
let selected = -1;
let active = 0; // the row that the keyboard is at
let found = null; // spans in which the searched text is written, by id
let rowHeight = 32;
const drawn = new Map();

{
  const above = [];
  for (let row = 0; row < count; row++) {
    while (above.length > data.depth[row]) end[above.pop()] = row;
    if (above.length) parent[row] = above[above.length - 1];
    above.push(row);
  }
  while (above.length) end[above.pop()] = count;
}

const hasChildren = (row) => end[row] > row + 1;

/** The span's id: its key without the number of those that share it. */
const spanId = (row) => data.key[row].split(".")[0];

function duration(ns) {
  if (ns < 1e6) return `${(ns / 1e3).toFixed(0)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(ns < 1e7 ? 1 : 0)} ms`;
  const seconds = ns / 1e9;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  const two = (number) => String(number).padStart(2, "0");
  if (minutes < 60) return `${minutes} m ${two(Math.round(seconds) % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
}

function short(number) {
  if (number < 1e4) return number.toLocaleString("en-US");
  const [divisor, suffix] = number < 1e6 ? [1e3, "k"] : number < 1e9 ? [1e6, "M"] : [1e9, "G"];
  return `${Number((number / divisor).toPrecision(3))} ${suffix}`;
}

function usd(amount) {
  if (amount === 0) return "$0";
  if (amount >= 0.1) return `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${amount >= 0.0001 ? Number(amount.toPrecision(2)) : amount.toFixed(6)}`;
}

// --- which rows there are ---

function matches() {
  const text = search.value.trim().toLowerCase();
  const errors = onlyErrors?.getAttribute("aria-pressed") === "true";
  if (!text && !errors) return null;
  const among = (texts) => texts.map((one) => one.toLowerCase().includes(text));
  const names = among(data.names), services = among(data.services), labels = among(data.labels);
  return (row) => data.key[row] !== "" && (!errors || data.failed[row]) && (!text || names[data.name[row]]
    || services[data.service[row]] || labels[data.type[row]] || data.key[row].startsWith(text)
    || Boolean(found?.has(spanId(row))));
}

function arrange() {
  const match = matches();
  visible = [];
  let hits = 0;
  if (match) {
    const kept = new Uint8Array(count);
    for (let row = 0; row < count; row++) {
      if (!match(row)) continue;
      hits++;
      for (let up = row; up >= 0 && !kept[up]; up = parent[up]) kept[up] = 1;
    }
    for (let row = 0; row < count; row++) if (kept[row]) visible.push(row);
    counted.textContent = `${hits.toLocaleString("en-US")} found`;
  } else {
    for (let row = 0; row < count; row = folded[row] ? end[row] : row + 1) visible.push(row);
    counted.textContent = "";
  }
  place.fill(-1);
  visible.forEach((row, at) => { place[row] = at; });
  if (place[active] < 0) active = nearestVisible(active);
  for (const element of drawn.values()) element.remove();
  drawn.clear();
  measure();
  draw();
}

function nearestVisible(row) {
  for (let up = row; up >= 0; up = parent[up]) if (place[up] >= 0) return up;
  return visible[0] ?? 0;
}

// --- drawing ---

function measure() {
  rowHeight = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")) || 32;
  body.style.height = `${visible.length * rowHeight}px`;
}

function make(row) {
  const element = template.cloneNode(true);
  const piece = (name) => element.querySelector(name);
  const key = data.key[row];
  element.classList.add(`look-${key ? data.looks[data.type[row]] : "heading"}`);
  element.classList.toggle("failed", data.failed[row] === 1);
  element.dataset.row = row;
  element.dataset.depth = Math.min(data.depth[row], 24);
  element.setAttribute("aria-level", data.depth[row] + 1);
  element.setAttribute("aria-rowindex", row + 2);
  if (hasChildren(row)) element.setAttribute("aria-expanded", matches() || !folded[row] ? "true" : "false");
  element.setAttribute("aria-selected", row === selected);
  element.tabIndex = row === active ? 0 : -1;
  const name = piece(".span-name");
  name.textContent = data.names[data.name[row]] || "(no name)";
  name.title = name.textContent;
  const bar = piece(".bar");
  if (key) {
    name.href = `?span=${encodeURIComponent(key)}`;
    piece(".badge").textContent = data.labels[data.type[row]];
    const above = parent[row];
    if (above < 0 || data.key[above] === "" || data.service[above] !== data.service[row]) {
      piece(".span-service").textContent = data.services[data.service[row]];
    }
    const said = data.said[spanId(row)];
    if (said) {
      piece(".span-said").textContent = said;
      piece(".span-said").title = `${said} assessment${said > 1 ? "s" : ""}`;
      piece(".span-said").hidden = false;
    }
    piece(".span-error").hidden = !data.failed[row];
    const start = data.start[row], length = data.length;
    if (start >= 0 && start <= length) {
      const right = Math.min(start + data.duration[row], length);
      const rectangle = bar.firstElementChild;
      rectangle.setAttribute("x", `${Math.min((start / length) * 100, 99.5)}%`);
      rectangle.setAttribute("width", `${Math.max(((right - start) / length) * 100, 0.5)}%`);
    } else {
      piece(".w-bar").textContent = "elsewhere in time";
    }
    piece(".w-duration").textContent = duration(data.duration[row]);
    if (data.input[row] || data.output[row]) {
      piece(".w-tokens").textContent = `${short(data.input[row])} → ${short(data.output[row])}`;
    }
    if (data.cost[row] !== null) piece(".w-cost").textContent = usd(data.cost[row]);
  } else {
    name.removeAttribute("href");
    piece(".badge").remove();
    bar.remove();
  }
  return element;
}

function draw() {
  const first = Math.max(Math.floor((scroller.scrollTop) / rowHeight) - MORE, 0);
  const last = Math.min(Math.ceil((scroller.scrollTop + scroller.clientHeight) / rowHeight) + MORE, visible.length);
  const wanted = new Set(visible.slice(first, last));
  // The row that has the focus stays, else the keyboard would lose its place.
  if (place[active] >= 0) wanted.add(active);
  for (const [row, element] of drawn) {
    if (!wanted.has(row)) {
      element.remove();
      drawn.delete(row);
    }
  }
  for (const row of wanted) {
    if (drawn.has(row)) continue;
    const element = make(row);
    element.style.transform = `translateY(${place[row] * rowHeight}px)`;
    drawn.set(row, element);
  }
  // In the order in which they are read.
  const ordered = [...wanted].sort((one, other) => one - other).map((row) => drawn.get(row));
  ordered.forEach((element, at) => {
    if (body.children[at] !== element) body.insertBefore(element, body.children[at] ?? null);
  });
}

function redraw(...rows) {
  for (const row of rows) {
    const element = drawn.get(row);
    if (!element) continue;
    const focused = element === document.activeElement;
    element.remove();
    drawn.delete(row);
    draw();
    if (focused) drawn.get(row)?.focus({ preventScroll: true });
  }
}

function reveal(row) {
  const top = place[row] * rowHeight;
  const room = scroller.clientHeight - head.offsetHeight;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + rowHeight > scroller.scrollTop + room) scroller.scrollTop = top + rowHeight - room;
  draw();
}

// --- choosing ---

function select(row, { focus = true, open = false } = {}) {
  if (row < 0 || row >= count) return;
  if (place[row] < 0) {
    for (let up = parent[row]; up >= 0; up = parent[up]) folded[up] = 0;
    if (matches()) clearFilter();
    arrange();
  }
  const before = [active, selected];
  active = row;
  const isSpan = data.key[row] !== "";
  if (isSpan) selected = row;
  reveal(row);
  redraw(...new Set([...before.filter((one) => one >= 0), row]));
  if (focus) drawn.get(row)?.focus({ preventScroll: true });
  if (isSpan) {
    const address = new URL(location.href);
    address.searchParams.set("span", data.key[row]);
    for (const name of ["all", "text", "from"]) address.searchParams.delete(name);
    history.replaceState(null, "", address.pathname + address.search);
    document.dispatchEvent(new CustomEvent("span-selected", {
      detail: { key: data.key[row], spanId: spanId(row), name: data.names[data.name[row]], open },
    }));
  }
}

function step(by) {
  const at = Math.min(Math.max(place[active] + by, 0), visible.length - 1);
  if (visible.length) select(visible[at]);
}

function fold(row, shut) {
  if (!hasChildren(row) || matches()) return;
  folded[row] = shut ? 1 : 0;
  const focused = body.contains(document.activeElement);
  arrange();
  if (focused) drawn.get(active)?.focus({ preventScroll: true });
}

function nextError() {
  const from = selected >= 0 && data.failed[selected] ? selected + 1 : 0;
  for (let step = 0; step < count; step++) {
    const row = (from + step) % count;
    if (data.failed[row]) return select(row);
  }
}

function clearFilter() {
  search.value = "";
  found = null;
  onlyErrors?.setAttribute("aria-pressed", "false");
}

// --- what people do ---

body.addEventListener("click", (event) => {
  const element = event.target.closest(".span-row");
  if (!element || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const row = Number(element.dataset.row);
  if (event.target.closest(".twist") && hasChildren(row)) fold(row, !folded[row]);
  else select(row, { open: true });
});
body.addEventListener("dblclick", (event) => {
  const element = event.target.closest(".span-row");
  if (element && !event.target.closest(".twist")) fold(Number(element.dataset.row), !folded[Number(element.dataset.row)]);
});

tree.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const page = Math.max(Math.floor(scroller.clientHeight / rowHeight) - 2, 1);
  const open = hasChildren(active) && !folded[active];
  const does = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    PageDown: () => step(page),
    PageUp: () => step(-page),
    Home: () => step(-visible.length),
    End: () => step(visible.length),
    ArrowRight: () => (hasChildren(active) && folded[active] ? fold(active, false) : open && step(1)),
    ArrowLeft: () => (open && !matches() ? fold(active, true) : parent[active] >= 0 && select(parent[active])),
    Enter: () => select(active, { focus: false, open: true }),
    " ": () => select(active, { open: true }),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
  if (event.key === "Enter") document.getElementById("span-pane").focus();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog");
  if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
  const does = {
    "[": () => step(-1),
    "]": () => step(1),
    e: nextError,
    "?": () => document.getElementById("keys").showModal(),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});
document.querySelector("[data-keys]").addEventListener("click", () => document.getElementById("keys").showModal());

let asking;
search.addEventListener("input", () => {
  const text = search.value.trim();
  found = null;
  arrange();
  clearTimeout(asking);
  if (text.length < 3) return;
  asking = setTimeout(async () => {
    const answer = await fetch(`${location.pathname}/find?q=${encodeURIComponent(text)}`, {
      headers: { "X-Requested-With": "fetch" },
    });
    if (!answer.ok || search.value.trim() !== text) return;
    found = new Set((await answer.json()).spans);
    arrange();
  }, 250);
});
search.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    clearFilter();
    arrange();
  } else if (event.key === "Enter" || event.key === "ArrowDown") {
    event.preventDefault();
    const match = matches();
    const first = match ? visible.find(match) : visible[0];
    if (first !== undefined) select(first);
  }
});
onlyErrors?.addEventListener("click", () => {
  onlyErrors.setAttribute("aria-pressed", String(onlyErrors.getAttribute("aria-pressed") !== "true"));
  arrange();
});
document.getElementById("first-error")?.addEventListener("click", () => {
  selected = -1;
  nextError();
});
document.getElementById("collapse-all").addEventListener("click", () => {
  for (let row = 0; row < count; row++) folded[row] = data.depth[row] > 0 && hasChildren(row) ? 1 : 0;
  arrange();
});
document.getElementById("expand-all").addEventListener("click", () => {
  folded.fill(0);
  arrange();
});

document.addEventListener("select-span", (event) => {
  const row = data.key.indexOf(event.detail.key);
  if (row >= 0) select(row, { focus: false, open: true });
});
document.addEventListener("assessments-changed", (event) => {
  data.said = event.detail.said;
  arrange();
});
scroller.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
new ResizeObserver(() => {
  measure();
  for (const [row, element] of drawn) element.style.transform = `translateY(${place[row] * rowHeight}px)`;
  draw();
}).observe(scroller);
narrow.addEventListener("change", arrange);

// --- begin ---

const asked = new URL(location.href).searchParams.get("span");
selected = asked ? data.key.indexOf(asked) : -1;
if (selected < 0) selected = data.key.findIndex((key) => key !== "");
active = selected;
body.replaceChildren();
arrange();
if (asked) reveal(selected);
document.documentElement.dataset.treeReady = String(Math.round(performance.now()));
