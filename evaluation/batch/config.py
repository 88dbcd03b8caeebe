"""The configuration of a batch: what is scored, by whom, how often, and who is told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from hansei.evaluation.batch.yaml_section import Section, shown
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.evaluation.scorer import Scorer
from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.search.filter_fields import SESSIONS, TRACES
from hansei.feedback.search.filter_parser import parse

KINDS: Final = ("traces", "sessions")
CONFLICTS: Final = ("skip", "newest")
OnConflict = Literal["skip", "newest"]
_TOP: Final = ("name", "subjects", "scorers", "judge", "expectations", "alerts", "schedule")
_SUBJECTS: Final = (
    "kind", "filter", "where", "services", "sample", "closed_after", "lateness", "window", "reopen", "retry"
)  # fmt: skip
_SAMPLE: Final = ("rate", "limit", "seed")
_SCORER: Final = ("name", "arguments")
_JUDGE: Final = (
    "model", "concurrency", "requests_per_minute", "tokens_per_minute", "budget_usd", "budget_calls", "prices", "cache",
    "retries", "timeout", "batch_api",
)  # fmt: skip
_ALERT: Final = ("metric", "above", "below", "change", "runs", "webhook")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CLOSED_AFTER: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Sample:
    """How many of the subjects are scored: a share of them, or so many of each window."""

    rate: float = 1.0
    """The probability with which a subject is drawn."""
    limit: int | None = None
    seed: int = 0
    """Another seed draws others."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """What is scored. Times in seconds."""

    kind: str = "traces"
    filter: str = ""
    """In MLflow's filter language: of traces, or of sessions."""
    where: str = ""
    """A condition in SQL: on a span of the trace, or on the row of genai_sessions."""
    services: Sequence[str] = ()
    sample: Sample = field(default_factory=Sample)
    closed_after: float = 0.0
    """Silence after which a subject is whole; of sessions 1800 where nothing else is said."""
    lateness: float = 600.0
    """How long spans may take to come."""
    window: float = 86_400.0
    """How far the first run looks back."""
    reopen: float = 3_600.0
    """How long before the watermark subjects are looked at again, for spans that came later than ``lateness``."""
    retry: float = 86_400.0
    """How long failed scores are tried again by later runs."""


@dataclass(frozen=True, slots=True)
class NamedScorer:
    """A scorer by its name, with arguments."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """When a metric of a run is told to somebody."""

    metric: str
    """As runs have it: ``correctness/mean``."""
    webhook: str = field(repr=False)
    above: float | None = None
    below: float | None = None
    change: float | None = None
    """From the mean of the runs before, in either direction, when it is also beyond the metric's interval."""
    runs: int = 7
    """How many runs before are that mean."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a batch: the ``number``-th ``of`` so many."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """From ``2/4``. Raises ``InvalidEvaluation``."""
        found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise InvalidEvaluation(f"shard: {shown(text)} is not a shard; write 1/4 to 4/4 for the parts of four")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True)
class BatchConfig:
    """A batch. Made by :meth:`of` and :meth:`read`, or of values."""

    name: str
    scorers: Sequence[NamedScorer | Scorer]
    subjects: Subjects = field(default_factory=Subjects)
    judge: Mapping[str, Any] = field(default_factory=dict)
    """How models are asked: the fields of ``JudgeSettings``, and ``model``."""
    expectations: OnConflict = "skip"
    """Where reviewers disagree about an expectation and nobody has decided: ``skip`` leaves it out, ``newest`` takes
    the last."""
    alerts: Sequence[Alert] = ()
    schedule: str = ""
    """Cron's five fields, in UTC."""

    @classmethod
    def read(cls, path: str | Path) -> "BatchConfig":
        """From a YAML file. Raises ``InvalidEvaluation``, ``EvaluationError`` where YAML cannot be read here."""
        try:
            import yaml
        except ImportError as error:
            raise EvaluationError("a batch needs PyYAML: pip install 'hansei[evaluation]'") from error
        try:
            given = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidEvaluation(f"{path}: it cannot be read: {error.strerror}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            place = getattr(error, "problem_mark", None)
            where = f" in line {place.line + 1}" if place else ""
            said = getattr(error, "problem", None) or "it is no text"
            raise InvalidEvaluation(f"{path}: it is not YAML{where}: {said}") from None
        return cls.of(given)

    @classmethod
    def of(cls, given: object) -> "BatchConfig":
        """From what YAML holds. Raises ``InvalidEvaluation``."""
        top = Section("", given, _TOP)
        top.needed("name", "one of letters, digits, . _ and -")
        name = top.text("name")
        if _NAME.fullmatch(name) is None:
            raise top.wrong("name", "a name of at most 100 letters, digits, . _ and -, such as nightly")
        subjects = _subjects(top.section("subjects", _SUBJECTS))
        return cls(
            name=name,
            scorers=_scorers(top),
            subjects=subjects,
            judge=_judge(top.section("judge", _JUDGE)),
            expectations="newest" if top.choice("expectations", CONFLICTS, "skip") == "newest" else "skip",
            alerts=top.sections("alerts", _ALERT, _alert),
            schedule=_schedule(top),
        )

    def to_json(self) -> dict[str, Any]:
        """As it is stored with a run: without secrets."""
        subjects, sample = self.subjects, self.subjects.sample
        return {
            "name": self.name,
            "subjects": {
                "kind": subjects.kind,
                "filter": subjects.filter,
                "where": subjects.where,
                "services": list(subjects.services),
                "sample": {"rate": sample.rate, "limit": sample.limit, "seed": sample.seed},
                **{name: getattr(subjects, name) for name in ("closed_after", "lateness", "window", "reopen", "retry")},
            },
            "scorers": [
                {"name": each.name, "arguments": dict(each.arguments)}
                if isinstance(each, NamedScorer)
                else {"name": each.name}
                for each in self.scorers
            ],
            "judge": dict(self.judge),
            "expectations": self.expectations,
            "alerts": [
                {
                    "metric": each.metric, "above": each.above, "below": each.below, "change": each.change,
                    "runs": each.runs, "webhook": urlsplit(each.webhook).hostname,
                }
                for each in self.alerts
            ],
            "schedule": self.schedule,
        }  # fmt: skip


def _subjects(section: Section) -> Subjects:
    kind = section.choice("kind", KINDS, "traces")
    text = section.text("filter")
    if text:
        try:
            parse(text, SESSIONS if kind == "sessions" else TRACES)
        except InvalidSearch as error:
            said = str(error).removeprefix("filter: ")
            raise InvalidEvaluation(f"{section.at('filter')}: {said}") from None
    sample = section.section("sample", _SAMPLE)
    if sample.has("rate") and sample.has("limit"):
        raise InvalidEvaluation(f"{section.at('sample')}: it has rate and limit; give one of them")
    return Subjects(
        kind=kind,
        filter=text,
        where=section.text("where"),
        services=section.texts("services"),
        sample=Sample(
            sample.number("rate", 1.0, 0, 1), sample.whole("limit", None, 1, 1_000_000), sample.whole("seed", 0, 0)
        ),
        closed_after=section.duration("closed_after", _CLOSED_AFTER if kind == "sessions" else 0.0),
        lateness=section.duration("lateness", 600.0),
        window=section.duration("window", 86_400.0),
        reopen=section.duration("reopen", 3_600.0),
        retry=section.duration("retry", 86_400.0),
    )


def _scorers(top: Section) -> tuple[NamedScorer | Scorer, ...]:
    given = top.raw("scorers")
    if not isinstance(given, list | tuple) or not given:
        raise InvalidEvaluation(
            f"scorers: {shown(given)} is not a list of scorers; give names, or mappings with name and arguments"
        )
    return tuple(_scorer(f"scorers[{number}]", each) for number, each in enumerate(given))


def _scorer(place: str, given: object) -> NamedScorer | Scorer:
    if isinstance(given, Scorer):
        return given
    if isinstance(given, str) and given:
        return NamedScorer(given)
    section = Section(place, given, _SCORER)
    section.needed("name", "the name of a scorer")
    arguments = section.raw("arguments")
    named = isinstance(arguments, Mapping) and all(isinstance(key, str) for key in arguments)
    if arguments is not None and not named:
        raise section.wrong("arguments", "a mapping of names to values")
    return NamedScorer(section.text("name"), dict(arguments or {}))


def _judge(section: Section) -> dict[str, Any]:
    """The values that are given, for ``JudgeSettings``."""
    numbers = {
        name: section.number(name, None, 0)
        for name in ("requests_per_minute", "tokens_per_minute", "budget_usd", "timeout")
    }
    wholes = {
        "concurrency": section.whole("concurrency", None, 1, 10_000),
        "budget_calls": section.whole("budget_calls", None, 0),
        "retries": section.whole("retries", None, 0, 100),
    }
    flags = {name: section.flag(name, False) for name in ("cache", "batch_api") if section.has(name)}
    prices = _prices(section)
    model = {"model": section.text("model")} if section.has("model") else {}
    found = {name: value for name, value in {**numbers, **wholes}.items() if value is not None}
    return {**model, **found, **flags, **({"prices": prices} if prices else {})}


def _prices(section: Section) -> dict[str, tuple[float, float]]:
    given = section.raw("prices")
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise section.wrong("prices", "a mapping of models to [input, output] in USD per million tokens")
    found = {}
    for model, pair in given.items():
        numbers = isinstance(pair, list | tuple) and all(
            isinstance(each, int | float) and not isinstance(each, bool) and each >= 0 for each in pair
        )
        if not numbers or len(pair) != 2:
            raise InvalidEvaluation(
                f"{section.at('prices')}.{model}: {shown(pair)} is not [input, output] in USD per million tokens"
            )
        found[str(model)] = (float(pair[0]), float(pair[1]))
    return found


def _alert(section: Section) -> Alert:
    section.needed("metric", "the name of a metric, such as correctness/mean")
    section.needed("webhook", "the URL that is told, or $NAME of the environment")
    bounds = {name: section.number(name, None, float("-inf")) for name in ("above", "below")}
    change = section.number("change", None, 0)
    if change is None and not any(bound is not None for bound in bounds.values()):
        raise InvalidEvaluation(f"{section.at('metric')}: nothing says when it is told; give above, below or change")
    webhook = section.secret("webhook")
    parts = urlsplit(webhook)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidEvaluation(f"{section.at('webhook')}: it is not a URL; write https://host/path")
    return Alert(section.text("metric"), webhook, **bounds, change=change, runs=section.whole("runs", 7, 1, 100))


def _schedule(top: Section) -> str:
    text = top.text("schedule")
    if text:
        from hansei.evaluation.batch.cron import check_cron

        check_cron("schedule", text)
    return text
