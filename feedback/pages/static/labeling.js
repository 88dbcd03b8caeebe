// Labeling: a question is shown as it is written, a rule's traces are counted as it is built, questions change places.

for (const element of document.querySelectorAll("[data-without-script]")) element.hidden = true;

/** Send the fields of a form, and give what comes back to a function; of several in a row the last one counts. */
function live(form, address, show, pause) {
  let timer = 0;
  let asked = 0;
  const ask = async () => {
    const turn = ++asked;
    const answer = await fetch(address, {
      method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Requested-With": "fetch" },
    }).catch(() => null);
    if (!answer?.ok || turn !== asked) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn === asked) show(found);
  };
  return () => {
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  };
}

for (const form of document.querySelectorAll("form[data-preview]")) {
  const place = document.querySelector("#preview").shadowRoot.querySelector("#shown");
  const show = (found) => place.replaceChildren(...found.querySelector("#shown").childNodes);
  form.addEventListener("input", live(form, form.dataset.preview, show, 150));
}

for (const rule of document.querySelectorAll("[data-count]")) {
  const place = rule.querySelector("#rule-count");
  const show = (found) => place.replaceChildren(...found.body.childNodes);
  const count = live(rule.closest("form"), rule.dataset.count, show, 400);
  rule.addEventListener("input", count);
  const chosen = rule.querySelector("[data-rule]").value;
  if (chosen !== "none" && (chosen !== "filter" || rule.querySelector("#filter").value)) count();
}

for (const list of document.querySelectorAll(".question-order")) {
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("li");
    if (button.dataset.move === "up") row.previousElementSibling?.before(row);
    else row.nextElementSibling?.after(row);
    button.focus();
  });
}

// Whoever writes an own answer has chosen it.
document.addEventListener("input", (event) => {
  const own = event.target.closest(".own-answer")?.closest(".own")?.querySelector("input[value=own]");
  if (own) own.checked = true;
});
