"""Configurations of batches: what they may say, and what is told of a mistake."""

import os
from dataclasses import fields
from pathlib import Path

import pytest

from hansei.evaluation.batch.chosen_scorers import chosen_scorers
from hansei.evaluation.batch.config import Alert, BatchConfig, NamedScorer, Sample, Shard, Subjects
from hansei.evaluation.batch.cron import next_tick
from hansei.evaluation.batch.record import BatchRecord
from hansei.evaluation.batch.window import Window, back_fill, next_window
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.judges.settings import JudgeSettings

_GOLDEN = Path(__file__).with_name("batch_errors.golden.txt")
_WHOLE = """
name: nightly
subjects:
  kind: sessions
  filter: errors = 0 AND traces > 1
  where: Calls > 0
  services: shop
  sample: {rate: 0.1, seed: 7}
  lateness: 5m
  window: 2d
scorers:
  - knowledge_retention
  - name: conversational_guidelines
    arguments: {guidelines: [be kind]}
judge: {model: "openai:/gpt-4.1-mini", concurrency: 8, budget_usd: 2.5, cache: true, prices: {mine: [1, 2.5]}}
expectations: newest
alerts:
  - {metric: knowledge_retention/mean, below: 0.8, change: 0.1, webhook: $ALERTS}
schedule: 30 2 * * *
"""
_MISTAKES = (
    "[]",
    "scorers: [length]",
    "name: a b\nscorers: [x]",
    "name: n\nscorer: [x]",
    "name: n",
    "name: n\nscorers: exact_match",
    "name: n\nscorers: [{arguments: {}}]",
    "name: n\nscorers: [{name: x, args: {}}]",
    "name: n\nscorers: [x]\nsubjects: {kind: trace}",
    "name: n\nscorers: [x]\nsubjects: {filer: x}",
    "name: n\nscorers: [x]\nsubjects: {filter: \"trace.nam = 'a'\"}",
    "name: n\nscorers: [x]\nsubjects: {kind: sessions, filter: \"trace.name = 'a'\"}",
    "name: n\nscorers: [x]\nsubjects: {lateness: ten minutes}",
    "name: n\nscorers: [x]\nsubjects: {services: [1]}",
    "name: n\nscorers: [x]\nsubjects: {sample: 0.5}",
    "name: n\nscorers: [x]\nsubjects: {sample: {rate: 2}}",
    "name: n\nscorers: [x]\nsubjects: {sample: {rate: 0.5, limit: 5}}",
    "name: n\nscorers: [x]\nsubjects: {sample: {limit: 0}}",
    "name: n\nscorers: [x]\njudge: {concurency: 4}",
    "name: n\nscorers: [x]\njudge: {concurrency: 0}",
    "name: n\nscorers: [x]\njudge: {budget_usd: much}",
    "name: n\nscorers: [x]\njudge: {cache: 1}",
    "name: n\nscorers: [x]\njudge: {prices: {m: 3}}",
    "name: n\nscorers: [x]\nexpectations: newst",
    "name: n\nscorers: [x]\nalerts: [{metric: m}]",
    "name: n\nscorers: [x]\nalerts: [{metric: m, webhook: http://h/x}]",
    "name: n\nscorers: [x]\nalerts: [{metric: m, below: 1, webhook: $NOT_SET_HERE}]",
    "name: n\nscorers: [x]\nalerts: [{metric: m, below: 1, webhook: ftp://h}]",
    "name: n\nscorers: [x]\nschedule: every night",
    "name: n\nscorers: [exact_mach]",
    "name: n\nscorers: [{name: regex_match, arguments: {patern: x}}]",
    "name: n\nscorers: [exact_match, ExactMatch]",
    "name: n\nscorers: [knowledge_retention]",
    "name: n\nsubjects: {kind: sessions}\nscorers: [exact_match]",
    "name: [n\n",
)


def of(tmp_path: Path, text: str) -> BatchConfig:
    path = tmp_path / "batch.yaml"
    path.write_text(text)
    return BatchConfig.read(path)


def test_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that a configuration may say is read; what is stored of it has no secret."""
    monkeypatch.setenv("ALERTS", "https://hooks.example.com/T0/secret")
    found = of(tmp_path, _WHOLE)
    assert found == BatchConfig(
        name="nightly",
        scorers=(
            NamedScorer("knowledge_retention"),
            NamedScorer("conversational_guidelines", {"guidelines": ["be kind"]}),
        ),
        subjects=Subjects(
            "sessions", "errors = 0 AND traces > 1", "Calls > 0", ("shop",), Sample(0.1, None, 7), 1800.0, 300.0,
            172_800.0,
        ),
        judge={
            "model": "openai:/gpt-4.1-mini", "concurrency": 8, "budget_usd": 2.5, "cache": True,
            "prices": {"mine": (1.0, 2.5)},
        },
        expectations="newest",
        alerts=(
            Alert("knowledge_retention/mean", "https://hooks.example.com/T0/secret", below=0.8, change=0.1),
        ),
        schedule="30 2 * * *",
    )  # fmt: skip
    assert "secret" not in repr(found)
    assert "secret" not in str(found.to_json())
    assert [each.model.name for each in chosen_scorers(found)] == ["gpt-4.1-mini"] * 2  # type: ignore[attr-defined]


def test_mistakes(tmp_path: Path) -> None:
    """Each mistake is one line that names the key, the value and what is allowed."""
    told = []
    for text in _MISTAKES:
        with pytest.raises(InvalidEvaluation) as caught:
            chosen_scorers(of(tmp_path, text))
        line = str(caught.value).replace(str(tmp_path), "DIR")
        assert "\n" not in line.partition("filter: ")[0]
        told.append(text.strip().replace("\n", " | ") + "\n    " + line.replace("\n", "\n    "))
    text = "\n".join(told) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        _GOLDEN.write_text(text)
    assert text == _GOLDEN.read_text(), "UPDATE_GOLDEN=1 pytest tests/evaluation/test_batch_config.py"


def test_shards() -> None:
    """A shard is a number of so many."""
    assert (Shard.parse("2/4"), str(Shard(2, 4))) == (Shard(2, 4), "2/4")
    for text in ("0/4", "5/4", "a/b", "2", "2/4/1"):
        with pytest.raises(InvalidEvaluation, match="write 1/4 to 4/4 for the parts of four"):
            Shard.parse(text)


def test_windows() -> None:
    """A window goes from the watermark to where nothing late is expected; failed scores are looked at for a day."""
    subjects = Subjects(lateness=10, window=100, reopen=50, retry=500, closed_after=5)
    assert next_window(None, subjects, 1_000_000) == Window(885_000, 985_000, 885_000)
    record = BatchRecord("n", watermark_ms=900_000)
    assert next_window(record, subjects, 1_000_000) == Window(900_000, 985_000, 850_000)
    failed = BatchRecord("n", watermark_ms=900_000, retry_from_ms=600_000)
    assert next_window(failed, subjects, 1_000_000) == Window(900_000, 985_000, 600_000)
    long_ago = BatchRecord("n", watermark_ms=900_000, retry_from_ms=1)
    assert next_window(long_ago, subjects, 1_000_000) == Window(900_000, 985_000, 400_000)
    assert next_window(record, subjects, 905_000).empty
    assert back_fill(100, 200, subjects, 1_000_000) == Window(100, 200, 100, True)
    assert back_fill(100, None, subjects, 1_000_000) == Window(100, 985_000, 100, True)


def test_ticks() -> None:
    """Schedules are in UTC."""
    assert next_tick("30 2 * * *", 0) == 9_000_000
    assert next_tick("30 2 * * *", 9_000_000) == 9_000_000 + 86_400_000


def test_guide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The configuration in the guide is one, and the guide names every key that there is."""
    monkeypatch.setenv("ALERT_WEBHOOK", "https://hooks.example.com/1")
    guide = (Path(__file__).parents[2] / "docs" / "batches.md").read_text()
    example = guide.partition("```yaml\n")[2].partition("```")[0]
    found = of(tmp_path, example)
    assert [each.name for each in chosen_scorers(found)] == ["correctness", "latency", "polite"]
    assert found.alerts[0].webhook == "https://hooks.example.com/1"
    keys = [
        *(f"subjects.{each.name}" for each in fields(Subjects)),
        *(f"judge.{each.name}" for each in fields(JudgeSettings)),
    ]
    assert [key for key in (*keys, *(each.name for each in fields(Alert))) if f"`{key}`" not in guide] == []
