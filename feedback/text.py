"""Text as it can be sent."""

from hansei.feedback.errors import InvalidAssessment


def sendable(text: str) -> str:
    """The text with a question mark for each lone surrogate: it has no UTF-8 form, and would cost a whole batch."""
    if text.isascii():
        return text
    return text.encode(errors="replace").decode()


def optional_text(argument: str, value: object) -> str | None:
    """A text or None. Raises ``InvalidAssessment``."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidAssessment(f"{argument}: {value!r} is not a string")
    return sendable(value)


def required_text(argument: str, value: object) -> str:
    """A text with something in it. Raises ``InvalidAssessment``."""
    text = optional_text(argument, value)
    if not text:
        raise InvalidAssessment(f"{argument}: {value!r} is empty; give a string with something in it")
    return text
