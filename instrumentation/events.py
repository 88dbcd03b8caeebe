"""Events of a call, as OTLP log records with the call's span: its details with content, and its exception."""

import os
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry._logs import Logger, LoggerProvider, LogRecord, SeverityNumber, get_logger
from opentelemetry.context import Context

from hansei import __version__

DETAILS_EVENT = "gen_ai.client.inference.operation.details"
EXCEPTION_EVENT = "gen_ai.client.operation.exception"
EMIT_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"
EXCEPTION_VARIABLE = "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN"


@dataclass(frozen=True, slots=True)
class Events:
    """What is sent as events, and to whom."""

    logger: Logger
    details: bool
    """Whether each call gets an event with its details."""
    exceptions: bool
    """Whether each failure gets one."""

    @classmethod
    def create(cls, provider: LoggerProvider | None, *, content_on_events: bool) -> "Events | None":
        """The events that are wanted; ``None`` where none are.

        Details: where content goes on events, or ``OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT`` is ``true``. Exceptions:
        where ``OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN`` is ``logs`` or ``logs/dup``.
        """
        details = content_on_events or os.environ.get(EMIT_VARIABLE, "").strip().lower() == "true"
        exceptions = "logs" in exception_signals()
        if not (details or exceptions):
            return None
        return cls(get_logger("hansei.instrumentation", __version__, provider), details, exceptions)

    def emit_details(self, attributes: Mapping[str, Any], context: Context) -> None:
        """Send the details of a call; structured values stay structured."""
        self.logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                event_name=DETAILS_EVENT,
                severity_number=SeverityNumber.DEBUG,
                severity_text="DEBUG",
                attributes=dict(attributes),
                context=context,
            )
        )

    def emit_exception(self, error: BaseException, context: Context) -> None:
        """Send a failure."""
        self.logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                event_name=EXCEPTION_EVENT,
                severity_number=SeverityNumber.WARN,
                severity_text="WARN",
                attributes={
                    "exception.type": type_name(error),
                    "exception.message": str(error),
                    "exception.stacktrace": "".join(
                        traceback.format_exception(type(error), error, error.__traceback__)
                    ),
                },
                context=context,
            )
        )


def exception_signals() -> frozenset[str]:
    """Where exceptions are recorded: ``spans`` (as span events, the default), ``logs``, or both."""
    word = os.environ.get(EXCEPTION_VARIABLE, "").strip().lower()
    return {"logs": frozenset({"logs"}), "logs/dup": frozenset({"logs", "spans"})}.get(word, frozenset({"spans"}))


def type_name(error: BaseException) -> str:
    """An exception's type as ``exception.type`` and ``error.type`` have it."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
