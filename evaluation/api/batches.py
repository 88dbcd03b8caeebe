"""The routes of ``/api/v1`` for batches: how far each has come, and when it runs next."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Principal, Role
from hansei.evaluation.api.answers import Handle, told
from hansei.evaluation.batch.record import STATUSES
from hansei.evaluation.batch.store import change_batch, delete_batch, existing_batch, read_batches
from hansei.evaluation.errors import InvalidEvaluation
from hansei.feedback.api.parameters import Parameters, items
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource, json_body, name_of
from hansei.feedback.labeling.texts import brief

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

CHANGES: Final = ("config", "schedule", "watermark_ms", "retry_from_ms", "next_run_ms", "last_run_id", "status")
LONGEST_NAME: Final = 200
"""Characters."""
_TIMES: Final = ("watermark_ms", "retry_from_ms", "next_run_ms")
_LATEST: Final = 2**53


class Batches:
    """What the API does with batches."""

    def __init__(self, site: "Site") -> None:
        self._tables = site.tables
        self._run = site.reader.run

    async def list(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: all batches, by name."""
        Parameters.of(request)
        found = await self._run(read_batches, self._tables.query)
        return Answer(200, items([asdict(each) for each in found], None))

    async def read(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: a batch."""
        Parameters.of(request)
        return Answer(200, asdict(await self._run(existing_batch, self._tables.query, request.path_params["name"])))

    async def change(self, request: Request, principal: Principal | None) -> Answer:
        """``PUT``: a batch, or what changes of it: what is not given stays. Its watermark goes forward only."""
        Parameters.of(request)
        changes = changes_of(await json_body(request))
        name = request.path_params["name"]
        if not name.isprintable() or len(name) > LONGEST_NAME:
            raise InvalidEvaluation(f"name: {brief(name)} is not a text of at most {LONGEST_NAME} characters")
        changed = await self._run(change_batch, self._tables, name, changes, changed_by=name_of(principal))
        return Answer(200, asdict(changed))

    async def delete(self, request: Request, principal: Principal | None) -> Answer:
        """``DELETE``: forget how far it has come."""
        Parameters.of(request)
        await self._run(delete_batch, self._tables, request.path_params["name"], changed_by=name_of(principal))
        return Answer(204, None)


def changes_of(body: object) -> Mapping[str, Any]:
    """What is to change, checked. Raises ``InvalidEvaluation``."""
    if not isinstance(body, dict):
        raise InvalidEvaluation(f"body: {brief(body)} is not an object")
    for name, value in body.items():
        if name not in CHANGES:
            raise InvalidEvaluation(f"{name[:80]}: there is no such field; there are {', '.join(CHANGES)}")
        if name == "config" and not isinstance(value, dict):
            raise InvalidEvaluation(f"config: {brief(value)} is not an object")
        if name in ("schedule", "last_run_id") and not isinstance(value, str):
            raise InvalidEvaluation(f"{name}: {brief(value)} is not a text")
        if name == "status" and value not in STATUSES:
            raise InvalidEvaluation(f"status: {brief(value)} is not one of {', '.join(filter(None, STATUSES))}")
        if name in _TIMES and not (name == "next_run_ms" and value is None):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not 0 <= value < _LATEST:
                raise InvalidEvaluation(f"{name}: {brief(value)} is not milliseconds since 1970")
    return body


def batch_api_routes(site: "Site") -> list[BaseRoute]:
    """The routes of batches."""
    batches = Batches(site)

    def read(handle: Handle) -> Operation:
        return Operation(told(handle), Role.READ)

    def write(handle: Handle) -> Operation:
        return Operation(told(handle), Role.FEEDBACK)

    path = f"{PREFIX}/evaluation-batches"
    return [
        Route(path, Resource(site, {"GET": read(batches.list)})),
        # A shard's name has a slash in it.
        Route(
            path + "/{name:path}",
            Resource(site, {"GET": read(batches.read), "PUT": write(batches.change), "DELETE": write(batches.delete)}),
        ),
    ]
