"""Whose call it is: session, conversation and user, carried in OpenTelemetry baggage."""

from collections.abc import Mapping, Sequence

from opentelemetry import baggage, context
from opentelemetry.context import Context
from opentelemetry.util.types import AttributeValue

from hansei.instrumentation.attributes import CONVERSATION_ID, METADATA_PREFIX, SESSION_ID, TAG_PREFIX, TAGS, USER_ID
from hansei.instrumentation.carried_scope import CarriedScope
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.plain_value import attribute_value

_CARRIED = (SESSION_ID, CONVERSATION_ID, USER_ID)
_LOCAL_KEY = context.create_key("hansei-attributes")
_guard = Guard()


def session(
    session_id: str | None = None,
    *,
    user: str | None = None,
    user_id: str | None = None,
    conversation_id: str | None = None,
) -> CarriedScope:
    """Say whose calls a block makes: ``with session("s-1", user="ana"):``, ``async with``, or ``@session(…)``.

    Every span inside, in this thread or task and in what it awaits, carries ``session.id``,
    ``gen_ai.conversation.id`` and, if given, ``user.id``. For a chat the session is the conversation;
    pass ``conversation_id`` if one session of yours holds several conversations. ``user`` and ``user_id`` are the
    same. What is ``None`` or empty is left as the surrounding block has it. A thread gets it with
    ``contextvars.copy_context().run`` or OpenTelemetry's threading instrumentation.

    It does no more than set these three names in OpenTelemetry baggage, so a service that already fills
    its baggage needs no ``session()``. Baggage is meant to travel: an HTTP client instrumented with the
    baggage propagator sends it to the servers that it calls, so use ids that may be seen there.

    Model calls and the spans of ``@trace`` and ``start_span`` carry them always, those of other libraries once
    ``instrument()`` has been called. It never raises.
    """
    return CarriedScope(lambda: context_with_ids(session_id, user or user_id, conversation_id), _guard)


def using_attributes(
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    metadata: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | Sequence[str] | None = None,
) -> CarriedScope:
    """Put ids, metadata and tags on every span of a block; it is used as ``session`` is.

    ``metadata={"plan": "pro"}`` becomes ``hansei.metadata.plan``, ``tags={"stage": "beta"}`` becomes
    ``hansei.tag.stage``, and a list of tags ``hansei.tags``. An inner block adds to the outer one's. The ids travel
    in baggage as those of ``session`` do; metadata and tags stay in this process. It never raises.
    """
    return CarriedScope(lambda: _with_local(context_with_ids(session_id, user_id), metadata, tags), _guard)


def session_attributes(carrier: Context | None = None) -> dict[str, AttributeValue]:
    """Session, conversation and user as span attributes, and what else the context (the current one) carries."""
    current = context.get_current() if carrier is None else carrier
    found: dict[str, AttributeValue] = {}
    if not current:
        return found
    carried = baggage.get_all(current)
    for name in _CARRIED:
        value = carried.get(name)
        if isinstance(value, str) and value:
            found[name] = value
    local = current.get(_LOCAL_KEY)
    if isinstance(local, dict):
        found.update(local)
    return found


def context_with_ids(
    session_id: object, user_id: object, conversation_id: object = None, base: Context | None = None
) -> Context:
    """The context (the current one, without ``base``) with these ids in its baggage, of those that there are."""
    made = context.get_current() if base is None else base
    ids = {SESSION_ID: session_id, CONVERSATION_ID: conversation_id or session_id, USER_ID: user_id}
    for name, value in ids.items():
        if value is not None and (text := str(value)):
            made = baggage.set_baggage(name, text, made)
    return made


def trace_attributes(
    metadata: Mapping[str, object] | None, tags: Mapping[str, object] | Sequence[str] | None
) -> dict[str, AttributeValue]:
    """Metadata and tags under the names that they have on spans."""
    found: dict[str, AttributeValue] = {}
    if isinstance(metadata, Mapping):
        found.update({f"{METADATA_PREFIX}{name}": attribute_value(value) for name, value in metadata.items()})
    if isinstance(tags, Mapping):
        found.update({f"{TAG_PREFIX}{name}": attribute_value(value) for name, value in tags.items()})
    elif isinstance(tags, list | tuple | set | frozenset) and tags:
        found[TAGS] = [str(tag) for tag in tags]
    return found


def _with_local(
    current: Context, metadata: Mapping[str, object] | None, tags: Mapping[str, object] | Sequence[str] | None
) -> Context:
    added = trace_attributes(metadata, tags)
    if not added:
        return current
    outer = context.get_value(_LOCAL_KEY, current)
    return context.set_value(_LOCAL_KEY, {**(outer if isinstance(outer, dict) else {}), **added}, current)
