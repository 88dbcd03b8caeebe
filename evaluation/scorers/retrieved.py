"""What a trace retrieved."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.json_text import shown_json
from hansei.evaluation.judges.rendering import LONGEST_LIST, bounded, fitted, indented
from hansei.evaluation.scorers.text_of import text_of
from hansei.feedback.search.trace import Span, Trace

_TEXTS: Final = ("page_content", "content", "text", "document", "chunk", "body")
_LISTS: Final = ("documents", "results", "chunks", "matches", "nodes", "source_nodes", "hits", "data")
_WITHIN: Final = ("node", "document", "kwargs", "payload", "_source")
"""Keys below which libraries and stores put a document, beside its score."""
_NAMES: Final = ("id", "doc_uri", "source", "uri", "url", "title")
_BARE: Final = frozenset({"id", "score"})
"""What a document has whose text was not recorded."""
_DOCUMENTS: Final = "gen_ai.retrieval.documents"
_LONGEST: Final = 8_000
"""Characters of one document."""
MOST: Final = 100
"""Documents of one retrieval."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The documents that a span retrieved."""

    span: Span
    documents: Sequence[str]
    left_out: int = 0
    """How many more there were."""

    @property
    def text(self) -> str:
        """All of them, numbered from 1; the longest shortened until they fit into a prompt."""
        shown = fitted(self.documents, LONGEST_LIST)
        entries = [entry(number, text) for number, text in enumerate(shown, 1)]
        entries += [f"[… {self.left_out} documents left out …]"] if self.left_out else []
        return "\n\n".join(entries) or "(nothing was retrieved)"


def entry(number: int, text: str) -> str:
    """A document below its number, indented."""
    return f"[document {number}]\n  {indented(text)}"


def retrievals(scorer: str, trace: Trace | None) -> list[Retrieval]:
    """The retrievals of a trace, but for those that are a part of another one. Raises ``NotApplicable`` where there is
    none."""
    if trace is None:
        raise NotApplicable(f"{scorer} looks at a whole trace, and there is none; give trace, as get_trace answers it")
    above = {span.span_id: span for span in trace.spans}
    found = [
        _retrieval(span)
        for span in trace.spans
        if span.span_type == "RETRIEVER" and not any(each.span_type == "RETRIEVER" for each in ancestors(span, above))
    ]
    if not found:
        raise NotApplicable(
            f"{scorer} needs a span of type RETRIEVER, and the trace has none; "
            "mark the function that retrieves with @hansei.trace(span_type='RETRIEVER')"
        )
    if any(each.left_out for each in found) and not any(each.documents for each in found):
        raise NotApplicable(
            f"{scorer} reads documents, and those of the trace have no text; record it as page_content, content or text"
        )
    return found


def ancestors(span: Span, spans: Mapping[str, Span]) -> Iterator[Span]:
    """The spans above a span, from its parent on; each once, also where they go round in a circle."""
    seen = {span.span_id}
    while (parent := spans.get(span.parent_id or "")) is not None and parent.span_id not in seen:
        yield parent
        seen.add(parent.span_id)
        span = parent


def _retrieval(span: Span) -> Retrieval:
    documents = documents_of(span.outputs)
    told = _parsed(span.attributes.get(_DOCUMENTS, ""))
    if documents and not any(map(_is_known, documents)) and told:
        documents = documents_of(told)
    texts = [_text(each) for each in documents[:MOST] if _is_known(each)]
    missing = min(len(documents), MOST) - len(texts)
    return Retrieval(span, texts, max(len(documents) - MOST, 0) + missing)


def documents_of(outputs: Any) -> list[Any]:
    """The documents that a span answered, as they were recorded."""
    found = outputs
    if isinstance(found, Mapping):
        found = next((found[name] for name in _LISTS if isinstance(found.get(name), list)), [found])
    if found is None or found == "":
        return []
    listed: list[Any] = []
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, list) and len(each) == 2 and isinstance(each[1], int | float):
            listed.append(each[0])  # a document and its score
        elif isinstance(each, list):
            listed += each  # the documents of one of several queries
        else:
            listed.append(each)
    return listed


def _is_known(document: Any) -> bool:
    return not isinstance(document, Mapping) or not set(document) <= _BARE


def _text(document: Any) -> str:
    if isinstance(document, str):
        return bounded(document, _LONGEST)
    if not isinstance(document, Mapping):
        return bounded(shown_json(document), _LONGEST)
    inner = next((document[name] for name in _WITHIN if isinstance(document.get(name), Mapping)), document)
    body = next((text_of(inner[name]) for name in _TEXTS if isinstance(inner.get(name), str | list)), None)
    metadata = inner.get("metadata")
    known = {**(metadata if isinstance(metadata, Mapping) else {}), **document, **inner}
    name = next((str(known[each]) for each in _NAMES if isinstance(known.get(each), str | int)), "")
    text = shown_json(document) if body is None else body
    return bounded(f"({name}) {text}" if name else text, _LONGEST)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
