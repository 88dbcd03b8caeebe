"""The routes of ``/api/v1`` for leases: who may do what only one may do at a time."""

from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Principal, Role
from hansei.evaluation.api.answers import Handle, told
from hansei.evaluation.batch.lease_table import Lease, leases_of
from hansei.evaluation.errors import InvalidEvaluation, UnknownEvaluation
from hansei.feedback.api.parameters import Parameters
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource, json_body
from hansei.feedback.labeling.api_json import body_of
from hansei.feedback.labeling.texts import brief

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

LONGEST_NAME: Final = 300
"""Characters of a name and of a holder."""
LONGEST: Final = 86_400.0
"""Seconds of a term."""


class LeaseRoutes:
    """What the API does with leases."""

    def __init__(self, site: "Site") -> None:
        self._leases = leases_of(site.server.store, site.tables)
        self._run = site.reader.run

    async def read(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: who holds it, or held it last."""
        Parameters.of(request)
        name = request.path_params["name"]
        found = await self._run(self._leases.read, name)
        if found is None:
            raise UnknownEvaluation(f"there is no lease {name[:80]!r}")
        return Answer(200, _json(found))

    async def take(self, request: Request, _: Principal | None) -> Answer:
        """``POST``: take it; 409 where another holds it."""
        Parameters.of(request)
        body = body_of(await json_body(request), ("holder", "seconds"), "holder", "seconds")
        name = _name("name", request.path_params["name"])
        taken = await self._run(self._leases.take, name, _name("holder", body["holder"]), _seconds(body["seconds"]))
        return Answer(201, _json(taken))

    async def extend(self, request: Request, _: Principal | None) -> Answer:
        """``PUT``: have it for longer; 409 where it is over."""
        Parameters.of(request)
        fields = ("holder", "term", "seconds")
        body = body_of(await json_body(request), fields, *fields)
        name, holder = request.path_params["name"], _name("holder", body["holder"])
        extended = await self._run(self._leases.extend, name, holder, _term(body["term"]), _seconds(body["seconds"]))
        return Answer(200, _json(extended))

    async def release(self, request: Request, _: Principal | None) -> Answer:
        """``DELETE``: end it; 409 where it is over. Who holds it, and the term, stand in the address."""
        asked = Parameters.of(request, "holder", "term")
        term = asked.number("term", 0, 0, 2**32)
        await self._run(self._leases.release, request.path_params["name"], asked.text("holder") or "", term)
        return Answer(204, None)


def lease_api_routes(site: "Site") -> list[BaseRoute]:
    """The routes of leases."""
    leases = LeaseRoutes(site)

    def write(handle: Handle) -> Operation:
        return Operation(told(handle), Role.FEEDBACK)

    operations = {
        "GET": Operation(told(leases.read), Role.READ),
        "POST": write(leases.take),
        "PUT": write(leases.extend),
        "DELETE": write(leases.release),
    }
    return [Route(f"{PREFIX}/evaluation-leases/{{name:path}}", Resource(site, operations))]


def _json(lease: Lease) -> dict[str, Any]:
    return {
        "name": lease.name,
        "holder": lease.holder,
        "term": lease.term,
        "until_ms": lease.until_ms,
        "seconds_left": max(lease.until_ms - lease.now_ms, 0) / 1000,
    }


def _name(field: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        raise InvalidEvaluation(f"{field}: {brief(value)} is not a text of 1 to {LONGEST_NAME} characters in one line")
    return value


def _term(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidEvaluation(f"term: {brief(value)} is not the number of a term")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST:
        raise InvalidEvaluation(f"seconds: {brief(value)} is not a number above 0, up to {LONGEST:.0f}")
    return float(value)
