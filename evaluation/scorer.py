"""Scorers: what says how good a trace or a conversation is."""

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Final, TypeVar, overload

from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.subject import Subject
from hansei.feedback.assessment import DEFAULT_NAME, Feedback
from hansei.feedback.source import AssessmentSource, AssessmentSourceType

ARGUMENTS: Final = ("inputs", "outputs", "expectations", "trace", "session")
"""What a scorer may ask for, by the names of its parameters."""
SCORER: Final = "scorer"
SCORER_VERSION: Final = "scorer_version"
"""In the metadata of what a scorer said."""

Answer = object
"""What a scorer returns: a bool, number, text, list or dict as the value; a Feedback; a list of Feedback; or None for
nothing to say."""
S = TypeVar("S", bound="Scorer")


class Scorer:
    """Says how good a subject is. Subclass it, or make one of a function with :func:`scorer`.

    A subclass has ``name`` and a ``__call__`` with some of MLflow's keyword parameters: ``inputs``, ``outputs``,
    ``expectations`` (a dict by name), ``trace`` (a :class:`~hansei.Trace`) and ``session`` (the traces of a
    conversation); whoever asks for ``session`` scores conversations, the others traces.
    """

    name: str = ""
    description: str = ""
    aggregations: Sequence[str | Callable[[Sequence[float]], float]] = ("mean",)
    """How the values of a run become its metrics: mean, min, max, median, variance, p90, p95, p99, or a function."""
    source_type: ClassVar[str] = AssessmentSourceType.CODE

    def __call__(self, *_: Any, **given: Any) -> Answer:
        """Score one subject; raises what the scorer raises."""
        raise NotImplementedError

    @cached_property
    def needs(self) -> frozenset[str]:
        """Those of :data:`ARGUMENTS` that it looks at."""
        parameters = inspect.signature(type(self).__call__).parameters
        if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
            return frozenset(ARGUMENTS) - {"session"}
        return frozenset(parameters) & frozenset(ARGUMENTS)

    @property
    def is_session_level_scorer(self) -> bool:
        """Whether it scores conversations."""
        return "session" in self.needs

    @cached_property
    def is_async(self) -> bool:
        """Whether a call of it is awaited."""
        return inspect.iscoroutinefunction(type(self).__call__)

    def definition(self) -> Mapping[str, Any]:
        """What it is, as JSON can hold it: a scorer with another definition has another version.

        As it stands here: the class, its code and what its object holds. Give your own where that is not all.
        """
        kind = type(self)
        return {"class": f"{kind.__module__}.{kind.__qualname__}", "code": _code(kind), "held": self.held()}

    def held(self, *but: str) -> dict[str, str]:
        """What its object holds, by name, but for some names and for what was worked out of the rest."""
        return {
            name: stated(value)
            for name, value in sorted(vars(self).items())
            if name not in but and not isinstance(getattr(type(self), name, None), cached_property)
        }

    @cached_property
    def version(self) -> str:
        """Twelve hex digits of what it is: results of one version are comparable."""
        text = json.dumps(self.definition(), sort_keys=True, default=stated)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def source(self) -> AssessmentSource:
        """Who says it: the scorer's name, or a judge's model."""
        return AssessmentSource(self.source_type, self.name)

    def given(self, subject: Subject) -> dict[str, Any]:
        """The arguments of a call about a subject."""
        return {name: getattr(subject, name) for name in self.needs}


_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")


def feedbacks_of(scorer: Scorer, answer: Answer) -> list[Feedback]:
    """What a scorer returned, as assessments by name, source and metadata. Raises ``InvalidAssessment``."""
    if answer is None:
        return []
    if isinstance(answer, Feedback):
        answers: Sequence[Feedback] = [answer]
    elif isinstance(answer, Sequence) and answer and all(isinstance(each, Feedback) for each in answer):
        answers = answer
    else:
        signature = {SCORER: scorer.name, SCORER_VERSION: scorer.version}
        return [Feedback(scorer.name, plain(answer), source=scorer.source, metadata=signature)]
    return [_signed(scorer, each) for each in answers]


def plain(value: object) -> object:
    """A number of numpy as Python's; anything else as it is."""
    item = getattr(value, "item", None)
    return item() if callable(item) and type(value).__module__ == "numpy" else value


def _signed(scorer: Scorer, feedback: Feedback) -> Feedback:
    metadata = {**(feedback.metadata or {}), SCORER: scorer.name, SCORER_VERSION: scorer.version}
    name = scorer.name if feedback.name == DEFAULT_NAME else feedback.name
    return replace(feedback, name=name, source=feedback.source or scorer.source, metadata=metadata)


class FunctionScorer(Scorer):
    """A scorer made of a function."""

    def __init__(self, function: Callable[..., Answer], name: str, description: str, aggregations: Any) -> None:
        self.function = function
        self.name = name
        self.description = description
        self.aggregations = aggregations
        self.__doc__ = function.__doc__

    def __call__(self, *_: Any, **given: Any) -> Answer:
        """As the function."""
        return self.function(**given)

    @cached_property
    def needs(self) -> frozenset[str]:
        """The parameters of the function."""
        return frozenset(inspect.signature(self.function).parameters) & frozenset(ARGUMENTS)

    @cached_property
    def is_async(self) -> bool:
        """Whether the function is a coroutine function, or an object whose call is one."""
        called = getattr(self.function, "__call__", None)  # noqa: B004  a function's own is no coroutine function
        return inspect.iscoroutinefunction(self.function) or inspect.iscoroutinefunction(called)

    def definition(self) -> Mapping[str, Any]:
        """The function's code, with the values that it closes over."""
        function = inspect.unwrap(self.function)
        return {"function": self.name, "code": _code(function), "bound": _bound(function)}


def _code(thing: Any) -> str:
    """The source text, or the bytecode where there is none."""
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        code = getattr(thing, "__code__", None)
        return code.co_code.hex() + stated(code.co_consts) if code else stated(thing)


def stated(value: object, above: tuple[object, ...] = ()) -> str:
    """A value as a definition states it, alike in every process: of functions their code and what they close over, sets
    in order, and no place in memory. ``above`` are the functions that it was found in."""
    if inspect.isfunction(value):
        return _code(value) if value in above else "".join((_code(value), *_bound(value, above)))
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(stated(each, above) for each in value))}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(stated(each, above) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{stated(key, above)}: {stated(each, above)}' for key, each in value.items())}}}"
    return _ADDRESS.sub("", repr(value))


def _bound(function: Any, above: tuple[object, ...] = ()) -> list[str]:
    """What a function closes over, and its defaults."""
    within = (*above, function)
    return [
        *(_closed(cell, within) for cell in getattr(function, "__closure__", None) or ()),
        stated(getattr(function, "__defaults__", None), within),
        stated(getattr(function, "__kwdefaults__", None), within),
    ]


def _closed(cell: Any, above: tuple[object, ...]) -> str:
    try:
        return stated(cell.cell_contents, above)
    except ValueError:
        return "(not set yet)"


@overload
def scorer(function: Callable[..., Answer], /) -> FunctionScorer: ...
@overload
def scorer(
    *,
    name: str | None = None,
    description: str | None = None,
    aggregations: Sequence[str | Callable[[Sequence[float]], float]] = ("mean",),
) -> Callable[[Callable[..., Answer]], FunctionScorer]: ...
def scorer(
    function: Callable[..., Answer] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    aggregations: Sequence[str | Callable[[Sequence[float]], float]] = ("mean",),
) -> FunctionScorer | Callable[[Callable[..., Answer]], FunctionScorer]:
    """Make a scorer of a function, synchronous or not, as a decorator with or without arguments.

    The function takes some of ``inputs``, ``outputs``, ``expectations``, ``trace`` and ``session`` by these names, and
    returns a bool, a number, a text, a ``Feedback`` or a list of these. Raises ``InvalidEvaluation`` for one with
    another required parameter.
    """

    def make(wrapped: Callable[..., Answer]) -> FunctionScorer:
        wrong = [
            each.name
            for each in inspect.signature(wrapped).parameters.values()
            if each.name not in ARGUMENTS and each.default is each.empty and each.kind is not each.VAR_KEYWORD
        ]
        if wrong:
            raise InvalidEvaluation(
                f"scorer: the parameter {wrong[0]!r} is none that a scorer is given; use some of {', '.join(ARGUMENTS)}"
            )
        made_name = name or str(getattr(wrapped, "__name__", "scorer"))
        return FunctionScorer(wrapped, made_name, description or "", tuple(aggregations))

    return make if function is None else make(function)


def assessment_id_of(subject: Subject, scorer: Scorer, position: int = 0, run_id: str = "") -> str:
    """The id under which the ledger knows what a version of a scorer says of a subject: said again, it is replaced.

    With a ``run_id`` it is replaced within that run alone.
    """
    key = "\n".join((subject.kind, subject.subject_id, scorer.name, scorer.version, str(position), run_id))
    return f"e-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


__all__ = [
    "ARGUMENTS", "SCORER", "SCORER_VERSION", "Answer", "FunctionScorer", "Scorer", "assessment_id_of",
    "feedbacks_of", "plain", "scorer",
]  # fmt: skip
