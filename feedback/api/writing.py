"""Writing assessments: durable before it is answered, and once however often it is asked."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool

from hansei.collector.errors import StoreError
from hansei.collector.signals import LOGS
from hansei.feedback import attributes as names
from hansei.feedback.api.idempotency import MILLISECOND, IdempotencyKey
from hansei.feedback.api.problem import Problem
from hansei.feedback.api.repetitions import used_for_another
from hansei.feedback.assessment import Assessment
from hansei.feedback.clock import EventClock
from hansei.feedback.event import Event
from hansei.feedback.ids import created_milliseconds
from hansei.feedback.otlp import export_request
from hansei.feedback.recorder import Recorder
from hansei.feedback.search.errors import SearchError
from hansei.feedback.search.ledger import Pair, Row, Targets, read_histories
from hansei.feedback.search.stored import assessment_of
from hansei.feedback.source import AssessmentSource

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

_CHANGES: Final = ("corrected", "retracted")
_RETRY_RECOVERY: Final = 1
"""Seconds after which to ask again while what an earlier run took is not stored."""


@dataclass(frozen=True)
class Written:
    """An assessment that is on disk, and what of that which it speaks of is known.

    ``link`` is None where the store did not answer just now.
    """

    assessment: Assessment
    link: str | None


class Writer:
    """Writes to the ledger for the API."""

    def __init__(self, site: "Site") -> None:
        self._reader = site.reader
        self._ingest = site.server.ingest
        self._recovering = site.server.recovering
        self._clock = EventClock()

    async def record(self, assessments: Sequence[Assessment], key: IdempotencyKey | None) -> list[Written]:
        """Record assessments, all or none.

        Raises :class:`Problem`, ``InvalidAssessment`` or :class:`~hansei.collector.ingest.Refused`.
        """
        ids: list[str | None] = [
            key.assessment_id(each.trace_id, each.session_id, index) if key else None
            for index, each in enumerate(assessments)
        ]
        pairs = [(each.trace_id or "", known or "") for each, known in zip(assessments, ids, strict=True)]
        histories = await self._histories(pairs, key) if key else {}
        events: list[Event] = []
        recorder = Recorder(events.append, self._clock)
        recorded, again = [], 0
        for index, (assessment, known, pair) in enumerate(zip(assessments, ids, pairs, strict=True)):
            said = [row for row in histories.get(pair, ()) if row["Event"] not in _CHANGES]
            at = said[0]["At"] if said else key.event_time(f"{index}") if key else None
            recorded.append(recorder.record(assessment, assessment_id=known, time_ns=at))
            again += _is_again(events[-1], said)
        if again < len(events):
            await self._write(events)
        return await self._linked(recorded)

    async def correct(
        self, correction: Assessment, assessment_id: str, key: IdempotencyKey | None, check: Callable[[Row], None]
    ) -> Written:
        """Replace what an assessment says; ``check`` looks at its statement, where it has come. Raises as above."""
        pair = (correction.trace_id or "", assessment_id)
        history = (await self._histories([pair], key, needed=False)).get(pair, [])
        said = next((row for row in reversed(history) if row["Event"] not in _CHANGES), None)
        if said is not None:
            check(said)

        def make(recorder: Recorder, at: int | None) -> None:
            recorder.correct(correction.trace_id, assessment_id, correction, time_ns=at)

        event = await self._change(pair, "corrected", history, key, make)
        corrected = _corrected(pair, said, event)
        if said is None:
            return Written(corrected, "assessment_unknown")
        (written,) = await self._linked([corrected])
        return written

    async def retract(
        self, trace_id: str | None, assessment_id: str, source: AssessmentSource | None, key: IdempotencyKey | None
    ) -> None:
        """Take an assessment back. Raises as above."""
        pair = (trace_id or "", assessment_id)
        history = (await self._histories([pair], key)).get(pair, []) if key else []

        def make(recorder: Recorder, at: int | None) -> None:
            recorder.retract(trace_id, assessment_id, source, time_ns=at)

        await self._change(pair, "retracted", history, key, make)

    async def _change(
        self, pair: Pair, kind: str, history: Sequence[Row], key: IdempotencyKey | None, make: Callable[..., None]
    ) -> Event:
        """Write a correction or a retraction, unless it is there; answers its event."""
        about = json.dumps([*pair, kind])
        before: list[Row] = []
        at = None
        if key is not None:
            at = key.event_time(about)
            digits = key.digits(about)
            changes = [row for row in history if row["Event"] in _CHANGES]
            before = [row for row in changes if (row["At"] % MILLISECOND == digits if at is None else row["At"] == at)]
            at = before[0]["At"] if before else at or self._ending(digits)
        events: list[Event] = []
        make(Recorder(events.append, self._clock), at)
        if not _is_again(events[0], before):
            await self._write(events)
            if key is not None and key.time_ns is None:
                await run_in_threadpool(_wait_until, events[0].time_ns)
        return events[0]

    async def _histories(
        self, pairs: Sequence[Pair], key: IdempotencyKey | None, *, needed: bool = True
    ) -> dict[Pair, list[Row]]:
        """What was said before, by which a repetition is known.

        Where the key tells no time, all of it must be there to look at; else it is good to have.
        """
        must = key is not None and key.time_ns is None
        if must and await run_in_threadpool(self._recovering):
            raise Problem.for_now(
                503, "what was taken before the last start is still being stored; send this again", _RETRY_RECOVERY
            )
        try:
            return await self._reader.run(read_histories, self._reader.query, pairs)
        except (SearchError, StoreError):
            if must:
                raise
            return {}

    async def _write(self, events: Sequence[Event]) -> None:
        await run_in_threadpool(self._ingest.export, LOGS, export_request(events), "api")

    async def _linked(self, recorded: Sequence[Assessment]) -> list[Written]:
        try:
            targets = await self._reader.run(Targets.read, self._reader.query, recorded)
        except (SearchError, StoreError):
            return [Written(each, None) for each in recorded]
        return [Written(each, targets.link(each)) for each in recorded]

    def _ending(self, digits: int) -> int:
        """A time from now on, less than a millisecond ahead, that ends in these nanoseconds."""
        now = self._clock.tick()
        found = now - now % MILLISECOND + digits
        return found if found >= now else found + MILLISECOND


def _wait_until(time_ns: int) -> None:
    """Let an event's time pass, so that whatever is said after the answer is later."""
    ahead = min(time_ns - time.time_ns(), MILLISECOND)
    if ahead > 0:
        time.sleep(ahead / 1e9)


def _is_again(event: Event, rows: Sequence[Row]) -> bool:
    """Whether an event is in the ledger. Raises :class:`Problem` where there is another in its place."""
    if not rows:
        return False
    columns = _columns(event)
    if not any(all(row[name] == value for name, value in columns.items()) for row in rows):
        raise used_for_another()
    return True


def _columns(event: Event) -> dict[str, Any]:
    """What the ledger has of an event that was made here (feedback/schema/0102_feedback_events_mv.sql)."""
    said = event.attributes
    kind = (
        "retracted" if names.DELETED in said
        else "corrected" if names.CORRECTION in said
        else "overrode" if names.OVERRIDES in said
        else "said"
    )  # fmt: skip
    return {
        "Event": kind,
        "SpanId": event.span_id or "",
        "Kind": said.get(names.KIND, "feedback"),
        "Value": said.get(names.VALUE, "null"),
        "Metadata": json.loads(str(said.get(names.METADATA, "{}"))),
    } | {
        column: said.get(name, "")
        for column, name in (
            ("SessionId", names.CONVERSATION_ID),
            ("Name", names.NAME),
            ("Rationale", names.EXPLANATION),
            ("SourceType", names.SOURCE_TYPE),
            ("SourceId", names.SOURCE_ID),
            ("Error", names.ERROR_MESSAGE),
            ("ErrorCode", names.ERROR_CODE),
            ("Overrides", names.OVERRIDES),
            ("LabelingSessionId", names.LABELING_SESSION_ID),
            ("EvaluationRunId", names.EVALUATION_RUN_ID),
        )
    }


def _corrected(pair: Pair, said: Row | None, event: Event) -> Assessment:
    """An assessment as it is after a correction: where it is and who made it stays, where that is known."""
    columns = _columns(event)
    at = said["At"] if said else None
    updated = event.time_ns // MILLISECOND
    created = created_milliseconds(pair[1])
    nothing = {"SpanId": "", "SessionId": "", "Overrides": "", "LabelingSessionId": "", "EvaluationRunId": ""}
    return assessment_of(
        {
            "TraceId": pair[0],
            "AssessmentId": pair[1],
            **(said or {**nothing, "Kind": columns["Kind"], "SourceType": "", "SourceId": ""}),
            **{name: columns[name] for name in ("Value", "Metadata", "Rationale", "Error", "ErrorCode")},
            "Name": columns["Name"] or (said["Name"] if said else ""),
            "Valid": True,
            "CreatedMs": created if created is not None else at and at // MILLISECOND,
            "UpdatedMs": updated,
        }
    )
