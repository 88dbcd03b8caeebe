"""``hansei keys``: create, list and revoke keys."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from hansei.collector.errors import ConfigurationError
from hansei.collector.key_file import KEYS, KeyFile
from hansei.collector.key_format import digest_of, key_id_in, new_key
from hansei.collector.keys import ROLES, Principal, StoredKey
from hansei.collector.output import say
from hansei.collector.setting_values import parse_duration

_LONGEST_NAME = 80
_COLUMNS = ("id", "name", "roles", "created", "expires", "state")


class Keeper(Protocol):
    """Where keys are kept."""

    def read(self) -> dict[str, StoredKey]:
        """Every key, by id."""

    def put(self, key: StoredKey) -> None:
        """Keep a key, in place of what was kept of it."""


def create_key(
    data: Path, clickhouse: str | None, *, name: str, roles: Sequence[str], expires: str | None, now: float
) -> None:
    """Make a key and print it, this once. Raises :class:`~hansei.collector.errors.HanseiError`."""
    key_id, key = new_key()
    principal = Principal(key_id, _name(name), frozenset(map(_role, roles)))
    created = StoredKey(principal, digest_of(key), int(now), None if expires is None else int(now + _lasting(expires)))
    with _keeper(data, clickhouse) as (keeper, place):
        is_first = not keeper.read()
        keeper.put(created)
    say(key)
    _tell(f"{place} keeps its SHA-256 alone: this is the only time that the key is shown")
    if is_first:
        _tell("it is the first key there: a collector that took everybody's requests now asks for a key")


def list_keys(data: Path, clickhouse: str | None, *, now: float) -> None:
    """Print every key, without its secret. Raises :class:`~hansei.collector.errors.HanseiError`."""
    with _keeper(data, clickhouse) as (keeper, place):
        keys = sorted(keeper.read().values(), key=lambda key: (key.created, key.key_id))
    if not keys:
        _tell(f"there are no keys in {place}; make one with `hansei keys create`")
        return
    rows = [_COLUMNS, *(_row(key, now) for key in keys)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def revoke_key(data: Path, clickhouse: str | None, *, key_id: str, now: float) -> None:
    """End a key. Raises :class:`~hansei.collector.errors.HanseiError`."""
    key_id = key_id_in(key_id) or key_id
    with _keeper(data, clickhouse) as (keeper, place):
        key = keeper.read().get(key_id)
        if key is None:
            raise ConfigurationError(f"there is no key {key_id!r} in {place}; `hansei keys list` shows those there are")
        if key.revoked is not None:
            say(f"{key_id} ({key.principal.name}) was revoked {_moment(key.revoked)}")
            return
        keeper.put(replace(key, revoked=int(now)))
    say(f"{key_id} ({key.principal.name}) is revoked; running collectors refuse it within seconds")


@contextlib.contextmanager
def _keeper(data: Path, clickhouse: str | None) -> Iterator[tuple[Keeper, str]]:
    """Where keys are kept, and what people call it."""
    if clickhouse is None:
        yield KeyFile(data / KEYS), str(data / KEYS)
        return
    from hansei.collector.key_table import KeyTable
    from hansei.collector.store import ServerStore

    store = ServerStore(clickhouse)
    try:
        yield KeyTable(store), f"hansei_keys in {store.name}"
    finally:
        store.close()


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ConfigurationError(
            f"name: {name!r} is not a name; write 1 to {_LONGEST_NAME} printable characters, for example shop-frontend"
        )
    return name


def _role(role: str) -> str:
    if role not in ROLES:
        raise ConfigurationError(f"role: {role!r} is not a role; there are {', '.join(ROLES)}")
    return role


def _lasting(expires: str) -> float:
    seconds = parse_duration("expires", expires)
    if seconds < 1:
        raise ConfigurationError(f"expires: {expires!r} is no time; write 90d, or leave it out for a key that stays")
    return seconds


def _row(key: StoredKey, now: float) -> tuple[str, ...]:
    roles = ",".join(role for role in ROLES if role in key.principal.roles)
    state = "live" if key.is_live(now) else "expired"
    if key.revoked is not None:
        state = f"revoked {_moment(key.revoked)}"
    expires = "never" if key.expires is None else _moment(key.expires)
    return key.key_id, key.principal.name, roles, _moment(key.created), expires, state


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _tell(line: str) -> None:
    """What is not part of the result."""
    print(line, file=sys.stderr)
