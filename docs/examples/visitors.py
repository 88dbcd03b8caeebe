"""What customers, developers, a judge and a scorer say of the support assistant's answers.

``press`` is what ``<hansei-feedback>`` does in a browser; ``assessments`` is what was said during traffic.py's day.
"""

import json
import random
import re
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from questions import is_japanese

import hansei
from hansei import Assessment, AssessmentSource, Expectation, Feedback
from hansei.feedback.clock import EventClock
from hansei.feedback.event import Event
from hansei.feedback.otlp import export_request
from hansei.feedback.recorder import Recorder

if TYPE_CHECKING:
    from traffic import Turn

SECOND = 10**9
JUDGE = AssessmentSource("LLM_JUDGE", "gpt-4.1")
SCORER = AssessmentSource("CODE", "scorers/on_topic.py")
DEVELOPER = AssessmentSource("HUMAN", "rie@kumo.example")
UP = ("Just what I needed", "Short and clear", "Thanks, that worked", "Quick", "Solved it in one go")
UP_JAPANESE = ("助かりました", "わかりやすい", "すぐ解決しました")
DOWN_NOTHING = (
    "That should be in the manual", "No answer, and no link to a person", "Then tell me whom I can ask",
    "I asked twice, same reply",
)  # fmt: skip
DOWN_SLOW = ("It took forever", "I gave up waiting", "Sorry is no answer", "Third time it fails today")
DOWN = (
    "Too vague",
    "Quotes half the manual",
    "I asked for one thing only",
    "I had to read it twice",
    "Not my question",
)
DOWN_JAPANESE = ("答えになっていません", "もう少し詳しく知りたい")
EXPECTED = {
    "How long does the descaling cycle run?": "20 minutes.",
    "Which button starts the descaling cycle?": "The steam button: hold it for five seconds.",
    "Which step of the grinder is for filter coffee?": "Step 9.",
    "How long does the heating take?": "45 seconds.",
    "How many days after delivery?": "30 days.",
    "Where is the serial number?": "Under the drip tray.",
    "Does the drip tray go in the dishwasher?": "No, wash it by hand.",
    "What does the red light mean?": "The water tank is empty or not in place.",
}
"""What would have been right, where the assistant answers in a roundabout way."""
NOTES = ("The answer is in it, but the customer has to find it.", "Asked for one thing: begin with it.")
NOTES_NOTHING = ("Add this to the manual.", "Say whom to ask instead.", "Not a question for the manual: hand over.")


@dataclass(frozen=True, slots=True)
class Said:
    """An assessment and when it was made, in nanoseconds."""

    assessment: Assessment
    time_ns: int


def press(
    pages: str, trace_id: str, user: str, up: bool, comment: str | None = None, session_id: str | None = None
) -> None:
    """Press a thumb below an answer, as a page with a feedback token does; ``pages``: the collector's host and port."""
    token = hansei.feedback_token(trace_id, user=user, session_id=session_id)
    body = {"name": "helpful", "value": up} | ({"rationale": comment} if comment else {})
    request = urllib.request.Request(
        f"http://{pages}/api/v1/feedback",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()


def assessments(turns: Sequence["Turn"], seed: int = 1) -> list[Said]:
    """What was said of a day's turns, in order of time; nothing of it after the day's end."""
    chance = random.Random(seed)
    conversations: dict[str, list[Turn]] = {}
    said: list[Said] = []
    for turn in turns:
        if turn.conversation:
            conversations.setdefault(turn.conversation, []).append(turn)
        said += _of_turn(turn, chance)
    for name, whole in conversations.items():
        if len(whole) > 1 and chance.random() < 0.09:
            said.append(_of_conversation(name, whole, chance))
    return sorted((one for one in said if one.time_ns <= turns[-1].times[3]), key=lambda one: one.time_ns)


def _of_turn(turn: "Turn", chance: random.Random) -> Iterator[Said]:
    end = turn.times[3]

    def after(median: float) -> int:
        return end + int(chance.lognormvariate(0, 0.5) * median * SECOND)

    failed, roundabout = turn.found_nothing or turn.in_incident, turn.question in EXPECTED
    unhappy = chance.random() < (0.85 if failed else 0.35 if roundabout else 0.05)
    pressed = chance.random() < (0.18 if failed or roundabout else 0.16)
    if pressed:
        yield Said(_thumb(turn, not unhappy, chance), after(9))
    if turn.answer is None:
        return
    if chance.random() < 0.25:
        yield Said(_verdict(turn, chance), after(4))
    if not is_japanese(turn.question) and chance.random() < 0.3:
        score = _on_topic(turn.question, turn.answer)
        span_id = f"{turn.span_ids[2]:016x}"
        yield Said(Feedback("on_topic", score, source=SCORER, trace_id=turn.trace, span_id=span_id), after(2))
    if pressed and unhappy and (turn.found_nothing or roundabout) and chance.random() < 0.6:
        note = chance.choice(NOTES_NOTHING if turn.found_nothing else NOTES)
        yield Said(Feedback("note", note, source=DEVELOPER, trace_id=turn.trace), after(1600))
        if roundabout:
            expected = EXPECTED[turn.question]
            yield Said(Expectation("answer", expected, source=DEVELOPER, trace_id=turn.trace), after(1500))


def _thumb(turn: "Turn", up: bool, chance: random.Random) -> Feedback:
    comments: tuple[str, ...]
    if up:
        comments = UP_JAPANESE if is_japanese(turn.question) else UP
    elif turn.in_incident:
        comments = DOWN_SLOW
    elif is_japanese(turn.question):
        comments = DOWN_JAPANESE
    else:
        comments = DOWN_NOTHING if turn.found_nothing else DOWN
    return Feedback(
        name="helpful", value=up, source=AssessmentSource("HUMAN", turn.user), trace_id=turn.trace,
        rationale=chance.choice(comments) if chance.random() < (0.3 if up else 0.75) else None,
    )  # fmt: skip


def _verdict(turn: "Turn", chance: random.Random) -> Feedback:
    roundabout = turn.question in EXPECTED
    correct = not turn.found_nothing and chance.random() < (0.8 if roundabout else 0.97)
    if turn.found_nothing:
        reason = "The question is not answered."
    elif correct:
        reason = f"It follows from [{turn.found[0].id}]."
    elif roundabout:
        reason = "The answer has to be picked out of what is quoted."
    else:
        reason = "The sentence is in the manual, but it answers another question."
    return Feedback(name="correct", value=correct, rationale=reason, source=JUDGE, trace_id=turn.trace)


def _on_topic(question: str, answer: str) -> float:
    asked, answered = (
        {word.rstrip("s") for word in re.findall(r"[a-z]{4,}", text.lower())} for text in (question, answer)
    )
    return round(len(asked & answered) / max(len(asked), 1), 2)


def _of_conversation(name: str, turns: Sequence["Turn"], chance: random.Random) -> Said:
    poor = any(turn.found_nothing or turn.in_incident for turn in turns)
    rating = chance.choice((1, 2, 2, 3) if poor else (4, 5, 5, 3))
    source = AssessmentSource("HUMAN", turns[0].user)
    when = turns[-1].times[3] + 30 * SECOND
    return Said(Feedback(name="satisfaction", value=rating, source=source, session_id=name), when)


def send(said: Iterable[Said], otlp: str) -> None:
    """Send assessments with their own times to ``otlp``, host and port of an OTLP/HTTP listener."""
    events: list[Event] = []
    recorder = Recorder(events.append, EventClock(time.time_ns))
    for one in said:
        recorder.record(one.assessment, time_ns=one.time_ns)
    body = export_request(events, "kumo-feedback")
    request = urllib.request.Request(f"http://{otlp}/v1/logs", body, {"Content-Type": "application/x-protobuf"})
    urllib.request.urlopen(request, timeout=30).close()
