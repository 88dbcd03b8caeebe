"""What the scorers that are code have in common."""

import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final

from hansei.evaluation.errors import EvaluationError, NotApplicable
from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scorers import expected, json_of
from hansei.evaluation.scorers.arguments import check_arguments, wrong
from hansei.evaluation.scorers.text_of import text_of
from hansei.feedback.assessment import Feedback

Aggregation = str | Callable[[Sequence[float]], float]

_SHARED: Final = (sys.modules[text_of.__module__], expected, json_of)
"""What the value of any of them may hang on."""
_LONGEST_WORD: Final = 80
"""Characters of a text that a rationale quotes."""


@dataclass(eq=False, kw_only=True)
class CodeScorer(Scorer):
    """A scorer whose constructor takes the fields of a dataclass, by keyword; they are its definition.

    Raises ``InvalidEvaluation`` for an argument of another type.
    """

    name: str = ""
    aggregations: Sequence[Aggregation] = ("mean",)

    def __post_init__(self) -> None:
        check_arguments(self)
        if not self.name.strip():
            raise wrong(self, "name", "is empty")

    def said(self, value: object, rationale: str) -> Feedback:
        """What it says of a subject."""
        return Feedback(self.name, value, rationale=rationale)

    def definition(self) -> Mapping[str, Any]:
        """The class, its code with what it reads texts by, and the arguments."""
        return definition_of(self)


def definition_of(made: Any) -> Mapping[str, Any]:
    """Of a scorer that is a dataclass: its class, digests of its code and of what it reads texts by, its arguments.

    How values are aggregated is no part of it.
    """
    arguments = {each.name: getattr(made, each.name) for each in fields(made) if each.init}
    arguments.pop("aggregations", None)
    kind: Any = type(made)
    classes = [each for each in kind.__mro__ if issubclass(each, Scorer) and each is not Scorer]
    return {
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "code": [_digest(_file(each)) for each in classes] + [_digest(each) for each in _SHARED],
        "arguments": arguments,
    }


def _file(kind: Any) -> Any:
    """Of a class of ours its whole file, which has one job; of another's only the class."""
    return sys.modules[kind.__module__] if kind.__module__.startswith("hansei.") else kind


@cache
def _digest(thing: Any) -> str:
    try:
        text = inspect.getsource(thing)
    except (OSError, TypeError):
        text = str(thing.__name__)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def thresholded(score: float, threshold: float | None, what: str) -> tuple[object, str]:
    """A score from 0 to 1, or, where there is a threshold, whether it is reached. ``what`` begins the rationale."""
    if threshold is None:
        return score, f"{what}: {score:.3f}"
    told = f"{what}: {score:.3f}, {'at least' if score >= threshold else 'less than'} {threshold:g}"
    return score >= threshold, told


def limited(amount: float, limit: float | None, what: str, unit: str) -> tuple[object, str]:
    """An amount, or, where there is a limit, whether it is kept."""
    if limit is None:
        return amount, f"{what}: {amount:g} {unit}"
    told = f"{what}: {amount:g} {unit}, {'at most' if amount <= limit else 'more than'} {limit:g}"
    return amount <= limit, told


def check_share(made: Any, argument: str) -> None:
    """Raise ``InvalidEvaluation`` for what is neither None nor from 0 to 1."""
    value = getattr(made, argument)
    if value is not None and not 0 <= value <= 1:
        raise wrong(made, argument, "is not from 0 to 1")


def check_limit(made: Any, argument: str) -> None:
    """Raise ``InvalidEvaluation`` for what is neither None nor 0 or more."""
    value = getattr(made, argument)
    if value is not None and not value >= 0:
        raise wrong(made, argument, "is less than 0")


def answer_text(outputs: Any) -> str:
    """The text of outputs. Raises ``NotApplicable`` where none were recorded."""
    if outputs is None:
        raise NotApplicable("no outputs were recorded")
    return text_of(outputs)


def quoted(text: str) -> str:
    """A text in a rationale: in quotation marks, its beginning if it is long."""
    return repr(text if len(text) <= _LONGEST_WORD else text[: _LONGEST_WORD - 1] + "…")


def missing(scorer: str, package: str, extra: str) -> EvaluationError:
    """What to raise where a package is not installed."""
    return EvaluationError(f"{scorer} needs {package}: pip install 'hansei[{extra}]'")


def strings_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The texts in a value with their paths, such as ``answer.sources[2]``; of long numbers their digits, and keys."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, str(value)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield f"a key of {path or 'the outputs'}", str(key)
            yield from strings_in(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from strings_in(each, f"{path}[{place}]")
