// A page of a trace that has not come looks again by itself, a few times.

document.documentElement.classList.add("js");
const again = document.querySelector("[data-look-again]")?.dataset.lookAgain;
const busy = () => document.querySelector("dialog[open], .add-assessment[open]");

if (again) {
  setTimeout(function look() {
    if (busy()) setTimeout(look, 2000);
    else location.replace(again);
  }, 2000);
}
