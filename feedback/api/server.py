"""The server: its version, and where it takes OTLP and answers SQL."""

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.routing import Route

from hansei import __version__
from hansei.collector.address import Address
from hansei.collector.keys import Principal
from hansei.feedback.api.parameters import Parameters
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def server_routes(site: "Site") -> list[Route]:
    """The routes."""
    server = site.server

    async def read(request: Request, _: Principal | None) -> Answer:
        Parameters.of(request)
        addresses = server.addresses()

        def url(name: str) -> str:
            return f"http://{reached(addresses[name], request.headers.get('host', ''))}"

        sql: dict[str, Any] | None = None
        if "sql" in addresses:
            sql = {"url": url("sql"), "database": "default"}
        body = {
            "version": __version__,
            "keys_required": server.keys.required,
            "otlp_grpc": {"url": url("otlp_grpc")},
            "otlp_http": {"url": url("otlp_http")},
            "sql": sql,
            "sql_explanation": None if sql else "the data is in a ClickHouse server; ask that one for SQL",
        }
        return Answer(200, body)

    return [Route(PREFIX + "/server", Resource(site, {"GET": Operation(read, None)}))]


def reached(listening: Address, host: str) -> Address:
    """An address as who sent this ``Host`` header reaches it: one that listens everywhere has every name."""
    try:
        everywhere = ipaddress.ip_address(listening.host).is_unspecified
        asked = urlsplit(f"//{host}").hostname
    except ValueError:
        return listening
    return Address(asked, listening.port) if everywhere and asked else listening
