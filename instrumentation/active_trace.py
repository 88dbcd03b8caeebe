"""Which trace was active last, and what can be said about it while it is recorded."""

import asyncio
import logging
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from weakref import ref

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode, format_trace_id
from opentelemetry.util.types import AttributeValue

from hansei.instrumentation import attributes as names
from hansei.instrumentation.content import cut, process_content
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.session_context import trace_attributes

_logger = logging.getLogger(__name__)
_guard = Guard()

_ROOT = "_hansei_local_root"
_MAX_GENERATIONS = 8
# The metadata that MLflow's own documentation has for session and user.
_MLFLOW_SESSION = "mlflow.trace.session"
_MLFLOW_USER = "mlflow.trace.user"
_STATES = {"OK": StatusCode.OK, "ERROR": StatusCode.ERROR}


def get_last_active_trace_id(thread_local: bool = False) -> str | None:
    """The trace id (32 hex digits) of the last trace that began or ended here; None if there was none.

    It is there at once, before anything has been exported: feedback can be logged right after the call. "Here" is the
    current task or thread together with the tasks and ``to_thread`` calls begun from it; if none of these had a trace
    it is the thread, and at last the process. ``thread_local=True`` never looks further than the first: a server that
    answers several users at once should use that, or ``get_current_trace_id`` inside, since the last trace of the
    process may be somebody else's. The spans of any OpenTelemetry instrumentation count that the provider of
    ``instrument()`` makes and samples.
    """
    return active_traces.last(only_here=thread_local)


def get_current_trace_id() -> str | None:
    """The id (32 hex digits) of the trace that the current span belongs to; None outside any span."""
    found = trace.get_current_span().get_span_context()
    return format_trace_id(found.trace_id) if found.is_valid else None


def update_current_trace(
    tags: Mapping[str, object] | None = None,
    metadata: Mapping[str, object] | None = None,
    session_id: str | None = None,
    user: str | None = None,
    client_request_id: str | None = None,
    state: str | None = None,
    request_preview: str | None = None,
    response_preview: str | None = None,
) -> None:
    """Say something about the trace that the current span belongs to.

    It is written to the trace's outermost span in this process: ``hansei.tag.KEY``, ``hansei.metadata.KEY``,
    ``session.id`` with ``gen_ai.conversation.id``, ``user.id`` and ``hansei.client_request_id``; MLflow's own
    metadata for these, ``mlflow.trace.session`` and ``mlflow.trace.user``, counts as ``session_id`` and ``user``.
    The previews are content, and recorded as that is. ``state`` is ``"OK"`` or ``"ERROR"`` and becomes the span's
    status. To have a session on every span of a trace, use ``session()`` around it.

    Outside any recorded trace, and for another state, it warns and does nothing else. It never raises.
    """
    given = (tags, metadata, session_id, user, client_request_id, state, request_preview, response_preview)
    _guard.run("update the current trace", _update, *given)


class ActiveTraces:
    """What the span processor has seen begin and end."""

    def __init__(self) -> None:
        self._here: ContextVar[_Mark | None] = ContextVar("hansei-last-trace", default=None)
        self._thread = threading.local()
        self._process: str | None = None
        self._warned = False

    def started(self, span: Span, parent: Span) -> None:
        """A span has started under this one, which is invalid or remote for the first of a trace in this process."""
        above = parent.get_span_context()
        if above.is_valid and not above.is_remote:
            # A reference lives as long as the span: there is no table to outgrow or to clean.
            setattr(span, _ROOT, getattr(parent, _ROOT, parent))
        else:
            self.touch(span.get_span_context().trace_id)

    def touch(self, trace_id: int) -> None:
        """This trace is now the last one of the task, the thread and the process."""
        text = format_trace_id(trace_id)
        self._process = self._thread.last = text
        owner = _owner()
        mark = self._here.get()
        if mark is None or mark.owner != owner:
            # It was inherited from the task or thread that began this one.
            mark = _Mark(owner, mark)
            self._here.set(mark)
        mark.touch(text)

    def last(self, *, only_here: bool) -> str | None:
        """The last trace: of the task, else of the thread, else of the process."""
        mark = self._here.get()
        if mark is not None or only_here:
            return mark.trace_id if mark else None
        return getattr(self._thread, "last", None) or self._process

    def local_root(self) -> Span | None:
        """The outermost span of the current trace in this process that still records, or None."""
        current = trace.get_current_span()
        for span in (getattr(current, _ROOT, None), current):
            if isinstance(span, Span) and span.is_recording():
                return span
        return None

    def warn_once(self) -> None:
        """Say that there is no trace to update."""
        if not self._warned:
            self._warned = True
            _logger.warning("update_current_trace: there is no recorded trace here, so nothing is updated")


class _Mark:
    """The last trace of a task or thread, and of what was begun from it."""

    __slots__ = ("generation", "owner", "parent", "trace_id")

    def __init__(self, owner: object, parent: "_Mark | None") -> None:
        # A task that begins the next one for ever must not grow a chain for ever.
        kept: _Mark | None = parent if parent is not None and parent.generation < _MAX_GENERATIONS else None
        self.owner = owner
        self.parent = kept
        self.generation: int = 0 if kept is None else kept.generation + 1
        self.trace_id: str | None = None

    def touch(self, trace_id: str) -> None:
        mark: _Mark | None = self
        while mark is not None:
            mark.trace_id = trace_id
            mark = mark.parent


active_traces = ActiveTraces()
"""The process's traces."""


def _owner() -> object:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.get_ident() if task is None else ref(task)


def _update(
    tags: Mapping[str, object] | None,
    metadata: Mapping[str, object] | None,
    session_id: object,
    user: object,
    client_request_id: object,
    state: object,
    request_preview: object,
    response_preview: object,
) -> None:
    root = active_traces.local_root()
    if root is None:
        active_traces.warn_once()
        return
    described = dict(metadata or {})
    ids = [described.pop(name, None) for name in (_MLFLOW_SESSION, _MLFLOW_USER)]
    session_id, user = (ids[0] if session_id is None else session_id), (ids[1] if user is None else user)
    given = {
        names.SESSION_ID: session_id,
        names.CONVERSATION_ID: session_id,
        names.USER_ID: user,
        names.CLIENT_REQUEST_ID: client_request_id,
    }
    root.set_attributes({name: str(value) for name, value in given.items() if value is not None})
    root.set_attributes(trace_attributes(described, tags))
    root.set_attributes(_previews(request_preview, response_preview))
    if state is None:
        return
    code = _STATES.get(str(getattr(state, "value", state)).upper())
    if code is None:
        _logger.warning("update_current_trace: %r is not a state; use 'OK' or 'ERROR'", state)
        return
    root.set_status(Status(code))


def _previews(request: object, response: object) -> dict[str, AttributeValue]:
    content = process_content.content
    if not content.on_spans:
        return {}
    given = {names.REQUEST_PREVIEW: request, names.RESPONSE_PREVIEW: response}
    return {name: cut(str(value), content.max_length) for name, value in given.items() if value is not None}
