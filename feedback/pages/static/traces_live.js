// New traces as they come: every two seconds while the page is seen.

const PAUSE = 2000;
const MOST_ROWS = 500;

/** ``reload`` fetches the whole list anew. */
export function liveTail({ reload }) {
  let timer = null;
  let running = false;

  async function look() {
    if (!running) return;
    if (!document.hidden) {
      try {
        await bring();
      } catch {
        // The collector may be restarting; the next look tells.
      }
    }
    if (running) timer = setTimeout(look, PAUSE);
  }

  async function bring() {
    const rows = document.getElementById("rows");
    if (rows && rows.children.length > MOST_ROWS) {
      await reload();
      return;
    }
    const address = location.search;
    const query = new URLSearchParams(address);
    query.set("since", String(Math.min(Number(rows?.querySelector("tr")?.dataset.start ?? 0), Date.now())));
    const answer = await fetch(`/traces/newer?${query}`, { headers: { "X-Requested-With": "fetch" } });
    if (answer.status === 401) location.reload();
    if (!running || !answer.headers.get("Content-Type")?.startsWith("text/html")) return;
    const came = document.createElement("template");
    came.innerHTML = await answer.text();
    // Meanwhile another list may have been asked for.
    if (location.search !== address || document.getElementById("rows") !== rows) return;
    if (!rows) {
      // There is no table yet.
      if (came.content.querySelector("tr")) {
        await reload();
        document.dispatchEvent(new CustomEvent("traces:arrived"));
      }
      return;
    }
    const oldest = Number(rows.querySelector("tr:last-child")?.dataset.start ?? 0);
    let anything = false;
    // The oldest first, so that each finds its place above those before it.
    for (const row of [...came.content.querySelectorAll("tr")].reverse()) {
      const known = rows.querySelector(`tr[data-id="${CSS.escape(row.dataset.id)}"]`);
      if (known) {
        if (known.dataset.version !== row.dataset.version && !known.contains(document.activeElement)) known.replaceWith(row);
        continue;
      }
      if (Number(row.dataset.start) < oldest) continue;
      const after = [...rows.children].find((other) => Number(other.dataset.start) <= Number(row.dataset.start));
      rows.insertBefore(row, after ?? null);
      row.classList.add("arrived");
      anything = true;
    }
    if (anything) document.dispatchEvent(new CustomEvent("traces:arrived"));
  }

  return {
    start() {
      if (running) return;
      running = true;
      look();
    },
    stop() {
      running = false;
      clearTimeout(timer);
    },
  };
}
