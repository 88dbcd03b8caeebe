// Forms that choose a time: what is picked by the visitor's clock is sent as milliseconds.

for (const input of document.querySelectorAll('input[type="datetime-local"][data-ms]')) {
  const at = new Date(Number(input.dataset.ms));
  input.value = new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

for (const element of document.querySelectorAll("[data-without-script]")) element.hidden = true;

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-period]")) return;
  for (const input of event.target.querySelectorAll("input[data-ms]")) {
    if (!input.value) continue;
    const sent = document.createElement("input");
    sent.type = "hidden";
    sent.name = input.name;
    sent.value = String(new Date(input.value).getTime());
    input.removeAttribute("name");
    input.after(sent);
  }
});
