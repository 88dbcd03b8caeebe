"""A collector in a process of its own, on a scratch folder and ports the system picks."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType


class Server:
    """``hansei serve`` for the length of a ``with`` block."""

    def __init__(self, *flags: str, data: Path | None = None) -> None:
        self._scratch = None if data else Path(tempfile.mkdtemp(prefix="hansei-bench-"))
        self.data = data or self._scratch
        ports = [f"--{name}=127.0.0.1:0" for name in ("otlp-grpc", "otlp-http", "ui", "sql")]
        self._command: Sequence[str] = (
            sys.executable, "-m", "hansei.cli", "serve", f"--data={self.data}", *ports, *flags
        )  # fmt: skip
        self.addresses: dict[str, str] = {}

    def __enter__(self) -> "Server":
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("data"):
                break
            if match := re.fullmatch(r"([\w/]+).*\s+http://(\S+)\n", line):
                self.addresses[match[1].lower()] = match[2]
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()
        if self._scratch:
            shutil.rmtree(self._scratch)

    def stop(self) -> None:
        """SIGTERM, and wait until everything is stored."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.communicate(timeout=120)

    @property
    def resident_bytes(self) -> int:
        """What the process holds in memory now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match
        return int(match[1]) * 1024

    def waiting(self) -> int:
        """Bytes in the log that are not stored yet."""
        with urllib.request.urlopen(f"http://{self.addresses['pages']}/readyz") as answer:
            waiting: int = json.load(answer)["waiting_bytes"]
        return waiting

    def wait_stored(self) -> None:
        """Return once all that was acknowledged is stored."""
        while self.waiting():
            time.sleep(0.05)
