"""A span as the page shows it: its facts, its content, what happened in it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from markupsafe import Markup

from hansei.feedback.pages import formats
from hansei.feedback.pages.conversation import Content, content_of
from hansei.feedback.pages.markdown import markdown, plain
from hansei.feedback.pages.trace_reading import SpanFound
from hansei.feedback.pages.waterfall import span_type, type_label, type_look

_CONTENT: Final = (
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.retrieval.documents", "hansei.span.inputs",
    "hansei.span.outputs",
)  # fmt: skip
"""Attributes that the page shows elsewhere, in full."""

_CLIPPED: Final = 8_000
"""Characters of a text that are shown until all of it is asked for."""
_MARKDOWN_AT_ONCE: Final = 100_000
"""Characters of one span that are rendered as Markdown; what comes after them is shown as it is."""
_MESSAGES_AT_ONCE: Final = 60
_ATTRIBUTE_CLIPPED: Final = 1_000


class Prose:
    """How texts are shown: as Markdown or as they are, clipped or in full."""

    def __init__(self, *, as_is: bool, all_of_it: bool) -> None:
        self.as_is = as_is
        self.all_of_it = all_of_it
        self._left = _MARKDOWN_AT_ONCE

    def cut(self, text: str) -> str:
        """What is shown of a text."""
        return text if self.all_of_it else text[:_CLIPPED]

    def html(self, text: str) -> Markup:
        """A text as HTML."""
        self._left -= len(text)
        return plain(text) if self.as_is or self._left < 0 else markdown(text)

    def skipped(self, messages: Sequence[Any]) -> int:
        """How many of the first messages are not shown."""
        return 0 if self.all_of_it else max(len(messages) - _MESSAGES_AT_ONCE, 0)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A row of a table of attributes."""

    name: str
    value: str
    length: int
    """Of the whole value."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of a span."""

    name: str
    after: int
    """Nanoseconds after the span began."""
    error: bool
    message: str
    stack: str
    attributes: Sequence[Attribute]


@dataclass(frozen=True)
class SpanView:
    """What the template shows of a span."""

    found: SpanFound
    prose: Prose

    @property
    def span(self) -> Any:
        """The span."""
        return self.found.span

    @property
    def label(self) -> str:
        """Its type as it is written."""
        return type_label(self._type)

    @property
    def look(self) -> str:
        """The colour of its type."""
        return type_look(self._type)

    @property
    def _type(self) -> str:
        attributes = self.span.attributes
        said = (
            attributes.get("hansei.span.type")
            or attributes.get("openinference.span.kind")
            or attributes.get("traceloop.span.kind", "")
        )
        operation = attributes.get("gen_ai.operation.name", "")
        return span_type(operation, "" if operation else said)

    @property
    def duration(self) -> int:
        """Nanoseconds."""
        return int(self.span.end_time_ns - self.span.start_time_ns)

    @cached_property
    def content(self) -> Content:
        """What was said."""
        attributes = {**self.found.content, **self.span.attributes}
        return content_of(attributes, [(event.name, event.attributes) for event in self.span.events])

    @property
    def attributes(self) -> list[Attribute]:
        """By name."""
        return _attributes(self.span.attributes)

    @property
    def resource(self) -> list[Attribute]:
        """Of the service, by name."""
        return _attributes(self.span.resource_attributes)

    @cached_property
    def events(self) -> list[Happening]:
        """In the order in which they happened."""
        return [_happening(event, self.span.start_time_ns) for event in self.span.events]

    @property
    def exceptions(self) -> list[Happening]:
        """The events that are exceptions."""
        return [event for event in self.events if event.error]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is worth a line, by name."""
        attributes, usage = self.span.attributes, self.found.usage
        known: list[tuple[str, str | None]] = [("Service", self.span.service)]
        if usage:
            asked, answered = usage.request_model, usage.response_model
            models = f"{asked} \N{RIGHTWARDS ARROW} {answered}" if asked and answered and asked != answered else None
            known += [
                ("Model", models or answered or asked),
                ("Provider", usage.provider),
                ("Input tokens", _tokens(usage.input_tokens, cached=usage.cached_tokens,
                                         **{"written to cache": usage.cache_write_tokens})),
                ("Output tokens", _tokens(usage.output_tokens, reasoning=usage.reasoning_tokens)),
                ("Cost", formats.usd(usage.cost)),
            ]  # fmt: skip
        known += [
            ("Time to first chunk", _seconds(attributes.get("gen_ai.response.time_to_first_chunk"))),
            ("Retries", self._retries),
            ("Finish reason", _listed(attributes.get("gen_ai.response.finish_reasons"))),
            ("Tool", attributes.get("gen_ai.tool.name")),
            ("Agent", attributes.get("gen_ai.agent.name")),
            ("Error type", attributes.get("error.type")),
            ("Stream", attributes.get("hansei.stream.outcome")),
            ("Kind", self.span.kind if self.span.kind not in ("", "Unspecified", "Internal") else None),
            ("Instrumentation", self.found.scope),
            ("Trace state", self.found.trace_state),
        ]
        return [(name, value) for name, value in known if value]

    @property
    def _retries(self) -> str | None:
        resent = self.span.attributes.get("http.request.resend_count")
        noted = sum(1 for event in self.span.events if event.name == "hansei.retry")
        return resent if resent and resent != "0" else str(noted) if noted else None


def raw_json(found: SpanFound) -> dict[str, Any]:
    """A span as JSON, with what it used."""
    usage = found.usage
    used = {} if usage is None else {name: getattr(usage, name) for name in usage.__slots__}
    return {**found.span.to_dict(), "trace_state": found.trace_state, "scope": found.scope, "usage": used or None}


def _attributes(given: Any) -> list[Attribute]:
    return [
        Attribute(name, value[: 300 if name in _CONTENT else _ATTRIBUTE_CLIPPED], len(value))
        for name, value in sorted(given.items())
    ]


def _happening(event: Any, began: int) -> Happening:
    said = event.attributes
    known = ("exception.type", "exception.message", "exception.stacktrace")
    message = ": ".join(filter(None, (said.get("exception.type"), said.get("exception.message"))))
    return Happening(
        name=event.name,
        after=event.time_ns - began,
        error=event.name == "exception" or "exception.type" in said,
        message=message,
        stack=said.get("exception.stacktrace", ""),
        attributes=_attributes({name: value for name, value in said.items() if name not in known}),
    )


def _tokens(total: int, **parts: int) -> str:
    told = [f"{formats.count(number)} {name}" for name, number in parts.items() if number]
    return f"{total:,}" + (f" ({', '.join(told)})" if told else "")


def _seconds(text: str | None) -> str | None:
    try:
        return formats.duration(float(text) * 1e9) if text else None
    except ValueError:
        return text


def _listed(text: str | None) -> str | None:
    try:
        parsed = json.loads(text or "null")
    except ValueError:
        return text
    return ", ".join(map(str, parsed)) if isinstance(parsed, list) else text
