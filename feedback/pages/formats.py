"""How numbers and times are written. What is not known is a dash, never a zero."""

from datetime import datetime, timezone
from typing import Final

NOTHING: Final = "\N{EN DASH}"


def duration(nanoseconds: float | None) -> str:
    """``850 µs``, ``12 ms``, ``1.24 s``, ``3 m 05 s``."""
    if nanoseconds is None:
        return NOTHING
    for limit, unit, digits in ((1e6, 1e3, 0), (1e7, 1e6, 1), (1e9, 1e6, 0)):
        if nanoseconds < limit:
            return f"{nanoseconds / unit:.{digits}f} {'µs' if unit == 1e3 else 'ms'}"
    seconds = nanoseconds / 1e9
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} m"


def usd(amount: float | None) -> str:
    """``$0.000214``, ``$1.24``: two digits that matter below a cent."""
    if amount is None:
        return NOTHING
    if amount == 0:
        return "$0"
    return f"${amount:,.2f}" if amount >= 0.1 else f"${amount:.2g}" if amount >= 0.0001 else f"${amount:.6f}"


def count(number: float | None) -> str:
    """``1,234``, ``12.3 k``, ``4.56 M``."""
    if number is None:
        return NOTHING
    for limit, divisor, suffix in ((1e4, 1, ""), (1e6, 1e3, " k"), (1e9, 1e6, " M"), (float("inf"), 1e9, " G")):
        if abs(number) < limit:
            return f"{number:,.0f}" if not suffix else f"{number / divisor:.3g}{suffix}"
    raise AssertionError(number)


def moment(nanoseconds: int) -> str:
    """ISO 8601 in UTC, to the millisecond: what a ``time`` element's ``datetime`` takes; app.js shows it locally."""
    at = datetime.fromtimestamp(nanoseconds // 10**9, timezone.utc)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9 // 10**6:03d}Z"


def clock(nanoseconds: int) -> str:
    """What stands in a ``time`` element until app.js writes the visitor's own time there."""
    return moment(nanoseconds).replace("T", " ").removesuffix("Z") + " UTC"


FILTERS: Final = {"duration": duration, "usd": usd, "count": count, "moment": moment, "clock": clock}
