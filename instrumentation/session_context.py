"""Whose call it is: session, conversation and user, carried in OpenTelemetry baggage."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import baggage, context

from hansei.instrumentation.attributes import CONVERSATION_ID, SESSION_ID, USER_ID

_CARRIED = (SESSION_ID, CONVERSATION_ID, USER_ID)


@contextmanager
def session(session_id: str, *, user_id: str | None = None, conversation_id: str | None = None) -> Iterator[None]:
    """Say whose model calls the block makes.

    Every model call inside, in this thread or task and in what it awaits, carries ``session.id``,
    ``gen_ai.conversation.id`` and, if given, ``user.id``. For a chat the session is the conversation;
    pass ``conversation_id`` if one session of yours holds several conversations.

    It does no more than set these three names in OpenTelemetry baggage, so a service that already fills
    its baggage needs no ``session()``. Baggage is meant to travel: an HTTP client instrumented with the
    baggage propagator sends it to the servers that it calls, so use ids that may be seen there.
    """
    carried = {SESSION_ID: session_id, CONVERSATION_ID: conversation_id or session_id, USER_ID: user_id}
    current = context.get_current()
    for name, value in carried.items():
        if value is not None:
            current = baggage.set_baggage(name, value, current)
    token = context.attach(current)
    try:
        yield
    finally:
        context.detach(token)


def session_attributes() -> dict[str, str]:
    """Session, conversation and user as span attributes, of those that the current context carries."""
    carried = baggage.get_all()
    return {name: value for name in _CARRIED if isinstance(value := carried.get(name), str) and value}
