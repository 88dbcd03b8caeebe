"""What is asked for in the address of an export."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.export.lists import Exported
from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.search.moment import Moment, nanoseconds

FORMATS: Final = ("csv", "jsonl", "parquet")
USUAL_LIMIT: Final = 10_000
HIGHEST_LIMIT: Final = 1_000_000
_COMMON: Final = ("format", "from", "to", "limit")
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Asked:
    """An export, as it is asked for."""

    format: str
    arguments: Mapping[str, Any]
    start: Moment | None
    end: Moment | None
    limit: int


def asked_for(exported: Exported, query: Mapping[str, str]) -> Asked:
    """Reads an address; what is empty counts as not given. Raises ``InvalidSearch``."""
    given = {name: value for name, value in query.items() if value}
    allowed = (*_COMMON, *sorted(exported.arguments))
    for name in given:
        if name not in allowed:
            raise InvalidSearch(f"{name}: it is not taken here; there are {', '.join(allowed)}")
    wanted = given.get("format", "csv")
    if wanted not in FORMATS:
        raise InvalidSearch(f"format: {wanted!r} is not one of {', '.join(FORMATS)}")
    arguments: dict[str, Any] = {name: value for name, value in given.items() if name in exported.arguments}
    if "valid" in arguments:
        if arguments["valid"] not in _TRUTH:
            raise InvalidSearch(f"valid: {arguments['valid']!r} is not true or false")
        arguments["valid"] = _TRUTH[arguments["valid"]]
    return Asked(wanted, arguments, _moment("from", given), _moment("to", given), _limit(given.get("limit")))


def _moment(name: str, given: Mapping[str, str]) -> Moment | None:
    text = given.get(name)
    if text is None:
        return None
    moment: Moment = int(text) if re.fullmatch(r"-?[0-9]{1,16}", text) else text
    nanoseconds(name, moment)
    return moment


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL_LIMIT
    if not re.fullmatch(r"[0-9]{1,7}", text) or not 1 <= int(text) <= HIGHEST_LIMIT:
        raise InvalidSearch(f"limit: {text!r} is not a number from 1 to {HIGHEST_LIMIT}")
    return int(text)
