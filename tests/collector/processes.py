"""``hansei`` in processes of its own."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hansei.collector.address import Address

from .waiting import PATIENCE, until


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str


def clean_environment(changes: dict[str, str]) -> dict[str, str]:
    """The environment without what configures hansei and OpenTelemetry, and with some changes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HANSEI_", "OTEL_"))}
    return {**kept, **changes}


class Serving:
    """``hansei serve`` over a folder, on ports that the system picks."""

    def __init__(self, data: Path, *flags: str, **environment: str) -> None:
        self.data = data
        ports = [f"--{name}=127.0.0.1:0" for name in ("otlp-grpc", "otlp-http", "ui", "sql")]
        self._errors = (data.parent / f"{data.name}.stderr").open("a+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hansei.cli", "serve", f"--data={data}", *ports, *flags],
            stdout=subprocess.PIPE, stderr=self._errors, text=True, env=clean_environment(environment),
        )  # fmt: skip
        self.announced: dict[str, str] = {}
        assert self.process.stdout
        for line in self.process.stdout:
            if match := re.fullmatch(r"(.+?)\s{2,}(\S+)\n", line):
                self.announced[match[1]] = match[2]
            if line.startswith("data"):
                break
        else:
            pytest.fail(f"hansei serve did not start: {self.errors()}")
        self.grpc = Address.parse("otlp_grpc", self._address("OTLP/gRPC"))
        self.http = Address.parse("otlp_http", self._address("OTLP/HTTP"))

    def _address(self, start: str) -> str:
        return next(url for name, url in self.announced.items() if name.startswith(start)).removeprefix("http://")

    @property
    def ui(self) -> str:
        """The URL of the listener that answers health checks."""
        return next(url for name, url in self.announced.items() if "health" in name or "page" in name)

    @property
    def sql(self) -> Address:
        """Where it speaks SQL."""
        return Address.parse("sql", self._address("SQL"))

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """``GET`` on the pages' port: status and body."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.ui + path, headers=headers)) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def ready(self) -> dict[str, Any]:
        """The body of ``/readyz``."""
        state: dict[str, Any] = json.loads(self.get("/readyz")[1])
        return state

    def wait_stored(self) -> None:
        """Return once all that was acknowledged is in the store."""
        until(lambda: self.ready()["waiting_bytes"] == 0, "everything acknowledged to be stored")

    def errors(self) -> str:
        """What it wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read()

    def end(self) -> int:
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self._ended()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        assert self.process.stdout
        self.said = self.process.stdout.read()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code

    def close(self) -> None:
        if self.process.stdout and not self.process.stdout.closed:
            self.end()
        self._errors.close()
