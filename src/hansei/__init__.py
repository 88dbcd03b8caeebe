"""hansei: an OpenTelemetry-native collector for generative-AI applications.

Every public name is importable from here and loaded on first use, so that ``import hansei`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hansei.instrumentation import (
        HanseiASGIMiddleware,
        HanseiWSGIMiddleware,
        SpanType,
        get_current_active_span,
        get_current_trace_id,
        get_last_active_trace_id,
        instrument,
        session,
        start_span,
        trace,
        uninstrument,
        update_current_trace,
        using_attributes,
    )
    from hansei.instrumentation.activation import flush

__version__ = "0.1.0"
__all__ = [
    "HanseiASGIMiddleware",
    "HanseiWSGIMiddleware",
    "SpanType",
    "__version__",
    "flush",
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

_HOMES = {
    "HanseiASGIMiddleware": "hansei.instrumentation",
    "HanseiWSGIMiddleware": "hansei.instrumentation",
    "SpanType": "hansei.instrumentation",
    "flush": "hansei.instrumentation.activation",
    "get_current_active_span": "hansei.instrumentation",
    "get_current_trace_id": "hansei.instrumentation",
    "get_last_active_trace_id": "hansei.instrumentation",
    "instrument": "hansei.instrumentation",
    "session": "hansei.instrumentation",
    "start_span": "hansei.instrumentation",
    "trace": "hansei.instrumentation",
    "uninstrument": "hansei.instrumentation",
    "update_current_trace": "hansei.instrumentation",
    "using_attributes": "hansei.instrumentation",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'hansei' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
