// Questions to the service, answers to the page. What a model says is text: textContent, never HTML.
const list = document.getElementById("turns");
const form = document.getElementById("ask");
const question = document.getElementById("question");

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

function show(turn) {
  const item = document.createElement("li");
  item.append(element("p", turn.question, { class: "question" }), element("p", turn.answer, { class: "answer" }));
  if (turn.token) item.append(element("hansei-feedback", "", { "trace-token": turn.token }));
  list.append(item);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ question: question.value });
  const response = await fetch("/ask", { method: "POST", headers, body }).catch(() => null);
  const turn = await response?.json().catch(() => null);
  if (response?.ok) question.value = "";
  show(response?.ok ? turn : { question: question.value, answer: turn?.error ?? "The service does not answer." });
});

for (const turn of await (await fetch("/turns")).json()) show(turn);
