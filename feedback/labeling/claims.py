"""Who has which place of a session's items: in memory, in step with the tables.

Work is in its table before a claim holds. With several collectors over one store, a claim is written and then what
others wrote of the item is read: whoever finds the item overfull gives the place back and tries another. Of two that
claim the last place at once, the one that reads later sees both, so an item never gets one reviewer too many; clocks
play no part in it. They do in how leases end: others may take a place only some seconds after its lease has run out,
and its holder trusts it only until some seconds before. So clocks may differ by as much. A store whose replicas lag
behind each other can give a place twice.
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from hansei.feedback.clock import EventClock
from hansei.feedback.labeling.desk_answers import Questions
from hansei.feedback.labeling.desk_errors import SlotTaken
from hansei.feedback.labeling.desk_tables import DeskTables, WorkRow
from hansei.feedback.labeling.errors import UnknownLabeling
from hansei.feedback.labeling.model import CLOSED, DONE, LEASED, Item, LabelingSessionRecord
from hansei.feedback.labeling.paper import Paper
from hansei.feedback.labeling.schemas import read_schema_versions
from hansei.feedback.labeling.sessions import read_session
from hansei.feedback.labeling.slots import NOTHING, Held, Slots
from hansei.feedback.search.connection import Query
from hansei.feedback.web.reader import StoreAway

_FRESH: Final = 1.0
"""Seconds for which what was read is good enough."""
_OVERLAP: Final = 30_000_000_000
"""Nanoseconds that are read again, for rows that another collector's clock dated earlier."""
_GRACE_MS: Final = 10_000
"""With several collectors: how much clocks may differ."""
_MINUTE_MS: Final = 60_000
"""For so long a look at an item keeps it, where leases are not shorter, without anything being written."""
_COLLISIONS: Final = 8
"""How often a claim is tried again when others claim at the same time."""


class Claims:
    """Of one session. Thread-safe."""

    def __init__(
        self,
        session_id: str,
        tables: DeskTables,
        query: Query,
        clock: EventClock,
        now_ns: Callable[[], int],
        *,
        shared: bool,
        redact: Callable[[str], str] = str,
    ) -> None:
        """Read the session. ``shared``: other collectors have it too. Raises ``UnknownLabeling`` or ``StoreAway``."""
        self.session_id = session_id
        self.shared = shared
        self._tables = tables
        self._query = query
        self._clock = clock
        self._now_ns = now_ns
        self._redact = redact
        self._grace = _GRACE_MS if shared else 0
        self._lock = threading.Lock()
        """Of what is in memory; nothing waits for the store under it."""
        self._turns: dict[str, threading.RLock] = defaultdict(threading.RLock)
        self._reading = threading.Lock()
        self._read_at = time.monotonic()
        self._items: list[tuple[object, ...]] = []
        self.session: LabelingSessionRecord
        self.questions: Questions
        self._deleted = False
        self._began_ns = now_ns()
        self._read_session()
        self.check_there()
        self._slots = Slots(self.session.settings.reviewers_per_item)
        self._load()

    # --- in step with the tables ---

    def refresh(self, *, must: bool = False) -> None:
        """Read what others have written; ``must``: also where that was done a moment ago."""
        asked = time.monotonic()
        if not (must or self.shared):
            if asked - self._read_at < _FRESH or not self._reading.acquire(blocking=False):
                return
        else:
            self._reading.acquire()
        try:
            # Who waited for another to read has what it read, if that began later than the question.
            if self._read_at < asked:
                began, began_ns = time.monotonic(), self._now_ns()
                since = {"session_id": self.session_id, "since": max(0, self._began_ns - _OVERLAP)}
                items = self._tables.columns("desk_items_since", since)
                work = self._tables.work("desk_work_since", **since)
                self._read_session()
                self._take_in(list(zip(*items, strict=True)), work)
                self._read_at, self._began_ns = began, began_ns
        finally:
            self._reading.release()

    def _load(self) -> None:
        about = {"session_id": self.session_id}
        columns = self._tables.columns("desk_items", about)
        self._items = list(zip(*columns, strict=True))
        ids: Iterable[str] = columns[0] if columns else ()
        self._slots.load(list(ids), self._tables.work("desk_work", **about), self._now_ms() - self._grace)

    def _take_in(self, items: Iterable[tuple[object, ...]], work: Iterable[WorkRow]) -> None:
        with self._lock:
            for *item, deleted in items:
                item_id = str(item[0])
                if deleted:
                    self._slots.remove(item_id)
                    continue
                if item_id not in self._slots.number:
                    self._items.append(tuple(item))
                self._slots.add(item_id)
            self._take_in_work(work)
            self._slots.want(self.session.settings.reviewers_per_item)

    def _take_in_work(self, work: Iterable[WorkRow]) -> None:
        for item_id, reviewer, held in work:
            number = self._slots.number.get(item_id)
            if number is not None:
                known = self._slots.held[reviewer].get(number)
                if known is None or known.written < held.written:
                    self._slots.put(number, reviewer, held, self._now_ms() - self._grace)

    def _read_session(self) -> None:
        record = self._tables.read(read_session, self._query, self.session_id)
        self._deleted = record is None
        if record is not None and record != getattr(self, "session", None):
            self.questions = Questions(self._tables.read(read_schema_versions, self._query, record), self._redact)
            self.session = record

    # --- what is known ---

    def check_there(self) -> None:
        """Raises ``UnknownLabeling`` for a session that was deleted."""
        if self._deleted:
            raise UnknownLabeling(f"there is no labeling session {self.session_id!r}; it may have been deleted")

    @property
    def closed(self) -> bool:
        """Whether nothing is handed out or taken any more."""
        return self._deleted or self.session.status == CLOSED

    def turn(self, reviewer: str) -> threading.RLock:
        """What a reviewer does is done one after the other, whatever tabs there are."""
        with self._lock:
            return self._turns[reviewer]

    def now_ns(self) -> int:
        """A moment for what is said now, later than every one before."""
        return self._clock.tick()

    def lease_end(self) -> int:
        """Until when a lease lasts that is given now, in milliseconds."""
        return self._now_ms() + self._lease_ms()

    def slots(self) -> "_Looking":
        """``with claims.slots() as slots``: look at who has what now, without waiting for anything."""
        return _Looking(self)

    def number(self, item_id: str) -> int | None:
        """An item's number; None for one that is not in the session."""
        with self._lock:
            number = self._slots.number.get(item_id)
            return None if number is None or self._slots.is_removed(number) else number

    def held(self, number: int, reviewer: str) -> Held | None:
        """What a reviewer has done with an item; None: it was never theirs."""
        with self._lock:
            return self._slots.held[reviewer].get(number)

    def item(self, number: int) -> Item:
        """An item."""
        return Item(*self._items[number])  # type: ignore[arg-type]

    def paper(self, number: int, reviewer: str) -> Paper:
        """What a reviewer has written of an item."""
        held = self.held(number, reviewer)
        if held is None:
            return Paper()
        return held.paper or self._tables.paper(self.session_id, self.item(number).item_id, reviewer)

    def is_safe(self, number: int, reviewer: str) -> bool:
        """Whether a reviewer has a place, which nobody else can take within the next minute, or one more lease."""
        with self._lock:
            now_ms = self._now_ms()
            self._slots.expire(now_ms - self._grace)
            held = self._slots.held[reviewer].get(number)
            if held is None or not self._slots.has_place(number, reviewer):
                return False
            if held.state == DONE or held.submitting:
                return True
            if not self.shared and self._slots.taken(number) > self._slots.places:
                # There are fewer places now, or the store failed while one was given back.
                self._slots.put(number, reviewer, held._replace(until_ms=0), now_ms)
                return False
            self._slots.keep(number, reviewer, now_ms + min(_MINUTE_MS, self._lease_ms()))
            return held.until_ms - now_ms > self._grace or not self.shared

    # --- what is done ---

    def write(self, number: int, reviewer: str, held: Held) -> None:
        """Replace what a reviewer has done with an item; answers once it is stored.

        The place is held, or free, from the beginning. Where the store does not answer, all is as before.
        """
        with self._lock:
            before = self._slots.held[reviewer].get(number)
            stamped = self._put(number, reviewer, held)
        self._store(number, reviewer, stamped, before)

    def claim(self, reviewer: str) -> int | None:
        """Lease the item that a reviewer should have next; None where there is none."""
        without = 0
        for attempt in range(_COLLISIONS):
            # Where several claim at a time, some chance keeps them from doing so again and again.
            ahead = random.randrange(4 * attempt + 1)
            number = self._claim(reviewer, partial(self._chosen, reviewer, without, ahead))
            if number is None:
                if not without:
                    return None
                without = 0
                time.sleep(random.uniform(0.01, 0.05) * (attempt + 1))
            elif number >= 0:
                return number
            else:
                without |= 1 << ~number
        raise StoreAway("many reviewers are being given items at this moment; ask again in a few seconds")

    def secure(self, number: int, reviewer: str) -> None:
        """Make sure that a reviewer has a place of an item, with a new lease where the old one ran out.

        Raises :class:`SlotTaken`.
        """
        for attempt in range(_COLLISIONS if self.shared else 1):
            # Read first: what is safe must be so now, however long the store took to answer.
            overfull = self.shared and self._is_overfull(number)
            if self.is_safe(number, reviewer):
                if not overfull:
                    return
            else:
                found = self._claim(reviewer, lambda: number if self._may_have(number, reviewer) else None)
                if found is None:
                    break
                if found >= 0:
                    return
            # Another collector may be about to give back what it claimed.
            time.sleep(random.uniform(0.01, 0.05) * (attempt + 1))
        raise SlotTaken(
            "your time with this item had run out, and others have it now; what you wrote is kept, and the item comes "
            "back to you if it becomes free"
        )

    def submitting(self) -> list[tuple[int, str]]:
        """What was submitted and has not come to its end."""
        with self._lock:
            return sorted(self._slots.submitting)

    def _claim(self, reviewer: str, choose: Callable[[], int | None]) -> int | None:
        """Lease an item; None where none was chosen, ``~number`` where others were quicker."""
        with self._lock:
            self._slots.expire(self._now_ms() - self._grace)
            number = choose()
            if number is None:
                return None
            before = self._slots.held[reviewer].get(number)
            kept = before or NOTHING
            until = self.lease_end()
            lease = kept._replace(state=LEASED, leased_ms=self._now_ms(), until_ms=until, submitting=False)
            leased = self._put(number, reviewer, lease)
        if kept.paper is None:
            try:
                paper = self._tables.paper(self.session_id, self.item(number).item_id, reviewer)
            except BaseException:
                self._undo(number, reviewer, leased, before)
                raise
            kept, leased = kept._replace(paper=paper), leased._replace(paper=paper)
        self._store(number, reviewer, leased, before)
        if self.shared and self._is_overfull(number):
            with self._lock:
                given_back = self._put(number, reviewer, kept)
            self._tables.write(self.session_id, self.item(number).item_id, reviewer, given_back)
            return ~number
        return number

    def _may_have(self, number: int, reviewer: str) -> bool:
        return self._slots.is_free(number) or self._slots.has_place(number, reviewer)

    def _chosen(self, reviewer: str, without: int, ahead: int) -> int | None:
        number = self._slots.choose(reviewer, without)
        for _ in range(ahead):
            without |= 1 << (number or 0)
            other = self._slots.choose(reviewer, without)
            if other is None:
                break
            number = other
        return number

    def _is_overfull(self, number: int) -> bool:
        about = {"session_id": self.session_id, "item_id": self.item(number).item_id}
        work = self._tables.work("desk_work_of_item", **about)
        with self._lock:
            self._take_in_work(work)
            return self._slots.taken(number) > self._slots.places

    def _put(self, number: int, reviewer: str, held: Held) -> Held:
        before = self._slots.held[reviewer].get(number)
        written = max(self._clock.tick(), before.written + 1 if before else 0)
        stamped = held._replace(written=written)
        # What is done is not looked at often: it can be read again.
        forgets = held.state == DONE and not held.submitting
        kept = stamped._replace(paper=None) if forgets else stamped
        self._slots.put(number, reviewer, kept, self._now_ms() - self._grace)
        return stamped

    def _store(self, number: int, reviewer: str, held: Held, before: Held | None) -> None:
        try:
            self._tables.write(self.session_id, self.item(number).item_id, reviewer, held)
        except BaseException:
            self._undo(number, reviewer, held, before)
            raise
        if held.paper is not None and held.state != DONE:
            with self._lock:
                known = self._slots.held[reviewer].get(number)
                if known is not None and known.written == held.written and known.paper is None:
                    self._slots.held[reviewer][number] = held

    def _undo(self, number: int, reviewer: str, held: Held, before: Held | None) -> None:
        with self._lock:
            known = self._slots.held[reviewer].get(number)
            if known is not None and known.written == held.written:
                self._slots.put(number, reviewer, before, self._now_ms() - self._grace)

    def _lease_ms(self) -> int:
        return int(self.session.settings.lease_minutes * 60_000)

    def _now_ms(self) -> int:
        return self._now_ns() // 1_000_000


class _Looking:
    """A look at the places, under their lock."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def __enter__(self) -> Slots:
        self._claims._lock.acquire()
        self._claims._slots.expire(self._claims._now_ms() - self._claims._grace)
        return self._claims._slots

    def __exit__(self, *_: object) -> None:
        self._claims._lock.release()
