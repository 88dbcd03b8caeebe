/* The form of an item: what is answered, what is missing, and the fields that a script makes easier. */

export const questions = (form) => [...form.querySelectorAll(".question")];
const fields = (question) => [...question.querySelectorAll("[name^='answer-']")].filter((field) => !field.closest("noscript"));
const comment = (question) => question.querySelector("[name^='comment-']");

/** The answer to a question: null where there is none. */
export function valueOf(question) {
  const found = fields(question);
  switch (question.dataset.kind) {
    case "pass_fail": {
      const chosen = found.find((field) => field.checked);
      return chosen ? chosen.value === "true" : null;
    }
    case "categorical":
      return found.find((field) => field.checked)?.value ?? null;
    case "categorical_list": {
      const chosen = found.filter((field) => field.checked).map((field) => field.value);
      return chosen.length ? chosen : null;
    }
    case "text_list": {
      const lines = found.map((field) => field.value).filter((line) => line.trim());
      return lines.length ? lines : null;
    }
    case "numeric":
      return found[0].value.trim() && found[0].validity.valid ? found[0].valueAsNumber : null;
    default:
      return found[0].value.trim() ? found[0].value : null;
  }
}

/** All answers, by the number of the question. */
export function answersOf(form) {
  const answers = {};
  for (const question of questions(form)) {
    answers[question.dataset.question] = { value: valueOf(question), comment: comment(question)?.value ?? "" };
  }
  return answers;
}

/** Fill the form with answers that were kept. */
export function fill(form, answers, texts) {
  for (const question of questions(form)) {
    const said = answers[question.dataset.question] ?? {};
    const value = said.value ?? null;
    if (question.dataset.kind === "text_list") {
      const lines = value ?? [];
      while (fields(question).length < lines.length) addLine(question, texts);
      fields(question).forEach((field, index) => { field.value = lines[index] ?? ""; });
    } else {
      for (const field of fields(question)) {
        if (field.type === "radio") field.checked = value !== null && field.value === String(value);
        else if (field.type === "checkbox") field.checked = (value ?? []).includes(field.value);
        else field.value = value ?? "";
      }
    }
    const note = comment(question);
    if (note) {
      note.value = said.comment ?? "";
      if (note.value) note.closest("details").open = true;
    }
    const slider = question.querySelector("[data-slider]");
    if (slider && value !== null) slider.value = value;
  }
}

/** Whether nothing is missing of a question. */
export const isAnswered = (question) => question.dataset.optional === "1" || valueOf(question) !== null;

/** Tell what is missing; answers the first question that is. */
export function showMissing(form, texts) {
  let first = null;
  for (const question of questions(form)) {
    const missing = !isAnswered(question);
    const number = question.querySelector("input[type=number]");
    const wrong = number && !number.validity.valid;
    const range = wrong && !number.validity.badInput ? question.querySelector(".about p:last-child") : null;
    say(question, missing || wrong ? range?.textContent || texts[number ? "number" : "choose"] : "");
    if (missing || wrong) first ??= question;
  }
  return first;
}

export function say(question, problem) {
  const place = question.querySelector(".problem");
  if (place.textContent !== problem) place.textContent = problem;
}

/** Lines that come and go, and a slider that follows its number. */
export function enliven(form, texts, changed) {
  form.addEventListener("click", (event) => {
    const question = event.target.closest(".question");
    if (event.target.closest("[data-add]")) addLine(question, texts)?.focus();
    const remove = event.target.closest("[data-remove]");
    if (remove) {
      removeLine(question, remove.closest(".line"), texts);
      changed();
    }
  });
  form.addEventListener("input", (event) => {
    const pair = event.target.closest(".number");
    const slider = pair?.querySelector("[data-slider]");
    if (!slider) return;
    const number = pair.querySelector("[type=number]");
    if (event.target === slider) number.value = slider.value;
    else if (number.value) slider.value = number.value;
  });
}

/** A line more; answers its field, or null where there may be no more. */
export function addLine(question, texts) {
  const lines = question.querySelector(".lines");
  const all = lines.querySelectorAll(":scope > .line");
  if (all.length >= Number(lines.dataset.most)) return null;
  const made = all[all.length - 1].cloneNode(true);
  all[all.length - 1].after(made);
  made.querySelector("input").value = "";
  number(lines, texts);
  return made.querySelector("input");
}

function removeLine(question, line, texts) {
  const lines = question.querySelector(".lines");
  const all = [...lines.querySelectorAll(":scope > .line")];
  const place = all.indexOf(line);
  if (all.length > 1) line.remove();
  else line.querySelector("input").value = "";
  number(lines, texts);
  const left = lines.querySelectorAll(":scope > .line");
  left[Math.min(place, left.length - 1)].querySelector("input").focus();
}

function number(lines, texts) {
  lines.querySelectorAll(":scope > .line").forEach((line, index) => {
    line.querySelector("input").setAttribute("aria-label", texts.line.replace("{number}", index + 1));
    line.querySelector("button").setAttribute("aria-label", texts.remove_line.replace("{number}", index + 1));
  });
}
