// What every page has: times in the visitor's own zone, keys that go places, and forms that ask first.

const short = new Intl.DateTimeFormat(undefined, {
  month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const long = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** Write the times below a node as the visitor's clock has them. */
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
    const at = new Date(time.dateTime);
    time.textContent = short.format(at);
    time.title = `${long.format(at)} (${time.dateTime})`;
    time.dataset.local = "";
  }
}

localTimes(document);
new MutationObserver((changes) => {
  for (const change of changes) {
    for (const added of change.addedNodes) {
      if (added.nodeType === Node.ELEMENT_NODE) localTimes(added.parentNode ?? added);
    }
  }
}).observe(document.body, { childList: true, subtree: true });

// On a phone the navigation is wider than the page.
const nav = document.querySelector(".topbar nav");
const current = nav?.querySelector("[aria-current]");
if (current) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - (nav.clientWidth - current.offsetWidth) / 2;

const places = { o: "/overview", t: "/traces", s: "/sessions", l: "/labeling", e: "/evaluation", d: "/datasets" };
let waiting = false;

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (waiting && places[event.key]) {
    location.href = places[event.key];
  }
  waiting = event.key === "g";
});

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  // Only https and this machine have a clipboard.
  if (!navigator.clipboard) {
    prompt("Copy:", button.dataset.copy);
    return;
  }
  await navigator.clipboard.writeText(button.dataset.copy);
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1200);
});
