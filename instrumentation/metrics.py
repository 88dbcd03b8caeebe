"""Duration and token histograms, in the names that are deployed and in those that follow them."""

import logging
import os
from collections.abc import Mapping
from typing import Any

from opentelemetry import metrics
from opentelemetry.metrics import Histogram, Meter, MeterProvider
from opentelemetry.util.types import AttributeValue

from hansei import __version__
from hansei.instrumentation import attributes as names

METRICS_VARIABLE = "HANSEI_METRICS"
GENERATIONS = ("deployed", "latest", "both", "none")

_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
_TOKENS = [float(4**power) for power in range(14)]
_DIMENSIONS = (
    names.OPERATION_NAME,
    names.PROVIDER_NAME,
    names.REQUEST_MODEL,
    names.RESPONSE_MODEL,
    names.SERVER_ADDRESS,
    names.SERVER_PORT,
    names.OPENAI_RESPONSE_SERVICE_TIER,
)
_USAGE = {
    names.USAGE_INPUT_TOKENS: ("input", "gen_ai.client.inference.usage.input_tokens"),
    names.USAGE_OUTPUT_TOKENS: ("output", "gen_ai.client.inference.usage.output_tokens"),
}

_logger = logging.getLogger(__name__)


def generation_choice(choice: str | None) -> str:
    """Which generation of names to record: ``deployed`` (the default), ``latest``, ``both`` or ``none``.

    ``choice`` is what ``instrument(metrics=…)`` was given; without one ``HANSEI_METRICS`` decides, and without that
    ``OTEL_SEMCONV_STABILITY_OPT_IN``, whose ``gen_ai_latest_experimental`` means ``latest``.
    """
    word = (choice or os.environ.get(METRICS_VARIABLE, "")).strip().lower()
    if word:
        if word in GENERATIONS:
            return word
        _logger.warning("metrics: %r is not one of %s; deployed is used", word, ", ".join(GENERATIONS))
        return "deployed"
    opted_in = os.environ.get("OTEL_SEMCONV_STABILITY_OPT_IN", "").replace(" ", "").split(",")
    return "latest" if "gen_ai_latest_experimental" in opted_in else "deployed"


class Metrics:
    """The histograms of one instrumentation."""

    def __init__(self, meter: Meter, *, deployed: bool, latest: bool) -> None:
        self._durations: list[Histogram] = []
        self._first_chunks: list[Histogram] = []
        self._tokens: Histogram | None = None
        self._latest_tokens: dict[str, Histogram] = {}
        if deployed:
            self._durations.append(_seconds(meter, "gen_ai.client.operation.duration", "GenAI operation duration."))
            self._first_chunks.append(
                _seconds(meter, "gen_ai.client.operation.time_to_first_chunk", "Time to the first chunk of a stream.")
            )
            self._tokens = _tokens(meter, "gen_ai.client.token.usage", "Input and output tokens used.")
        if latest:
            self._durations.append(_seconds(meter, "gen_ai.client.inference.duration", "GenAI operation duration."))
            self._first_chunks.append(
                _seconds(meter, "gen_ai.client.inference.time_to_first_chunk", "Time to the first chunk of a stream.")
            )
            self._latest_tokens = {
                attribute: _tokens(meter, name, f"{kind.capitalize()} tokens used.")
                for attribute, (kind, name) in _USAGE.items()
            }

    @classmethod
    def create(cls, generation: str, provider: MeterProvider | None) -> "Metrics | None":
        """The histograms of a generation, with the process's meter provider where none is given."""
        if generation == "none":
            return None
        meter = metrics.get_meter("hansei.instrumentation", __version__, provider)
        return cls(meter, deployed=generation != "latest", latest=generation != "deployed")

    def record(self, attributes: Mapping[str, Any], seconds: float, context: Any) -> None:
        """Count one call, by what its span says of it; ``seconds`` it took; ``context`` holds its span."""
        dimensions: dict[str, AttributeValue] = {name: attributes[name] for name in _DIMENSIONS if name in attributes}
        for name in _USAGE:
            count = attributes.get(name)
            if count is not None:
                self._count(name, count, dimensions, context)
        first_chunk = attributes.get(names.RESPONSE_TIME_TO_FIRST_CHUNK)
        if first_chunk is not None:
            for histogram in self._first_chunks:
                histogram.record(first_chunk, dimensions, context)
        if (error := attributes.get(names.ERROR_TYPE)) is not None:
            dimensions[names.ERROR_TYPE] = error
        for histogram in self._durations:
            histogram.record(seconds, dimensions, context)

    def _count(self, name: str, count: int, dimensions: dict[str, AttributeValue], context: Any) -> None:
        if self._tokens is not None:
            self._tokens.record(count, {**dimensions, names.TOKEN_TYPE: _USAGE[name][0]}, context)
        if (histogram := self._latest_tokens.get(name)) is not None:
            histogram.record(count, dimensions, context)


def _seconds(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=_SECONDS)


def _tokens(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(name, "{token}", description, explicit_bucket_boundaries_advisory=_TOKENS)
