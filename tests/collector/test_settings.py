"""Settings: flags, environment and file, what wins, and what is said of a value that cannot be used."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansei.collector.address import Address
from hansei.collector.errors import ConfigurationError
from hansei.collector.setting_values import Rate, parse_count, parse_duration, parse_retention, parse_size
from hansei.collector.settings import SETTINGS, Setting, Settings

OTHER_VALUES: dict[str, tuple[str, object]] = {
    "data": ("/srv/hansei", Path("/srv/hansei")),
    "clickhouse": ("https://me:pw@ch:8443/db", "https://me:pw@ch:8443/db"),
    "otlp_grpc": ("127.0.0.2:1", Address("127.0.0.2", 1)),
    "otlp_http": ("[::1]:2", Address("::1", 2)),
    "ui": ("localhost:3", Address("localhost", 3)),
    "sql": (":0", Address("127.0.0.1", 0)),
    "max_request_size": ("1MiB", 1 << 20),
    "wal_max_size": ("3GiB", 3 << 30),
    "segment_size": ("5KB", 5000),
    "segment_age": ("2s", 2.0),
    "retention_traces": ("10d", 864_000),
    "retention_logs": ("240h", 864_000),
    "sql_max_execution_time": ("1m", 60.0),
    "sql_max_memory": ("64MB", 64_000_000),
    "sql_max_queries": ("3", 3),
    "drain_timeout": ("0", 0),
    "api_key": ("secret", "secret"),
    "admin_key": ("hunter2", "hunter2"),
    "retention_labelled": ("400d", 34_560_000),
    "feedback_origins": ("https://a.example", frozenset({"https://a.example"})),
    "feedback_rate": ("5/s", Rate(5, 1.0)),
    "text_index": ("on", True),
    "redact": ("email,phone", ("email", "phone")),
}
"""A value for each setting, as text and as it is read."""

each_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)


def load(environment: dict[str, str] | None = None, config: Path | None = None, **flags: str) -> Settings:
    return Settings.load(flags, environment or {}, config)


def test_every_setting_is_tried_here() -> None:
    """There is a value to try for every setting."""
    assert set(OTHER_VALUES) == {setting.name for setting in SETTINGS} == set(asdict(load()))


@each_setting
@pytest.mark.parametrize("way", ["flag", "environment", "file"])
def test_each_way(setting: Setting, way: str, tmp_path: Path) -> None:
    """Each setting can be set by its flag, its variable and its key in the file, and changes nothing else."""
    text, value = OTHER_VALUES[setting.name]
    if way == "flag":
        loaded = load(**{setting.name: text})
    elif way == "environment":
        loaded = load({setting.variable: text})
    else:
        config = tmp_path / "hansei.toml"
        config.write_text(f'{setting.name} = "{text}"\n')
        loaded = load(config=config)
    assert asdict(loaded) == asdict(load()) | {setting.name: asdict(value) if isinstance(value, Address) else value}


def test_what_wins(tmp_path: Path) -> None:
    """A flag wins over the environment, that over the file, that over the default."""
    config = tmp_path / "hansei.toml"
    config.write_text("segment_size = 3\nwal_max_size = '64MiB'\nsegment_age = '3s'\n")
    loaded = load({"HANSEI_SEGMENT_SIZE": "2", "HANSEI_SEGMENT_AGE": "2s"}, config, segment_size="1")
    assert (loaded.segment_size, loaded.segment_age, loaded.wal_max_size) == (1, 2.0, 64 << 20)
    assert loaded.drain_timeout == 60.0


def test_file_from_the_environment(tmp_path: Path) -> None:
    """HANSEI_CONFIG names a file; the flag wins over it; an empty variable counts as none."""
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text("segment_size = 1\n")
    two.write_text("segment_size = 2\n")
    assert load({"HANSEI_CONFIG": str(one)}).segment_size == 1
    assert load({"HANSEI_CONFIG": str(one)}, two).segment_size == 2
    assert load({"HANSEI_CONFIG": "", "HANSEI_SEGMENT_SIZE": ""}).segment_size == load().segment_size


# --- what is said ---


def message(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1.5GiB", "10 tons", "1gib", "0x10", "1e9"])
def test_bad_sizes(text: str) -> None:
    """A size that is none is named, with what would be one."""
    assert message(lambda: load(wal_max_size=text)) == (
        f"wal_max_size: {text!r} is not a size; write 64MiB, 1GiB or a number of bytes"
    )


@pytest.mark.parametrize("text", ["", "10", "ten days", "-1s", "1w", "5 S", "1h30m"])
def test_bad_durations(text: str) -> None:
    """A duration that is none is named, with what would be one."""
    assert message(lambda: load(segment_age=text)) == (
        f"segment_age: {text!r} is not a duration; write 10d, 240h, 250ms or 0"
    )
    assert message(lambda: load(retention_traces=text)) == (
        f"retention_traces: {text!r} is not a duration; write 10d, 240h or 0 for ever"
    )


@pytest.mark.parametrize("text", ["127.0.0.1", "4317", "host:", "host:port", "host:65536", "host:-1", "host:²", ""])
def test_bad_addresses(text: str) -> None:
    """An address that is none is named, with what would be one."""
    assert message(lambda: load(otlp_grpc=text)) == (
        f"otlp_grpc: {text!r} is not an address; write HOST:PORT, for example 127.0.0.1:4317"
    )


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", ""])
def test_bad_counts(text: str) -> None:
    """A number that is none is named."""
    assert message(lambda: load(sql_max_queries=text)) == f"sql_max_queries: {text!r} is not a whole number above 0"


@given(st.text(max_size=20))
def test_any_text(text: str) -> None:
    """Whatever is given as a value is either read or refused in words that begin with the key."""
    for parse in (parse_size, parse_duration, parse_retention, parse_count, Address.parse):
        try:
            parse("key", text)
        except ConfigurationError as error:
            assert str(error).startswith(f"key: {text!r} is not a")  # noqa: PT017


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("segment_size 3", "is not TOML: Expected '=' after a key in a key/value pair (at line 1, column 14)"),
        (b"\xff", "is not TOML: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        ("segment-size = 3", "there is no setting 'segment-size'; there are admin_key, api_key, clickhouse, "),
        ("[otlp]\ngrpc = 1", "there is no setting 'otlp'; there are admin_key, api_key, clickhouse, "),
    ],
    ids=["not TOML", "not UTF-8", "unknown key", "unknown section"],
)
def test_bad_files(tmp_path: Path, content: str | bytes, said: str) -> None:
    """A file that cannot be used is named, with what is wrong in it."""
    config = tmp_path / "hansei.toml"
    config.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert message(lambda: load(config=config)).startswith(f"config: {config}") is True
    assert said in message(lambda: load(config=config))


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    assert message(lambda: load(config=tmp_path / "none.toml")) == (
        f"config: {tmp_path}/none.toml cannot be read: No such file or directory"
    )
    assert message(lambda: load(config=tmp_path)) == f"config: {tmp_path} cannot be read: Is a directory"


def test_a_bad_value_in_a_file(tmp_path: Path) -> None:
    """A value of the wrong type in a file is named as any other."""
    config = tmp_path / "hansei.toml"
    config.write_text("segment_age = [1]\n")
    assert message(lambda: load(config=config)) == ("segment_age: '[1]' is not a duration; write 10d, 240h, 250ms or 0")


@pytest.mark.parametrize("key", ["api_key", "admin_key"])
def test_an_empty_key(tmp_path: Path, key: str) -> None:
    """An empty key in a file is refused: it would let everybody in."""
    config = tmp_path / "hansei.toml"
    config.write_text(f'{key} = ""\n')
    assert message(lambda: load(config=config)) == f"{key}: it is empty; write a long random text, or leave it out"


@pytest.mark.parametrize("key", ["otlp_grpc", "otlp_http", "ui", "sql"])
@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "[::]", "example.com"])
def test_beyond_loopback(key: str, host: str) -> None:
    """A listener that others can reach is refused without a key, and allowed with one."""
    flags: dict[str, Any] = {key: f"{host}:4000"}
    assert message(lambda: load(**flags)) == (
        f"{key}: {host}:4000 can be reached from other machines, and no key protects it; "
        "set HANSEI_API_KEY, make a key with `hansei keys create`, or listen on 127.0.0.1"
    )
    assert str(getattr(load({"HANSEI_API_KEY": "k"}, **flags), key)) == f"{host}:4000"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "[::1]", "localhost", ""])
def test_loopback_needs_no_key(host: str) -> None:
    """What only this machine can reach needs no key."""
    assert load(otlp_grpc=f"{host}:1").otlp_grpc.is_loopback


def test_a_log_too_small_for_a_request() -> None:
    """A log that could never hold the largest request is refused."""
    assert message(lambda: load(wal_max_size="1MiB")) == (
        "wal_max_size: 1048576 bytes cannot hold one request of max_request_size (67108864 bytes); "
        "raise the one or lower the other"
    )


def test_secrets_have_no_flag() -> None:
    """Keys cannot be given where the process list would show them."""
    assert [setting.name for setting in SETTINGS if setting.secret] == ["api_key", "admin_key"]
