"""The desk of a labeling session: who gets which item next, and what becomes of it.

All methods block for the disk. In a route: ``await run_in_threadpool(desk.next_item, reviewer)``.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hansei.collector.errors import HanseiError
from hansei.collector.ingest import Ingest
from hansei.collector.signals import LOGS
from hansei.feedback.labeling.assignment import Answers, Assigned, OwnItem, ReviewerProgress, Submitted
from hansei.feedback.labeling.claims import Claims
from hansei.feedback.labeling.desk_answers import Kept
from hansei.feedback.labeling.desk_errors import AlreadyDone, NotYours, SessionClosed, SlotTaken
from hansei.feedback.labeling.desk_labels import Change, change_of, label_id
from hansei.feedback.labeling.errors import InvalidLabel
from hansei.feedback.labeling.model import DONE, LEASED, RELEASED, SKIPPED, LabelingSessionRecord, LabelSchemaVersion
from hansei.feedback.labeling.paper import Paper
from hansei.feedback.labeling.slots import NOTHING, Held
from hansei.feedback.labeling.texts import long_text
from hansei.feedback.otlp import export_request

log: Final = logging.getLogger("hansei.feedback")

_LONGEST_NOTE: Final = 2_000
"""Characters."""
_LONGEST_SECONDS: Final = 1_000_000
_TICK: Final = 15
"""Seconds in view after which they are written, where nothing else is."""
_STUCK_NS: Final = 60_000_000_000
"""Nanoseconds after which what was submitted is brought to its end by whoever comes by."""


class Desk:
    """Of one session. Made by :meth:`Desks.of`; thread-safe.

    ``reviewer`` is who the page has found the reviewer to be; the desk does not ask again. Every method may raise
    ``StoreAway`` (the store does not answer: ask again later) and, where it writes labels, ``Refused`` (503/429).
    """

    def __init__(self, claims: Claims, ingest: Ingest) -> None:
        self._claims = claims
        self._ingest = ingest
        self._finish_what_was_submitted(0)

    @property
    def session(self) -> LabelingSessionRecord:
        """As it was a second ago at most."""
        return self._claims.session

    @property
    def questions(self) -> Sequence[LabelSchemaVersion]:
        """In their order, in the versions of the session."""
        return self._claims.questions.schemas

    def refresh(self) -> None:
        """Read what others have written, once a second at most; done by every method too.

        Raises ``UnknownLabeling`` for a session that was deleted.
        """
        self._refresh()
        self._claims.check_there()

    def next_item(self, reviewer: str, after: str | None = None) -> Assigned | None:
        """What the reviewer works on next; None where nothing is left for them, or the session is closed.

        What they have and have not finished comes first (after a crash, a closed tab, on another machine); then what
        they had to leave and is free again; then a fresh item. ``after`` is for who went back: the own item behind that
        one, in the order of :meth:`history`, also a finished one; behind the last it is as without.
        """
        with self._claims.turn(reviewer):
            self._refresh()
            if self._claims.closed:
                return None
            self._finish_what_was_submitted(0, reviewer)
            behind = None if after is None else self._behind(reviewer, after)
            if behind is not None:
                return self._open(behind, reviewer)
            with self._claims.slots() as slots:
                begun = slots.leased(reviewer)
            if begun:
                return self._open(begun[0], reviewer)
            number = self._claims.claim(reviewer)
            if number is None:
                # Items may have been added, or given back, a moment ago.
                self._claims.refresh(must=True)
                number = self._claims.claim(reviewer)
            return None if number is None else self._assigned(number, reviewer)

    def open_item(self, reviewer: str, item_id: str) -> Assigned:
        """Go back to an own item, also a finished one, to look at it or to change it.

        One whose lease had run out is leased again where it is free, else its state is ``released``. Raises
        :class:`NotYours`.
        """
        with self._claims.turn(reviewer):
            self._refresh()
            return self._open(self._own(reviewer, item_id), reviewer)

    def heartbeat(self, reviewer: str, item_id: str, seconds: float) -> int | None:
        """The page is open on the item: keep the lease; answers until when (Unix milliseconds), None where the item is
        done or skipped, and needs none.

        ``seconds``: with the item in view in all (:attr:`Assigned.seconds` and what came since); less than before
        changes nothing. Raises :class:`SlotTaken`, :class:`NotYours` or :class:`SessionClosed`.
        """
        with self._claims.turn(reviewer):
            self._refresh()
            number = self._own(reviewer, item_id)
            self._check_open()
            held = self._held(number, reviewer)
            if held.state == LEASED:
                self._claims.secure(number, reviewer)
                return self._renewed(number, reviewer, seconds).until_ms
            counted = _counted(held, seconds)
            if counted - held.seconds >= _TICK:
                paper = self._claims.paper(number, reviewer)
                self._claims.write(number, reviewer, held._replace(seconds=counted, paper=paper))
            if held.state == RELEASED:
                raise SlotTaken("the organiser has given this item to others; what you wrote is kept")
            return None

    def save_draft(self, reviewer: str, item_id: str, answers: Answers, seconds: float, revision: int) -> int:
        """Keep what is answered so far, checked only for what would not fit; answers the revision that is kept.

        A revision that is not larger than the kept one changes nothing. ``max(last + 1, Date.now())`` makes one that
        also grows between two tabs. A draft is kept also where the item is not the reviewer's any more. Raises
        ``InvalidLabel``, :class:`NotYours` or :class:`SessionClosed`.
        """
        with self._claims.turn(reviewer):
            self._refresh()
            number = self._own(reviewer, item_id)
            self._check_open()
            kept = self._claims.questions.draft(answers)
            if not isinstance(revision, int) or isinstance(revision, bool) or not 0 <= revision < 2**63:
                raise InvalidLabel(f"revision: {revision!r} is not a whole number that grows with each draft")
            paper = self._claims.paper(number, reviewer)
            held = self._held(number, reviewer)
            if revision <= paper.revision or held.submitting:
                return paper.revision
            until = held.until_ms
            if held.state == LEASED and self._claims.is_safe(number, reviewer):
                until = self._claims.lease_end()
            written = replace(paper, answers=kept, revision=revision)
            counted = _counted(held, seconds)
            self._claims.write(number, reviewer, held._replace(until_ms=until, seconds=counted, paper=written))
            return revision

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
        with self._claims.turn(reviewer):
            self._refresh()
            number = self._own(reviewer, item_id)
            self._check_open()
            complete = self._claims.questions.complete(answers)
            if self._held(number, reviewer).submitting:
                self._finish(number, reviewer)
            paper = self._claims.paper(number, reviewer)
            held = self._held(number, reviewer)
            newer = max(paper.revision + 1, revision or 0)
            if held.state == DONE and complete == paper.recorded:
                if paper.answers != complete:
                    again = replace(paper, answers=complete, revision=newer)
                    self._claims.write(number, reviewer, held._replace(paper=again))
                return self._submitted(number, reviewer, complete, None)
            at = max(self._claims.now_ns(), paper.recorded_ns + 1)
            wanted = replace(paper, answers=complete, revision=newer, submitted_ns=at)
            # What the ledger would not take is found out before anything is promised.
            self._change(number, reviewer, wanted)
            if held.state != DONE:
                held = self._secured(number, reviewer, held, replace(wanted, submitted_ns=0), seconds)
            under_way = held._replace(seconds=_counted(held, seconds), submitting=True, paper=wanted)
            self._claims.write(number, reviewer, under_way)
            change = self._finish(number, reviewer)
            return self._submitted(number, reviewer, complete, change)

    def skip(self, reviewer: str, item_id: str, reason: str = "") -> None:
        """Leave an item to others; the reviewer does not get it again by :meth:`next_item`, but may go back and hand it
        in while it is free. Raises :class:`AlreadyDone`, :class:`NotYours` or :class:`SessionClosed`.
        """
        note = long_text("reason", reason, _LONGEST_NOTE) or ""
        with self._claims.turn(reviewer):
            self._refresh()
            number = self._own(reviewer, item_id)
            self._check_open()
            held = self._held(number, reviewer)
            if held.state == DONE or held.submitting:
                raise AlreadyDone("you have handed this item in; change your answers instead")
            if held.state != SKIPPED or (note and note != held.flag):
                paper = self._claims.paper(number, reviewer)
                skipped = held._replace(state=SKIPPED, until_ms=0, flag=note or held.flag, paper=paper)
                self._claims.write(number, reviewer, skipped)

    def flag(self, reviewer: str, item_id: str, note: str) -> None:
        """Tell the organiser something about an own item; an empty note takes it back. Raises :class:`NotYours`."""
        text = long_text("note", note, _LONGEST_NOTE) or ""
        with self._claims.turn(reviewer):
            self._refresh()
            number = self._own(reviewer, item_id)
            held = self._held(number, reviewer)
            if text != held.flag:
                paper = self._claims.paper(number, reviewer)
                self._claims.write(number, reviewer, held._replace(flag=text, paper=paper))

    def progress(self, reviewer: str) -> ReviewerProgress:
        """How far the reviewer is."""
        self._refresh()
        with self._claims.slots() as slots:
            left = 0 if self._claims.closed else slots.left(reviewer, self._claims.now_ns() // 1_000_000)
            done = slots.done(reviewer)
            pace = slots.pace(reviewer)
        return ReviewerProgress(done + 1, done, left, None if pace is None else pace * left)

    def history(self, reviewer: str) -> list[OwnItem]:
        """The reviewer's items in the order in which they got them."""
        self._refresh()
        with self._claims.slots() as slots:
            mine = slots.held[reviewer]
            return [
                OwnItem(
                    slots.item_ids[number], slots.state_of(number, reviewer), mine[number].leased_ms, mine[number].flag
                )
                for number in slots.own(reviewer)
            ]

    def release(self, item_id: str, reviewer: str) -> bool:
        """The organiser gives an item that a reviewer has, or has skipped, to whoever comes; False where there is
        nothing to give. What was handed in stays. Raises :class:`AlreadyDone`.
        """
        with self._claims.turn(reviewer):
            self._refresh()
            number = self._claims.number(item_id)
            held = None if number is None else self._claims.held(number, reviewer)
            if number is None or held is None:
                return False
            if held.state == DONE or held.submitting:
                raise AlreadyDone(f"{reviewer} has handed this item in; the answers stay")
            if held.state == RELEASED:
                return False
            paper = self._claims.paper(number, reviewer)
            self._claims.write(number, reviewer, held._replace(state=RELEASED, until_ms=0, paper=paper))
            return True

    def release_all(self, reviewer: str) -> int:
        """The same of all items that a reviewer has not finished; answers how many."""
        with self._claims.turn(reviewer):
            self._refresh()
            with self._claims.slots() as slots:
                mine = slots.held[reviewer]
                open_items = [
                    slots.item_ids[number]
                    for number in slots.own(reviewer)
                    if mine[number].state in (LEASED, SKIPPED) and not mine[number].submitting
                ]
            return sum(self.release(item_id, reviewer) for item_id in open_items)

    # --- an own item ---

    def _own(self, reviewer: str, item_id: str) -> int:
        number = self._claims.number(item_id)
        if number is None or self._claims.held(number, reviewer) is None:
            raise NotYours("this item is not one of yours, or it was taken out of the session; go on with the next one")
        return number

    def _held(self, number: int, reviewer: str) -> Held:
        return self._claims.held(number, reviewer) or NOTHING

    def _check_open(self) -> None:
        if self._claims.closed:
            raise SessionClosed("the organiser has closed this session; nothing more is taken")

    def _behind(self, reviewer: str, item_id: str) -> int | None:
        """The own item after another one."""
        with self._claims.slots() as slots:
            own = slots.own(reviewer)
            number = slots.number.get(item_id)
        later = own[own.index(number) + 1 :] if number in own else []
        return later[0] if later else None

    def _open(self, number: int, reviewer: str) -> Assigned:
        """An own item, with a lease where it may have one."""
        if self._held(number, reviewer).state == LEASED and not self._claims.closed:
            try:
                self._claims.secure(number, reviewer)
            except SlotTaken:
                pass
            else:
                self._renewed(number, reviewer, 0)
        return self._assigned(number, reviewer)

    def _renewed(self, number: int, reviewer: str, seconds: float) -> Held:
        """Prolong a lease, and count the time, where it is worth to be written."""
        held = self._held(number, reviewer)
        until = self._claims.lease_end()
        counted = _counted(held, seconds)
        length = until - self._claims.now_ns() // 1_000_000
        if until - held.until_ms >= min(60_000, length // 4) or counted - held.seconds >= _TICK:
            paper = self._claims.paper(number, reviewer)
            held = held._replace(until_ms=until, seconds=counted, paper=paper)
            self._claims.write(number, reviewer, held)
        return held

    def _assigned(self, number: int, reviewer: str) -> Assigned:
        paper = self._claims.paper(number, reviewer)
        held = self._held(number, reviewer)
        with self._claims.slots() as slots:
            state = slots.state_of(number, reviewer)
        return Assigned(
            item=self._claims.item(number),
            state=state,
            answers=paper.answers,
            revision=paper.revision,
            seconds=held.seconds,
            lease_until_ms=held.until_ms if state == LEASED else None,
            flag=held.flag,
        )

    # --- handing in ---

    def _secured(self, number: int, reviewer: str, held: Held, draft: Paper, seconds: float) -> Held:
        """Have a place before anything is recorded; where there is none, keep what was written."""
        try:
            self._claims.secure(number, reviewer)
        except SlotTaken:
            counted = _counted(held, seconds)
            self._claims.write(number, reviewer, held._replace(until_ms=0, seconds=counted, paper=draft))
            raise
        return self._held(number, reviewer)

    def _change(self, number: int, reviewer: str, paper: Paper) -> Change:
        item = self._claims.item(number)
        return change_of(self.session, item, self._claims.questions.by_name, reviewer, paper)

    def _finish(self, number: int, reviewer: str) -> Change:
        """Bring what was submitted to the ledger, and then say so. Done twice it is as done once."""
        paper = self._claims.paper(number, reviewer)
        change = self._change(number, reviewer, paper)
        if change.events:
            self._ingest.export(LOGS, export_request(change.events), "api")
        recorded = Paper(paper.answers, paper.revision, paper.answers, paper.submitted_ns)
        held = self._held(number, reviewer)
        done = held._replace(state=DONE, until_ms=0, submitting=False, paper=recorded)
        self._claims.write(number, reviewer, done)
        return change

    def _submitted(self, number: int, reviewer: str, answers: Kept, change: Change | None) -> Submitted:
        item_id = self._claims.item(number).item_id
        labels = {name: label_id(self.session.session_id, item_id, reviewer, name) for name in answers}
        if change is None:
            return Submitted(item_id, labels)
        return Submitted(item_id, labels, change.recorded, change.changed, change.retracted)

    # --- what an earlier run left ---

    def _refresh(self) -> None:
        self._claims.refresh()
        self._finish_what_was_submitted(_STUCK_NS)

    def _finish_what_was_submitted(self, age_ns: int, of: str | None = None) -> None:
        """Bring to its end what was submitted so long ago, by one reviewer or all, and was interrupted."""
        for number, reviewer in self._claims.submitting():
            if of not in (None, reviewer):
                continue
            turn = self._claims.turn(reviewer)
            # Who waited for a turn here while having another could wait for ever.
            if not turn.acquire(blocking=False):
                continue
            try:
                held = self._claims.held(number, reviewer)
                if held and held.submitting and self._claims.now_ns() - held.written >= age_ns:
                    self._finish(number, reviewer)
            except HanseiError as error:
                log.warning("what %s submitted cannot be recorded yet: %s", reviewer, error)
                return
            finally:
                turn.release()


def _counted(held: Held, seconds: float) -> float:
    """The seconds in view; never fewer than before, and no nonsense."""
    return max(held.seconds, float(seconds)) if 0 <= seconds <= _LONGEST_SECONDS else held.seconds
