"""What a trace retrieved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.judges.rendering import bounded
from hansei.feedback.search.trace import Span, Trace

_TEXTS: Final = ("page_content", "content", "text", "document", "chunk")
_LISTS: Final = ("documents", "results", "chunks", "matches", "data")
_NAMES: Final = ("id", "doc_uri", "source", "uri", "url", "title")
_LONGEST: Final = 8_000
"""Characters of one document."""
_MOST: Final = 100
"""Documents of one retrieval."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The documents that a span retrieved."""

    span: Span
    documents: Sequence[str]

    @property
    def text(self) -> str:
        """All of them, numbered from 1."""
        return "\n\n".join(f"[document {number}]\n{text}" for number, text in enumerate(self.documents, 1))


def retrievals(scorer: str, trace: Trace | None) -> list[Retrieval]:
    """The last retrievals of a trace: those with none below them. Raises ``NotApplicable`` where there is none."""
    if trace is None:
        raise NotApplicable(f"{scorer} looks at a whole trace, and there is none")
    spans = [span for span in trace.spans if span.span_type == "RETRIEVER"]
    parents = {span.parent_id for span in spans}
    found = [Retrieval(span, documents_of(span)) for span in spans if span.span_id not in parents]
    if not found:
        raise NotApplicable(
            f"{scorer} needs a span of type RETRIEVER, and the trace has none; "
            "mark the function that retrieves with @hansei.trace(span_type='RETRIEVER')"
        )
    return found


def documents_of(span: Span) -> list[str]:
    """The texts that a span retrieved."""
    found = span.outputs
    if isinstance(found, Mapping):
        found = next((found[name] for name in _LISTS if isinstance(found.get(name), list)), [found])
    if found is None:
        return []
    listed = found if isinstance(found, list) else [found]
    return [_text(each) for each in listed[:_MOST]]


def _text(document: Any) -> str:
    if not isinstance(document, Mapping):
        return bounded(str(document), _LONGEST)
    body = next((document[name] for name in _TEXTS if isinstance(document.get(name), str)), None)
    metadata = document.get("metadata")
    known = {**(metadata if isinstance(metadata, Mapping) else {}), **document}
    name = next((str(known[each]) for each in _NAMES if isinstance(known.get(each), str | int)), "")
    text = str(document) if body is None else body
    return bounded(f"({name}) {text}" if name else text, _LONGEST)
