"""The desks of a server: one a session."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from hansei.collector.redaction import Redaction
from hansei.collector.store import EmbeddedStore
from hansei.feedback.clock import EventClock
from hansei.feedback.labeling.claims import Claims
from hansei.feedback.labeling.desk import Desk
from hansei.feedback.labeling.desk_tables import DeskTables

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

_KEPT: Final = 8
"""Desks that stay in memory though nobody is at them: with 100 000 items each has some 40 MB."""


class Desks:
    """Make one a site: ``Desks(site)``."""

    def __init__(self, site: "Site", *, now_ns: Callable[[], int] = time.time_ns, shared: bool | None = None) -> None:
        """``shared``: whether other collectors use the same store; by itself what the store tells."""
        self._site = site
        self._shared = not isinstance(site.server.store, EmbeddedStore) if shared is None else shared
        self._now_ns = now_ns
        self._clock = EventClock(now_ns)
        self._tables = DeskTables(site.server.store)
        patterns = site.server.settings.redact
        self._redact = Redaction(patterns).text if patterns else str
        self._lock = threading.Lock()
        self._opening: dict[str, threading.Lock] = {}
        self._all: WeakValueDictionary[str, Desk] = WeakValueDictionary()
        """Also those that are no longer kept, while somebody is at them: a session never has two."""
        self._kept: OrderedDict[str, Desk] = OrderedDict()

    def of(self, session_id: str) -> Desk:
        """The desk of a session, as it was a second ago at most; the first time all of it is read. Blocks.

        Raises ``UnknownLabeling`` or ``StoreAway``.
        """
        found = self._found(session_id)
        if found is not None:
            found.refresh()
            return found
        with self._lock:
            opening = self._opening.setdefault(session_id, threading.Lock())
        with opening:
            desk = self._found(session_id) or self._opened(session_id)
        with self._lock:
            self._opening.pop(session_id, None)
        return desk

    def _found(self, session_id: str) -> Desk | None:
        with self._lock:
            desk = self._all.get(session_id)
            if desk is not None:
                self._keep(session_id, desk)
            return desk

    def _opened(self, session_id: str) -> Desk:
        claims = Claims(
            session_id, self._tables, self._site.reader.query, self._clock, self._now_ns, shared=self._shared,
            redact=self._redact,
        )  # fmt: skip
        desk = Desk(claims, self._site.server.ingest)
        with self._lock:
            self._all[session_id] = desk
            self._keep(session_id, desk)
        return desk

    def _keep(self, session_id: str, desk: Desk) -> None:
        self._kept[session_id] = desk
        self._kept.move_to_end(session_id)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
