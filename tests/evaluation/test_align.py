"""Aligning a judge with people: what it learns, and when it stays as it was. The model is a local server's."""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hansei
from hansei import Feedback, make_judge
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.judges.align_candidates import Judged, chosen_examples
from hansei.evaluation.judges.align_examples import Example, examples_of, shared_out
from hansei.evaluation.judges.aligned_judge import AlignedJudge
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.scorers.fluency import Fluency
from hansei.feedback.search.trace import Trace, TraceInfo
from hansei.feedback.source import AssessmentSource

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .model_server import ModelServer

INSTRUCTIONS = "Is {{ outputs }} a polite answer to {{ inputs }}?"
BETTER = "Is {{ outputs }} a polite answer to {{ inputs }}? An answer without a greeting is not polite."


@pytest.fixture(scope="module")
def models() -> Iterator[ModelServer]:
    """The API of the models."""
    server = ModelServer()
    yield server
    server.close()


@pytest.fixture
def model(models: ModelServer, here: Serving, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    """The API, asked by default, with nothing told yet."""
    monkeypatch.setenv("OPENAI_BASE_URL", models.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    models.clear()
    return models


def labelled(outputs: str, value: Any, number: int, *, session: str | None = None, rationale: str = "") -> Trace:
    """A trace that a person has labelled."""
    said = Feedback(
        "polite",
        value,
        source=AssessmentSource("HUMAN", "ana"),
        rationale=rationale or None,
        assessment_id=f"a{number}",
    )
    info = TraceInfo(
        uuid.UUID(int=number).hex, "answer", None, "OK", int(time.time() * 1000), 10, f"question {number}", outputs,
        {}, {}, "shop", session, None, 0, 0, None,
    )  # fmt: skip
    return Trace(info, [], [said])


def traces(number: int = 60) -> list[Trace]:
    """People want a greeting; half of the answers have one, and some of both kinds are wordy."""
    return [
        labelled("Hello, it is 7." if each % 2 else "It is 7.", bool(each % 2), each, rationale="no greeting")
        for each in range(number)
    ]


def parts(body: dict[str, Any]) -> tuple[str, str]:
    """The system message, and what is judged."""
    return body["messages"][0]["content"], body["messages"][-1]["content"]


def answering(knows: Callable[[str, str], bool], refined: str = BETTER) -> Callable[[dict[str, Any]], Any]:
    """A model that finds everything polite unless it knows better, and that refines instructions to ``refined``."""

    def answer(body: dict[str, Any]) -> Any:
        system, user = parts(body)
        if "You improve" in system:
            return {"rationale": "", "value": refined}
        outputs = re.findall(r"<(?:outputs|answer|text|response)>\n(.*?)\n</", user, re.S)[-1]
        polite = outputs.startswith("Hello") if knows(system, user) else True
        value = json.loads(json.dumps(polite)) if '"boolean"' in system else ("yes" if polite else "no")
        return {"rationale": "so it seems", "value": value}

    return answer


def judge() -> Judge:
    """The judge that is to be aligned."""
    return make_judge("polite", INSTRUCTIONS, feedback_value_type=bool)


def test_refined_instructions(model: ModelServer) -> None:
    """A judge gets the instructions that a model wrote, where they are surely better on what it never saw."""
    model.answer = answering(lambda system, user: "greeting" in user)
    given = judge()
    found = given.align(traces())
    report = found.alignment
    assert report is not None
    assert (report.aligned, report.chosen) == (True, "instructions")
    assert (report.fitted, report.validated, report.held_out) == (18, 18, 24)
    assert [(each.name, each.closeness) for each in report.candidates] == [
        ("original", 0.5), ("examples", 0.5), ("instructions", 1.0), ("instructions and examples", 1.0),
    ]  # fmt: skip
    assert (report.agreement_before.value, report.agreement_after.value, report.difference) == (0.5, 1.0, 0.5)
    assert (report.kappa_before.value, report.kappa_after.value) == (0.0, 1.0)
    assert report.p_value == pytest.approx(2 / 2**12)
    assert getattr(found, "instructions", "") == BETTER
    assert found.version != given.version
    assert given.alignment is None
    refining = next(body for body in model.calls if "You improve" in parts(body)[0])
    assert "no greeting" in parts(refining)[1]
    assert "Hello" not in parts(refining)[1]
    assert "McNemar's exact test, p < 0.001" in str(report)
    assert "aligned by instructions: 0.500 → 1.000 on 24 examples" in report._repr_html_()


def test_what_was_held_out_is_not_seen(model: ModelServer) -> None:
    """No candidate was made or chosen with an example that was held out."""
    model.answer = answering(lambda system, user: "greeting" in user)
    given = judge()
    held_out = {each.subject.inputs for each in shared_out(examples_of(given, traces(), "polite").found, 0.4).held_out}
    given.align(traces())
    # The last 48 requests are the comparison: twice 24.
    before = "\n".join(text for body in model.calls[:-48] for text in parts(body))
    assert not {each for each in held_out if re.search(rf"{each}\b", before)}


def test_examples(model: ModelServer) -> None:
    """Where showing examples helps, they are shown: of each value in turn, those first where the judge was wrong."""
    model.answer = answering(lambda system, user: "Examples that people have judged" in system, refined=INSTRUCTIONS)
    found = judge().align(traces())
    assert found.alignment is not None
    assert (found.alignment.aligned, found.alignment.chosen) == (True, "examples")
    shown = getattr(found, "examples", ())
    assert len(shown) == 4
    assert [each.rpartition("People say: ")[2].split("\n")[0] for each in shown] == ["false", "true", "false", "true"]


def test_no_gain(model: ModelServer) -> None:
    """A candidate that is no better is not taken: the very judge comes back, with the report."""
    model.answer = answering(lambda system, user: False)
    given = judge()
    found = given.align(traces(20))
    assert found is given
    assert found.alignment is not None
    assert found.alignment.message == (
        "polite not changed: no candidate agrees better with people than the original judge"
    )


def test_gain_within_noise(model: ModelServer) -> None:
    """A gain that chance would give as well is not claimed: with four examples held out nothing can be told."""
    model.answer = answering(lambda system, user: "greeting" in user)
    given = judge()
    version = given.version
    found = given.align(traces(10))
    report = found.alignment
    assert found is given
    assert report is not None
    assert (report.aligned, report.chosen, report.held_out, report.difference) == (False, "instructions", 4, 0.5)
    assert report.message == (
        "polite not changed: no evidence of a gain by instructions: 0.500 → 1.000 on 4 examples that were held out"
    )
    assert report.p_value == 0.5
    assert make_judge("polite", INSTRUCTIONS, feedback_value_type=bool).version == version


def test_instructions_that_cannot_be_used(model: ModelServer) -> None:
    """Instructions that lost what is judged are not tried, and the report says why."""
    model.answer = answering(lambda system, user: False, refined="Is {{ outputs }} polite?")
    report = judge().align(traces(20)).alignment
    assert report is not None
    assert [(each.name, each.closeness, each.note) for each in report.candidates][-1] == (
        "instructions", None, "the instructions that the model wrote are about outputs in place of inputs, outputs",
    )  # fmt: skip


def test_built_in_judge(model: ModelServer) -> None:
    """A judge with a prompt of ours gets a section with guidance, and another version."""
    model.answer = answering(lambda system, user: "A greeting is needed" in system, refined="A greeting is needed.")
    given = Fluency(name="polite")
    version = given.version
    found = given.align(traces())
    assert isinstance(found, AlignedJudge)
    assert found.alignment is not None
    assert (found.alignment.chosen, found.guidance, found.needs) == (
        "instructions",
        "A greeting is needed.",
        given.needs,
    )
    assert (found.name, given.version, found.version != version) == ("polite", version, True)
    said = found(outputs="It is 7.")
    assert isinstance(said, Feedback)
    assert (said.value, (said.metadata or {})["scorer_version"]) == ("no", found.version)


def test_optimizer(model: ModelServer) -> None:
    """An optimizer of one's own sees what is not held out; what it makes is compared all the same."""
    model.answer = answering(lambda system, user: "greeting" in user)
    seen: list[Trace] = []

    class Own:
        def align(self, judge: Any, traces: list[Trace]) -> Any:
            seen.extend(traces)
            return judge.changed(instructions=BETTER)

    found = judge().align(traces(), Own())
    assert found.alignment is not None
    assert (found.alignment.aligned, found.alignment.chosen, len(seen)) == (True, "optimizer", 36)


def test_arguments(model: ModelServer) -> None:
    """Too few examples, and what are no traces, are told in one line."""
    for given, text in (
        (traces(9), "traces: 9 of them have feedback 'polite' of people that is decided, and 0 that is not"),
        (7, "traces: 7 is no list of traces"),
        ([7], "traces: 7 is not a trace"),
    ):
        with pytest.raises(InvalidEvaluation, match=text):
            judge().align(given)
    with pytest.raises(InvalidEvaluation, match="held_out: 1 is not a share"):
        judge().align(traces(), held_out=1)


def test_shares() -> None:
    """The same examples are shared out alike, values as in the whole, and no conversation is in two shares."""
    given = [labelled("x", each % 4 == 0, each, session=f"s{each // 2}") for each in range(80)]
    found = [shared_out(examples_of(judge(), some, "polite").found, 0.4) for some in (given, given[::-1])]
    parts = [
        [{e.subject.subject_id for e in share} for share in (one.fit, one.validation, one.held_out)] for one in found
    ]
    assert parts[0] == parts[1]
    assert [len(share) for share in parts[0]] == [24, 24, 32]
    sessions = [
        {e.subject.session_id for e in share} for share in (found[0].fit, found[0].validation, found[0].held_out)
    ]
    assert sum(map(len, sessions)) == len(set.union(*sessions))
    assert sum(e.people.value for e in found[0].held_out) == 8


def test_chosen_examples() -> None:
    """Each value in turn, the furthest off first."""

    def judged(value: Any, closeness: float, number: int) -> Judged:
        (example,) = examples_of(judge(), [labelled("x", value, number)], "polite").found
        return Judged(example, value, "", closeness)

    given = [judged(True, 1, 1), judged(True, 0, 2), judged(False, 1, 3), judged(True, 1, 4)]
    numbers = [int(each.example.subject.subject_id, 16) for each in chosen_examples(given, 3)]
    assert numbers == [2, 3, 1]
    assert isinstance(given[0].example, Example)


def test_guide(model: ModelServer) -> None:
    """The code of docs/comparing.md for aligning works as it stands."""
    model.answer = answering(lambda system, user: "greeting" in user)
    guide = (Path(__file__).parents[2] / "docs" / "comparing.md").read_text()
    (code,) = re.findall(r"(?ms)^```python\n(judge = .*?)^```", guide)
    named: dict[str, Any] = {"hansei": hansei, "traces": traces()}
    exec(code, named)
    assert named["aligned"].alignment.aligned
