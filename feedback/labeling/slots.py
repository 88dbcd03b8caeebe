"""The places of a session's items, in memory: who has which, and which is free.

An item has as many places as reviewers are wanted. A place is held by work that is done, by a lease that has not run
out, and by a submission under way. Nothing here waits, locks or asks for the time.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from hansei.feedback.labeling.model import DONE, LEASED, RELEASED, SKIPPED
from hansei.feedback.labeling.paper import Paper

_PACES: Final = 50
"""How many items a reviewer's pace is known by."""
_ACTIVE_MS: Final = 3_600_000


class Held(NamedTuple):
    """What a reviewer has done with an item: a row of ``labeling_work``."""

    state: str
    leased_ms: int = 0
    until_ms: int = 0
    flag: str = ""
    seconds: float = 0.0
    written: int = 0
    submitting: bool = False
    """Whether what was submitted is still on its way to the ledger."""
    paper: Paper | None = None
    """None where it has to be read first."""

    def holds(self, now_ms: int) -> bool:
        """Whether this takes a place."""
        return self.state == DONE or self.submitting or (self.state == LEASED and self.until_ms > now_ms)


NOTHING: Final = Held(RELEASED, paper=Paper())
"""What a reviewer has done who has just given an item back."""


class Slots:
    """Items by number, in their order. Sets of items are the bits of an integer: of 100 000 items 12 KB, and the first
    one that fits is found in microseconds, whatever has been handed out."""

    def __init__(self, places: int) -> None:
        """``places``: how many reviewers an item gets."""
        self.places = places
        self.item_ids: list[str] = []
        self.number: dict[str, int] = {}
        self._removed: set[int] = set()
        self._taken: list[int] = []
        """Of each item: how many hold a place."""
        self._levels: list[int] = []
        """The items with 0, 1, … places taken; of full and removed ones none."""
        self._touched: dict[str, int] = defaultdict(int)
        """By reviewer: the items that are not theirs to get: held, or skipped."""
        self.held: dict[str, dict[int, Held]] = defaultdict(dict)
        """By reviewer and item."""
        self._leases: dict[tuple[int, str], int] = {}
        """Those that hold a place and can run out: until when."""
        self.lapsed: dict[str, set[int]] = defaultdict(set)
        """By reviewer: the items whose lease ran out."""
        self.submitting: set[tuple[int, str]] = set()
        self._paces: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_PACES))
        self._seen_ms: dict[str, int] = {}
        self._done: dict[str, int] = defaultdict(int)

    # --- filling ---

    def load(self, item_ids: Sequence[str], work: Iterable[tuple[str, str, Held]], now_ms: int) -> None:
        """Begin with these items, and with the work of (item, reviewer)."""
        self.item_ids = list(item_ids)
        self.number = {item_id: number for number, item_id in enumerate(self.item_ids)}
        self._taken = [0] * len(self.item_ids)
        size = len(self.item_ids) // 8 + 1
        touched: dict[str, bytearray] = defaultdict(lambda: bytearray(size))
        for item_id, reviewer, held in work:
            number = self.number.get(item_id)
            if number is not None:
                self.held[reviewer][number] = held
                if self._note(number, reviewer, held, now_ms):
                    touched[reviewer][number >> 3] |= 1 << (number & 7)
        self._touched.update({reviewer: int.from_bytes(bits, "little") for reviewer, bits in touched.items()})
        self._rank()

    def want(self, places: int) -> None:
        """Every item gets so many reviewers from now on."""
        if places != self.places:
            self.places = places
            self._rank()

    def _rank(self) -> None:
        """Fill the levels anew."""
        size = len(self.item_ids) // 8 + 1
        levels = [bytearray(size) for _ in range(self.places)]
        for number, taken in enumerate(self._taken):
            if taken < self.places and number not in self._removed:
                levels[taken][number >> 3] |= 1 << (number & 7)
        self._levels = [int.from_bytes(bits, "little") for bits in levels]

    def add(self, item_id: str) -> None:
        """An item, behind the others; one that was removed comes back in its place."""
        number = self.number.get(item_id)
        if number is None:
            number = self.number[item_id] = len(self.item_ids)
            self.item_ids.append(item_id)
            self._taken.append(0)
        elif number not in self._removed:
            return
        self._removed.discard(number)
        self._flip(number)

    def remove(self, item_id: str) -> None:
        """Hand an item out no more."""
        number = self.number.get(item_id)
        if number is not None and number not in self._removed:
            self._flip(number)
            self._removed.add(number)

    def is_removed(self, number: int) -> bool:
        """Whether an item was taken out of the session."""
        return number in self._removed

    # --- what reviewers do ---

    def put(self, number: int, reviewer: str, held: Held | None, now_ms: int) -> None:
        """Replace what a reviewer has done with an item; None: as if it had never been theirs."""
        before = self.held[reviewer].get(number)
        if before is not None:
            self._forget(number, reviewer, before)
        if held is None:
            self.held[reviewer].pop(number, None)
            return
        self.held[reviewer][number] = held
        self._flip(number)
        touched = self._note(number, reviewer, held, now_ms)
        self._flip(number)
        if touched:
            self._touched[reviewer] |= 1 << number

    def expire(self, now_ms: int) -> None:
        """Free the places whose leases have run out."""
        for (number, reviewer), until in list(self._leases.items()):
            if until <= now_ms:
                self._lapse(number, reviewer)

    def keep(self, number: int, reviewer: str, until_ms: int) -> None:
        """Let a lease not run out before a moment, whatever is written of it."""
        if (number, reviewer) in self._leases:
            self._leases[number, reviewer] = max(self._leases[number, reviewer], until_ms)

    def _lapse(self, number: int, reviewer: str) -> None:
        self._free(number, reviewer)
        self._touched[reviewer] &= ~(1 << number)
        self.lapsed[reviewer].add(number)

    def _note(self, number: int, reviewer: str, held: Held, now_ms: int) -> bool:
        """Count work; answers whether the item is not the reviewer's to get any more."""
        self._seen_ms[reviewer] = max(self._seen_ms.get(reviewer, 0), held.written // 1_000_000)
        if held.submitting:
            self.submitting.add((number, reviewer))
        if held.state == DONE:
            self._done[reviewer] += 1
            if held.seconds > 0:
                self._paces[reviewer].append(held.seconds)
        if held.holds(now_ms):
            self._taken[number] += 1
            if held.state == LEASED and not held.submitting:
                self._leases[number, reviewer] = held.until_ms
            return True
        if held.state == LEASED:
            self.lapsed[reviewer].add(number)
        return held.state == SKIPPED

    def _forget(self, number: int, reviewer: str, held: Held) -> None:
        self.submitting.discard((number, reviewer))
        self.lapsed[reviewer].discard(number)
        if held.state == DONE:
            self._done[reviewer] -= 1
        if held.state == DONE or held.submitting or (number, reviewer) in self._leases:
            self._free(number, reviewer)
        self._touched[reviewer] &= ~(1 << number)

    def _free(self, number: int, reviewer: str) -> None:
        self._leases.pop((number, reviewer), None)
        self._flip(number)
        self._taken[number] -= 1
        self._flip(number)

    def _flip(self, number: int) -> None:
        """Take an item out of its level, or put it in."""
        taken = self._taken[number]
        if taken < self.places and number not in self._removed:
            self._levels[taken] ^= 1 << number

    # --- questions ---

    def has_place(self, number: int, reviewer: str) -> bool:
        """Whether a reviewer holds a place of an item; leases that have run out do until :meth:`expire`."""
        held = self.held[reviewer].get(number)
        return held is not None and (held.state == DONE or held.submitting or (number, reviewer) in self._leases)

    def taken(self, number: int) -> int:
        """How many hold a place of an item."""
        return self._taken[number]

    def is_free(self, number: int) -> bool:
        """Whether an item has a free place."""
        return self._taken[number] < self.places and number not in self._removed

    def leased(self, reviewer: str) -> list[int]:
        """The items that a reviewer has now and has not handed in, the first leased first."""
        mine = self.held[reviewer]
        found = [number for number, who in self._leases if who == reviewer and number not in self._removed]
        return sorted(found, key=lambda number: (mine[number].leased_ms, number))

    def choose(self, reviewer: str, without: int = 0) -> int | None:
        """The item that a reviewer should get next, but none of ``without`` (bits); None where there is none.

        What the reviewer had begun comes first; then the items that most others have done or have at hand, so that
        items are finished before new ones are opened; then the order of the items.
        """
        for number in sorted(self.lapsed[reviewer]):
            if self.is_free(number) and not without >> number & 1:
                return number
        never = self._touched[reviewer] | without
        for level in reversed(self._levels):
            fitting = level & ~never
            if fitting:
                return (fitting & -fitting).bit_length() - 1
        return None

    def left(self, reviewer: str, now_ms: int) -> int:
        """How many items a reviewer may expect yet: of the free places as many as everybody else who is at work."""
        never = self._touched[reviewer]
        fitting = sum((level & ~never).bit_count() for level in self._levels)
        free = sum((self.places - taken) * level.bit_count() for taken, level in enumerate(self._levels))
        active = {who for who, seen in self._seen_ms.items() if seen > now_ms - _ACTIVE_MS} | {reviewer}
        return len(self.leased(reviewer)) + min(fitting, -(-free // len(active)))

    def done(self, reviewer: str) -> int:
        """How many items a reviewer has handed in."""
        return self._done.get(reviewer, 0)

    def pace(self, reviewer: str) -> float | None:
        """The seconds that an item takes a reviewer, or anybody where they are new; None where nothing is known."""
        mine = sorted(self._paces.get(reviewer, ()))
        known = mine if len(mine) >= 3 else sorted(pace for paces in self._paces.values() for pace in paces)
        return known[len(known) // 2] if known else None

    def own(self, reviewer: str) -> list[int]:
        """The items that a reviewer has or had, in the order in which they got them."""
        mine = self.held[reviewer]
        found = [number for number, held in mine.items() if number not in self._removed and not _is_blank(held)]
        return sorted(found, key=lambda number: (mine[number].leased_ms, number))

    def state_of(self, number: int, reviewer: str) -> str:
        """The state of an own item: a lease that has run out is ``released``."""
        held = self.held[reviewer][number]
        return RELEASED if held.state == LEASED and not self.has_place(number, reviewer) else held.state


def _is_blank(held: Held) -> bool:
    """Whether it was given back before anything was done."""
    return held._replace(leased_ms=0, until_ms=0, written=0) == NOTHING
