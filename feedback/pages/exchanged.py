"""What was asked and what was answered, of what spans have recorded."""

from collections.abc import Iterable, Sequence
from typing import Final

from hansei.feedback.pages.conversation import Content, Message, Part, Value

WORDS: Final = ("text", "media", "data")
"""The parts of a message that are for people."""
_UNDER: Final = (
    "question", "query", "prompt", "message", "input", "text", "answer", "output", "response", "content",
)  # fmt: skip
"""Of what a function was given or returned: where the text is, if it is among other things."""


def asked(contents: Iterable[Content], kinds: Sequence[str] = WORDS) -> Sequence[Part]:
    """What the user said last, of the first that tells it; ``kinds`` of parts are shown."""
    return next(filter(None, (_said(each.input, "user", each.inputs, kinds) for each in contents)), ())


def answered(contents: Iterable[Content], kinds: Sequence[str] = WORDS) -> Sequence[Part]:
    """What the assistant said last, of the first that tells it; ``kinds`` of parts are shown."""
    return next(filter(None, (_said(each.output, "assistant", each.outputs, kinds) for each in contents)), ())


def _said(messages: Sequence[Message], role: str, value: Value | None, kinds: Sequence[str]) -> Sequence[Part]:
    """Of the last message of a role that has parts of these kinds, or a value that stands for it."""
    for message in reversed(messages):
        shown = [part for part in message.parts if part.kind in kinds and (part.text or part.name)]
        if message.role == role and shown:
            return shown
    found = _part(value) if value is not None else None
    return [found] if found is not None and found.text else ()


def _part(value: Value) -> Part:
    if not value.is_json:
        return Part("text", value.text)
    texts = {name: text for name, text, is_json in value.fields if not is_json}
    if len(value.fields) == 1 and texts:
        return Part("text", next(iter(texts.values())))
    under = next((name for name in _UNDER if texts.get(name)), None)
    return Part("text", texts[under]) if under else Part("data", value.text, "JSON")
