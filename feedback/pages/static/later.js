// Parts of a page that take longer come when they are there.

async function bring(place) {
  const answer = await fetch(place.dataset.fragment, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok) throw new Error((await answer.json()).error);
  const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#fragment");
  place.replaceChildren(...found.children);
}

for (const place of document.querySelectorAll("[data-fragment]")) {
  place.setAttribute("aria-busy", "true");
  bring(place)
    .catch((error) => { place.querySelector("p").textContent = error.message; })
    .finally(() => place.removeAttribute("aria-busy"));
}
