"""A run, for who evaluates: it is told to a hansei while it goes on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.json_text import plain_json
from hansei.evaluation.request_pieces import request_pieces
from hansei.evaluation.runs.record import RunRow

_ROWS_AT_ONCE: Final = 500


class Run:
    """A run that has begun. Made by :meth:`start`."""

    def __init__(self, client: EvaluationClient, run_id: str, name: str) -> None:
        self._client = client
        self.run_id = run_id
        self.name = name

    @classmethod
    def start(
        cls,
        name: str,
        kind: str = "evaluate",
        *,
        config: Mapping[str, Any] | None = None,
        batch: str = "",
        window_ms: tuple[int, int] | None = None,
        dataset: tuple[str, int] | None = None,
        labeling_session_id: str = "",
        tags: Mapping[str, str] | None = None,
        client: EvaluationClient | None = None,
    ) -> "Run":
        """Begin a run.

        ``kind``: ``evaluate`` or ``batch``. ``config``: what makes it what it is, as JSON can hold it. ``batch``: the
        name of the batch, and ``window_ms`` the time that it covers, milliseconds since 1970. ``dataset``: its id and
        version. Raises ``EvaluationError``.
        """
        asked = client or EvaluationClient()
        body: dict[str, Any] = {
            "name": name,
            "kind": kind,
            "config": plain_json(config or {}),
            "tags": dict(tags or {}),
        }
        if batch:
            body["batch"] = batch
        if window_ms is not None:
            body["window_start_ms"], body["window_end_ms"] = window_ms
        if dataset is not None:
            body["dataset_id"], body["dataset_version"] = dataset
        if labeling_session_id:
            body["labeling_session_id"] = labeling_session_id
        found = asked.ask("POST", "evaluation-runs", body=body)
        return cls(asked, found["run_id"], name)

    @property
    def url(self) -> str:
        """Its page."""
        return self._client.url(f"/evaluation/{self.run_id}")

    def add_rows(self, rows: Sequence[RunRow]) -> None:
        """Keep rows; one of a position that is there replaces it. Raises ``EvaluationError``."""
        for piece in request_pieces((plain_json(asdict(row)) for row in rows), _ROWS_AT_ONCE):
            self._client.ask("POST", "evaluation-runs", self.run_id, "rows", body={"rows": piece})

    def update(self, *, funnel: Mapping[str, Any] | None = None, message: str | None = None) -> None:
        """Say how far it is. Raises ``EvaluationError``."""
        self._change({"funnel": funnel, "message": message})

    def finish(
        self,
        status: str = "finished",
        *,
        metrics: Mapping[str, float] | None = None,
        intervals: Mapping[str, Sequence[float]] | None = None,
        funnel: Mapping[str, Any] | None = None,
        message: str | None = None,
    ) -> None:
        """End it: ``finished``, ``failed`` or ``stopped``. Numbers that are none are left out.

        Raises ``EvaluationError``.
        """
        finite = {name: value for name, value in (metrics or {}).items() if math.isfinite(value)}
        ends = {name: list(pair) for name, pair in (intervals or {}).items() if all(map(math.isfinite, pair))}
        self._change({"status": status, "metrics": finite, "intervals": ends, "funnel": funnel, "message": message})

    def _change(self, changes: Mapping[str, Any]) -> None:
        body = {name: plain_json(value) for name, value in changes.items() if value is not None}
        self._client.ask("PATCH", "evaluation-runs", self.run_id, body=body)
