"""The OpenAI instrumentor, as OpenTelemetry's tools know instrumentors."""

import logging
from collections.abc import Collection
from typing import Any

from opentelemetry import trace

# mypy sees nothing in that module: it opens with `type: ignore`.
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
from wrapt import BoundFunctionWrapper, FunctionWrapper, wrap_function_wrapper

from hansei import __version__
from hansei.instrumentation.chat import ChatCompletions
from hansei.instrumentation.content import content_recorded
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.rivals import active_rival

_logger = logging.getLogger(__name__)


class HanseiOpenAIInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Gives calls of the openai client spans; ``opentelemetry-instrument`` loads it as ``hansei_openai``.

    ``instrument(tracer_provider=…, capture_content=…)`` takes both or neither. Content is off unless
    ``capture_content`` or ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` asks for it.
    """

    # One object for the process, whose __init__ would run again on every use of the class.
    _observer: ChatCompletions | None = None
    _rival_found: bool | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """The clients that can be wrapped."""
        return ("openai >= 1.26.0",)

    @property
    def observing(self) -> bool:
        """Whether calls get spans from here."""
        return self._observer is not None and not self._rival_found

    def _instrument(self, **kwargs: Any) -> None:
        self._rival_found = None
        if self._stands_down():
            return
        # Two instrumentors can be loaded in any order, so the first call looks again.
        self._rival_found = None
        tracer = trace.get_tracer("hansei.instrumentation", __version__, kwargs.get("tracer_provider"))
        observer = ChatCompletions(
            tracer,
            Guard(),
            content=content_recorded(kwargs.get("capture_content"), default=False),
            stands_down=self._stands_down,
        )
        wrap_function_wrapper("openai.resources.chat.completions", "Completions.create", observer)
        self._observer = observer

    def _uninstrument(self, **kwargs: Any) -> None:
        observer, self._observer = self._observer, None
        if observer is None:
            return
        # What others have wrapped around it, or a client has cached, cannot be taken out: it passes through.
        observer.enabled = False
        from openai.resources.chat.completions import Completions

        outermost = vars(Completions)["create"]
        # One that was wrapped around ours and taken out again has left ours bound.
        wrappers = (FunctionWrapper, BoundFunctionWrapper)
        if isinstance(outermost, wrappers) and outermost._self_wrapper is observer:
            Completions.create = outermost.__wrapped__  # type: ignore[method-assign]

    def _stands_down(self) -> bool:
        if self._rival_found is None:
            rival = active_rival()
            self._rival_found = rival is not None
            if rival:
                _logger.warning(
                    "hansei leaves OpenAI calls to %s, which already traces them; "
                    "uninstrument it if you want hansei's spans instead",
                    rival,
                )
        return self._rival_found
