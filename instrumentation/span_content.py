"""What a call was given and what it returned, as the attributes of its span."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.util.types import AttributeValue

from hansei.instrumentation import attributes as names
from hansei.instrumentation.content import cut
from hansei.instrumentation.plain_value import PlainItems, bounded_json

Attributes = dict[str, AttributeValue]

# As retrievers of LangChain, LlamaIndex, Chroma, Pinecone and OpenAI call them.
_QUERY_NAMES = ("query", "question", "search_query", "query_text", "q", "text", "prompt", "input")
_TOP_K_NAMES = ("top_k", "k", "limit", "max_num_results", "num_results", "n_results", "similarity_top_k")
_TEXT_NAMES = ("page_content", "text", "content")
_ID_NAMES = ("id", "doc_id", "document_id", "doc_uri", "id_")
_SCORE_NAMES = ("score", "relevance_score", "similarity")
_CALL_ID_NAMES = ("tool_call_id", "call_id")


def call_attributes(operation: str, arguments: Mapping[str, Any]) -> Attributes:
    """What the conventions want of a call's arguments that is no content, and so is always recorded."""
    found: Attributes = {}
    if operation == "retrieval" and (count := _first(arguments, _TOP_K_NAMES, int)) is not None:
        found[names.RETRIEVAL_TOP_K] = count
    elif operation == "execute_tool" and (call_id := _first(arguments, _CALL_ID_NAMES, str)):
        found[names.TOOL_CALL_ID] = call_id
    elif operation in ("chat", "embeddings") and (model := _first(arguments, ("model",), str)):
        found[names.REQUEST_MODEL] = model
    return found


def input_attributes(operation: str, inputs: object, limit: int) -> Attributes:
    """What a call was given; for a tool its arguments, for a retriever its query too."""
    text = bounded_json(inputs, limit)
    found: Attributes = {names.SPAN_INPUTS: text}
    if operation == "execute_tool":
        found[names.TOOL_CALL_ARGUMENTS] = text
    elif operation == "retrieval" and (query := _query(inputs)):
        found[names.RETRIEVAL_QUERY_TEXT] = cut(query, limit)
    return found


def output_attributes(operation: str, outputs: object, limit: int) -> Attributes:
    """What a call returned; for a tool its result, for a retriever its documents too."""
    text = bounded_json(outputs, limit)
    found: Attributes = {names.SPAN_OUTPUTS: text}
    if operation == "execute_tool":
        # The convention's result is an object.
        wrapped = text if text.startswith("{") else bounded_json({"result": outputs}, limit)
        found[names.TOOL_CALL_RESULT] = wrapped
    elif operation == "retrieval" and isinstance(outputs, list | tuple):
        found[names.RETRIEVAL_DOCUMENTS] = bounded_json([_document(each) for each in outputs], limit)
    return found


def stream_attributes(operation: str, items: PlainItems) -> Attributes:
    """What a generator yielded."""
    text = items.text()
    found: Attributes = {names.SPAN_OUTPUTS: text}
    if operation == "execute_tool":
        found[names.TOOL_CALL_RESULT] = f'{{"result":{text}}}'
    return found


def _document(document: object) -> dict[str, object]:
    # LangChain's similarity_search_with_score and others return pairs; LlamaIndex wraps the text in a node.
    score = None
    if isinstance(document, tuple) and len(document) == 2 and isinstance(document[1], int | float):
        document, score = document
    if isinstance(document, str):
        return {"content": document}
    score = _present(document, _SCORE_NAMES) if score is None else score
    inner = _field(document, "node")
    source = document if inner is None else inner
    found = {
        "id": _identifier(source),
        "score": score,
        "content": _present(source, _TEXT_NAMES),
        "metadata": _field(source, "metadata") or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _identifier(document: object) -> str | None:
    found = _present(document, _ID_NAMES)
    return None if found is None else str(found)


def _present(source: object, fields: tuple[str, ...]) -> Any:
    return next((value for name in fields if (value := _field(source, name)) is not None), None)


def _field(source: object, name: str) -> Any:
    return source.get(name) if isinstance(source, dict) else getattr(source, name, None)


def _query(inputs: object) -> str | None:
    if isinstance(inputs, str):
        return inputs
    if not isinstance(inputs, dict):
        return None
    named = _first(inputs, _QUERY_NAMES, str)
    return named or next((value for value in inputs.values() if isinstance(value, str)), None)


def _first(arguments: Mapping[str, Any], wanted: tuple[str, ...], kind: type) -> Any:
    return next((arguments[name] for name in wanted if type(arguments.get(name)) is kind), None)
