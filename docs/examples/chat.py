"""A support assistant for a coffee machine: it looks in the manual, then asks a model.

    python docs/examples/model_server.py --port 8010 &
    OPENAI_BASE_URL=http://127.0.0.1:8010/v1 OPENAI_API_KEY=none python docs/examples/chat.py

Each turn becomes one trace: the turn, the search and the model call, with whose conversation it is.
"""

import os

from documents import Found, search
from openai import OpenAI, OpenAIError
from prompts import INSTRUCTIONS

import hansei
from hansei import SpanType

hansei.instrument(service_name="support-chat")


class Conversation:
    """One customer's questions, in order, with what was answered before."""

    def __init__(self, client: OpenAI, conversation_id: str, user_id: str) -> None:
        self.client = client
        self.conversation_id = conversation_id
        self.user_id = user_id
        self.history: list[dict[str, str]] = []

    def ask(self, question: str, model: str = "gpt-4o-mini") -> None:
        """Answer one question and print the answer with the id of its trace."""
        with hansei.session(self.conversation_id, user=self.user_id):
            try:
                answer = self.answer_question(question, model)
            except OpenAIError as error:
                answer = f"Sorry, I cannot answer right now ({error})."
        # The id to look the turn up by, and to attach feedback to.
        print(f"{self.user_id}: {question}\n  {answer}\n  trace {hansei.get_last_active_trace_id()}\n")

    @hansei.trace
    def answer_question(self, question: str, model: str) -> str:
        """Ask the model, with what the manual says and what was said before."""
        prompt = {"role": "system", "content": with_documents(retrieve(question))}
        asked = {"role": "user", "content": question}
        completion = self.client.chat.completions.create(
            model=model, messages=[prompt, *self.history, asked], temperature=0, max_completion_tokens=200
        )
        answer = completion.choices[0].message.content or ""
        self.history += [asked, {"role": "assistant", "content": answer}]
        return answer


@hansei.trace(name="kumo-manual", span_type=SpanType.RETRIEVER)
def retrieve(query: str, top_k: int = 2) -> list[Found]:
    """Search the manual."""
    return search(query, top_k)


def with_documents(found: list[Found]) -> str:
    """The system message: what to do, and what to do it with."""
    return "\n".join([INSTRUCTIONS, *(f"[{document.id}] {document.text}" for document in found)])


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
