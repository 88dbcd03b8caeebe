"""The demonstration, at a collector of its own: what its customers said, the day beside it, the pages to open."""

import contextlib
import io
import re
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import clickhouse_connect
import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
END = 1_764_000_000 * 10**9
HOUR = 3600 * 10**9


@pytest.fixture(scope="module")
def examples() -> Iterator[SimpleNamespace]:
    """The demonstration's modules, imported as they import each other."""
    sys.path.insert(0, str(EXAMPLES))
    import demo
    import screenshots
    import traffic
    import visitors

    yield SimpleNamespace(demo=demo, screenshots=screenshots, traffic=traffic, visitors=visitors)
    sys.path.remove(str(EXAMPLES))


class Shown:
    """What a run of the demonstration printed, and the tables after it."""

    def __init__(self, demo: ModuleType, folder: Path) -> None:
        output = io.StringIO()
        with demo.collector(folder / "data", dict.fromkeys(demo.LISTENERS, 0)) as self.addresses:
            with contextlib.redirect_stdout(output):
                demo.demonstrate(folder / "data", self.addresses)
            self.printed = output.getvalue()
            self.answered = []
            for line in self.printed.splitlines()[-4:]:
                with urllib.request.urlopen(line.rpartition(" ")[2]) as answer:
                    self.answered.append(answer.status)
            host, _, port = self.addresses["sql"].rpartition(":")
            with clickhouse_connect.get_client(host=host, port=int(port), autogenerate_session_id=False) as client:
                self.thumbs = client.query(
                    "SELECT SourceId, SourceType, Value, Rationale, TraceId FROM feedback "
                    "WHERE AssessmentId LIKE 'b-%' ORDER BY UpdatedAt"
                ).result_rows
                self.unlinked = client.query("SELECT count() FROM feedback_unlinked").result_rows[0][0]
                self.services: dict[str, int] = dict(
                    client.query("SELECT ServiceName, uniqExact(TraceId) FROM otel_traces GROUP BY 1").result_rows  # type: ignore[arg-type]
                )
                self.unpriced = client.query(
                    "SELECT count() FROM genai_calls WHERE ErrorType = '' AND CostUsd IS NULL"
                ).result_rows[0][0]


@pytest.fixture(scope="module")
def shown(examples: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """One run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANSEI_URL", "")  # which the demonstration sets, is what it was afterwards
        patch.delenv("OPENAI_API_KEY", raising=False)
        return Shown(examples.demo, tmp_path_factory.mktemp("demo"))


def test_thumbs_are_feedback_of_people_on_the_traces_of_their_answers(shown: Shown, examples: SimpleNamespace) -> None:
    """Five thumbs, with the comments, each on the trace that was printed below its answer."""
    turns = {turn.question: turn for turn in examples.demo.turns_of(shown.printed)}
    assert shown.thumbs == [
        (turns[question].user, "HUMAN", "true" if up else "false", comment or "", turns[question].trace_id)
        for question, up, comment in examples.demo.THUMBS
    ]
    assert "ana pressed 👎 on “How long does the descaling cycle run?”: I only asked for the minutes" in shown.printed


def test_it_says_which_pages_to_open(shown: Shown, examples: SimpleNamespace) -> None:
    """The overview, the answer that was marked down first, the run with the better prompt, and an expert's page."""
    first = next(trace_id for _, _, value, _, trace_id in shown.thumbs if value == "false")
    pages = [line.rpartition(" ")[2] for line in shown.printed.splitlines()[-4:]]
    assert shown.printed.splitlines()[-4:] == [
        f"Open http://{shown.addresses['ui']}/overview",
        f"The answer that was marked down: http://{shown.addresses['ui']}/traces/{first}",
        f"The run with the better prompt: {pages[-2]}",
        f"The link of an expert: {pages[-1]}",
    ]
    assert pages[-2].startswith(f"http://{shown.addresses['ui']}/evaluation/")
    assert pages[-1].startswith(f"http://{shown.addresses['ui']}/review/")
    assert shown.answered == [200, 200, 200, 200]
    assert max(map(len, shown.printed.splitlines())) <= 110


def test_the_day_is_in_the_tables_with_prices_and_whole_feedback(shown: Shown, examples: SimpleNamespace) -> None:
    """Every trace arrived, every call that was answered has a price, and no assessment is of something unknown."""
    day = Counter(turn.service for turn in examples.traffic.day(END))
    evaluated = shown.services.pop("hansei-evaluation")
    assert evaluated > 2 * 2 * 10  # with either prompt an answer and a verdict
    assert shown.services == {**day, "support-chat": day["support-chat"] + 8}
    assert (shown.unpriced, shown.unlinked) == (0, 0)


def test_the_better_prompt_is_better(shown: Shown) -> None:
    """What the expert expected is met more often with it, by the comparison's own judgement."""
    (line,) = re.findall(r"(?m)^  correctness +\d+ +([\d.]+) +([\d.]+) .* (\w+)$", shown.printed)
    before, after, judged = line
    assert float(before) < float(after)
    assert judged == "higher"


def test_one_seed_is_one_day(examples: SimpleNamespace) -> None:
    """The same turns and assessments again; another seed, or another end, has other ids."""
    turns = examples.traffic.day(END)
    assert examples.traffic.day(END) == turns
    assert examples.visitors.assessments(turns) == examples.visitors.assessments(turns)
    ids = {turn.trace_id for turn in turns}
    assert len(ids) == len(turns)
    for other in (examples.traffic.day(END, seed=2), examples.traffic.day(END + HOUR)):
        assert ids.isdisjoint(turn.trace_id for turn in other)


def test_a_day_has_24_hours_and_a_bad_one(examples: SimpleNamespace) -> None:
    """Nothing is after its end; most failures are within the hour in which the provider was in trouble."""
    turns = examples.traffic.day(END)
    assert all(END - 24 * HOUR <= turn.times[0] < turn.times[-1] <= END for turn in turns)
    failed = [(END - turn.times[0]) / HOUR for turn in turns if turn.failure]
    end, start = sorted(examples.traffic.INCIDENT)
    assert len([hours for hours in failed if end <= hours <= start]) > len(failed) / 2


def test_people_praise_answers_and_mark_down_what_is_none(examples: SimpleNamespace) -> None:
    """About one turn in seven has a thumb, most of them up; an answer that found nothing has mostly thumbs down."""
    turns = {turn.trace: turn for turn in examples.traffic.day(END)}
    said = [one.assessment for one in examples.visitors.assessments(list(turns.values()))]
    thumbs = [one for one in said if one.name == "helpful"]
    assert 0.1 < len(thumbs) / len(turns) < 0.2
    found = Counter(one.value for one in thumbs if not turns[one.trace_id].found_nothing)
    nothing = Counter(one.value for one in thumbs if turns[one.trace_id].found_nothing)
    assert found[True] > 2 * found[False]
    assert nothing[False] > 2 * nothing[True]
    assert {(one.name, one.source.source_type) for one in said} == {
        ("helpful", "HUMAN"),
        ("correct", "LLM_JUDGE"),
        ("on_topic", "CODE"),
        ("note", "HUMAN"),
        ("answer", "HUMAN"),
        ("satisfaction", "HUMAN"),
    }


def test_the_pictures_show_what_was_talked_about(examples: SimpleNamespace) -> None:
    """A turn that was marked down, with more said of it; and a conversation of more than one turn that was rated."""
    turns = examples.traffic.day(END)
    said = examples.visitors.assessments(turns)
    turn = examples.screenshots.talked_about(turns, said)
    assert len({one.assessment.name for one in said if one.assessment.trace_id == turn.trace}) >= 4
    rated = examples.screenshots.rated(turns, said)
    assert len([turn for turn in turns if turn.conversation == rated]) > 1


def test_without_a_chromium_the_pictures_are_refused(
    examples: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line that says what to do."""
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(SystemExit, match="there is no Chromium; apt-get install chromium"):
        examples.screenshots.main()
