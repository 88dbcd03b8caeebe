"""Where events are sent, by what the hansei at ``HANSEI_URL`` says."""

from dataclasses import replace
from typing import Final

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationError
from hansei.feedback.http_exchange import HttpServer, is_of_its_own

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
    if is_of_its_own(server.host, client.server.host):
        return replace(server, host=client.server.host)
    return server
