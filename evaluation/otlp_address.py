"""Where events are sent, by what the hansei at ``HANSEI_URL`` says."""

import ipaddress
from dataclasses import replace
from typing import Final

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationError
from hansei.feedback.http_exchange import HttpServer

LOGS: Final = "/v1/logs"


def otlp_http(client: EvaluationClient) -> HttpServer:
    """Where that hansei takes OTLP over HTTP, with the same key. Raises ``EvaluationError``."""
    return _told(client, "otlp_http")


def otlp_grpc(client: EvaluationClient) -> tuple[str, bool]:
    """Where it takes OTLP over gRPC, and whether that is without TLS. Raises ``EvaluationError``."""
    server = _told(client, "otlp_grpc")
    return str(server), not server.secure


def _told(client: EvaluationClient, name: str) -> HttpServer:
    told = client.ask("GET", "server")
    try:
        server = HttpServer.of(name, told[name]["url"], client.server.api_key)
    except (LookupError, TypeError) as error:
        raise EvaluationError(f"{client.server} does not say where it takes OTLP; check HANSEI_URL") from error
    if _is_loopback(server.host) and not _is_loopback(client.server.host):
        # Its own machine is not this one: what forwards the one port may forward the other.
        return replace(server, host=client.server.host)
    return server


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
