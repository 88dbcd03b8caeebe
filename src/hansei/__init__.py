"""hansei: an OpenTelemetry-native collector for generative-AI applications.

Every public name is importable from here and loaded on first use, so that ``import hansei`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hansei.instrumentation import instrument, session, uninstrument

__version__ = "0.1.0"
__all__ = ["__version__", "instrument", "session", "uninstrument"]

_HOMES = {
    "instrument": "hansei.instrumentation",
    "session": "hansei.instrumentation",
    "uninstrument": "hansei.instrumentation",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'hansei' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
