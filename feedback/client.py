"""Recording assessments over HTTP: the answer comes once they are on disk, and each is recorded once.

The functions of :mod:`hansei.feedback.recording` never wait and never fail; here a caller waits, and knows. Every call
has an idempotency key of its own, so that it can be repeated until it is answered.
"""

import asyncio
import json
import os
import random
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast
from urllib.parse import quote, urlencode
from uuid import UUID

from hansei.collector.errors import HanseiError
from hansei.feedback.assessment import (
    DEFAULT_NAME,
    Assessment,
    AssessmentError,
    Expectation,
    Feedback,
    metadata_texts,
)
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.http_exchange import DEFAULT_URL, HttpServer, NoAnswer, Reply
from hansei.feedback.ids import trace_id_or_none
from hansei.feedback.recorder import of_trace
from hansei.feedback.source import AssessmentSource
from hansei.feedback.text import required_text

P = ParamSpec("P")
T = TypeVar("T")

_MISTAKES: Final = (400, 413, 415, 422)
"""Statuses that speak of what was sent."""
_PASSING: Final = (429, 500, 502, 503, 504)
"""Statuses after which the same request may succeed."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


class DeliveryError(HanseiError):
    """An assessment was not taken: no answer in time, a key that is not known or may not, no hansei at the address."""


@dataclass(frozen=True, slots=True)
class RecordedFeedback(Feedback):
    """A feedback that is on disk."""

    linked: str | None = None
    """``linked``, or what has not come yet: ``trace_unknown``, ``span_unknown``, ``session_unknown``,
    ``assessment_unknown``. None where the server could not tell."""


@dataclass(frozen=True, slots=True)
class RecordedExpectation(Expectation):
    """An expectation that is on disk."""

    linked: str | None = None
    """As of :class:`RecordedFeedback`."""


Recorded = RecordedFeedback | RecordedExpectation


class FeedbackClient:
    """Records assessments and waits until they are on disk. Thread-safe.

    What cannot be sent is sent again for ``timeout`` seconds. Every method raises ``InvalidAssessment`` for what is
    wrong with the assessment and :class:`DeliveryError` for anything else; after the latter it may be recorded or not.
    """

    def __init__(self, url: str | None = None, api_key: str | None = None, *, timeout: float = 30.0) -> None:
        """``url``: of the pages and the API, else ``HANSEI_URL``; ``api_key``: else ``HANSEI_API_KEY``.

        Raises ``HanseiError``.
        """
        name, given = ("url", url) if url else ("HANSEI_URL", os.environ.get("HANSEI_URL") or DEFAULT_URL)
        self._server = HttpServer.of(name, given, api_key or os.environ.get("HANSEI_API_KEY"))
        self._timeout = timeout

    def log_feedback(
        self,
        *,
        trace_id: str | None = None,
        name: str = DEFAULT_NAME,
        value: object = None,
        source: AssessmentSource | None = None,
        error: AssessmentError | BaseException | str | None = None,
        rationale: str | None = None,
        metadata: Mapping[str, object] | None = None,
        span_id: str | None = None,
        session_id: str | None = None,
    ) -> Recorded:
        """As :func:`hansei.log_feedback`."""
        return self.log_assessment(
            trace_id,
            Feedback(
                name,
                value,
                error=AssessmentError.of(error),
                source=source,
                rationale=rationale,
                metadata=metadata_texts(metadata),
                span_id=span_id,
                session_id=session_id,
            ),
        )

    def log_expectation(
        self,
        *,
        trace_id: str | None = None,
        name: str,
        value: object,
        source: AssessmentSource | None = None,
        metadata: Mapping[str, object] | None = None,
        span_id: str | None = None,
        session_id: str | None = None,
    ) -> Recorded:
        """As :func:`hansei.log_expectation`."""
        return self.log_assessment(
            trace_id,
            Expectation(
                name, value, source=source, metadata=metadata_texts(metadata), span_id=span_id, session_id=session_id
            ),
        )

    def log_assessment(self, trace_id: str | None, assessment: Assessment) -> Recorded:
        """As :func:`hansei.log_assessment`."""
        made = of_trace(trace_id, assessment)
        about = {
            "trace_id": made.trace_id,
            "span_id": made.span_id,
            "session_id": made.session_id,
            "overrides": made.overrides,
            "labeling_session_id": made.labeling_session_id,
            "evaluation_run_id": made.evaluation_run_id,
        }
        return _recorded(self._deliver("POST", "/api/v1/assessments", {**_said(made), **about}))

    def update_assessment(self, trace_id: str | None, assessment_id: str, assessment: Assessment) -> Recorded:
        """As :func:`hansei.update_assessment`."""
        return _recorded(self._deliver("PUT", _path(trace_id, assessment_id), _said(of_trace(trace_id, assessment))))

    def override_feedback(
        self,
        *,
        trace_id: str | None,
        assessment_id: str,
        value: object,
        rationale: str | None = None,
        source: AssessmentSource | None = None,
        metadata: Mapping[str, object] | None = None,
        name: str | None = None,
    ) -> Recorded:
        """As :func:`hansei.override_feedback`."""
        feedback = Feedback(
            name or "",
            value,
            overrides=required_text("assessment_id", assessment_id),
            source=source,
            rationale=rationale,
            metadata=metadata_texts(metadata),
        )
        return self.log_assessment(trace_id, feedback)

    def delete_assessment(
        self, trace_id: str | None, assessment_id: str, *, source: AssessmentSource | None = None
    ) -> None:
        """As :func:`hansei.delete_assessment`."""
        who = {"source_type": source.source_type, "source_id": source.source_id} if source else {}
        self._deliver("DELETE", _path(trace_id, assessment_id, **who), None)

    def _deliver(self, method: str, path: str, body: Mapping[str, object] | None) -> Reply:
        """Send one request until it is answered for good, or the time is over."""
        headers = {"Idempotency-Key": new_key(time.time_ns())}
        sent = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent = json.dumps({name: value for name, value in body.items() if value is not None or name == "value"})
        end = time.monotonic() + self._timeout
        pause = _FIRST_PAUSE
        while True:
            wait = pause * random.uniform(0.5, 1)
            try:
                left = max(0.1, end - time.monotonic())
                reply = self._server.ask(method, path, sent.encode() if sent else None, headers, left)
            except NoAnswer as error:
                problem = str(error)
            else:
                if reply.status not in _PASSING:
                    return self._accepted(reply)
                problem = f"{self._server} answers {reply.status}: {_detail(reply)}"
                wait = max(wait, _seconds(reply.headers.get("retry-after")))
            if time.monotonic() + wait >= end:
                raise DeliveryError(f"not acknowledged within {self._timeout:g} s: {problem}")
            time.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _accepted(self, reply: Reply) -> Reply:
        if reply.status in _MISTAKES:
            raise InvalidAssessment(_detail(reply))
        if reply.status not in (200, 201, 204):
            raise DeliveryError(f"{self._server} answers {reply.status}: {_detail(reply)}")
        if reply.status != 204 and not isinstance(reply.json(), dict):
            raise DeliveryError(f"{self._server} is no hansei: it answers no assessment; check the url")
        return reply


def _asynchronous(
    method: Callable[Concatenate[FeedbackClient, P], T],
) -> Callable[Concatenate["AsyncFeedbackClient", P], Coroutine[Any, Any, T]]:
    async def call(self: "AsyncFeedbackClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(method, self._client, *args, **kwargs)

    call.__name__, call.__doc__ = method.__name__, method.__doc__
    return call


class AsyncFeedbackClient:
    """:class:`FeedbackClient` for asyncio: the same methods, to be awaited; each waits in a thread."""

    def __init__(self, url: str | None = None, api_key: str | None = None, *, timeout: float = 30.0) -> None:
        """As :class:`FeedbackClient`."""
        self._client = FeedbackClient(url, api_key, timeout=timeout)

    log_feedback = _asynchronous(FeedbackClient.log_feedback)
    log_expectation = _asynchronous(FeedbackClient.log_expectation)
    log_assessment = _asynchronous(FeedbackClient.log_assessment)
    update_assessment = _asynchronous(FeedbackClient.update_assessment)
    override_feedback = _asynchronous(FeedbackClient.override_feedback)
    delete_assessment = _asynchronous(FeedbackClient.delete_assessment)


def feedback_client(url: str | None = None, api_key: str | None = None, *, timeout: float = 30.0) -> FeedbackClient:
    """A client that records assessments over HTTP, as :class:`FeedbackClient` describes it."""
    return FeedbackClient(url, api_key, timeout=timeout)


def new_key(time_ns: int) -> str:
    """A UUIDv7 whose 12 bits after the version are the fraction of the millisecond (RFC 9562, 6.2, method 3)."""
    milliseconds, rest = divmod(time_ns, 1_000_000)
    number = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64
    return str(UUID(int=number | 0x2 << 62 | secrets.randbits(62)))


def _said(assessment: Assessment) -> dict[str, object]:
    source, error = assessment.source, assessment.error
    return {
        "kind": "expectation" if isinstance(assessment, Expectation) else "feedback",
        "name": assessment.name or None,
        "value": json.loads(assessment.json()),
        "error": error and {"code": error.error_code, "message": error.error_message},
        "rationale": assessment.rationale,
        "metadata": assessment.metadata and dict(assessment.metadata),
        "source": source and {"type": source.source_type, "id": source.source_id},
    }


def _path(trace_id: str | None, assessment_id: str, **more: str) -> str:
    trace = trace_id_or_none(trace_id)
    query = urlencode({**({"trace_id": trace} if trace else {}), **more})
    path = f"/api/v1/assessments/{quote(required_text('assessment_id', assessment_id), safe='')}"
    return f"{path}?{query}" if query else path


def _recorded(reply: Reply) -> Recorded:
    given = reply.json()
    error, source = given["error"], given["source"]
    kind = RecordedExpectation if given["kind"] == "expectation" else RecordedFeedback
    # It is not checked again: one that stands in for another, or is not known yet, may have no name.
    values: dict[str, Any] = {
        "name": given["name"],
        "value": given["value"],
        "error": error and AssessmentError(error["code"], error["message"]),
        "source": source and AssessmentSource(source["type"], source["id"]),
        "metadata": given["metadata"] or None,
        "create_time_ms": _milliseconds(given["created_at"]),
        "last_update_time_ms": _milliseconds(given["updated_at"]),
    } | {name: given[name] for name in _AS_THEY_ARE}
    made = cast(Recorded, object.__new__(kind))
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


_AS_THEY_ARE: Final = ("trace_id", "span_id", "session_id", "rationale", "overrides", "valid", "assessment_id",
                       "labeling_session_id", "evaluation_run_id", "linked")  # fmt: skip


def _milliseconds(moment: str | None) -> int | None:
    # Python before 3.11 does not know the Z.
    return (
        None
        if moment is None
        else (datetime.fromisoformat(moment.replace("Z", "+00:00")) - _EPOCH) // timedelta(milliseconds=1)
    )


def _detail(reply: Reply) -> str:
    """What the server says was wrong."""
    problem = reply.json()
    if isinstance(problem, dict) and isinstance(problem.get("detail"), str):
        return str(problem["detail"])
    return " ".join(reply.body[:200].decode(errors="replace").split()) or "without a word"


def _seconds(header: str | None) -> float:
    return float(header) if header is not None and header.isdigit() and len(header) < 6 else 0.0
