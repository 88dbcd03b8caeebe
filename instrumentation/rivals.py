"""Other instrumentations of the openai client in the same process.

Two of them would give every call two spans, so hansei looks for another and stands down.
"""

import sys
from typing import Any

# mypy sees nothing in that module: it opens with `type: ignore`.
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
from wrapt import BoundFunctionWrapper, FunctionWrapper

# Where wrappers that already make OpenTelemetry spans of OpenAI calls live.
_TRACING_PACKAGES = ("opentelemetry", "openinference", "traceloop", "langfuse")


def active_rival() -> str | None:
    """The name of another instrumentation that is at work, or None."""
    return _active_instrumentor() or _wrapper_in_place()


def _active_instrumentor() -> str | None:
    # The official one, its predecessor, OpenInference's and Traceloop's all have this class name.
    for kind in _subclasses(BaseInstrumentor):
        instance = kind._instance
        if kind.__name__ == "OpenAIInstrumentor" and getattr(instance, "_is_instrumented_by_opentelemetry", False):
            return kind.__module__
    return None


def _wrapper_in_place() -> str | None:
    completions = sys.modules.get("openai.resources.chat.completions.completions")
    if completions is None:
        return None
    layer = vars(completions.Completions).get("create")
    while isinstance(layer, FunctionWrapper | BoundFunctionWrapper):
        # Of a wrapper that is an instance, the class says where it is from.
        wrapper = layer._self_wrapper
        module = getattr(wrapper, "__module__", None) or ""
        if module.split(".")[0] in _TRACING_PACKAGES:
            return module
        layer = layer.__wrapped__
    return None


def _subclasses(kind: type[Any]) -> list[type[Any]]:
    direct = kind.__subclasses__()
    return direct + [deeper for child in direct for deeper in _subclasses(child)]
