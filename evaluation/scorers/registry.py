"""Scorers by name, as a configuration file names them."""

import inspect
import re
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.evaluation.scorer import Scorer

GROUP: Final = "hansei.scorers"
"""The group of entry points in which a package offers scorers."""
_HERE: Final = "hansei.evaluation.scorers"
_CODE: Final = (
    "Bleu", "Chrf", "Cost", "EmbeddingSimilarity", "ExactMatch", "FuzzyMatch", "JsonSchema", "JsonValid", "Latency",
    "PIIDetection", "RegexMatch", "ResponseLength", "Rouge", "TokenUsage",
)  # fmt: skip
_JUDGES: Final = (
    "Completeness", "ConversationCompleteness", "ConversationalGuidelines", "ConversationalRoleAdherence",
    "ConversationalSafety", "ConversationalToolCallEfficiency", "Correctness", "Equivalence", "ExpectationsGuidelines",
    "Fluency", "Guidelines", "KnowledgeRetention", "RelevanceToQuery", "RetrievalGroundedness", "RetrievalRelevance",
    "RetrievalSufficiency", "Safety", "Summarization", "ToolCallCorrectness", "ToolCallEfficiency", "UserFrustration",
)  # fmt: skip
_MAKERS: Final = {"make_judge": "hansei.evaluation.judges.make_judge"}
"""Functions that make a scorer."""
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NEAREST: Final = 3


def snake_case(name: str) -> str:
    """``pii_detection`` of ``PIIDetection``: what a scorer of this class is called, and the file it is in."""
    return _WORD.sub("_", name).lower()


_MODULES: Final[Mapping[str, str]] = {name: f"{_HERE}.{snake_case(name)}" for name in (*_CODE, *_JUDGES)}
_CLASSES: Final[Mapping[str, str]] = {snake_case(name): name for name in _MODULES}


def built_in_scorers() -> dict[str, type[Scorer]]:
    """The classes of all built-in scorers by their names, as ``exact_match``; imports them."""
    return {short: getattr(import_module(_MODULES[name]), name) for short, name in sorted(_CLASSES.items())}


def scorer_named(name: str, /, **arguments: Any) -> Scorer:
    """A scorer by its name, made with these arguments.

    The name is that of a built-in one (``RegexMatch`` or ``regex_match``, and ``make_judge``), else of an entry point
    in the group ``hansei.scorers``, else ``package.module:object``. What it leads to is a class of scorers, or a
    scorer, which takes no arguments. Raises ``InvalidEvaluation`` for an unknown name or argument; what the class
    raises for a wrong one; ``EvaluationError`` where it needs a package that is not installed.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidEvaluation(f"scorer: {name!r} is not the name of a scorer")
    return _made(name, _found(name), arguments)


def _found(name: str) -> Any:
    built_in = _CLASSES.get(name, name)
    if built_in in _MODULES:
        return getattr(import_module(_MODULES[built_in]), built_in)
    if name in _MAKERS:
        return getattr(import_module(_MAKERS[name]), name)
    offered = {point.name: point for point in entry_points(group=GROUP)}
    if name in offered:
        return _loaded(offered[name])
    if ":" in name:
        return _object_at(name)
    raise InvalidEvaluation(f"scorer: there is no scorer {name!r}; {_near(name, offered)}")


def _near(name: str, offered: Mapping[str, EntryPoint]) -> str:
    known = [*_CLASSES, *_MAKERS, *offered]
    near = get_close_matches(snake_case(name), known, _NEAREST) or get_close_matches(name, known, _NEAREST)
    others = f"write one of {', '.join(sorted(known))}, or package.module:object for your own"
    return f"did you mean {' or '.join(near)}?" if near else others


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        package = point.dist.name if point.dist else "a package"
        raise InvalidEvaluation(
            f"scorer: {point.name!r} of {package} ({point.value}) cannot be loaded: {_told(error)}"
        ) from error


def _object_at(name: str) -> Any:
    module, _, path = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        # A command's own path does not have the folder in which it was called.
        sys.path.append(here)
    try:
        found: Any = import_module(module)
    except Exception as error:
        raise InvalidEvaluation(f"scorer: {name!r}: {module!r} cannot be imported: {_told(error)}") from error
    for part in path.split("."):
        if not hasattr(found, part):
            near = get_close_matches(part, dir(found), _NEAREST)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise InvalidEvaluation(f"scorer: {name!r}: {module} has no {path!r}{hint}")
        found = getattr(found, part)
    return found


def _made(name: str, found: Any, arguments: Mapping[str, Any]) -> Scorer:
    if isinstance(found, Scorer):
        if arguments:
            raise InvalidEvaluation(f"{name}: {min(arguments)}: it is made already, and takes no arguments")
        return found
    is_class = isinstance(found, type) and issubclass(found, Scorer)
    if not is_class and name not in _MAKERS:
        what = "a function; put @hansei.scorer above it" if inspect.isfunction(found) else repr(found)
        raise InvalidEvaluation(f"scorer: {name!r} is no scorer and no class of scorers, but {what}")
    _check(name, found, arguments)
    try:
        made = found(**arguments)
    except EvaluationError:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidEvaluation(f"{name}: {_told(error)}") from error
    assert isinstance(made, Scorer)
    return made


def _check(name: str, found: Any, arguments: Mapping[str, Any]) -> None:
    """Raise ``InvalidEvaluation`` for an argument that is not taken, and for one that lacks."""
    parameters = {key: each for key, each in inspect.signature(found).parameters.items() if key != "self"}
    anything = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    named = [key for key, each in parameters.items() if each.kind in (each.KEYWORD_ONLY, each.POSITIONAL_OR_KEYWORD)]
    for argument in arguments:
        if argument not in named and not anything:
            near = get_close_matches(argument, named, 1)
            hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(named) or 'none'}"
            raise InvalidEvaluation(f"{name}: {argument}: there is no such argument; {hint}")
    for argument in named:
        if argument not in arguments and parameters[argument].default is inspect.Parameter.empty:
            raise InvalidEvaluation(f"{name}: {argument}: it is needed")


def _told(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
