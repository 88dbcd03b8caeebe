"""Experts who look at the answers that customers marked down: a labeling session, and the first of their answers."""

import json
import random
import urllib.parse
import urllib.request
from collections.abc import Mapping

from traffic import Turn
from visitors import EXPECTED

import hansei
from hansei import InputCategorical, InputPassFail, InputText, LabelingSession

EXPERTS = ("rie", "ken")
CAUSES = ("Not in the manual", "Hard to find in the answer", "Answers something else", "Took too long")


def labeling_session(trace_ids: list[str]) -> LabelingSession:
    """Ask two experts three things about these traces, at the collector of ``HANSEI_URL``."""
    questions = [
        hansei.create_label_schema(
            "answers_it",
            type="feedback",
            input=InputPassFail("Yes", "No"),
            title="Does this answer the customer's question?",
            enable_comment=True,
        ),
        hansei.create_label_schema(
            "cause", type="feedback", input=InputCategorical(list(CAUSES)), title="What let the customer down?"
        ),
        hansei.create_label_schema(
            "expected_response",
            type="expectation",
            input=InputText(),
            title="What should the assistant have said?",
            instruction="One or two sentences, as you would say it on the phone.",
        ),
    ]
    session = hansei.create_labeling_session(
        "Answers that were marked down", label_schemas=questions, assigned_users=list(EXPERTS), reviewers_per_item=2
    )
    return session.add_traces(trace_ids, reason="a customer pressed thumbs down")


def answer(link: str, turns: Mapping[str, Turn], items: int, seed: int, moody: float = 0.3) -> None:
    """Answer this many items by an expert's link, as the page's form does without a script; ``turns`` by trace id.

    ``moody``: how often the expert says something that nobody else would.
    """
    chance = random.Random(seed)
    for _ in range(items):
        with urllib.request.urlopen(f"{link}/next", timeout=30) as page:
            item = page.url
        answers, cause, expected = _opinion(turns[item.rpartition("/")[2].removeprefix("t-")], chance, moody)
        form = {"answer-0": json.dumps(answers), "answer-1": cause, "answer-2": expected}
        body = urllib.parse.urlencode(form).encode()
        urllib.request.urlopen(f"{item}/submit", body, timeout=30).close()


def _opinion(turn: Turn, chance: random.Random, moody: float) -> tuple[bool, str, str]:
    """Mostly what anybody would say of it; two experts need not agree."""
    if chance.random() < moody:
        return chance.random() < 0.5, chance.choice(CAUSES), "I would ask the customer what they mean."
    if turn.in_incident:
        return False, "Took too long", "The same, within seconds."
    if turn.found_nothing:
        return False, "Not in the manual", "I do not know, but our shop does: 0800 5866."
    if turn.question in EXPECTED:
        return True, "Hard to find in the answer", EXPECTED[turn.question]
    return False, "Answers something else", "I would ask the customer what they mean."
