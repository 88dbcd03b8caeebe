"""Moments as people write them, in nanoseconds since 1970."""

from datetime import datetime, timedelta, timezone
from typing import Final, TypeAlias

from hansei.feedback.search.errors import InvalidSearch

Moment: TypeAlias = datetime | int | float | str
"""A datetime, milliseconds since 1970 as in MLflow, or ISO 8601. Without a time zone it is UTC."""

END_OF_TIME: Final = 2**63 - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def nanoseconds(argument: str, moment: Moment) -> int:
    """The nanoseconds of a moment. Raises ``InvalidSearch``."""
    found = moment
    if isinstance(found, str):
        try:
            # Python before 3.11 does not know the Z.
            found = datetime.fromisoformat(found.replace("Z", "+00:00"))
        except ValueError:
            raise _wrong(argument, moment) from None
    if isinstance(found, datetime):
        aware = found if found.tzinfo else found.replace(tzinfo=timezone.utc)
        ticks = (aware - _EPOCH) // timedelta(microseconds=1) * 1000
    elif isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < END_OF_TIME:
        ticks = int(found * 1_000_000)
    else:
        raise _wrong(argument, moment)
    if abs(ticks) > END_OF_TIME:
        raise _wrong(argument, moment)
    return ticks


def _wrong(argument: str, moment: object) -> InvalidSearch:
    return InvalidSearch(
        f"{argument}: {moment!r} is not a moment; give a datetime, milliseconds since 1970, or 2026-11-20T12:00:00Z"
    )
