"""Ids of traces, spans and assessments."""

import re
import secrets

from hansei.feedback.errors import InvalidAssessment

_OWN = re.compile(r"a-([0-9a-f]{12})[0-9a-f]{20}")


def new_assessment_id(milliseconds: int) -> str:
    """``a-`` and 32 hex digits in UUIDv7's layout: they begin with the Unix milliseconds of the creation.

    So the time of creation needs no column that a later correction could overwrite, and ids sort by it.
    """
    number = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | secrets.randbits(80)
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return f"a-{number:032x}"


def created_milliseconds(assessment_id: str) -> int | None:
    """When an id of ours was made; None for one that was made in another way."""
    match = _OWN.fullmatch(assessment_id)
    return int(match[1], 16) if match else None


def trace_id_or_none(value: object) -> str | None:
    """A trace id in lower case. Raises ``InvalidAssessment``."""
    return None if value is None else _hex("trace_id", value, 32)


def span_id_or_none(value: object) -> str | None:
    """A span id in lower case. Raises ``InvalidAssessment``."""
    return None if value is None else _hex("span_id", value, 16)


def _hex(argument: str, value: object, digits: int) -> str:
    text = value.lower() if isinstance(value, str) else ""
    if not re.fullmatch(f"[0-9a-f]{{{digits}}}", text):
        raise InvalidAssessment(f"{argument}: {value!r} is not {digits} hexadecimal digits, as OpenTelemetry writes it")
    if not text.strip("0"):
        raise InvalidAssessment(f"{argument}: {value!r} is all zeros, which OpenTelemetry keeps for none")
    return text
