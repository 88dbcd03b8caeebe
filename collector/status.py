"""What tells a machine how the collector is: ``/healthz``, ``/readyz``, ``/metrics``."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hansei.collector.key_format import bearer
from hansei.collector.keys import KeyRefused, Keys, Role


@dataclass(frozen=True)
class Readiness:
    """Whether the collector takes data, and what it waits for."""

    ready: bool
    store: str
    """``ok``, or why the store does not take inserts; what comes in waits in the log meanwhile."""
    waiting_bytes: int
    waiting_segments: int
    dead_letters: int


def status_routes(readiness: Callable[[], Readiness], metrics: Callable[[], bytes], keys: Keys) -> list[Route]:
    """The routes. Metrics need a key that reads, where one is asked for; health does not, since probes have none."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        state = readiness()
        return JSONResponse(state.__dict__, 200 if state.ready else 503)

    async def metrics_text(request: Request) -> Response:
        try:
            keys.require(bearer(request.headers.get("authorization")), Role.READ)
        except KeyRefused as error:
            headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
            return PlainTextResponse(f"{error}\n", error.status, headers)
        return Response(metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics_text)]
