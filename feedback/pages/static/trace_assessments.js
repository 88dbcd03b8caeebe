// Saying something without leaving the page: the forms work without this too.

document.documentElement.classList.add("js");
const dialog = document.getElementById("assessment-dialog");
const asked = { "X-Requested-With": "fetch" };

let selected = "";

async function problem(answer) {
  const type = answer.headers.get("content-type") ?? "";
  if (type.startsWith("application/json")) return (await answer.json()).error;
  return `the server answered ${answer.status}`;
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    const answer = await fetch(link.href, { headers: asked });
    if (answer.ok) dialog.innerHTML = await answer.text();
    else {
      const said = document.createElement("p");
      said.textContent = await problem(answer);
      dialog.replaceChildren(said);
    }
    dialog.showModal();
  } else if (event.target.closest("[data-close]")) dialog.close();
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-json]")) return;
  let wrong = "";
  try {
    if (event.target.value.trim()) JSON.parse(event.target.value);
  } catch (error) {
    wrong = `This is not JSON: ${error.message}`;
  }
  event.target.setCustomValidity(wrong);
  event.target.setAttribute("aria-invalid", String(Boolean(wrong)));
  event.target.title = wrong;
});
document.addEventListener("change", (event) => {
  // What is not shown is not sent, so it must not stop the form either.
  if (event.target.name !== "value_kind" || event.target.value === "json") return;
  event.target.form.querySelector("[data-json]")?.setCustomValidity("");
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-write]") || event.defaultPrevented) return;
  event.preventDefault();
  const button = event.submitter;
  const said = form.querySelector(".form-error");
  if (button) button.disabled = true;
  try {
    // A field of the form is called "action" too, and would stand for the attribute.
    const answer = await fetch(form.getAttribute("action"), {
      method: "POST", headers: asked, body: new URLSearchParams(new FormData(form)),
    });
    if (!answer.ok) throw new Error(await problem(answer));
    replacePanel(await answer.text());
    if (dialog.open) dialog.close();
    document.getElementById("assessments").scrollIntoView({ block: "nearest" });
  } catch (error) {
    if (said) {
      said.textContent = error.message;
      said.hidden = false;
    } else alertIn(error.message);
  } finally {
    if (button) button.disabled = false;
  }
});

function alertIn(text) {
  const said = document.createElement("p");
  said.className = "notice error";
  said.setAttribute("role", "alert");
  said.textContent = text;
  document.querySelector("#assessments .panel-head").after(said);
}

function replacePanel(html) {
  document.getElementById("assessments").outerHTML = html;
  const panel = document.getElementById("assessments");
  offerSpan();
  document.dispatchEvent(new CustomEvent("assessments-changed", { detail: { said: JSON.parse(panel.dataset.said) } }));
}

function offerSpan() {
  const choice = document.querySelector("[data-selected-span]");
  if (!choice || !selected) return;
  choice.value = selected;
  choice.disabled = false;
  choice.closest(".choice").hidden = false;
}

document.addEventListener("span-selected", (event) => {
  selected = event.detail.spanId;
  offerSpan();
});
selected = document.querySelector("[data-selected-span]")?.value ?? "";

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog");
  if (event.key !== "a" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
  const add = document.getElementById("add-assessment");
  if (!add) return;
  event.preventDefault();
  add.open = true;
  add.scrollIntoView({ block: "nearest" });
  document.getElementById("add-name").focus();
});
