"""OpenTelemetry spans for the model calls of a Python service.

``instrument()`` is all most services need. Importing this package loads neither openai nor gRPC.
"""

from hansei.instrumentation.activation import instrument, uninstrument
from hansei.instrumentation.active_trace import get_current_trace_id, get_last_active_trace_id, update_current_trace
from hansei.instrumentation.asgi import HanseiASGIMiddleware
from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor
from hansei.instrumentation.manual_span import get_current_active_span, start_span
from hansei.instrumentation.session_context import session, using_attributes
from hansei.instrumentation.span_types import SpanType
from hansei.instrumentation.traced import trace
from hansei.instrumentation.wsgi import HanseiWSGIMiddleware

__all__ = [
    "HanseiASGIMiddleware",
    "HanseiOpenAIInstrumentor",
    "HanseiWSGIMiddleware",
    "SpanType",
    "get_current_active_span",
    "get_current_trace_id",
    "get_last_active_trace_id",
    "instrument",
    "session",
    "start_span",
    "trace",
    "uninstrument",
    "update_current_trace",
    "using_attributes",
]
