"""How a model is told to answer, and what is made of its answer: reasons first, then the value."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from hansei.evaluation.errors import JudgeError
from hansei.evaluation.judges.question import Message

FORMATS: Final = ("json_schema", "json_object", "text")
"""From the strictest on: a server that refuses one is asked by the next."""
_QUOTED: Final = 200
"""Characters of an answer that are quoted in an error."""


class UnusableAnswer(JudgeError):
    """An answer that does not say what was asked; the text says why, for the model too."""


def instructed(messages: Sequence[Message], value: Mapping[str, Any]) -> list[Message]:
    """The messages, and how to answer them."""
    how = (
        'Answer with one JSON object and nothing else: {"rationale": "…", "value": …}. Write the rationale first: the '
        "reasons, in a few sentences, before you decide. The value then fits this JSON schema: "
        + json.dumps(value, ensure_ascii=False)
    )
    if messages and messages[0].get("role") == "system":
        first = {**messages[0], "content": f"{messages[0]['content']}\n\n{how}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": how}, *messages]


def response_format(name: str, value: Mapping[str, Any]) -> dict[str, Any] | None:
    """The request's ``response_format``; None where there is none."""
    if name == "text":
        return None
    if name == "json_object":
        return {"type": "json_object"}
    schema = {
        "type": "object",
        "properties": {"rationale": {"type": "string"}, "value": dict(value)},
        "required": ["rationale", "value"],
        "additionalProperties": False,
    }
    strict = _is_strict(value)
    return {"type": "json_schema", "json_schema": {"name": "verdict", "strict": strict, "schema": schema}}


def _is_strict(schema: Mapping[str, Any]) -> bool:
    """Whether the API's strict mode takes it: objects with all of their properties, required and no others."""
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties")
        return (
            isinstance(properties, Mapping)
            and schema.get("additionalProperties") is False
            and set(schema.get("required", ())) == set(properties)
            and all(_is_strict(each) for each in properties.values())
        )
    if kind == "array":
        return isinstance(schema.get("items"), Mapping) and _is_strict(schema["items"])
    return "enum" in schema or isinstance(kind, str)


def parsed(text: str | None, value: Mapping[str, Any]) -> tuple[Any, str]:
    """The value and the rationale of an answer. Raises :class:`UnusableAnswer`."""
    if not text or not text.strip():
        raise UnusableAnswer("the answer is empty")
    found = _object_in(text)
    if found is None:
        raise UnusableAnswer(f"the answer holds no JSON object: {_brief(text)}")
    if "value" not in found:
        raise UnusableAnswer(f"the answer has no field 'value': {_brief(text)}")
    said = _coerced(found["value"], value)
    error = next(_validator(json.dumps(value, sort_keys=True)).iter_errors(said), None)
    if error is not None:
        raise UnusableAnswer(f"the value does not fit: {error.message[:_QUOTED]}")
    rationale = found.get("rationale", "")
    return said, rationale if isinstance(rationale, str) else json.dumps(rationale, ensure_ascii=False)


def _object_in(text: str) -> dict[str, Any] | None:
    """The first JSON object of a text that may have a fence around it, or words before and after."""
    decoder = json.JSONDecoder()
    place = text.find("{")
    while place >= 0:
        try:
            found, _ = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return found
        place = text.find("{", place + 1)
    return None


def _coerced(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value that is right but for its writing: "Yes" for yes, "4" for 4, "true" for true."""
    if isinstance(value, str):
        text = value.strip()
        for allowed in schema.get("enum", ()):
            if isinstance(allowed, str) and allowed.lower() == text.lower():
                return allowed
        if schema.get("type") == "boolean" and text.lower() in ("true", "false", "yes", "no"):
            return text.lower() in ("true", "yes")
        if schema.get("type") in ("integer", "number"):
            try:
                number = float(text)
            except ValueError:
                return value
            return int(number) if schema["type"] == "integer" and number.is_integer() else number
    if isinstance(value, float) and schema.get("type") == "integer" and value.is_integer():
        return int(value)
    return value


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    try:
        from jsonschema import Draft202012Validator
    except ImportError as error:
        raise JudgeError("judging needs jsonschema: pip install 'hansei[evaluation]'") from error
    return Draft202012Validator(json.loads(schema))


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _QUOTED else line[:_QUOTED] + "…")
