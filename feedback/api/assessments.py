"""Assessments: recording, correcting, retracting and reading them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.routing import Route

from hansei.collector.keys import Principal, Role
from hansei.feedback.api.assessment_json import (
    KINDS,
    assessment_json,
    correction_of,
    moment_json,
    statement_of,
)
from hansei.feedback.api.idempotency import IdempotencyKey
from hansei.feedback.api.parameters import PAGES, Parameters, items
from hansei.feedback.api.problem import Mistake, Problem
from hansei.feedback.api.repetitions import Repetitions
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource, json_body
from hansei.feedback.api.writing import Writer, Written
from hansei.feedback.assessment import Assessment
from hansei.feedback.search.arguments import one_line
from hansei.feedback.search.assessments import find_assessments, read_assessment
from hansei.feedback.search.ledger import Row, count_unlinked, find_unlinked, read_histories
from hansei.feedback.search.stored import assessment_of
from hansei.feedback.source import SOURCE_TYPES, AssessmentSource

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

LARGEST_BATCH: Final = 1000
"""Assessments."""
LARGEST_BATCH_BODY: Final = 8 * 1024**2
"""Bytes."""
LONGEST_WAIT: Final = 30
"""Seconds."""
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.5
"""Seconds between two looks for what was just written."""
_MOST_SECONDS: Final = 10**10
_FILTERS: Final = ("trace_id", "span_id", "session_id", "name", "kind", "source_type", "source_id",
                   "labeling_session_id", "evaluation_run_id", "valid", "from", "to")  # fmt: skip


class Assessments:
    """What the API does with assessments."""

    def __init__(self, site: "Site") -> None:
        self._reader = site.reader
        self._writer = Writer(site)
        self._repetitions = Repetitions()

    async def record(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: one assessment."""
        Parameters.of(request)
        body = await json_body(request)
        statement = statement_of(body)

        async def write(key: IdempotencyKey | None) -> Answer:
            (written,) = await self._writer.record([statement], key)
            return Answer(201, _written(written), {"Location": _address(written)})

        return await self._once(request, principal, body, write)

    async def record_all(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: many assessments, all or none."""
        Parameters.of(request)
        body = await json_body(request, LARGEST_BATCH_BODY)
        statements = _statements(body)

        async def write(key: IdempotencyKey | None) -> Answer:
            return Answer(201, {"items": [_written(each) for each in await self._writer.record(statements, key)]})

        return await self._once(request, principal, body, write)

    async def correct(self, request: Request, principal: Principal | None) -> Answer:
        """``PUT``: what an assessment says instead."""
        assessment_id, trace_id = _named(request)
        body = await json_body(request)
        correction = correction_of(body, trace_id, assessment_id)

        def check(said: Row) -> None:
            if body.get("kind") not in (None, said["Kind"]):
                mistake = {"pointer": "/kind", "detail": f"it is of kind {said['Kind']!r}, which a correction keeps"}
                raise Problem.of_body([mistake])
            correction_of({**body, "kind": said["Kind"]}, trace_id, assessment_id)

        async def write(key: IdempotencyKey | None) -> Answer:
            return Answer(200, _written(await self._writer.correct(correction, assessment_id, key, check)))

        return await self._once(request, principal, body, write)

    async def retract(self, request: Request, principal: Principal | None) -> Answer:
        """``DELETE``."""
        assessment_id, trace_id = _named(request, "source_type", "source_id")
        parameters = Parameters.of(request, "trace_id", "source_type", "source_id")
        source_type, source_id = parameters.choice("source_type", SOURCE_TYPES), parameters.text("source_id")
        if source_id and not source_type:
            raise Problem.of_parameter("source_type", f"there is none; give one of {', '.join(SOURCE_TYPES)}")
        source = AssessmentSource(source_type, source_id or "default") if source_type else None

        async def write(key: IdempotencyKey | None) -> Answer:
            await self._writer.retract(trace_id, assessment_id, source, key)
            return Answer(204, None)

        return await self._once(request, principal, [source_type, source_id], write)

    async def read(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: one assessment as it is now."""
        assessment_id, trace_id = _named(request, "wait")
        wait = Parameters.of(request, "trace_id", "wait").number("wait", 0, 0, LONGEST_WAIT)
        end, pause = time.monotonic() + wait, _FIRST_PAUSE
        while True:
            found = await self._reader.run(read_assessment, self._reader.query, trace_id, assessment_id)
            if found is not None:
                return Answer(200, assessment_json(found))
            if time.monotonic() >= end:
                raise _missing(assessment_id, trace_id)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def history(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: all that was said of one assessment."""
        assessment_id, trace_id = _named(request)
        pair = (trace_id or "", assessment_id)
        rows = (await self._reader.run(read_histories, self._reader.query, [pair])).get(pair)
        if rows is None:
            raise _missing(assessment_id, trace_id)
        said = next((row for row in rows if row["Event"] in ("said", "overrode")), rows[0])
        return Answer(200, items([_event(row, said["Kind"]) for row in rows], None))

    async def find(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: the assessments that fit."""
        parameters = Parameters.of(request, *_FILTERS, *PAGES)
        found = await self._reader.run(
            find_assessments,
            self._reader.query,
            trace_id=parameters.trace_id(),
            span_id=parameters.text("span_id"),
            session_id=parameters.text("session_id"),
            name=parameters.text("name"),
            kind=parameters.choice("kind", tuple(KINDS)),
            source_type=parameters.choice("source_type", SOURCE_TYPES),
            source_id=parameters.text("source_id"),
            labeling_session=parameters.text("labeling_session_id"),
            run_id=parameters.text("evaluation_run_id"),
            valid=parameters.flag("valid"),
            start_time=parameters.moment("from"),
            end_time=parameters.moment("to"),
            max_results=parameters.limit,
            page_token=parameters.text("page_token"),
        )
        body = items([assessment_json(each) for each in found], found.next_page_token)
        return Answer(200, body, parameters.next_page(found.next_page_token))

    async def unlinked(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: what does not hang together."""
        parameters = Parameters.of(request, "min_age", *PAGES)
        min_age = parameters.number("min_age", 0, 0, _MOST_SECONDS)
        query = self._reader.query
        found = await self._reader.run(
            find_unlinked,
            query,
            min_age=min_age,
            max_results=parameters.limit,
            page_token=parameters.text("page_token"),
        )
        counts = await self._reader.run(count_unlinked, query, min_age)
        body = items([_unlinked(row) for row in found], found.next_page_token) | {
            "reasons": [
                {"reason": row["Reason"], "count": row["Count"], "oldest_seconds": row["OldestSeconds"]}
                for row in counts
            ]
        }
        return Answer(200, body, parameters.next_page(found.next_page_token))

    async def _once(
        self,
        request: Request,
        principal: Principal | None,
        body: Any,
        write: Callable[[IdempotencyKey | None], Awaitable[Answer]],
    ) -> Answer:
        assert principal is not None
        key = IdempotencyKey.of(request, principal)
        if key is None:
            return await write(None)
        asked = (request.method, request.url.path, request.query_params.get("trace_id"), body)
        return await self._repetitions.once(key, asked, lambda: write(key))


def assessment_routes(site: "Site") -> list[Route]:
    """The routes, the narrower ones first."""
    of = Assessments(site)
    one = PREFIX + "/assessments/{assessment_id:path}"
    return [
        Route(
            PREFIX + "/assessments",
            Resource(site, {"GET": Operation(of.find, Role.READ), "POST": Operation(of.record, Role.FEEDBACK)}),
        ),
        Route(PREFIX + "/assessments:batch", Resource(site, {"POST": Operation(of.record_all, Role.FEEDBACK)})),
        Route(PREFIX + "/assessments/unlinked", Resource(site, {"GET": Operation(of.unlinked, Role.READ)})),
        Route(one + "/history", Resource(site, {"GET": Operation(of.history, Role.READ)})),
        Route(
            one,
            Resource(
                site,
                {
                    "GET": Operation(of.read, Role.READ),
                    "PUT": Operation(of.correct, Role.FEEDBACK),
                    "DELETE": Operation(of.retract, Role.FEEDBACK),
                },
            ),
        ),
    ]


def _named(request: Request, *more: str) -> tuple[str, str | None]:
    """The assessment of an address, and its trace: None where it is on a session. Raises :class:`Problem`."""
    trace_id = Parameters.of(request, "trace_id", *more).trace_id()
    assessment_id = one_line("assessment_id", request.path_params["assessment_id"])
    if not assessment_id:
        raise _missing(assessment_id, trace_id)
    return assessment_id, trace_id


def _statements(body: Any) -> list[Assessment]:
    if not isinstance(body, list) or not 0 < len(body) <= LARGEST_BATCH:
        detail = f"it is not an array of 1 to {LARGEST_BATCH} assessments"
        raise Problem.of_body([{"pointer": "", "detail": detail}])
    statements: list[Assessment] = []
    errors: list[Mistake] = []
    for index, each in enumerate(body):
        try:
            statements.append(statement_of(each, f"/{index}"))
        except Problem as problem:
            errors += problem.errors
    if errors:
        raise Problem.of_body(errors)
    return statements


def _written(written: Written) -> dict[str, Any]:
    return {**assessment_json(written.assessment), "linked": written.link}


def _address(written: Written) -> str:
    path = f"{PREFIX}/assessments/{quote(written.assessment.assessment_id or '', safe='')}"
    trace_id = written.assessment.trace_id
    return f"{path}?trace_id={trace_id}" if trace_id else path


def _missing(assessment_id: str, trace_id: str | None) -> Problem:
    where = f"in the trace {trace_id}" if trace_id else "on a session; give the trace_id of one in a trace"
    return Problem(404, f"there is no assessment {assessment_id[:80]!r} {where}")


def _event(row: Row, kind: str) -> dict[str, Any]:
    """An event of a history; ``kind`` is that of the statement, which a correction need not repeat."""
    said = assessment_json(assessment_of({**row, "Kind": kind, "Valid": True, "CreatedMs": None, "UpdatedMs": None}))
    for name in ("valid", "created_at", "updated_at"):
        del said[name]
    return {
        "event": row["Event"],
        "at": moment_json(row["At"], 9),
        "received_at": moment_json(row["ReceivedMs"], 3),
        **said,
        "service": row["ServiceName"] or None,
    }


def _unlinked(row: Row) -> dict[str, Any]:
    return {
        "reason": row["Reason"],
        "age_seconds": row["AgeSeconds"],
        "at": moment_json(row["At"], 9),
        "assessment_id": row["AssessmentId"],
        "trace_id": row["TraceId"] or None,
        "span_id": row["SpanId"] or None,
        "session_id": row["SessionId"] or None,
        "name": row["Name"],
        "source": {"type": row["SourceType"], "id": row["SourceId"]} if row["SourceType"] else None,
    }
