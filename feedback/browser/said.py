"""What has been said so far: by the store, and by the memory of what it does not show yet."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

Query = Callable[[str, Mapping[str, object]], list[dict[str, Any]]]

_MOST_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Said:
    """The state of one assessment."""

    time_ns: int
    value: object
    rationale: str | None
    retracted: bool = False


class SaidLately:
    """The states that this collector wrote or read last, so that who writes reads it at once. Thread-safe.

    The store shows what was written within a second. Of what two collectors write, the later holds, by the events' own
    time; so nothing in here has to be forgotten to be right.
    """

    def __init__(self, most_kept: int = _MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._states: OrderedDict[str, Said] = OrderedDict()
        self._turn = threading.Lock()

    def keep(self, assessment_id: str, said: Said) -> Said:
        """Remember a state unless a later one is known; answers the later. Of two at one time it is the one given: what
        the store has of an event may have been redacted."""
        with self._turn:
            known = self._states.pop(assessment_id, said)
            latest = said if said.time_ns >= known.time_ns else known
            self._states[assessment_id] = latest
            if len(self._states) > self._most_kept:
                self._states.popitem(last=False)
            return latest

    def get(self, assessment_id: str) -> Said | None:
        """What is remembered."""
        with self._turn:
            return self._states.get(assessment_id)


def said_in_store(query: Query, trace_id: str, assessment_ids: Sequence[str]) -> dict[str, Said]:
    """What the store knows, by assessment; also what was taken back. Raises ``SearchError``."""
    rows = query(_sql(), {"trace_id": trace_id, "ids": list(assessment_ids)})
    return {
        row["AssessmentId"]: Said(row["At"], _parsed(row["Value"]), row["Rationale"] or None, bool(row["Retracted"]))
        for row in rows
    }


@cache
def _sql() -> str:
    return files(__package__).joinpath("said.sql").read_text()


def _parsed(text: str) -> object:
    """A value; None where a correction has put an error in its place."""
    return json.loads(text) if text else None
