"""OpenTelemetry spans for the model calls of a Python service.

``instrument()`` is all most services need. Importing this package loads neither openai nor gRPC.
"""

from hansei.instrumentation.activation import instrument, uninstrument
from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor
from hansei.instrumentation.session_context import session

__all__ = ["HanseiOpenAIInstrumentor", "instrument", "session", "uninstrument"]
