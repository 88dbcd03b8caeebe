"""What the holder of a token says, changes and takes back, written to the ledger."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from hansei.feedback.assessment import Feedback
from hansei.feedback.browser.answer import Answer
from hansei.feedback.browser.said import Said, SaidLately, said_in_store
from hansei.feedback.clock import EventClock
from hansei.feedback.search.errors import SearchError
from hansei.feedback.source import AssessmentSource, AssessmentSourceType
from hansei.feedback.tokens import FeedbackToken

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


class Testimony:
    """Writes and reads for tokens.

    The first answer under a name is a statement, a later one a correction, also of one that was taken back: the later
    event holds. Where it is not known whether it is the first, it is a statement again, which changes nothing but the
    time of its creation; so requests may cross, come twice, or come to different collectors.
    """

    def __init__(self, site: "Site") -> None:
        self._reader = site.reader
        self._ledger = site.ledger
        self._clock = EventClock()
        self._lately = SaidLately()

    async def say(self, token: FeedbackToken, answer: Answer, metadata: Mapping[str, str]) -> str:
        """Record an answer, durably; the assessment's id. Raises ``InvalidAssessment`` and ``Refused``."""
        feedback = Feedback(
            answer.name,
            answer.value,
            source=_source(token),
            trace_id=token.trace_id,
            span_id=token.span_id,
            session_id=token.session_id,
            rationale=answer.rationale,
            metadata=metadata,
        )
        assessment_id = token.assessment_id(answer.name)
        known = self._lately.get(assessment_id) is not None or await self._is_stored(token, assessment_id)
        await run_in_threadpool(self._write, assessment_id, feedback, known)
        return assessment_id

    async def retract(self, token: FeedbackToken, name: str) -> None:
        """Take back what was said under a name, durably; nothing where nothing was. Raises ``Refused``."""
        await run_in_threadpool(self._retract, token, token.assessment_id(name))

    async def said(self, token: FeedbackToken) -> dict[str, Said]:
        """What holds now, by name. Raises ``SearchError``."""
        ids = {token.assessment_id(name): name for name in token.names}
        found = await self._reader.run(said_in_store, self._reader.query, token.trace_id, list(ids))
        latest = {
            assessment_id: self._lately.keep(assessment_id, found[assessment_id])
            if assessment_id in found
            else self._lately.get(assessment_id)
            for assessment_id in ids
        }
        return {ids[key]: said for key, said in latest.items() if said is not None and not said.retracted}

    async def _is_stored(self, token: FeedbackToken, assessment_id: str) -> bool:
        try:
            found = await self._reader.run(said_in_store, self._reader.query, token.trace_id, [assessment_id])
        except SearchError:
            return False
        return assessment_id in found

    def _write(self, assessment_id: str, feedback: Feedback, known: bool) -> None:
        now = self._clock.tick()
        if known:
            self._ledger.correct(feedback.trace_id, assessment_id, feedback, time_ns=now)
        else:
            self._ledger.record(feedback, assessment_id=assessment_id, time_ns=now)
        self._lately.keep(assessment_id, Said(now, feedback.value, feedback.rationale))

    def _retract(self, token: FeedbackToken, assessment_id: str) -> None:
        now = self._clock.tick()
        self._ledger.retract(token.trace_id, assessment_id, _source(token), time_ns=now)
        if self._lately.get(assessment_id) is not None:
            self._lately.keep(assessment_id, Said(now, None, None, retracted=True))


def _source(token: FeedbackToken) -> AssessmentSource:
    return AssessmentSource(AssessmentSourceType.HUMAN, token.user)
