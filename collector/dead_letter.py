"""Where a message goes that the engine refuses: a file with its bytes, and the engine's error beside it."""

import json
import time
from pathlib import Path

from hansei.collector.segment import sync_directory, write_durably
from hansei.collector.signals import Signal


class DeadLetters:
    """The folder of messages set aside. A letter is one length-delimited OTLP request, as it was logged."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put(self, signal: Signal, name: str, message: bytes, error: str) -> Path:
        """Keep a message durably; putting the same one again, after a crash, changes nothing."""
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"{signal.name}-{name}.pb"
        about = {
            "signal": signal.name,
            "error": error,
            "bytes": len(message),
            "set_aside": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        write_durably(path.with_suffix(".json"), json.dumps(about, indent=2).encode() + b"\n")
        write_durably(path, message)
        sync_directory(self.directory)
        return path

    def count(self) -> int:
        """How many letters there are."""
        return len(list(self.directory.glob("*.pb"))) if self.directory.is_dir() else 0
