// How many traces there were, how many failed, and what people found bad: bars over time. Dragging over them chooses a
// stretch of time. It speaks by events alone: "traces:shown" comes with the query, "traces:brush" goes with a time.

const figure = document.getElementById("chart");
const plot = document.getElementById("plot");
const summary = document.getElementById("chart-summary");
const table = document.getElementById("chart-rows");
const total = document.getElementById("total");
const names = ["traces", "errors", "negative feedback"];
const numbers = new Intl.NumberFormat();
const moment = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const coarse = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const fine = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

let chart = null;
let shown = null;
let asked = null;
let loadedAt = 0;
let fetching = null;

/** A time on the axis, as fine as the steps are (seconds). */
function tick(at, step) {
  const date = new Date(at);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (step >= 86400 || midnight) return day.format(date);
  return (step < 60 ? fine : coarse).format(date);
}

// A variable may be one colour in the light and another in the dark; what an element has is one of them.
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

function colour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

function brush(from, to) {
  document.dispatchEvent(new CustomEvent("traces:brush", { detail: { from: Math.floor(from), to: Math.ceil(to) } }));
}

function draw() {
  chart?.destroy();
  chart = null;
  const { buckets } = shown;
  if (!buckets.length) return;
  const width = buckets[0][1] - buckets[0][0];
  // In seconds, as uPlot counts; a bar stands on the middle of its time.
  const data = [buckets.map(([start, end]) => (start + end) / 2000), ...[2, 3, 4].map((part) => buckets.map((bar) => bar[part] || null))];
  const bars = (share) => window.uPlot.paths.bars({ size: [share, 90] });
  const axis = { stroke: colour("--muted"), font: `11px ${getComputedStyle(document.body).fontFamily}`, ticks: { show: false } };
  const tip = document.createElement("div");
  tip.className = "plot-tip";
  tip.hidden = true;
  chart = new window.uPlot({
    width: plot.clientWidth,
    height: plot.clientHeight,
    padding: [8, 20, 0, 0], // half of the last time below the chart
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 4 } },
    scales: {
      x: { range: () => [shown.from / 1000, shown.to / 1000] },
      y: { range: (_, least, most) => [0, Math.max(most ?? 0, 3) * 1.08] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 22, space: 90, values: (_, splits, __, ___, step) => splits.map((at) => tick(at * 1000, step)) },
      { ...axis, grid: { stroke: colour("--line"), width: 1 }, size: 44, space: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7] },
    ],
    series: [
      {},
      { fill: colour("--chart-all"), width: 0, paths: bars(0.86), points: { show: false } },
      { fill: colour("--chart-errors"), width: 0, paths: bars(0.86), points: { show: false } },
      { fill: colour("--chart-negative"), width: 0, paths: bars(0.3), points: { show: false } },
    ],
    hooks: {
      init: [(made) => made.over.append(tip)],
      setCursor: [(made) => {
        const at = made.posToVal(made.cursor.left, "x") * 1000;
        const bar = made.cursor.left >= 0 && buckets.find(([start, end]) => start <= at && at < end);
        tip.hidden = !bar;
        if (!bar) return;
        tip.textContent = `${moment.format(bar[0])} · ${said(bar.slice(2))}`;
        const room = made.over.clientWidth - tip.offsetWidth;
        tip.style.left = `${Math.max(0, Math.min(made.cursor.left + 12, room))}px`;
      }],
      setSelect: [(made) => {
        const { left, width: wide } = made.select;
        if (wide < 4) return;
        const [from, to] = [made.posToVal(left, "x") * 1000, made.posToVal(left + wide, "x") * 1000];
        made.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        brush(Math.max(from, shown.from), Math.min(Math.max(to, from + Math.min(width, 1000)), shown.to));
      }],
    },
  }, data, plot);
}

function said(counts) {
  return counts.map((count, index) => (index && !count ? null : `${numbers.format(count)} ${index === 0 && count === 1 ? "trace" : index === 1 && count === 1 ? "error" : names[index]}`)).filter(Boolean).join(", ");
}

function tell() {
  const sums = [2, 3, 4].map((part) => shown.buckets.reduce((sum, bar) => sum + bar[part], 0));
  total.textContent = said([sums[0]]);
  summary.textContent = `${said(sums)} between ${moment.format(shown.from)} and ${moment.format(shown.to)}.`;
  const made = document.createElement("table");
  made.className = "table";
  const head = made.createTHead().insertRow();
  for (const name of ["From", ...names]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    head.append(cell);
  }
  const body = made.createTBody();
  for (const [start, end, ...counts] of shown.buckets.filter((bar) => bar[2])) {
    const row = body.insertRow();
    const button = document.createElement("button");
    button.className = "button small";
    button.type = "button";
    button.textContent = moment.format(start);
    button.title = "Only this time";
    button.addEventListener("click", () => brush(start, end));
    row.insertCell().append(button);
    for (const count of counts) row.insertCell().textContent = numbers.format(count);
  }
  table.replaceChildren(made);
}

async function load(query) {
  fetching?.abort();
  fetching = new AbortController();
  asked = query;
  try {
    const answer = await fetch(`/traces/histogram?${query}`, { headers: { Accept: "application/json" }, signal: fetching.signal });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.error);
    shown = found;
    figure.hidden = false;
    tell();
    draw();
    loadedAt = performance.now();
  } catch (error) {
    if (error.name === "AbortError") return;
    total.textContent = "";
    figure.hidden = true;
  }
}

document.addEventListener("traces:shown", (event) => {
  // Another page or other columns of the same traces.
  const fresh = performance.now() - loadedAt < 30000 && !figure.hidden;
  if (event.detail !== asked || !fresh) load(event.detail);
});
let later = null;
document.addEventListener("traces:arrived", () => {
  clearTimeout(later);
  later = setTimeout(() => load(asked), 1000);
});
new ResizeObserver(() => {
  if (chart && plot.clientWidth) chart.setSize({ width: plot.clientWidth, height: plot.clientHeight });
}).observe(plot);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown && draw());
