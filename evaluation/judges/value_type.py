"""From a Python type to the JSON schema of a value."""

import types
from collections.abc import Mapping
from typing import Any, Final, Literal, Union, get_args, get_origin

from hansei.evaluation.errors import InvalidEvaluation

_SIMPLE: Final[Mapping[object, str]] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def schema_of(value_type: Any) -> dict[str, Any]:
    """The schema of bool, int, float, str, ``Literal[…]``, ``list[…]``, ``dict[str, …]`` and unions of these.

    Raises ``InvalidEvaluation`` for any other type.
    """
    if isinstance(value_type, type) and value_type in _SIMPLE:
        return {"type": _SIMPLE[value_type]}
    origin, arguments = get_origin(value_type), get_args(value_type)
    if origin is Literal and all(isinstance(each, bool | int | float | str) for each in arguments):
        kinds = {_SIMPLE[type(each)] for each in arguments}
        return {**({"type": kinds.pop()} if len(kinds) == 1 else {}), "enum": list(arguments)}
    if value_type is list or origin is list:
        return {"type": "array", "items": schema_of(arguments[0]) if arguments else {"type": "string"}}
    if value_type is dict or (origin is dict and arguments[0] is str):
        return {"type": "object", **({"additionalProperties": schema_of(arguments[1])} if arguments else {})}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(each) for each in arguments]}
    raise InvalidEvaluation(
        f"feedback_value_type: {value_type!r} is not one of bool, int, float, str, Literal[…], list[…], dict[str, …]"
    )
