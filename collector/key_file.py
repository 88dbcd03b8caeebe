"""Created keys in a file of the data folder, so that they are known while the store is away.

Whoever can write the folder owns the data, and may make keys.
"""

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hansei.collector.errors import StoreError
from hansei.collector.keys import Principal, StoredKey

KEYS: Final = "keys.json"
"""The file of a collector with the embedded engine."""
KEYS_COPY: Final = "keys_copy.json"
"""Where a collector in front of a server keeps what it last knew of the server's keys."""


class KeyFile:
    """A file of keys: readable by its owner alone, and whole at any moment."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, StoredKey]:
        """Every key, by id. Raises :class:`StoreError`."""
        try:
            content = json.loads(self.path.read_bytes())
            return {key.key_id: key for key in map(_key, content["keys"])}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreError(f"the keys in {self.path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"{self.path} is not a file of keys; put back a copy, or move it away and create keys anew"
            ) from error

    def put(self, key: StoredKey) -> None:
        """Keep a key, in place of what was kept of it. Raises :class:`StoreError`."""
        with self._alone():
            self.write((self.read() | {key.key_id: key}).values())

    def write(self, keys: Iterable[StoredKey]) -> None:
        """Replace all. Raises :class:`StoreError`."""
        text = json.dumps({"keys": [_fields(key) for key in keys]}, indent=1)
        written = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(written, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
                self._give_to_owner(file.fileno())
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            written.replace(self.path)
            with _directory(self.path.parent) as folder:
                os.fsync(folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                written.unlink()
            raise StoreError(f"the keys in {self.path} cannot be written: {error.strerror}") from error

    def _give_to_owner(self, opened: int) -> None:
        """Let the collector read what an administrator of the machine writes."""
        folder = self.path.parent.stat()
        if os.geteuid() == 0 and folder.st_uid != 0:
            os.fchown(opened, folder.st_uid, folder.st_gid)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While nobody else changes the file. The folder is locked: the file itself is replaced."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _directory(self.path.parent) as folder:
                fcntl.flock(folder, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise StoreError(f"the data folder {self.path.parent} cannot be used: {error.strerror}") from error


class KeysOfFile:
    """The keys of a file, looked at again when it has changed."""

    _SECONDS: Final = 1.0
    """Between two looks."""

    def __init__(self, file: KeyFile, warn: Callable[[str], None]) -> None:
        """Read the file. Raises :class:`StoreError`. ``warn`` is told when it can be read no more."""
        self._file = file
        self._warn = warn
        self._lock = threading.Lock()
        self._is_broken = False
        self._seen = self._state()
        self._known: Mapping[str, StoredKey] = file.read()
        self._next = time.monotonic() + self._SECONDS

    def current(self) -> Mapping[str, StoredKey]:
        """See :class:`~hansei.collector.keys.KeySource`."""
        if time.monotonic() >= self._next:
            with self._lock:
                if time.monotonic() >= self._next:
                    self._look()
                    self._next = time.monotonic() + self._SECONDS
        return self._known

    def exist(self) -> bool:
        """See :class:`~hansei.collector.keys.KeySource`."""
        return bool(self.current()) or self._is_broken

    def _look(self) -> None:
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self._known = self._file.read()
            self._is_broken = False
        except StoreError as error:
            self._is_broken = True
            self._warn(f"{error}; the keys that were known last stay in use")

    def _state(self) -> tuple[int, ...] | None:
        """What changes when the file is replaced."""
        try:
            found = self._file.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[int]:
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield opened
    finally:
        os.close(opened)


def _key(kept: dict[str, Any]) -> StoredKey:
    principal = Principal(str(kept["id"]), str(kept["name"]), frozenset(map(str, kept["roles"])))
    return StoredKey(
        principal, bytes.fromhex(kept["sha256"]), int(kept["created"]), _seconds(kept["expires"]),
        _seconds(kept["revoked"]),
    )  # fmt: skip


def _seconds(value: int | None) -> int | None:
    return None if value is None else int(value)


def _fields(key: StoredKey) -> dict[str, Any]:
    return {
        "id": key.key_id, "name": key.principal.name, "roles": sorted(key.principal.roles),
        "sha256": key.digest.hex(), "created": key.created, "expires": key.expires, "revoked": key.revoked,
    }  # fmt: skip
