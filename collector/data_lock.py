"""Who holds a data folder: one process at a time, and how others find it."""

import contextlib
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from hansei.collector.errors import StoreError

_ATTEMPTS = 100


@dataclass(frozen=True)
class Holder:
    """The process that holds a data folder."""

    pid: int
    since: str
    """UTC, ISO 8601."""
    sql: str | None = None
    """``HOST:PORT`` of its SQL endpoint, once it listens."""


class DataLock:
    """An exclusive lock on a data folder, released by the system when the process ends, however it ends."""

    def __init__(self, directory: Path) -> None:
        """Take the lock. Raises :class:`StoreError` that says who has it."""
        self._path = directory / "hansei.lock"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StoreError(f"the data folder {directory} cannot be used: {error.strerror}") from error
        if not _lock(self._fd, directory):
            os.close(self._fd)
            holder = holder_of(directory)
            who = f"a hansei process (pid {holder.pid}, since {holder.since})" if holder else "another hansei process"
            raise StoreError(
                f"the data folder {directory} is held by {who}; stop it, or choose another folder with --data"
            )
        self._since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.announce()

    def announce(self, sql: str | None = None) -> None:
        """Write down who holds the folder and where it answers SQL."""
        about = json.dumps(asdict(Holder(os.getpid(), self._since, sql))).encode()
        # The lock holds without it, and a collector must be able to start on a full disk, to be asked and to drain.
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, about, 0)

    def release(self) -> None:
        """Let the next process have it."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def _lock(fd: int, directory: Path) -> bool:
    """Lock the file, unless somebody holds it."""
    for _ in range(_ATTEMPTS):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if holder_of(directory) is not None:
                return False
            # Somebody is just looking who holds it, which takes a lock for a moment.
            time.sleep(0.01)
        else:
            return True
    return False


def holder_of(directory: Path) -> Holder | None:
    """The process that holds a folder now, if one does."""
    try:
        fd = os.open(directory / "hansei.lock", os.O_RDONLY)
    except OSError:
        return None
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            return Holder(**json.loads(os.pread(fd, 4096, 0)))
    except (ValueError, TypeError):
        return None
    finally:
        os.close(fd)
