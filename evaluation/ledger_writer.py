"""Writing scores to the ledger: as events, many in a request, kept until the collector has them on disk."""

import http.client
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationError
from hansei.evaluation.otlp_address import LOGS, otlp_http
from hansei.evaluation.scorer import assessment_id_of
from hansei.evaluation.scoring import Score, Scored
from hansei.evaluation.subject import Subject
from hansei.evaluation.telemetry import SERVICE_NAME
from hansei.feedback.assessment import Feedback
from hansei.feedback.clock import EventClock
from hansei.feedback.event import Event, statement
from hansei.feedback.http_exchange import HttpServer
from hansei.feedback.otlp import export_request

REVISION: Final = "revision"
WEIGHT: Final = "weight"
"""In the metadata of a score: what of the subject it saw, and how many subjects that one stands for."""

_LARGEST: Final = 2_000
"""Events of a request."""
_LARGEST_BYTES: Final = 8 * 1024**2
"""Of a request; one event that is larger goes alone."""
_PAUSE: Final = 0.25
"""Seconds for which events gather."""
_TIMEOUT: Final = 60.0
_PATIENCE: Final = 600.0
"""Seconds for which a collector that is away or full is asked again."""
_RETRIED: Final = (429, 502, 503, 504)


@dataclass(slots=True)
class _Batch:
    events: list[Event]
    subjects: list[Scored]


class LedgerWriter:
    """Sends scores of a run to the ledger in the background. Not for several threads at once."""

    def __init__(
        self,
        run_id: str,
        client: EvaluationClient | None = None,
        *,
        on_stored: Callable[[list[Scored]], None] | None = None,
        anew: bool = False,
    ) -> None:
        """``anew``: beside what another run said with the same version of a scorer, not in its place.

        ``on_stored`` is told, in another thread, what the collector has on disk. Raises ``EvaluationError``.
        """
        self._run_id = run_id
        self._server = otlp_http(client or EvaluationClient())
        self._on_stored = on_stored
        self._anew = anew
        self._clock = EventClock()
        self._waiting: list[tuple[list[Event], Scored]] = []
        self._count = 0
        self._change = threading.Condition()
        self._sending = False
        self._closed = False
        self._error: EvaluationError | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._run, name="hansei-ledger-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Events that are not acknowledged yet."""
        return self._count

    def add(self, scored: Scored) -> list[tuple[Score, list[str]]]:
        """Hand over the scores of a subject; answers the ids of their assessments. It does not wait.

        Raises ``EvaluationError`` where what was handed over before cannot be stored.
        """
        if self._error is not None:
            raise self._error
        events, ids = [], []
        for score in scored.scores:
            known = []
            for position, feedback in enumerate(score.feedbacks):
                recorded = recorded_feedback(self._run_id, scored.subject, score, feedback, position, self._anew)
                events.append(statement(recorded, self._clock.tick()))
                known.append(recorded.assessment_id or "")
            ids.append((score, known))
        with self._change:
            self._waiting.append((events, scored))
            self._count += len(events)
            if self._count >= _LARGEST:
                self._change.notify_all()
        return ids

    def flush(self) -> None:
        """Return once all that was added is on the collector's disk. Raises ``EvaluationError``."""
        with self._change:
            self._change.notify_all()
            self._change.wait_for(lambda: self._error or not (self._waiting or self._sending))
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Flush and end. Raises ``EvaluationError``."""
        try:
            self.flush()
        finally:
            with self._change:
                self._closed = True
                self._change.notify_all()
            self._thread.join()
            if self._connection is not None:
                self._connection.close()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._closed)
                if self._closed and not self._waiting:
                    return
                self._change.wait_for(lambda: self._closed or self._count >= _LARGEST, _PAUSE)
                batch = self._taken()
                self._sending = True
            try:
                self._send(batch.events)
                if self._on_stored is not None:
                    self._on_stored(batch.subjects)
            except EvaluationError as error:
                self._error = error
            except Exception as error:
                self._error = EvaluationError(f"scores cannot be sent: {type(error).__name__}: {error}")
            with self._change:
                self._count -= len(batch.events)
                self._sending = False
                self._change.notify_all()
                if self._error is not None:
                    return

    def _taken(self) -> _Batch:
        batch = _Batch([], [])
        taken = 0
        for events, scored in self._waiting:
            if batch.events and len(batch.events) + len(events) > _LARGEST:
                break
            batch.events += events
            batch.subjects.append(scored)
            taken += 1
        del self._waiting[:taken]
        return batch

    def _send(self, events: Sequence[Event]) -> None:
        if not events:
            return
        body = export_request(events, SERVICE_NAME)
        if len(body) > _LARGEST_BYTES and len(events) > 1:
            half = len(events) // 2
            self._send(events[:half])
            self._send(events[half:])
            return
        end = time.monotonic() + _PATIENCE
        pause = 0.5
        while True:
            try:
                status, retry_after, answer = self._post(body)
            except (OSError, http.client.HTTPException) as error:
                status, retry_after, answer = 0, None, str(error or type(error).__name__).encode()
            if status == 200:
                _refuse_partial(self._server, answer)
                return
            if status and status not in _RETRIED:
                raise EvaluationError(f"{self._server} does not take scores: {_told(status, answer)}")
            wait = retry_after if retry_after is not None else pause
            pause = min(2 * pause, 30.0)
            if time.monotonic() + wait > end:
                raise EvaluationError(
                    f"{self._server} did not take scores for {_PATIENCE:.0f} s: {_told(status, answer)}"
                )
            time.sleep(wait)

    def _post(self, body: bytes) -> tuple[int, float | None, bytes]:
        server = self._server
        if self._connection is None:
            kind = http.client.HTTPSConnection if server.secure else http.client.HTTPConnection
            self._connection = kind(server.host, server.port, timeout=_TIMEOUT)
        headers = {"Content-Type": "application/x-protobuf"}
        if server.api_key:
            headers["Authorization"] = f"Bearer {server.api_key}"
        try:
            self._connection.request("POST", server.prefix + LOGS, body, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except BaseException:
            self._connection.close()
            self._connection = None
            raise
        told = answer.headers.get("Retry-After", "")
        return answer.status, float(told) if told.isdigit() else None, content


def recorded_feedback(
    run_id: str, subject: Subject, score: Score, feedback: Feedback, position: int, anew: bool = False
) -> Feedback:
    """A feedback with what it speaks of, its id and its run."""
    metadata = dict(feedback.metadata or {})
    if subject.revision:
        metadata[REVISION] = subject.revision
    if subject.weight != 1.0:
        metadata[WEIGHT] = repr(subject.weight)
    return replace(
        feedback,
        trace_id=subject.trace_id,
        session_id=subject.assessed_session_id,
        assessment_id=assessment_id_of(subject, score.scorer, position, run_id if anew else ""),
        evaluation_run_id=run_id,
        metadata=metadata,
    )


def _refuse_partial(server: HttpServer, answer: bytes) -> None:
    if not answer:
        return
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

    partial = ExportLogsServiceResponse.FromString(answer).partial_success
    if partial.rejected_log_records:
        raise EvaluationError(
            f"{server} refused {partial.rejected_log_records} of the scores: {partial.error_message[:300]}"
        )


def _told(status: int, answer: bytes) -> str:
    text = answer.decode(errors="replace").strip()
    printable = "".join(character for character in text if character.isprintable())[:300]
    hint = "; set HANSEI_API_KEY to a key with the role ingest" if status in (401, 403) else ""
    return f"{status or 'no answer'} {printable}{hint}"
