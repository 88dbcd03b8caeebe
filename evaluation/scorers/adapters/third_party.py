"""What the scorers that wrap another library's metric have in common."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from hansei.evaluation.errors import InvalidEvaluation, NotApplicable
from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.scorer import ARGUMENTS
from hansei.evaluation.scorers.awaited import AwaitedScorer
from hansei.evaluation.scorers.registry import snake_case
from hansei.evaluation.scorers.retrieved import retrievals
from hansei.evaluation.scorers.text_of import Said, messages_of, text_of
from hansei.feedback.search.trace import Trace
from hansei.feedback.source import AssessmentSource, AssessmentSourceType

_DEEPEST: Final = 6
_SECRET: Final = ("key", "token", "secret", "password", "client")
"""Parts of the names of what is never looked at."""


class ThirdPartyScorer(AwaitedScorer):
    """A scorer that wraps a metric of another library."""

    def __init__(
        self, library: str, metric: Any, name: str | None, needs: Sequence[str], model: str | None, more: object = None
    ) -> None:
        """``model``: what the metric asks, None for one that is code; ``more``: what else is part of what it is."""
        self.metric = metric
        self.name = name or snake_case(type(metric).__name__)
        if not isinstance(self.name, str) or not self.name.strip():
            raise InvalidEvaluation(f"name: {name!r} is not the name of a scorer")
        self.model = JudgeModel(model or f"{library}/{type(metric).__name__}")
        self._library = library
        self._asked = frozenset(needs) & frozenset(ARGUMENTS)
        self._is_judge = model is not None
        self._more = more

    @cached_property
    def needs(self) -> frozenset[str]:
        """What the metric looks at."""
        return self._asked

    @cached_property
    def source(self) -> AssessmentSource:
        """The model that the metric asks; code, where it asks none."""
        if self._is_judge:
            return AssessmentSource(AssessmentSourceType.LLM_JUDGE, self.model.name)
        return AssessmentSource(AssessmentSourceType.CODE, self.name)

    def definition(self) -> Mapping[str, Any]:
        """The metric's class, what it holds, and the version of its library; never a key."""
        return {
            "class": f"{type(self).__module__}.{type(self).__qualname__}",
            "metric": _held(self.metric, _DEEPEST),
            "library": _version(self._library),
            "more": _held(self._more, _DEEPEST),
            "name": self.name,
        }


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def _held(value: Any, depth: int) -> Any:
    """A value as JSON that is the same in every process; of an object its class and what it holds."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    kind = value if isinstance(value, type) else type(value)
    named = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, type) or depth == 0:
        return named
    if isinstance(value, Mapping):
        return {str(_held(key, 1)): _held(each, depth - 1) for key, each in value.items() if not _is_secret(key)}
    if isinstance(value, set | frozenset):
        return sorted(str(_held(each, depth - 1)) for each in value)
    if isinstance(value, list | tuple):
        return [_held(each, depth - 1) for each in value]
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return {"class": named, **_held(getattr(value, "__dict__", {}), depth)}


def _is_secret(name: object) -> bool:
    return any(part in str(name).lower() for part in _SECRET)


def contexts_of(trace: Trace | None) -> list[str] | None:
    """The documents that a trace retrieved, in their order; None where it has no retriever."""
    try:
        return [text for retrieval in retrievals("it", trace) for text in retrieval.documents]
    except NotApplicable:
        return None


def turns_of(session: Sequence[Trace]) -> list[Said]:
    """What user and assistant said in a conversation, trace by trace."""
    turns: list[Said] = []
    for trace in session:
        turns.append(("user", text_of(trace.info.request, "user")))
        turns += [said for said in messages_of(trace.info.response, "assistant") if said[0] == "assistant"][-1:]
    return [said for said in turns if said[1]]


def instance_of(metric: Any, kind: Any, function: str, example: str, *, make: bool = True) -> Any:
    """The metric, made if its class was given. Raises ``InvalidEvaluation`` for anything else."""
    if make and isinstance(metric, type) and issubclass(metric, kind):
        try:
            metric = metric()
        except TypeError as error:
            raise InvalidEvaluation(
                f"{function}: {metric.__name__} cannot be made without arguments: {error}"
            ) from None
    if not isinstance(metric, kind):
        raise InvalidEvaluation(f"{function}: {metric!r} is not a metric; give an object, as {example}")
    return metric


def takes(function: Callable[..., Any], argument: str) -> bool:
    """Whether a function has a parameter, or takes any."""
    parameters = inspect.signature(function).parameters
    return argument in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())
