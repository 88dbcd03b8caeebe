"""What tells a machine how the collector is: ``/healthz``, ``/readyz``, ``/metrics``."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


@dataclass(frozen=True)
class Readiness:
    """Whether the collector takes data, and what it waits for."""

    ready: bool
    store: str
    """``ok``, or why the store does not take inserts; what comes in waits in the log meanwhile."""
    waiting_bytes: int
    waiting_segments: int
    dead_letters: int


def status_routes(readiness: Callable[[], Readiness], metrics: Callable[[], bytes], api_key: str | None) -> list[Route]:
    """The routes. Metrics need the key where there is one; health does not, since probes have none."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        state = readiness()
        return JSONResponse(state.__dict__, 200 if state.ready else 503)

    async def metrics_text(request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        if api_key is not None and not hmac.compare_digest(authorization.encode(), f"Bearer {api_key}".encode()):
            return PlainTextResponse(
                "send the key as a header: Authorization: Bearer KEY\n", 401, {"WWW-Authenticate": "Bearer"}
            )
        return Response(metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics_text)]
