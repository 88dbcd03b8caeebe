"""What models answered, in a local file: a process that was killed and starts again asks nothing twice."""

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hansei.evaluation.errors import EvaluationError

_KEY_BYTES: Final = 16


class Journal:
    """An append-only file of answers by the request, and what it was about. Thread-safe.

    An answer is in the file, by one write, before anything is done with it: it survives the process's end. That a
    machine loses power is not guarded against. In memory there are only the keys of what an earlier process left.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file, or makes it. Raises ``EvaluationError``, also where another process has it."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise EvaluationError(f"the journal {path} cannot be opened: {error.strerror}") from error
        _lock(self._file, path)
        self.deleted = False
        """Whether all that is in it is stored elsewhere."""
        self._turn = threading.Lock()
        self._places: dict[bytes, tuple[int, int]] = {}
        """Of what was there already: where the answer begins, and its length."""
        self._load()

    def __len__(self) -> int:
        """How many answers an earlier process left."""
        return len(self._places)

    def get(self, key: str) -> Any:
        """What was answered before; None where nothing was."""
        place = self._places.get(_short(key))
        if place is None:
            return None
        return json.loads(os.pread(self._file, place[1], place[0]))

    def put(self, key: str, response: Mapping[str, Any]) -> None:
        """Keep an answer."""
        line = f"{_short(key).hex()} {json.dumps(response, separators=(',', ':'))}\n".encode()
        with self._turn:
            written = os.write(self._file, line)
            while written < len(line):
                written += os.write(self._file, line[written:])

    def close(self) -> None:
        """Close the file and keep it."""
        os.close(self._file)

    def delete(self) -> None:
        """Close the file and remove it: all that is in it is stored elsewhere."""
        self.path.unlink(missing_ok=True)
        self.deleted = True
        self.close()

    def _load(self) -> None:
        place = 0
        with os.fdopen(os.dup(self._file), "rb") as lines:
            lines.seek(0)
            for line in lines:
                head = 2 * _KEY_BYTES + 1
                # The last line may be torn: the process ended while it wrote.
                if _is_whole(line[head:]):
                    length = len(line.rstrip(b"\n")) - head
                    self._places[bytes.fromhex(line[: head - 1].decode())] = (place + head, length)
                place += len(line)
        if place and not self._ends_whole(place):
            os.write(self._file, b"\n")

    def _ends_whole(self, size: int) -> bool:
        return os.pread(self._file, 1, size - 1) == b"\n"


def _is_whole(text: bytes) -> bool:
    """Whether it is an answer: no beginning of a JSON object is one."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _short(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()[:_KEY_BYTES]


def _lock(file: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not on Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise EvaluationError(f"the journal {path} is another process's; give this one a folder of its own") from error
