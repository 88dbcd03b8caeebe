"""Saying something of a session as a whole, or of one of its turns."""

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool

from hansei.feedback.assessment import Expectation, Feedback
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.pages.assessment_form import KINDS, AssessmentForm
from hansei.feedback.pages.assessments_panel import events_since
from hansei.feedback.source import AssessmentSource, AssessmentSourceType

if TYPE_CHECKING:
    from hansei.collector.keys import Principal
    from hansei.feedback.web.site import Site

_LONGEST_NAME: Final = 200
_WAIT: Final = 2.0
"""Seconds that an answer waits for what was written to be readable."""
_PAUSE: Final = 0.05


async def record(site: "Site", visitor: "Principal", form: AssessmentForm, session_id: str, trace_id: str) -> str:
    """Record what a form says: of a turn where there is a trace, else of the session. Answers the assessment's id.

    Raises ``InvalidAssessment`` and :class:`~hansei.collector.ingest.Refused`.
    """
    who = visitor.name if visitor.key_id else form.who.strip()[:_LONGEST_NAME] or visitor.name
    assessment = form.assessment(trace_id, who) if trace_id else _of_session(form, session_id, who)
    since = time.time_ns()
    recorded = await run_in_threadpool(site.ledger.record, assessment)
    assessment_id = str(recorded.assessment_id)
    deadline = time.monotonic() + _WAIT
    while not await site.reader.run(events_since, site.reader.query, trace_id, assessment_id, since):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(_PAUSE)
    return assessment_id


def _of_session(form: AssessmentForm, session_id: str, who: str) -> Feedback | Expectation:
    if form.kind not in KINDS:
        raise InvalidAssessment(f"type: {form.kind!r} is not one of {', '.join(KINDS)}")
    if not form.name.strip():
        raise InvalidAssessment("name: it is empty; say what is assessed, such as helpful or resolved")
    common: dict[str, Any] = {
        "source": AssessmentSource(AssessmentSourceType.HUMAN, who),
        "session_id": session_id,
    }
    if form.kind == "expectation":
        return Expectation(form.name.strip(), form.value, **common)
    return Feedback(form.name.strip(), form.value, rationale=form.rationale.strip() or None, **common)
