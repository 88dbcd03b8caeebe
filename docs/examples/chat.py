"""A support assistant for a coffee machine: it looks in the manual, then asks a model.

    python docs/examples/model_server.py --port 8010 &
    OPENAI_BASE_URL=http://127.0.0.1:8010/v1 OPENAI_API_KEY=none python docs/examples/chat.py

Each turn becomes one trace: the turn, the search and the model call. Hansei needs the one line below.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from documents import Found, search
from openai import OpenAI, OpenAIError
from opentelemetry import baggage, context, trace
from opentelemetry.trace import SpanKind, format_trace_id

import hansei

hansei.instrument(service_name="support-chat")

INSTRUCTIONS = (
    "You are the support assistant of Kumo, who make one coffee machine. "
    "Answer in at most two sentences, from these documents alone:"
)

tracer = trace.get_tracer("support-chat")


class Conversation:
    """One customer's questions, in order, with what was answered before."""

    def __init__(self, client: OpenAI, conversation_id: str, user_id: str) -> None:
        self.client = client
        self.conversation_id = conversation_id
        self.user_id = user_id
        self.history: list[dict[str, str]] = []

    def ask(self, question: str, model: str = "gpt-4o-mini") -> None:
        """Answer one question and print the answer with the id of its trace."""
        with turn(self.conversation_id, self.user_id) as span:
            try:
                answer = self.answer(question, model)
            except OpenAIError as error:
                span.set_status(trace.StatusCode.ERROR, type(error).__name__)
                answer = f"Sorry, I cannot answer right now ({error})."
            print(f"{self.user_id}: {question}\n  {answer}\n  trace {trace_id_of(span)}\n")

    def answer(self, question: str, model: str) -> str:
        """Ask the model, with what the manual says and what was said before."""
        prompt = {"role": "system", "content": with_documents(retrieve(question))}
        asked = {"role": "user", "content": question}
        completion = self.client.chat.completions.create(
            model=model, messages=[prompt, *self.history, asked], temperature=0, max_completion_tokens=200
        )
        answer = completion.choices[0].message.content or ""
        self.history += [asked, {"role": "assistant", "content": answer}]
        return answer


@contextmanager
def turn(conversation_id: str, user_id: str) -> Iterator[trace.Span]:
    """The span of one turn. OpenTelemetry's baggage tells the model call inside whose turn it is."""
    whose = {"gen_ai.conversation.id": conversation_id, "session.id": conversation_id, "user.id": user_id}
    current = context.get_current()
    for name, value in whose.items():
        current = baggage.set_baggage(name, value, current)
    token = context.attach(current)
    try:
        with tracer.start_as_current_span("answer_question", attributes=whose) as span:
            yield span
    finally:
        context.detach(token)


def retrieve(question: str, top_k: int = 2) -> list[Found]:
    """Search the manual, in a span of its own."""
    with tracer.start_as_current_span(
        "retrieval kumo-manual",
        kind=SpanKind.CLIENT,
        attributes={
            "gen_ai.operation.name": "retrieval",
            "gen_ai.data_source.id": "kumo-manual",
            "gen_ai.retrieval.query.text": question,
            "gen_ai.retrieval.top_k": top_k,
        },
    ) as span:
        found = search(question, top_k)
        documents = [{"id": document.id, "score": document.score} for document in found]
        span.set_attribute("gen_ai.retrieval.documents", json.dumps(documents))
        return found


def with_documents(found: list[Found]) -> str:
    """The system message: what to do, and what to do it with."""
    return "\n".join([INSTRUCTIONS, *(f"[{document.id}] {document.text}" for document in found)])


def trace_id_of(span: trace.Span) -> str:
    """The id to look a turn up by, and to attach feedback to."""
    return format_trace_id(span.get_span_context().trace_id)


def main() -> None:
    """Three customers ask; the last one through a model that is not there."""
    client = OpenAI(api_key=os.environ.get("OPENAI_API_KEY", "none"))

    ana = Conversation(client, "conversation-1001", "ana")
    ana.ask("How often should I descale the machine?")
    ana.ask("How long does the descaling cycle run?")
    ana.ask("Is damage by limescale covered by the warranty?")

    ben = Conversation(client, "conversation-1002", "ben")
    ben.ask("My espresso tastes bitter. Which grinder step should I use?", model="gpt-4.1")
    ben.ask("Can I put the milk jug in the dishwasher?", model="gpt-4.1")
    ben.ask("Do you sell tea?", model="gpt-4.1")

    chie = Conversation(client, "conversation-1003", "chie")
    chie.ask("When do refunds arrive after I return a machine?")
    chie.ask("What does the red light mean?", model="gpt-4o-maxi")


if __name__ == "__main__":
    main()
