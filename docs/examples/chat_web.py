r"""A web application with sessions: each request is a trace that knows whose it is, and tells the front end its id.

    hansei serve &
    python docs/examples/model_server.py --port 8010 &
    OPENAI_BASE_URL=http://127.0.0.1:8010/v1 OPENAI_API_KEY=none uvicorn --app-dir docs/examples chat_web:app
    curl -i http://127.0.0.1:8000/ask -H 'x-session-id: s-1' -H 'x-user-id: ana' \
        -d '{"question": "What does the red light mean?"}'

The answer's header ``traceresponse`` has the trace id, for the thumbs of the front end. In FastAPI it is
``app.add_middleware(HanseiASGIMiddleware, session=…, user=…)``. A service that is open to strangers takes the user
from its own login instead of a header: ``user=lambda scope: scope["user"].id``.
"""

from openai import AsyncOpenAI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import hansei

hansei.instrument(service_name="chat-web")

client = AsyncOpenAI()


async def ask(request: Request) -> Response:
    """Answer one question."""
    completion = await client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[
            {
                "role": "system",
                "content": "Answer from this manual:\n[lights] A red light means that the tank is empty.",
            },
            {"role": "user", "content": (await request.json())["question"]},
        ],
    )
    return JSONResponse({"answer": completion.choices[0].message.content})


app = Starlette(
    routes=[Route("/ask", ask, methods=["POST"])],
    middleware=[Middleware(hansei.HanseiASGIMiddleware, session="x-session-id", user="x-user-id")],
)
