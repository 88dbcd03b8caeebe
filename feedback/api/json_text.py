"""JSON as it is read and written here: strict, bounded, UTF-8."""

import json
import math
from typing import Any, Final, NoReturn

_DEEPEST: Final = 64
"""Arrays and objects within each other."""


class InvalidJson(ValueError):
    """A text is not JSON as it is taken here; the message says where or why."""


def json_bytes(value: object) -> bytes:
    """The JSON of a value. What has no UTF-8 form, a lone surrogate, becomes a question mark."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        # Somebody's event had a number that no float can hold.
        text = json.dumps(_with_texts(value), ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")


def parsed(body: bytes) -> Any:
    """The value of a JSON text. Raises :class:`InvalidJson`."""
    try:
        value = json.loads(
            body.decode(), parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_without_duplicates
        )
    except InvalidJson:
        raise
    except UnicodeDecodeError as error:
        raise InvalidJson(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidJson(f"{error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise InvalidJson(f"arrays and objects are nested more than {_DEEPEST} deep") from None
    except ValueError:
        raise InvalidJson("a number has too many digits") from None
    if _depth_exceeds(value, _DEEPEST):
        raise InvalidJson(f"arrays and objects are nested more than {_DEEPEST} deep")
    return value


def _with_texts(value: Any) -> Any:
    """The value with a text for each number that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {name: _with_texts(part) for name, part in value.items()}
    return [_with_texts(part) for part in value] if isinstance(value, list | tuple) else value


def _no_constant(name: str) -> NoReturn:
    raise InvalidJson(f"{name} is not JSON; write null or a string")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidJson(f"the number {text[:40]} is too large")
    return number


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidJson(f"the key {twice[:80]!r} is there twice")
    return made


def _depth_exceeds(value: object, most: int) -> bool:
    level = [value]
    for _ in range(most + 1):
        level = [
            part
            for each in level
            if isinstance(each, dict | list)
            for part in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True
