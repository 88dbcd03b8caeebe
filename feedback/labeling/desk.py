"""The desk of a labeling session: who gets which item next, and what becomes of it.

All methods block for the disk. In a route: ``await run_in_threadpool(desk.next_item, reviewer)``.
"""

from collections.abc import Sequence

from hansei.feedback.labeling.assignment import Answers, Assigned, OwnItem, ReviewerProgress, Submitted
from hansei.feedback.labeling.model import LabelingSessionRecord, LabelSchemaVersion


class Desk:
    """Of one session. Made by :meth:`Desks.of`; thread-safe.

    ``reviewer`` is who the page has found the reviewer to be; the desk does not ask again. Every method may raise
    ``StoreAway`` (the store does not answer: ask again later) and, where it writes labels, ``Refused`` (503/429).
    """

    session: LabelingSessionRecord
    """As it was a second ago at most."""
    questions: Sequence[LabelSchemaVersion]
    """In their order, in the versions of the session."""

    def next_item(self, reviewer: str, after: str | None = None) -> Assigned | None:
        """What the reviewer works on next; None where nothing is left for them, or the session is closed.

        What they have and have not finished comes first (after a crash, a closed tab, on another machine); then what
        they had to leave and is free again; then a fresh item. ``after`` is for who went back: the own item behind that
        one, in the order of :meth:`history`, also a finished one; behind the last it is as without.
        """
        raise NotImplementedError

    def open_item(self, reviewer: str, item_id: str) -> Assigned:
        """Go back to an own item, also a finished one, to look at it or to change it.

        One whose lease had run out is leased again where it is free, else its state is ``released``. Raises
        :class:`NotYours`.
        """
        raise NotImplementedError

    def heartbeat(self, reviewer: str, item_id: str, seconds: float) -> int | None:
        """The page is open on the item: keep the lease; answers until when (Unix milliseconds), None where the item is
        done or skipped, and needs none.

        ``seconds``: with the item in view in all (:attr:`Assigned.seconds` and what came since); less than before
        changes nothing. Raises :class:`SlotTaken`, :class:`NotYours` or :class:`SessionClosed`.
        """
        raise NotImplementedError

    def save_draft(self, reviewer: str, item_id: str, answers: Answers, seconds: float, revision: int) -> int:
        """Keep what is answered so far, checked only for what would not fit; answers the revision that is kept.

        A revision that is not larger than the kept one changes nothing. ``max(last + 1, Date.now())`` makes one that
        also grows between two tabs. A draft is kept also where the item is not the reviewer's any more. Raises
        ``InvalidLabel``, :class:`NotYours` or :class:`SessionClosed`.
        """
        raise NotImplementedError

    def submit(
        self, reviewer: str, item_id: str, answers: Answers, seconds: float, revision: int | None = None
    ) -> Submitted:
        """Hand an item in: every answer is checked, and becomes an assessment; the same again changes nothing.

        Of an item that was handed in before, what differs is corrected, and what is left out is retracted. A choice, a
        number and pass/fail must be answered; texts may be left out, but not everything. ``revision``: of the draft
        that this was, so that one which is still on its way does not come after it.

        Raises ``InvalidLabel`` (:class:`InvalidAnswers` names the question of each problem), :class:`SlotTaken`,
        :class:`NotYours` or :class:`SessionClosed`.
        """
        raise NotImplementedError

    def skip(self, reviewer: str, item_id: str, reason: str = "") -> None:
        """Leave an item to others; the reviewer does not get it again by :meth:`next_item`, but may go back and hand it
        in while it is free. Raises :class:`AlreadyDone`, :class:`NotYours` or :class:`SessionClosed`.
        """
        raise NotImplementedError

    def flag(self, reviewer: str, item_id: str, note: str) -> None:
        """Tell the organiser something about an own item; an empty note takes it back. Raises :class:`NotYours`."""
        raise NotImplementedError

    def progress(self, reviewer: str) -> ReviewerProgress:
        """How far the reviewer is."""
        raise NotImplementedError

    def history(self, reviewer: str) -> list[OwnItem]:
        """The reviewer's items in the order in which they got them."""
        raise NotImplementedError

    def release(self, item_id: str, reviewer: str) -> bool:
        """The organiser gives an item that a reviewer has, or has skipped, to whoever comes; False where there is
        nothing to give. What was handed in stays. Raises :class:`AlreadyDone`.
        """
        raise NotImplementedError

    def release_all(self, reviewer: str) -> int:
        """The same of all items that a reviewer has not finished; answers how many."""
        raise NotImplementedError
