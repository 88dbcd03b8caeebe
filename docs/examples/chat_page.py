r"""A chat page whose answers have thumbs: each is feedback on the trace of that answer.

    hansei serve &
    python docs/examples/model_server.py --port 8010 &
    OPENAI_BASE_URL=http://127.0.0.1:8010/v1 OPENAI_API_KEY=none python docs/examples/chat_page.py

Open http://127.0.0.1:8020. A collector that asks for keys takes the page's feedback with ``HANSEI_API_KEY`` set here,
and with ``--feedback-origins=http://127.0.0.1:8020`` there; ``HANSEI_URL`` says where it is.
"""

import argparse
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from documents import search
from openai import AsyncOpenAI, OpenAIError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

import hansei

HANSEI = os.environ.get("HANSEI_URL") or "http://127.0.0.1:8600"
FILES = Path(__file__).parent
POLICY = (
    f"default-src 'none'; script-src 'self' {HANSEI}; connect-src 'self' {HANSEI}; style-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""A content security policy needs the collector twice: for the script, and for what it sends."""

hansei.instrument(service_name="chat-page")
client = AsyncOpenAI()


@dataclass
class Conversation:
    """One visitor's questions and answers."""

    user: str = field(default_factory=lambda: f"visitor-{secrets.token_hex(4)}")
    turns: list[dict[str, str]] = field(default_factory=list)
    """``question``, ``answer`` and ``trace_id`` of each."""


conversations: dict[str, Conversation] = {}
"""By the cookie that only the visitor has; a service of more than an afternoon keeps them elsewhere."""


async def answer(question: str) -> dict[str, str]:
    """A turn."""
    with hansei.start_span("answer") as span:
        span.set_inputs(question)
        prompt = "\n".join(f"[{document.id}] {document.text}" for document in search(question, 2))
        messages = [{"role": "system", "content": prompt}, {"role": "user", "content": question}]
        try:
            completion = await client.chat.completions.create(model="gpt-4o-mini", messages=messages)
            text = completion.choices[0].message.content or ""
        except OpenAIError:
            text = "Sorry, I cannot answer right now."
        span.set_outputs(text)
        return {"question": question, "answer": text, "trace_id": hansei.get_current_trace_id() or ""}


def shown(turn: dict[str, str], user: str) -> dict[str, str]:
    """A turn as the page gets it: with a token for its own trace, and for this visitor."""
    trace_id = turn["trace_id"]
    token = hansei.feedback_token(trace_id, names=["helpful"], user=user) if trace_id else ""
    return {"question": turn["question"], "answer": turn["answer"], "token": token}


async def ask(request: Request) -> Response:
    """Answer one question."""
    conversation = conversations.get(request.cookies.get("visitor", ""))
    question = (await request.json()).get("question", "")
    if conversation is None or not isinstance(question, str) or not 0 < len(question) <= 2000:
        return JSONResponse({"error": "load the page again, and ask in at most 2000 characters"}, 400)
    with hansei.session(conversation.user, user=conversation.user):
        conversation.turns.append(await answer(question))
    return JSONResponse(shown(conversation.turns[-1], conversation.user))


async def turns(request: Request) -> Response:
    """What the visitor has asked so far. Tokens are made anew: they speak for the same person as before."""
    conversation = conversations.get(request.cookies.get("visitor", ""), Conversation())
    return JSONResponse([shown(turn, conversation.user) for turn in conversation.turns])


async def home(request: Request) -> Response:
    """The page."""
    text = (FILES / "chat_page.html").read_text().replace("{{hansei}}", HANSEI)
    page = HTMLResponse(text, headers={"Content-Security-Policy": POLICY})
    if request.cookies.get("visitor") not in conversations:
        visitor = secrets.token_urlsafe()
        conversations[visitor] = Conversation()
        page.set_cookie("visitor", visitor, httponly=True, samesite="lax")
    return page


def file(name: str) -> Route:
    """A file of the page."""

    async def send(_: Request) -> Response:
        return FileResponse(FILES / name)

    return Route(f"/{name}", send)


app = Starlette(
    routes=[
        Route("/", home),
        Route("/ask", ask, methods=["POST"]),
        Route("/turns", turns),
        file("chat_page.js"),
        file("chat_page.css"),
    ]
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A chat page whose answers have thumbs.")
    parser.add_argument("--port", type=int, default=8020, help="0 takes a free one (default: %(default)s)")
    uvicorn.run(app, host="127.0.0.1", port=parser.parse_args().port, log_level="info", access_log=False)
