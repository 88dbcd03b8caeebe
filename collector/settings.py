"""Every setting of the collector: its flag, its environment variable, its key in a configuration file."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from hansei.collector.address import Address
from hansei.collector.errors import ConfigurationError
from hansei.collector.key_file import KEYS, KeyFile
from hansei.collector.redaction import parse_redact
from hansei.collector.setting_values import (
    Rate,
    parse_count,
    parse_duration,
    parse_key,
    parse_origins,
    parse_path,
    parse_rate,
    parse_retention,
    parse_size,
    parse_switch,
    parse_text,
)


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


SETTINGS = (
    Setting("data", "./hansei-data", "DIR", "the write-ahead log, and the data without --clickhouse", parse_path),
    Setting("clickhouse", None, "URL", "a ClickHouse server: http[s]://user:password@host:port/database", parse_text),
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
    Setting("api_key", None, "KEY", "what senders and readers present; beyond loopback, or keys", parse_key, True),
    Setting("admin_key", None, "KEY", "the password that lifts read-only from the SQL endpoint", parse_key, True),
    Setting("feedback_origins", None, "ORIGINS", "whose pages may send feedback, comma-separated, or *", parse_origins),
    Setting("feedback_rate", "30/m", "RATE", "feedback requests of a token; 20 times more of an address", parse_rate),
    Setting("retention_labelled", "0", "DURATION", "likewise of labelled traces; 0 keeps all", parse_retention),
    Setting("text_index", "off", "on|off", "index the words of spans, for full-text search", parse_switch),
    Setting("redact", None, "PATTERNS", "what to replace before it is written: email,phone,…", parse_redact),
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
    feedback_origins: frozenset[str] | None
    feedback_rate: Rate | None
    retention_labelled: int
    text_index: bool
    redact: tuple[str, ...] | None

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
        if self.retention_labelled and self.retention_labelled < self.retention_traces:
            raise ConfigurationError(
                f"retention_labelled: {self.retention_labelled} s is shorter than retention_traces "
                f"({self.retention_traces} s); write a longer one, or 0 for ever"
            )
        # The keys of a server are known once it is asked.
        if self.exposed and self.api_key is None and self.clickhouse is None:
            now = time.time()
            if not any(key.is_live(now) for key in KeyFile(self.data / KEYS).read().values()):
                raise self.unprotected()

    @property
    def exposed(self) -> str | None:
        """The first listener that other machines can reach."""
        addresses: Iterator[tuple[str, Address]] = (
            (key, getattr(self, key)) for key in ("otlp_grpc", "otlp_http", "ui", "sql")
        )
        return next((f"{key}: {address}" for key, address in addresses if not address.is_loopback), None)

    def unprotected(self, problem: str | None = None) -> ConfigurationError:
        """The error of a collector that is exposed and has no key; ``problem``: why none could be looked for."""
        return ConfigurationError(
            f"{self.exposed} can be reached from other machines, and no key protects it; set HANSEI_API_KEY, make a "
            "key with `hansei keys create`, or listen on 127.0.0.1" + (f" ({problem})" if problem else "")
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
    return {key: _as_text(value) for key, value in content.items()}


def _as_text(value: Any) -> str:
    """A value of a file as it would stand in a variable: a list of texts has one on each line."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return str(value)
