"""Zero code: ``opentelemetry-instrument`` with hansei's distro, configurator and instrumentor."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hansei.instrumentation import distro as zero_code

from .conftest import ModelServer
from .otlp_receiver import PATIENCE, Received, clean, grpc_receiver

PROGRAM = """
from openai import OpenAI
OpenAI().chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
"""
WITHOUT_RIVALS = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "openai"}


@pytest.fixture
def collector() -> Iterator[Received]:
    """A gRPC receiver for the time of a test."""
    with grpc_receiver() as received:
        yield received


def instrument(path: Path, program: str, url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program as ``opentelemetry-instrument`` runs it."""
    path.write_text(program)
    # The command is found beside the interpreter, wherever that is.
    start = "from opentelemetry.instrumentation.auto_instrumentation import run; run()"
    return subprocess.run(
        [sys.executable, "-c", start, sys.executable, str(path)],
        env=clean({"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "key", **environment}),
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip


def test_a_program_without_a_line_of_hansei_is_recorded(
    server: ModelServer, collector: Received, tmp_path: Path
) -> None:
    """With content, the key and the resource of the environment; a key without headers is enough."""
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "shop", "HANSEI_API_KEY": "k-1"}
    done = instrument(tmp_path / "app.py", PROGRAM, server.url, **WITHOUT_RIVALS, **environment)
    assert (done.stdout, done.stderr) == ("", "")
    (span,) = collector.spans()
    assert span.name == "chat m"
    assert {"gen_ai.input.messages", "gen_ai.output.messages"} <= {attribute.key for attribute in span.attributes}
    assert collector.resource()["service.name"] == "shop"
    assert "telemetry.auto.version" in collector.resource()
    assert collector.headers[0]["authorization"] == "Bearer k-1"


def test_the_standard_switches_hold(server: ModelServer, collector: Received, tmp_path: Path) -> None:
    """Content can be switched off, and the whole of it."""
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **WITHOUT_RIVALS}
    switch = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "no_content"}
    instrument(tmp_path / "app.py", PROGRAM, server.url, **environment, **switch)
    (span,) = collector.spans()
    assert not [attribute.key for attribute in span.attributes if "messages" in attribute.key]
    instrument(tmp_path / "app.py", PROGRAM, server.url, **environment, OTEL_SDK_DISABLED="true")
    assert len(collector.spans()) == 1


def test_code_and_zero_code_together_are_one(server: ModelServer, collector: Received, tmp_path: Path) -> None:
    """A program that calls ``instrument()`` as well gets one span a call, and its own wishes about content."""
    program = "import hansei; hansei.instrument(capture_content=False)\n" + PROGRAM
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **WITHOUT_RIVALS}
    instrument(tmp_path / "app.py", program, server.url, **environment)
    (span,) = collector.spans()
    assert not [attribute.key for attribute in span.attributes if "messages" in attribute.key]


def test_hansei_can_be_asked_for_by_name(server: ModelServer, collector: Received, tmp_path: Path) -> None:
    """Beside another distro, whose package is on the path here."""
    package = tmp_path / "other"
    (package / "other-1.0.dist-info").mkdir(parents=True)
    (package / "other-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (package / "other-1.0.dist-info" / "entry_points.txt").write_text(
        "[opentelemetry_distro]\nother = other:Distro\n[opentelemetry_configurator]\nother = other:Configurator\n"
    )
    (package / "other.py").write_text(
        "from opentelemetry.instrumentation.distro import BaseDistro\n"
        "class Distro(BaseDistro):\n"
        "    def _configure(self, **kwargs): print('their distro')\n"
        "class Configurator:\n"
        "    def configure(self, **kwargs): print('their configurator')\n"
    )
    path = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "PYTHONPATH": path, **WITHOUT_RIVALS}
    theirs = instrument(tmp_path / "app.py", PROGRAM, server.url, **environment)
    assert theirs.stdout == "their distro\ntheir configurator\n"
    assert collector.spans() == []
    ours = instrument(tmp_path / "app.py", PROGRAM, server.url, OTEL_PYTHON_DISTRO="hansei", **environment)
    assert ours.stdout == ""
    assert collector.span_names() == {"chat m": 1}


def test_the_distro_sets_what_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector's address by protocol; what the user has set stays."""
    for protocol, port in (("", 4317), ("http/protobuf", 4318)):
        variables = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_LOGS_EXPORTER": "none"}
        monkeypatch.setattr(os, "environ", dict(variables))
        zero_code.HanseiDistro().configure()
        assert os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://127.0.0.1:{port}"
        assert (os.environ["OTEL_LOGS_EXPORTER"], os.environ["OTEL_METRICS_EXPORTER"]) == ("none", "none")


@pytest.mark.parametrize(("asked", "found"), [("", type(None)), ("other", type(None)), ("hansei", object)])
def test_the_distro_stands_back_for_another(asked: str, found: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing hansei moves no telemetry of a service that has a distro."""
    group = "opentelemetry_distro"
    both = EntryPoints(EntryPoint(name, f"{name}:distro", group) for name in ("hansei", "other"))
    monkeypatch.setattr(zero_code, "entry_points", lambda group: both)
    monkeypatch.setenv("OTEL_PYTHON_DISTRO", asked)
    assert isinstance(zero_code.distro(), found)


def test_the_configurator_hands_over_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that it was given."""
    calls: list[Any] = []
    other: Any = SimpleNamespace(
        name="other", load=lambda: lambda: SimpleNamespace(configure=lambda **kwargs: calls.append(kwargs))
    )
    monkeypatch.setattr(zero_code, "entry_points", lambda group: [other])
    monkeypatch.delenv("OTEL_PYTHON_CONFIGURATOR", raising=False)
    zero_code.HanseiConfigurator().configure(auto_instrumentation_version="1", more=2)
    assert calls == [{"auto_instrumentation_version": "1", "more": 2}]
