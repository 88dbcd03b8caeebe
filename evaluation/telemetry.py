"""Spans of evaluation itself, to the hansei that is evaluated with: never through the providers of the process."""

import atexit
import os
from functools import lru_cache
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.otlp_address import otlp_grpc

SERVICE_NAME: Final = "hansei-evaluation"
"""Of the spans and events of evaluation; batches never choose its traces."""
RUN_ID: Final = "hansei.evaluation.run.id"
"""On the root span of what a run calls."""

_QUEUE: Final = 16_384
"""Spans that may wait to be sent; more are dropped rather than waited for."""
_PATIENCE_MS: Final = 5_000


def evaluation_tracer_provider(client: EvaluationClient | None = None) -> TracerProvider:
    """The provider of this process, for the hansei that the environment names. Raises ``EvaluationError``."""
    asked = client or EvaluationClient()
    return _provider(os.getpid(), *otlp_grpc(asked), asked.server.api_key)


@lru_cache(maxsize=8)
def _provider(_: int, endpoint: str, insecure: bool, api_key: str | None) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    headers = (("authorization", f"Bearer {api_key}"),) if api_key else ()
    exporter = OTLPSpanExporter(endpoint=endpoint, insecure=insecure, headers=headers)
    resource = Resource({"service.name": SERVICE_NAME})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=_QUEUE))
    atexit.register(provider.force_flush, _PATIENCE_MS)
    return provider
