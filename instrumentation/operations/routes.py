"""Which operation a request is: by its method and its path, which every way of calling shares."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from hansei.instrumentation.operations.assistants import AssistantRun
from hansei.instrumentation.operations.audio import Speech, Transcription
from hansei.instrumentation.operations.chat import ChatCompletion
from hansei.instrumentation.operations.completions import Completion
from hansei.instrumentation.operations.conversations import Conversation
from hansei.instrumentation.operations.embeddings import Embeddings
from hansei.instrumentation.operations.general import General
from hansei.instrumentation.operations.images import Images
from hansei.instrumentation.operations.moderations import Moderation
from hansei.instrumentation.operations.operation import Operation
from hansei.instrumentation.operations.responses import CancelResponse, CreateResponse, FetchResponse
from hansei.instrumentation.operations.retrieval import VectorStoreSearch

_ROUTES: tuple[tuple[str, str, Operation], ...] = (
    ("post", "/chat/completions", ChatCompletion()),
    ("post", "/responses", CreateResponse()),
    ("post", "/responses/compact", CreateResponse()),
    ("get", "/responses/{response_id}", FetchResponse()),
    ("post", "/responses/{response_id}/cancel", CancelResponse()),
    ("post", "/completions", Completion()),
    ("post", "/embeddings", Embeddings()),
    ("post", "/images/generations", Images()),
    ("post", "/images/edits", Images()),
    ("post", "/images/variations", Images()),
    ("post", "/audio/speech", Speech()),
    ("post", "/audio/transcriptions", Transcription()),
    ("post", "/audio/translations", Transcription()),
    ("post", "/moderations", Moderation()),
    ("post", "/vector_stores/{vector_store_id}/search", VectorStoreSearch()),
    ("post", "/threads/runs", AssistantRun()),
    ("post", "/threads/{thread_id}/runs", AssistantRun()),
    ("*", "/conversations", Conversation()),
    ("*", "/conversations/{conversation_id}", Conversation()),
    ("*", "/conversations/{conversation_id}/items", Conversation()),
    ("*", "/conversations/{conversation_id}/items/{item_id}", Conversation()),
)
_GENERAL = General()


class Match(NamedTuple):
    """What a request was found to be."""

    operation: Operation
    ids: Mapping[str, str]


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))


_PLAIN = {(method, path): operation for method, path, operation in _ROUTES if "{" not in path}
_PATTERNS = [(method, _pattern(path), operation) for method, path, operation in _ROUTES if "{" in path]
_NO_IDS: Mapping[str, str] = {}


def operation_of(method: str, path: str) -> Match:
    """The operation of a request, :class:`General` where none is known; ``path`` is below the base URL."""
    method = method.lower()
    path = "/" + path.partition("?")[0].strip("/")
    operation = _PLAIN.get((method, path)) or _PLAIN.get(("*", path))
    if operation is not None:
        return Match(operation, _NO_IDS)
    for wanted, pattern, operation in _PATTERNS:
        if wanted in (method, "*") and (found := pattern.fullmatch(path)):
            return Match(operation, found.groupdict())
    return Match(_GENERAL, _NO_IDS)
