// A long session: the next turns are appended to those that are there.

for (const element of document.querySelectorAll("[data-with-script]")) element.hidden = false;

document.addEventListener("click", async (event) => {
  const link = event.target.closest("#more a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  link.setAttribute("aria-busy", "true");
  const answer = await fetch(link.href).catch(() => null);
  // What cannot be fetched is opened: the page that comes says why.
  if (!answer?.ok) return location.assign(link.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const turns = [...page.querySelectorAll("#turns > li")];
  document.querySelector("#turns").append(...turns);
  document.querySelector("#more").replaceChildren(...page.querySelector("#more").childNodes);
  turns[0]?.querySelector("a")?.focus({ preventScroll: true });
});
