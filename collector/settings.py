"""Every setting of the collector: its flag, its environment variable, its key in a configuration file."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from hansei.collector.address import Address
from hansei.collector.errors import ConfigurationError

_SIZE_UNITS = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_DURATION_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Setting:
    """One thing that can be set; the flag is ``--name``, the variable ``HANSEI_NAME``, the file's key ``name``."""

    name: str
    default: str | None
    metavar: str
    help: str
    parse: Callable[[str, str], Any]
    secret: bool = False
    """Only from the environment: a flag would show in the process list."""

    @property
    def flag(self) -> str:
        """The command-line flag."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "HANSEI_" + self.name.upper()


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


def _parse_path(_: str, text: str) -> Path:
    return Path(text).expanduser().absolute()


def _parse_text(_: str, text: str) -> str:
    return text


SETTINGS = (
    Setting("data", "./hansei-data", "DIR", "the write-ahead log, and the data without --clickhouse", _parse_path),
    Setting("clickhouse", None, "URL", "a ClickHouse server: http[s]://user:password@host:port/database", _parse_text),
    Setting("otlp_grpc", "127.0.0.1:4317", "HOST:PORT", "where OTLP/gRPC is taken", Address.parse),
    Setting("otlp_http", "127.0.0.1:4318", "HOST:PORT", "where OTLP/HTTP is taken", Address.parse),
    Setting("ui", "127.0.0.1:8600", "HOST:PORT", "where pages, API, health and metrics are", Address.parse),
    Setting("sql", "127.0.0.1:8123", "HOST:PORT", "where the embedded engine answers ClickHouse's HTTP", Address.parse),
    Setting("max_request_size", "64MiB", "SIZE", "the largest OTLP request, after decompression", parse_size),
    Setting("wal_max_size", "2GiB", "SIZE", "how much may wait for the store before requests are refused", parse_size),
    Setting("segment_size", "48MiB", "SIZE", "a log segment is closed and inserted past this size", parse_size),
    Setting("segment_age", "400ms", "DURATION", "or past this age", parse_duration),
    Setting("retention_traces", "0", "DURATION", "drop spans older than this; 0 keeps all", parse_retention),
    Setting("retention_logs", "0", "DURATION", "drop log records older than this; 0 keeps all", parse_retention),
    Setting("sql_max_execution_time", "60s", "DURATION", "a query of the SQL endpoint ends after this", parse_duration),
    Setting("sql_max_memory", "512MiB", "SIZE", "memory of one query through the SQL endpoint", parse_size),
    Setting("sql_max_queries", "8", "NUMBER", "queries through the SQL endpoint at a time", parse_count),
    Setting("drain_timeout", "60s", "DURATION", "how long SIGTERM waits for what is logged", parse_duration),
    Setting("api_key", None, "KEY", "what senders and readers present; needed beyond loopback", _parse_text, True),
    Setting("admin_key", None, "KEY", "the password that lifts read-only from the SQL endpoint", _parse_text, True),
)  # fmt: skip
"""Every setting there is; docs/configuration.md lists the same, and a test says so."""


@dataclass(frozen=True)
class Settings:
    """A collector's settings, read and checked."""

    data: Path
    clickhouse: str | None
    otlp_grpc: Address
    otlp_http: Address
    ui: Address
    sql: Address
    max_request_size: int
    wal_max_size: int
    segment_size: int
    segment_age: float
    retention_traces: int
    retention_logs: int
    sql_max_execution_time: float
    sql_max_memory: int
    sql_max_queries: int
    drain_timeout: float
    api_key: str | None
    admin_key: str | None

    @classmethod
    def load(
        cls, flags: Mapping[str, str | None], environment: Mapping[str, str] = os.environ, config: Path | None = None
    ) -> "Settings":
        """Flags win over the environment, that over the TOML file ``config``, that over the defaults.

        Raises :class:`ConfigurationError` that names the key, the value and what would be allowed.
        """
        config = config or (Path(environment["HANSEI_CONFIG"]) if environment.get("HANSEI_CONFIG") else None)
        from_file = _read_file(config) if config else {}
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            text = flags.get(setting.name)
            if text is None:
                text = environment.get(setting.variable) or from_file.get(setting.name, setting.default)
            values[setting.name] = None if text is None else setting.parse(setting.name, text)
        settings = cls(**values)
        settings._check()
        return settings

    def _check(self) -> None:
        if self.max_request_size > self.wal_max_size:
            raise ConfigurationError(
                f"wal_max_size: {self.wal_max_size} bytes cannot hold one request of max_request_size "
                f"({self.max_request_size} bytes); raise the one or lower the other"
            )
        for key in ("otlp_grpc", "otlp_http", "ui", "sql"):
            address: Address = getattr(self, key)
            if not address.is_loopback and self.api_key is None:
                raise ConfigurationError(
                    f"{key}: {address} can be reached from other machines, and no key protects it; "
                    "set HANSEI_API_KEY or listen on 127.0.0.1"
                )


def _read_file(path: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigurationError(f"config: {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"config: {path} is not TOML: {error}") from error
    known = {setting.name for setting in SETTINGS}
    for key in content:
        if key not in known:
            raise ConfigurationError(
                f"config: {path}: there is no setting {key!r}; there are {', '.join(sorted(known))}"
            )
    return {key: str(value) for key, value in content.items()}
