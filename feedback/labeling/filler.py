"""Filling open sessions by their rules, for as long as the server runs."""

import logging
import threading
import time
from typing import Final

from hansei.feedback.labeling.model import OPEN, LabelingSessionRecord
from hansei.feedback.labeling.rules import rule_of
from hansei.feedback.labeling.sampling import apply_rule
from hansei.feedback.labeling.sessions import read_sessions
from hansei.feedback.web.tables import Tables

log = logging.getLogger("hansei.labeling")

_PAUSE: Final = 2.0
"""Seconds between two looks at least."""
_REST: Final = 10.0
"""How much longer it rests than it has worked: it never takes much of what requests need."""


def fill(store: Tables, session: LabelingSessionRecord) -> int:
    """Add what the rules of a session choose now; answers how many items were added. Raises ``SearchError``."""
    return sum(apply_rule(store, rule_of(rule), session.session_id).added for rule in session.settings.rules)


class Filler:
    """A thread that looks for new traces every few seconds. Several servers may do so: an item is added once."""

    def __init__(self, store: Tables, stopping: threading.Event) -> None:
        """``stopping`` ends it."""
        self._store = store
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run, name="labeling-filler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Return once it has ended; ``stopping`` must be set."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        pause, failing = _PAUSE, False
        while not self._stopping.wait(pause):
            start = time.monotonic()
            try:
                self._look()
                failing = False
            except Exception as error:
                # What is not chosen now is chosen later; a store that is away is reported by the inserter.
                if not failing:
                    log.warning("labeling sessions could not be filled: %s", str(error).split("\n", 1)[0])
                failing = True
            pause = max(_PAUSE, _REST * (time.monotonic() - start))

    def _look(self) -> None:
        for session in read_sessions(self._store.query):
            if session.status == OPEN and session.settings.rules and not self._stopping.is_set():
                fill(self._store, session)
