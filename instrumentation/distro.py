"""Zero code: what ``opentelemetry-instrument`` loads from hansei.

It loads a distro, which sets defaults, then a configurator, which sets up the SDK, then every instrumentor. All of
ours are named ``hansei``. Installing hansei must not change where a service that has another distro sends its
telemetry, so ours stand back for others unless ``OTEL_PYTHON_DISTRO=hansei`` (or ``OTEL_PYTHON_CONFIGURATOR=hansei``)
asks for them.
"""

import os
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined] # it opens with `type: ignore`

from hansei.instrumentation.activation import process_activation
from hansei.instrumentation.content import process_content
from hansei.instrumentation.exporters import DEFAULT_ENDPOINTS

NAME: Final = "hansei"
INSTRUMENTOR: Final = "hansei_openai"

_DISTRO = "OTEL_PYTHON_DISTRO"
_CONFIGURATOR = "OTEL_PYTHON_CONFIGURATOR"


class HanseiDistro(BaseDistro):  # type: ignore[misc]
    """Sends to hansei what the environment does not send elsewhere."""

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Start an instrumentor; ours with the content that hansei records where it has configured the SDK."""
        if entry_point.name == INSTRUMENTOR:
            kwargs["content"] = process_content.content
        super().load_instrumentor(entry_point, **kwargs)

    def _configure(self, **kwargs: Any) -> None:
        protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").strip().lower() or "grpc"
        defaults = {
            _CONFIGURATOR: NAME,
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "none",  # hansei does not take them yet
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_ENDPOINT": DEFAULT_ENDPOINTS.get(protocol, DEFAULT_ENDPOINTS["grpc"]),
        }
        for name, value in defaults.items():
            if not os.environ.get(name):
                os.environ[name] = value


class HanseiConfigurator:
    """Sets up the SDK as ``hansei.instrument()`` does."""

    def configure(self, auto_instrumentation_version: str | None = None, **kwargs: Any) -> None:
        """Set it up, or let another package's configurator do it where hansei was not asked for."""
        other = _other("opentelemetry_configurator", _CONFIGURATOR)
        if other is not None:
            other.load()().configure(auto_instrumentation_version=auto_instrumentation_version, **kwargs)
            return
        version = {"telemetry.auto.version": auto_instrumentation_version} if auto_instrumentation_version else {}
        process_activation.configure(version)


def distro() -> HanseiDistro | None:
    """The distro, or None, which OpenTelemetry's loader skips, where another is installed and ours is not asked for."""
    return None if _other("opentelemetry_distro", _DISTRO) is not None else HanseiDistro()


def _other(group: str, variable: str) -> EntryPoint | None:
    """Another package's entry point, unless the variable names ours."""
    if os.environ.get(variable) == NAME:
        return None
    return next((found for found in entry_points(group=group) if found.name != NAME), None)
