// Two runs can be compared: no more, no fewer.

const form = document.querySelector("#compare");
if (form) {
  const button = form.querySelector("[data-compare]");
  const hint = form.querySelector("[data-compare-hint]");
  const ticks = [...form.querySelectorAll("input[name=run]")];
  const update = () => {
    const chosen = ticks.filter((tick) => tick.checked).length;
    button.disabled = chosen !== 2;
    hint.textContent = ["Tick two evaluations.", "Tick one more.", ""][chosen] ?? "Tick two, no more.";
  };
  form.addEventListener("change", update);
  update();
}
