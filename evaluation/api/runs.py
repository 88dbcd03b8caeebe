"""The routes of ``/api/v1`` for runs."""

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Principal, Role
from hansei.evaluation.api.answers import Handle, told
from hansei.evaluation.runs.record import KINDS
from hansei.evaluation.runs.sent import CHANGES, NEW, changes_of, new_run, row_json, rows_of, run_json
from hansei.evaluation.runs.store import (
    change_run,
    delete_run,
    existing_run,
    new_run_id,
    read_rows,
    read_runs,
    write_rows,
    write_run,
)
from hansei.feedback.api.parameters import PAGES, Parameters, items
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource, json_body, name_of
from hansei.feedback.labeling.api_json import body_of
from hansei.feedback.search.page import place_of, token_of

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

LARGEST_BODY: Final = 16 * 1024**2
"""Bytes of a list of rows."""


class Runs:
    """What the API does with runs."""

    def __init__(self, site: "Site") -> None:
        self._tables = site.tables
        self._run = site.reader.run

    async def start(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: a run begins."""
        Parameters.of(request)
        body = body_of(await json_body(request), NEW, "name")
        record = new_run(body, new_run_id(), self._tables.clock.tick() // 1_000_000)
        await self._run(write_run, self._tables, record, changed_by=name_of(principal))
        return Answer(201, run_json(record), {"Location": f"{PREFIX}/evaluation-runs/{record.run_id}"})

    async def list(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: runs, the last to start first."""
        parameters = Parameters.of(request, *PAGES, "kind", "batch", "name")
        found = await self._run(
            read_runs,
            self._tables.query,
            kind=parameters.choice("kind", KINDS) or "",
            batch=parameters.text("batch") or "",
            name=parameters.text("name") or "",
            limit=parameters.limit,
            page_token=parameters.text("page_token"),
        )
        body = items([run_json(each) for each in found], found.next_page_token)
        return Answer(200, body, parameters.next_page(found.next_page_token))

    async def read(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: a run."""
        Parameters.of(request)
        return Answer(200, run_json(await self._run(existing_run, self._tables.query, request.path_params["run_id"])))

    async def change(self, request: Request, principal: Principal | None) -> Answer:
        """``PATCH``: how far it is, or how it ended."""
        Parameters.of(request)
        changes = changes_of(body_of(await json_body(request), CHANGES))
        run_id = request.path_params["run_id"]
        return Answer(
            200,
            run_json(await self._run(change_run, self._tables, run_id, changes, changed_by=name_of(principal))),
        )

    async def delete(self, request: Request, principal: Principal | None) -> Answer:
        """``DELETE``: a run; its scores stay."""
        Parameters.of(request)
        await self._run(delete_run, self._tables, request.path_params["run_id"], changed_by=name_of(principal))
        return Answer(204, None)

    async def rows(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: the rows of a run, in their order."""
        parameters = Parameters.of(request, *PAGES)
        run_id, limit, token = request.path_params["run_id"], parameters.limit, parameters.text("page_token")
        start = 0 if token is None else int(place_of(token, int)[0])
        await self._run(existing_run, self._tables.query, run_id)
        found = await self._run(read_rows, self._tables.query, run_id, start=start, limit=limit + 1)
        next_token = token_of(found[limit].position) if len(found) > limit else None
        body = items([row_json(each) for each in found[:limit]], next_token)
        return Answer(200, body, parameters.next_page(next_token))

    async def add_rows(self, request: Request, _: Principal | None) -> Answer:
        """``POST``: rows; one of a position that is there replaces it."""
        Parameters.of(request)
        rows = rows_of(body_of(await json_body(request, LARGEST_BODY), ("rows",), "rows")["rows"])
        await self._run(write_rows, self._tables, request.path_params["run_id"], rows)
        return Answer(200, {"rows": len(rows)})


def run_api_routes(site: "Site") -> list[BaseRoute]:
    """The routes of runs."""
    runs = Runs(site)

    def read(handle: Handle) -> Operation:
        return Operation(told(handle), Role.READ)

    def write(handle: Handle) -> Operation:
        return Operation(told(handle), Role.FEEDBACK)

    path = f"{PREFIX}/evaluation-runs"
    return [
        Route(path, Resource(site, {"GET": read(runs.list), "POST": write(runs.start)})),
        Route(
            path + "/{run_id}",
            Resource(site, {"GET": read(runs.read), "PATCH": write(runs.change), "DELETE": write(runs.delete)}),
        ),
        Route(path + "/{run_id}/rows", Resource(site, {"GET": read(runs.rows), "POST": write(runs.add_rows)})),
    ]
