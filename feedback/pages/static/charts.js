// Draws the charts of a page from their tables: hover tells the values, a drag zooms, a click opens the traces.

const clock = new Intl.DateTimeFormat(undefined, {
  month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});

const hours = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const days = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** The hour, under it the day where it is another than before; the day alone where marks are days apart. */
function times(_, splits) {
  const [first, second] = splits;
  if (second - first >= 86_400) return splits.map((split) => days.format(split * 1000));
  return splits.map((split, index) => {
    const day = days.format(split * 1000);
    const isNew = index === 0 || day !== days.format(splits[index - 1] * 1000);
    return hours.format(split * 1000) + (isNew ? `\n${day}` : "");
  });
}

const compact = (value) => {
  for (const [limit, suffix] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]]) {
    if (Math.abs(value) >= limit) return `${Number((value / limit).toPrecision(3))}${suffix}`;
  }
  return String(Number(value.toPrecision(6)));
};

const UNITS = {
  count: compact,
  usd: (value) => `$${compact(value)}`,
  percent: (value) => `${Number((value * 100).toPrecision(3))} %`,
  duration: (value) => {
    for (const [limit, suffix] of [[60e9, " m"], [1e9, " s"], [1e6, " ms"]]) {
      if (value >= limit) return `${Number((value / limit).toPrecision(3))}${suffix}`;
    }
    return value ? `${Number((value / 1e3).toPrecision(3))} µs` : "0";
  },
};

/** What a figure's table says. */
function read(figure) {
  const rows = [...figure.querySelectorAll("tbody tr")];
  const heads = [...figure.querySelectorAll("thead th[data-values]")];
  return {
    rows,
    times: rows.map((row) => (Number(row.dataset.from) + Number(row.dataset.to)) / 2000),
    series: heads.map((head, index) => ({
      name: head.dataset.name,
      query: head.dataset.query,
      colour: head.dataset.colour,
      values: head.dataset.values.split(",").map((text) => (text === "" ? null : Number(text))),
      cells: rows.map((row) => row.cells[index + 1]),
    })),
  };
}

/** Each layer of a stack on top of those before it; a bucket in which no layer has a value stays empty. */
function stacked(series) {
  const sums = [];
  return series.map(({ values }) => values.map((value, at) => {
    if (value !== null) sums[at] = (sums[at] ?? 0) + value;
    return value === null ? (sums[at] ?? null) : sums[at];
  }));
}

/** The series under a point: the layer that holds it, or the nearest line. */
function pick(kind, series, drawn, at, value) {
  const known = series.map((_, index) => index).filter((index) => series[index].values[at] !== null);
  if (!known.length) return 0;
  if (kind === "lines") {
    const distance = (index) => Math.abs(drawn[index][at] - value);
    return known.reduce((best, index) => (distance(index) < distance(best) ? index : best));
  }
  const holding = known.filter((index) => drawn[index][at] >= value && series[index].values[at] > 0);
  return holding.length ? holding.reduce((best, index) => (drawn[index][at] < drawn[best][at] ? index : best)) : 0;
}

// A variable may be one colour in the light and another in the dark; what an element has is one of them.
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.plot = figure.querySelector(".plot");
    this.kind = figure.dataset.kind;
    this.data = read(figure);
    this.drawn = this.kind === "stack" ? stacked(this.data.series) : this.data.series.map(({ values }) => values);
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    this.pressed = null;
    this.told = null;
    this.draw();
    this.width = this.plot.clientWidth;
    new ResizeObserver(() => {
      if (this.plot.clientWidth === this.width || !this.plot.clientWidth) return;
      this.width = this.plot.clientWidth;
      this.chart.setSize({ width: this.width, height: this.plot.clientHeight });
    }).observe(this.figure);
  }

  colour(name) {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  }

  /** Draw, again where the colours have changed. */
  draw() {
    this.chart?.destroy();
    this.plot.append(this.tip);
    const { start, end, unit } = this.figure.dataset;
    const [muted, line, surface] = ["--muted", "--line", "--surface"].map((name) => this.colour(name));
    const bars = this.kind === "lines" ? undefined : uPlot.paths.bars({ size: [0.86, 48, 1], gap: 0 });
    const order = this.data.series.map((_, index) => index);
    // Layers are painted from the tallest: each covers the lower part of the one before.
    if (this.kind === "stack") order.reverse();
    this.order = order;
    const axis = { stroke: muted, font: "12px system-ui, sans-serif", grid: { stroke: line, width: 1 }, ticks: { show: false } };
    this.chart = new uPlot({
      width: this.plot.clientWidth || 600,
      height: this.plot.clientHeight || 220,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: {
        y: false,
        points: this.kind === "lines" ? { size: 8 } : { show: false },
        drag: { x: true, y: false, setScale: false, dist: 5 },
      },
      scales: {
        x: { time: true, range: () => [Number(start), Number(end)] },
        y: { range: (_, __, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      axes: [
        { ...axis, space: 64, values: times },
        { ...axis, size: 64, space: 36, values: (_, splits) => splits.map((split) => UNITS[unit](split)) },
      ],
      series: [
        {},
        ...order.map((index) => {
          const { colour } = this.data.series[index];
          const stroke = this.colour(/^\d+$/.test(colour) ? `--series-${colour}` : `--${colour}`);
          if (bars) return { stroke, fill: stroke, width: 0, paths: bars, points: { show: false } };
          // A value without neighbours makes no line; a point shows it.
          const alone = (values) => values.flatMap((value, at) =>
            (value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null ? [at] : []));
          const points = { show: true, size: 5, stroke, fill: surface, filter: (u, place) => alone(u.data[place]) };
          return { stroke, width: 2, points };
        }),
      ],
      hooks: {
        setCursor: [(u) => this.tell(u)],
        setSelect: [(u) => this.zoom(u)],
      },
    }, [this.data.times, ...order.map((index) => this.drawn[index])], this.plot);
    this.chart.over.addEventListener("pointerdown", (event) => { this.pressed = event; });
    this.chart.over.addEventListener("click", (event) => this.open(event));
    this.chart.over.addEventListener("pointerleave", () => { this.tip.hidden = true; });
  }

  /** The bucket under a place, null beside all of them. */
  bucket(left) {
    const at = this.chart.posToVal(left, "x") * 1000;
    const found = this.data.rows.findIndex((row) => Number(row.dataset.from) <= at && at < Number(row.dataset.to));
    return found < 0 ? null : found;
  }

  tell(u) {
    const { left, top } = u.cursor;
    const at = left < 0 ? null : this.bucket(left);
    this.tip.hidden = at === null;
    if (at === null) return;
    const picked = pick(this.kind, this.data.series, this.drawn, at, u.posToVal(top, "y"));
    const row = this.data.rows[at];
    const when = document.createElement("p");
    when.textContent = clock.formatRange(new Date(Number(row.dataset.from)), new Date(Number(row.dataset.to)));
    const list = document.createElement("dl");
    this.data.series.forEach((series, index) => {
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.dataset.colour = series.colour;
      const name = document.createElement("dt");
      const value = document.createElement("dd");
      name.textContent = series.name;
      value.textContent = series.cells[at].textContent;
      if (index === picked && this.data.series.length > 1) name.className = value.className = "picked";
      list.append(swatch, name, value);
    });
    this.tip.replaceChildren(when, list);
    const area = u.over.offsetLeft + left;
    const width = this.tip.offsetWidth;
    const right = area + 14 + width > this.plot.clientWidth;
    this.tip.style.left = `${Math.max(0, right ? area - 14 - width : area + 14)}px`;
  }

  zoom(u) {
    if (u.select.width < 5) return;
    const { zoom, service } = this.figure.parentElement.dataset;
    const [from, to] = [u.select.left, u.select.left + u.select.width].map((at) => Math.round(u.posToVal(at, "x") * 1000));
    const query = new URLSearchParams({ from, to, ...(service ? { service } : {}) });
    location.assign(`${zoom}?${query}`);
  }

  open(event) {
    if (this.pressed && Math.abs(this.pressed.clientX - event.clientX) > 4) return;
    const place = this.chart.over.getBoundingClientRect();
    const at = this.bucket(event.clientX - place.left);
    if (at === null) return;
    // A finger cannot hover: its first touch tells, the second opens.
    const isFirstTouch = this.pressed?.pointerType === "touch" && this.told !== at;
    this.told = at;
    if (isFirstTouch) return;
    const value = this.chart.posToVal(event.clientY - place.top, "y");
    const { query } = this.data.series[pick(this.kind, this.data.series, this.drawn, at, value)];
    const link = this.data.rows[at].querySelector("a");
    location.assign(query ? `${link.href}&${query}` : link.href);
  }
}

const charts = [...document.querySelectorAll("figure.chart")].filter((figure) => figure.querySelector(".plot"))
  .map((figure) => new Chart(figure));

const redraw = () => charts.forEach((chart) => chart.draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
