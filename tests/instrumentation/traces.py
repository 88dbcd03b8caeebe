"""Spans that the application makes by hand, kept in memory with their content."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from hansei.instrumentation import session_processor
from hansei.instrumentation.content import Content, process_content
from hansei.instrumentation.process_tracer import process_tracer

from .conftest import Spans


@pytest.fixture
def traces(spans: Spans) -> Iterator[Spans]:
    """As after ``instrument(capture_content=True)`` with a provider in memory."""
    process_tracer.use(spans.provider)
    process_content.set(Content(on_spans=True))
    session_processor.install(spans.provider)
    yield spans
    process_tracer.use(None)
    process_content.set(None)


def found(span: ReadableSpan) -> dict[str, Any]:
    """A span's attributes."""
    return dict(span.attributes or {})


def read(span: ReadableSpan, name: str) -> Any:
    """The value of an attribute that is JSON text."""
    return json.loads(found(span)[name])
