"""The data in an answer."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from hansei.evaluation.scorers.text_of import is_conversation, text_of

_FENCE: Final = re.compile(r"\s*```[\w-]*[ \t]*\n(.*?)\n?[ \t]*```\s*", re.DOTALL)
"""A whole text that is one block of code in Markdown."""


class NotJson(ValueError):
    """A text is no JSON; the message says why and where."""


def json_of(outputs: Any, *, fenced: bool = False) -> Any:
    """The data in outputs: what a text, or the text of a message, is as JSON; what is data already is itself.

    ``fenced``: whether a text may be a block of code in Markdown, as models like to write. NaN and Infinity are no
    JSON. Raises :class:`NotJson`.
    """
    if not isinstance(outputs, str) and not is_conversation(outputs):
        return outputs
    text = text_of(outputs)
    if fenced:
        block = _FENCE.fullmatch(text)
        text = block[1] if block else text
    if not text.strip():
        raise NotJson("the text is empty")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotJson("it is nested too deep") from None


def _no_constant(name: str) -> Mapping[str, Any]:
    raise NotJson(f"{name} is not a JSON number")
