"""From the text of a setting to its value."""

import re
from pathlib import Path
from typing import NamedTuple

from hansei.collector.errors import ConfigurationError

_SIZE_UNITS = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_DURATION_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_WEB_PORTS = {"http": "80", "https": "443"}


def parse_size(key: str, text: str) -> int:
    """Bytes: ``1073741824``, ``64MiB``, ``1GB``. Raises :class:`ConfigurationError`."""
    match = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", text.strip())
    if not match or match[2] not in _SIZE_UNITS:
        raise ConfigurationError(f"{key}: {text!r} is not a size; write 64MiB, 1GiB or a number of bytes")
    return int(match[1]) * _SIZE_UNITS[match[2]]


def parse_duration(key: str, text: str) -> float:
    """Seconds: ``10d``, ``240h``, ``250ms``, ``0``. Raises :class:`ConfigurationError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text.strip())
    if text.strip() == "0":
        return 0
    if not match or match[2] not in _DURATION_UNITS:
        raise ConfigurationError(f"{key}: {text!r} is not a duration; write 10d, 240h, 250ms or 0")
    return float(match[1]) * _DURATION_UNITS[match[2]]


def parse_retention(key: str, text: str) -> int:
    """Seconds, whole; 0 keeps for ever. Raises :class:`ConfigurationError`."""
    try:
        seconds = parse_duration(key, text)
    except ConfigurationError:
        raise ConfigurationError(f"{key}: {text!r} is not a duration; write 10d, 240h or 0 for ever") from None
    return int(seconds)


def parse_count(key: str, text: str) -> int:
    """A whole number above 0. Raises :class:`ConfigurationError`."""
    if re.fullmatch(r"[0-9]+", text.strip()) is None or int(text) < 1:
        raise ConfigurationError(f"{key}: {text!r} is not a whole number above 0")
    return int(text)


class Rate(NamedTuple):
    """So many in so many seconds."""

    requests: int
    seconds: float


def parse_rate(key: str, text: str) -> Rate | None:
    """``30/m``, ``5/s``, ``100/10m``; None for ``0``, which is no limit. Raises :class:`ConfigurationError`."""
    match = re.fullmatch(r"([1-9]\d{0,8})\s*/\s*((?:\d+(?:\.\d+)?)?)\s*([a-z]+)", text.strip())
    if text.strip() == "0":
        return None
    seconds = float(match[2] or 1) * _DURATION_UNITS.get(match[3], 0) if match else 0
    if not match or seconds <= 0:
        raise ConfigurationError(f"{key}: {text!r} is not a rate; write 30/m, 5/s, 100/10m or 0 for no limit")
    return Rate(int(match[1]), seconds)


def parse_origins(key: str, text: str) -> frozenset[str]:
    """``https://chat.example.com, http://localhost:3000`` or ``*``. Raises :class:`ConfigurationError`."""
    return frozenset(_origin(key, part.strip()) for part in text.split(",") if part.strip())


def _origin(key: str, text: str) -> str:
    if text == "*":
        return text
    # As browsers write it: in lower case, without the scheme's own port.
    match = re.fullmatch(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(?::([0-9]{1,5}))?", text.lower())
    if match:
        port = "" if match[3] in (None, _WEB_PORTS[match[1]]) else f":{match[3]}"
        return f"{match[1]}://{match[2]}{port}"
    raise ConfigurationError(
        f"{key}: {text!r} is not an origin; write https://chat.example.com, without a path, or * for every page"
    )


def parse_switch(key: str, text: str) -> bool:
    """``on`` or ``off``. Raises :class:`ConfigurationError`."""
    known = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    if text.strip().lower() not in known:
        raise ConfigurationError(f"{key}: {text!r} is neither on nor off")
    return known[text.strip().lower()]


def parse_path(_: str, text: str) -> Path:
    """A path, made absolute."""
    return Path(text).expanduser().absolute()


def parse_key(key: str, text: str) -> str:
    """A key. Raises :class:`ConfigurationError` for an empty one."""
    if not text:
        raise ConfigurationError(f"{key}: it is empty; write a long random text, or leave it out")
    return text


def parse_text(_: str, text: str) -> str:
    """As it is."""
    return text
