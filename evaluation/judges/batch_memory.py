"""Which batches are under way at an API, in a local file: a process that starts again waits for them instead of paying
twice."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_FORGOTTEN_AFTER: Final = 7 * 86_400.0
"""Seconds. A batch is answered or given up within a day; what nobody has come for in a week nobody wants."""


@dataclass(slots=True)
class Remembered:
    """A batch that was sent, or was about to be."""

    token: str
    """Ours: it is in the batch's metadata, so that one is found whose creation was not answered."""
    base_url: str | None
    model: str
    file_id: str
    """Of the uploaded requests."""
    ids: Sequence[str]
    """The requests' ``custom_id``."""
    batch_id: str | None = None
    """The API's; None where the process ended before it was told."""
    sent_at: float = 0.0
    """Seconds since 1970."""


class BatchMemory:
    """The file, or nothing where no path is given. One process uses it: the one that has the journal beside it."""

    def __init__(self, path: Path | None) -> None:
        """What an earlier process left is in :attr:`batches`."""
        self._path = path
        self.batches: dict[str, Remembered] = {}
        """By token."""
        if path is not None and path.exists():
            self._load(path)

    @property
    def lasts(self) -> bool:
        """Whether a later process will know."""
        return self._path is not None

    def sending(self, batch: Remembered) -> None:
        """A batch is about to be created: its file is uploaded."""
        batch.sent_at = time.time()
        self.batches[batch.token] = batch
        self._append(
            {"token": batch.token, "base_url": batch.base_url, "model": batch.model, "file": batch.file_id,
             "ids": list(batch.ids), "at": batch.sent_at}
        )  # fmt: skip

    def created(self, batch: Remembered, batch_id: str) -> None:
        """The API has told its id."""
        batch.batch_id = batch_id
        self._append({"token": batch.token, "batch": batch_id})

    def forget(self, batch: Remembered) -> None:
        """Every answer of it is kept elsewhere, or there will be none. The file goes with the last batch."""
        self.batches.pop(batch.token, None)
        if self.batches:
            self._append({"token": batch.token, "done": True})
        else:
            self.clear()

    def clear(self) -> None:
        """Nobody will ask for any of them."""
        self.batches.clear()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _append(self, line: dict[str, Any]) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # A torn line of an earlier process ends before ours.
        text = f"\n{json.dumps(line, separators=(',', ':'))}\n".encode()
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while text:
                text = text[os.write(file, text) :]
            os.fsync(file)
        finally:
            os.close(file)

    def _load(self, path: Path) -> None:
        oldest = time.time() - _FORGOTTEN_AFTER
        for text in path.read_bytes().splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # empty, or torn
            token = line["token"]
            if "file" in line:
                if line["at"] >= oldest:
                    self.batches[token] = Remembered(
                        token, line["base_url"], line["model"], line["file"], line["ids"], None, line["at"]
                    )
            elif token in self.batches:
                if line.get("done"):
                    del self.batches[token]
                else:
                    self.batches[token].batch_id = line["batch"]
        if not self.batches:
            self.clear()
