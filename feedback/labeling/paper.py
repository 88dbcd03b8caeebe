"""What is written of a reviewer's answers to an item, in ``labeling_work.Draft``."""

import json
from dataclasses import dataclass, field

from hansei.feedback.labeling.desk_answers import Kept


@dataclass(frozen=True, slots=True)
class Paper:
    """The answers, and how far they have come.

    Handing in has three steps: this with ``submitted_ns``, the events to the ledger, this with ``recorded``. Whoever
    finds ``submitted_ns`` does the other two again: ids and times of the events follow from it, so they are the same
    events. Until then the item is the reviewer's, however late it is.
    """

    answers: Kept = field(default_factory=dict)
    revision: int = 0
    recorded: Kept = field(default_factory=dict)
    """What is in the ledger."""
    recorded_ns: int = 0
    """The time of the newest event there."""
    submitted_ns: int = 0
    """The time of the events that make the ledger say what the answers do; 0 once they are there."""

    def to_json(self) -> str:
        """As it is stored."""
        written = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}
        return json.dumps(written, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def of_json(cls, text: str) -> "Paper":
        """As it was stored."""
        given = json.loads(text) if text else {}
        return cls(**{name: given[name] for name in cls.__slots__ if name in given})
