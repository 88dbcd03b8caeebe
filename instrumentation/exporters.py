"""Which exporters there are to be: what ``instrument()`` was told, else OpenTelemetry's variables, else hansei."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Final

from opentelemetry.util.re import parse_env_headers

from hansei.instrumentation.setup_error import SetupError

KEY_VARIABLE: Final = "HANSEI_API_KEY"
DEFAULT_ENDPOINTS: Final = {"grpc": "http://127.0.0.1:4317", "http/protobuf": "http://127.0.0.1:4318"}
"""Where a hansei on this machine listens, by protocol."""

_IMPLEMENTATIONS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_OTLP = {"otlp": None, "otlp_proto_grpc": "grpc", "otlp_proto_http": "http/protobuf"}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where telemetry goes, as far as the caller of ``instrument()`` has said."""

    endpoint: str | None = None
    """A base URL, for every signal; ``None`` leaves it to the environment."""
    protocol: str | None = None
    """``grpc`` or ``http/protobuf``."""
    api_key: str | None = None
    """Goes over the key of ``HANSEI_API_KEY`` and over an authorization among the headers of the environment."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One exporter of a signal, not made yet."""

    make: Callable[[], Any]
    target: str | None
    """The address that it sends to by OTLP; None for an exporter of another kind."""


def chosen_exporters(signal: str, destination: Destination, *, default: str = "otlp") -> list[Chosen]:
    """The exporters of ``traces``, ``logs`` or ``metrics``: those of ``OTEL_<SIGNAL>_EXPORTER``, else ``default``.

    Raises ``SetupError`` for an exporter or a protocol that is unknown or not installed.
    """
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    names = [name.strip() for name in (os.environ.get(variable) or default).split(",")]
    return [_chosen(signal, name, variable, destination) for name in names if name and name.lower() != "none"]


def component(group: str, name: str, variable: str) -> Any:
    """What an installed package offers under ``name``. Raises ``SetupError`` if none does."""
    offered = entry_points(group=group)
    for found in offered:
        if found.name == name:
            return found.load()
    raise SetupError(f"{variable}: {name!r} is not installed; there are {', '.join(sorted(offered.names)) or 'none'}")


def _chosen(signal: str, name: str, variable: str, destination: Destination) -> Chosen:
    if name not in _OTLP:
        return Chosen(component(f"opentelemetry_{signal}_exporter", name, variable), None)
    protocol = _OTLP[name] or _protocol(signal, destination)
    kind = _otlp_exporter(signal, protocol)
    endpoint, target = _endpoint(signal, protocol, destination)
    headers = _headers(signal, destination)
    return Chosen(lambda: kind(endpoint=endpoint, headers=headers), target)


def _protocol(signal: str, destination: Destination) -> str:
    name, value = _first_set(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    if destination.protocol:
        name, value = "protocol", destination.protocol
    protocol = value.strip().lower() or "grpc"
    if protocol not in _IMPLEMENTATIONS:
        raise SetupError(f"{name}: {value!r} is not supported; use one of {', '.join(_IMPLEMENTATIONS)}")
    return protocol


def _otlp_exporter(signal: str, protocol: str) -> Callable[..., Any]:
    try:
        kind: Callable[..., Any] = component(
            f"opentelemetry_{signal}_exporter", _IMPLEMENTATIONS[protocol], f"protocol {protocol}"
        )
    except (SetupError, ImportError) as error:
        if protocol == "grpc":
            raise
        raise SetupError(f"protocol: {protocol!r} needs a package more: pip install 'hansei[http]'") from error
    return kind


def _endpoint(signal: str, protocol: str, destination: Destination) -> tuple[str | None, str]:
    """The argument of the exporter, ``None`` where it reads the environment itself; and the address to tell people."""
    _, configured = _first_set(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    if configured and not destination.endpoint:
        return None, configured
    base = destination.endpoint or DEFAULT_ENDPOINTS[protocol]
    if "://" not in base:
        base = f"http://{base}"
    return (base if protocol == "grpc" else f"{base.rstrip('/')}/v1/{signal}"), base


def _headers(signal: str, destination: Destination) -> Mapping[str, str] | None:
    _, configured = _first_set(f"OTEL_EXPORTER_OTLP_{signal.upper()}_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
    headers = dict(parse_env_headers(configured, liberal=True))
    if destination.api_key:
        headers["authorization"] = f"Bearer {destination.api_key}"
    elif key := os.environ.get(KEY_VARIABLE):
        headers.setdefault("authorization", f"Bearer {key}")
    return headers or None


def _first_set(*variables: str) -> tuple[str, str]:
    """The first variable that has a value, with the value."""
    return next(((name, value) for name in variables if (value := os.environ.get(name))), (variables[-1], ""))
