"""A judge against people: which of their words are paired, and what that comes to."""

import json
import re
import time
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import hansei
from hansei import judge_agreement
from hansei.evaluation.agreement.measures import share_that_agrees
from hansei.evaluation.agreement.pairs import Judgement, Pair, read_comparable_names
from hansei.evaluation.agreement.people import Held, Said, held_by_people
from hansei.evaluation.agreement.scale import scale_of
from hansei.evaluation.errors import InvalidEvaluation
from hansei.feedback.attributes import EVENT_NAME
from hansei.feedback.search.connection import connections

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

NOW = datetime.now(timezone.utc)


class Ledger:
    """Assessments, inserted at once; ``judge`` and ``label`` are names that no other test has."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._rows: list[list[Any]] = []
        self.judge = f"judge-{uuid.uuid4().hex[:8]}"

    def judged(self, trace_id: str, value: Any, *, version: str = "v1", days: float = 0, **more: Any) -> str:
        """What the judge said so many days ago; answers the id."""
        metadata = {"scorer": self.judge, "scorer_version": version}
        return self._add(trace_id, value, "LLM_JUDGE", "model-1", days, metadata, **more)

    def labelled(self, trace_id: str, value: Any, *, who: str = "ana", **more: Any) -> str:
        """What a person says; answers the id."""
        return self._add(trace_id, value, "HUMAN", who, more.pop("days", 0), more.pop("metadata", {}), **more)

    def _add(self, trace_id: str, value: Any, kind: str, who: str, days: float, metadata: Any, **more: Any) -> str:
        assessment_id = more.pop("id", None) or uuid.uuid4().hex
        own = {
            "id": assessment_id, "value": json.dumps(value), "source.type": kind, "source.id": who,
            "metadata": json.dumps(metadata), **{name.replace("__", "."): each for name, each in more.items()},
        }  # fmt: skip
        attributes = {f"hansei.assessment.{name}": str(each) for name, each in own.items()}
        attributes["gen_ai.evaluation.name"] = attributes.pop("hansei.assessment.name", self.judge)
        attributes["gen_ai.conversation.id"] = attributes.pop("hansei.assessment.session", "")
        attributes["gen_ai.evaluation.explanation"] = attributes.pop("hansei.assessment.rationale", "")
        at = time.time_ns() - int(days * 86400 * 10**9)
        span_id = attributes.pop("hansei.assessment.span", "")
        self._rows.append([at, trace_id, span_id, "shop", EVENT_NAME, attributes])
        return assessment_id

    def write(self) -> None:
        """Insert what was added."""
        columns = ["Timestamp", "TraceId", "SpanId", "ServiceName", "EventName", "LogAttributes"]
        self._client.insert("otel_logs", self._rows, column_names=columns)
        self._rows = []


@pytest.fixture
def ledger(client: "Client", here: Serving) -> Ledger:
    """The ledger, with a judge of its own."""
    return Ledger(client)


def new_id() -> str:
    """Of a trace."""
    return uuid.uuid4().hex


def test_yes_or_no(ledger: Ledger) -> None:
    """A judge's yes is a person's true: the confusion matrix, kappa, precision, recall and F1 worked by hand."""
    for judged, said, number in (("yes", True, 20), ("yes", False, 5), ("no", True, 10), ("no", False, 15)):
        for _ in range(number):
            trace_id = new_id()
            ledger.judged(trace_id, judged)
            ledger.labelled(trace_id, said)
    ledger.write()
    found = judge_agreement(ledger.judge)
    assert (found.kind, found.pairs, found.undecided, found.unjudged) == ("yes or no", 50, 0, 0)
    assert (found.classes, found.confusion) == (("yes", "no"), [[20, 5], [10, 15]])
    # Cohen's kappa of the textbook: (0.7 - 0.5) / (1 - 0.5).
    assert found.agreement.value == pytest.approx(0.7)
    assert (found.agreement.low, found.agreement.high) == pytest.approx((0.5625, 0.8090), abs=1e-4)
    assert found.kappa.value == pytest.approx(0.4)
    # Of 100 answers 55 are yes: 1 - (30 / 100) (99) / (2 * 55 * 45 / 100)
    assert found.alpha.value == pytest.approx(1 - 30 * 99 / (2 * 55 * 45))
    yes = found.by_class[0]
    assert (yes.judged, yes.labelled) == (25, 30)
    assert [each.value for each in (yes.precision, yes.recall, yes.f1)] == pytest.approx([0.8, 2 / 3, 8 / 11])
    assert (yes.precision.low, yes.precision.high) == pytest.approx((0.6087, 0.9114), abs=1e-4)
    assert yes.f1.low is not None
    assert yes.f1.high is not None
    assert yes.f1.low < 8 / 11 < yes.f1.high
    assert len(found.disagreements) == 15


def test_what_is_paired(ledger: Ledger) -> None:
    """Of several people the arbiter holds, else the majority; of a judge its last word; spans and traces apart."""
    decided, split, both, span, session = (new_id() for _ in range(5))
    ledger.judged(decided, "yes")
    ledger.labelled(decided, "yes", who="ana")
    ledger.labelled(decided, "no", who="ben")
    ledger.labelled(decided, "no", who="cho", metadata={"decided_between": "a,b"}, rationale="it leaks")
    ledger.judged(split, "yes")
    ledger.labelled(split, "yes", who="ana")
    ledger.labelled(split, "no", who="ben")
    ledger.judged(both, "no", version="v1", days=2)
    ledger.judged(both, "yes", version="v2")
    for who, value in (("ana", "yes"), ("ben", "yes"), ("cho", "no")):
        ledger.labelled(both, value, who=who)
    ledger.judged(span, "yes", span="ab" * 8)
    ledger.labelled(span, "yes")
    ledger.judged("", "yes", session=session)
    ledger.labelled("", "no", session=session)
    ledger.labelled(new_id(), "no", id="unjudged")
    ledger.write()
    found = judge_agreement(ledger.judge)
    assert (found.pairs, found.undecided, found.unjudged) == (3, 1, 2)
    by_target = {each.trace_id or each.session_id: each for each in found.disagreements}
    assert set(by_target) == {decided, session}
    assert (by_target[decided].rule, by_target[decided].people, by_target[decided].people_rationale) == (
        "adjudicated", ["cho"], "it leaks",
    )  # fmt: skip
    assert [(each.version, each.pairs, each.agreement.value) for each in found.versions] == [
        ("v1", 3, 0.0), ("v2", 1, 1.0),
    ]  # fmt: skip
    first = judge_agreement(ledger.judge, judge_version="v1")
    assert {each.trace_id or each.session_id for each in first.disagreements} == {decided, both, session}


def test_overridden(ledger: Ledger) -> None:
    """What a person overrode is what the judge said, and the override is what the person says, its name left out."""
    trace_id = new_id()
    said = ledger.judged(trace_id, True, rationale="polite")
    ledger.labelled(trace_id, False, overrides=said, name="", rationale="sarcastic")
    ledger.write()
    (found,) = judge_agreement(ledger.judge).disagreements
    assert (found.judge_value, found.people_value, found.judge_rationale, found.people_rationale) == (
        True, False, "polite", "sarcastic",
    )  # fmt: skip


def test_numbers_and_a_threshold(ledger: Ledger) -> None:
    """Ratings have weighted kappa, a mean difference and a matrix; against yes or no they need a threshold."""
    for judged, said in ((1, 1), (2, 2), (3, 3), (4, 4), (5, 3), (3, 1)):
        trace_id = new_id()
        ledger.judged(trace_id, judged)
        ledger.labelled(trace_id, said, name=f"{ledger.judge}-rating")
        ledger.labelled(trace_id, said > 2, name=f"{ledger.judge}-good")
    ledger.write()
    found = judge_agreement(ledger.judge, f"{ledger.judge}-rating")
    assert (found.kind, found.classes, found.mean_difference.value) == ("numbers", ["1", "2", "3", "4", "5"], 4 / 6)
    # 1 - sum of squares apart over what chance gives: 8 * 6 / (sum over all pairs of the squared difference).
    apart = sum((one - other) ** 2 for one in (1, 2, 3, 4, 5, 3) for other in (1, 2, 3, 4, 3, 1))
    assert found.kappa.value == pytest.approx(1 - 8 * 6 / apart)
    assert [each.closeness for each in found.disagreements] == [0.5, 0.5]
    without = judge_agreement(ledger.judge, f"{ledger.judge}-good")
    assert (
        without.reason
        == "the judge gives numbers and people say yes or no; give the threshold from which on it is a yes"
    )
    assert (without.agreement.value, without.agreement.reason) == (None, without.reason)
    assert judge_agreement(ledger.judge, f"{ledger.judge}-good", threshold=3).confusion == [[3, 1], [0, 2]]


def test_lists(ledger: Ledger) -> None:
    """Lists agree where they hold the same, in any order; their distance is MASI."""
    for judged, said in ((["a", "b"], ["b", "a"]), (["a"], ["a", "b"]), (["c"], ["a"])):
        trace_id = new_id()
        ledger.judged(trace_id, judged)
        ledger.labelled(trace_id, said)
    ledger.write()
    found = judge_agreement(ledger.judge)
    assert (found.kind, found.agreement.value, found.kappa.value) == ("lists", pytest.approx(1 / 3), None)
    assert [each.closeness for each in found.disagreements] == pytest.approx([0, 1 / 3])
    assert found.alpha.value is not None


def test_drift(ledger: Ledger) -> None:
    """Agreement by week shows that the judge became worse, and times leave out what is before and after."""
    for weeks, wrong in ((9, 1), (5, 1), (1, 8)):
        for number in range(10):
            trace_id = new_id()
            ledger.judged(trace_id, "warm" if number < wrong else "plain", days=7 * weeks)
            ledger.labelled(trace_id, "plain" if number != 9 else "curt")
    ledger.write()
    found = judge_agreement(ledger.judge)
    assert (found.kind, found.period, [each.pairs for each in found.periods]) == ("categories", "week", [10, 10, 10])
    assert [each.agreement.value for each in found.periods] == pytest.approx([0.8, 0.8, 0.1])
    assert all(datetime.fromisoformat(each.label).weekday() == 0 for each in found.periods)
    middle = judge_agreement(
        ledger.judge, start_time=NOW - timedelta(weeks=7), end_time=NOW - timedelta(weeks=3), period="day"
    )
    assert (middle.pairs, [each.agreement.value for each in middle.periods]) == (10, pytest.approx([0.8]))
    assert (middle.unjudged, middle.classes) == (20, ["curt", "plain", "warm"])


def test_disagreements_go_to_labeling(ledger: Ledger) -> None:
    """What a judge and people disagree about becomes items of a labeling session."""
    for number in range(3):
        trace_id = new_id()
        ledger.judged(trace_id, "yes", rationale="<b>")
        ledger.labelled(trace_id, "no" if number else "yes")
    ledger.write()
    found = judge_agreement(ledger.judge)
    hansei.create_label_schema(ledger.judge, type="feedback", title="Right?", input=hansei.InputPassFail())
    session = hansei.create_labeling_session(
        f"again {ledger.judge}", label_schemas=[ledger.judge], assigned_users=["ana"]
    )
    added = found.send_to_labeling(session).added
    assert added is not None
    assert (added.added, added.unknown) == (2, 2)
    assert found.send_to_labeling(session.name).added == type(added)(0, 2, 0)
    assert judge_agreement(ledger.judge, labeling_session=session).pairs == 0


def test_forms(ledger: Ledger) -> None:
    """A frame of classes, one of disagreements, JSON, a text and escaped HTML."""
    for said in ("<i>a</i>", "b"):
        trace_id = new_id()
        ledger.judged(trace_id, "b")
        ledger.labelled(trace_id, said)
    ledger.write()
    found = judge_agreement(ledger.judge)
    assert list(found.to_df()["class"]) == ["<i>a</i>", "b"]
    assert list(found.disagreements_df()["people_value"]) == ["<i>a</i>"]
    assert json.loads(json.dumps(found.to_json()))["confusion"] == [[0, 0], [1, 1]]
    assert f"{ledger.judge} against people: 2 judged by both" in str(found)
    assert "agreement             0.500 (0.095 to 0.905)" in str(found)
    assert "&lt;i&gt;a&lt;/i&gt;" in found._repr_html_()
    assert "<i>" not in found._repr_html_()
    names = read_comparable_names(connections.query)
    assert (names.judges[ledger.judge], names.labels[ledger.judge]) == (2, 2)


def test_nothing_in_common(here: Serving) -> None:
    """Without a target in common there is no number, and a reason; a wrong argument is named."""
    found = judge_agreement("nobody")
    assert (found.pairs, found.reason, found.kappa.value) == (0, "nothing has been judged by both", None)
    assert "nothing has been judged by both" in str(found)
    with pytest.raises(InvalidEvaluation, match="judge_name: '' is not the name of a judge"):
        judge_agreement("")
    with pytest.raises(InvalidEvaluation, match="period: 'year' is not one of day, week"):
        judge_agreement("nobody", period="year")


def test_what_holds() -> None:
    """Of a person the newest counts, and half of the people are no majority."""
    ana, ben, cho = (Said(value, who) for value, who in (("a", "ana"), ("b", "ben"), ("b", "cho")))
    assert held_by_people([]) is None
    assert held_by_people([ana, ben]) is None
    for said, rule, value, who in (
        ([ana, Said("b", "ana")], "only", "b", ["ana"]),
        ([ben, cho], "unanimous", "b", ["ben", "cho"]),
        ([ana, ben, cho], "majority", "b", ["ben", "cho"]),
        ([ben, cho, Said("a", "dan", decides=True)], "adjudicated", "a", ["dan"]),
    ):
        found = held_by_people(said)
        assert found is not None
        assert (found.rule, found.value, found.source_ids) == (rule, value, who)


def test_scales() -> None:
    """What cannot be compared says why."""
    assert scale_of([f"text {number}" for number in range(60)], []).reason.startswith("these are free texts")
    assert scale_of([{"a": 1}], [1]).reason.startswith("values that are dicts are not compared")
    assert scale_of(["pass", "maybe"], [True, "Yes "]).classes == ["maybe", "yes"]


def test_guide(ledger: Ledger) -> None:
    """The code of docs/comparing.md for judges works, on a judge and labels of other names."""
    label = f"{ledger.judge}-label"
    hansei.create_label_schema(label, type="feedback", title="Right?", input=hansei.InputPassFail())
    first, second = (
        hansei.create_labeling_session(f"{name} {ledger.judge}", label_schemas=[label], assigned_users=["ana"])
        for name in ("first", "second")
    )
    for number in range(4):
        trace_id = new_id()
        ledger.judged(trace_id, "yes")
        session = {"labeling_session__id": first.labeling_session_id}
        ledger.labelled(trace_id, bool(number), name=label, **session)
    ledger.write()
    guide = (Path(__file__).parents[2] / "docs" / "comparing.md").read_text()
    (code,) = re.findall(r"(?ms)^```python\n(agreement = .*?)^```", guide)
    for told, own in (
        ("correctness", ledger.judge), ("is_correct", label), ("first week", first.name), ("second look", second.name),
    ):  # fmt: skip
        code = code.replace(f'"{told}"', f'"{own}"')
    named: dict[str, Any] = {"hansei": hansei}
    exec(code, named)
    assert (named["agreement"].pairs, named["agreement"].agreement.value, second.progress()["items"]) == (4, 0.75, 1)


def test_spans_of_a_trace() -> None:
    """Pairs about the spans of one trace are not independent: the more of them there are, the less they tell."""

    def pairs(trace_of: Any) -> list[Pair]:
        judged = [(number, Judgement(number % 8 < 4, "", "v1", "m", 0)) for number in range(40)]
        said = Held(True, "only", ["ana"])
        return [Pair(trace_of(number), f"{number}", "", each, said) for number, each in judged]

    scale = scale_of([True, False], [True])
    apart, together = (share_that_agrees(pairs(of), scale) for of in (str, lambda number: str(number % 8)))
    assert apart.value == together.value == 0.5
    assert None not in (apart.low, apart.high, together.low, together.high)
    assert together.low < apart.low < apart.high < together.high  # type: ignore[operator]
