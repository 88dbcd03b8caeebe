"""Where what is recorded of a call goes: spans, and metrics and events where they are wanted."""

from dataclasses import dataclass, field

from opentelemetry.trace import Tracer

from hansei.instrumentation.content import Content
from hansei.instrumentation.events import Events
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The instruments of one instrumentation."""

    tracer: Tracer
    content: Content
    metrics: Metrics | None = None
    events: Events | None = None
    guard: Guard = field(default_factory=Guard)
