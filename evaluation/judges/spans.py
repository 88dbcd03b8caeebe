"""Each question to a model as a span: what judging costs is visible like any other model call."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from hansei import __version__
from hansei.evaluation.judges.question import Question, Verdict
from hansei.evaluation.telemetry import RUN_ID, evaluation_tracer_provider
from hansei.instrumentation.content import process_content
from hansei.instrumentation.json_text import json_text

SCORER = "hansei.evaluation.scorer"
SCORER_VERSION = "hansei.evaluation.scorer.version"
SUBJECT = "hansei.evaluation.subject"
_SCOPE = "hansei.evaluation"


class JudgeSpans:
    """Makes the spans of a run."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._provider = evaluation_tracer_provider()
        self._tracer = self._provider.get_tracer(_SCOPE, __version__)

    def begin(self, question: Question) -> Span:
        """A model is asked. The span is in no trace of the application's; an attribute names what is judged."""
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": question.model.name,
            SCORER: question.scorer,
            SCORER_VERSION: question.scorer_version,
            SUBJECT: question.subject_id,
        }
        if self._run_id:
            attributes[RUN_ID] = self._run_id
        if process_content.content.on_spans:
            attributes["gen_ai.input.messages"] = json_text(
                [{"role": each["role"], "parts": [{"type": "text", "content": each["content"]}]}
                 for each in question.messages]
            )  # fmt: skip
        return self._tracer.start_span(f"chat {question.model.name}", Context(), SpanKind.CLIENT, attributes)

    def answered(self, span: Span, verdict: Verdict, finish_reason: str | None) -> None:
        """The model has answered."""
        span.set_attributes(
            {
                "gen_ai.response.model": verdict.model,
                "gen_ai.usage.input_tokens": verdict.input_tokens,
                "gen_ai.usage.output_tokens": verdict.output_tokens,
                **({"gen_ai.response.finish_reasons": (finish_reason,)} if finish_reason else {}),
            }
        )
        if process_content.content.on_spans:
            said: Mapping[str, Any] = {"rationale": verdict.rationale, "value": verdict.value}
            part = {"type": "text", "content": json_text(said)}
            message = {"role": "assistant", "parts": [part], "finish_reason": finish_reason or "stop"}
            span.set_attribute("gen_ai.output.messages", json_text([message]))
        span.end()

    def failed(self, span: Span, error: BaseException) -> None:
        """No answer can be used."""
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(Status(StatusCode.ERROR, str(error)))
        span.end()

    def flush(self) -> None:
        """Send what is left."""
        self._provider.force_flush()
