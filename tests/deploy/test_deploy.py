"""The files of ``deploy/``: as far as can be told without a container engine, and against hansei's own settings."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import jsonschema
import pytest
import yaml

from hansei.cli import _parser
from hansei.collector.errors import ConfigurationError
from hansei.collector.settings import SETTINGS, Settings, parse_duration
from hansei.collector.signals import TRACES

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE_FILES = ("docker-compose.yaml", "docker-compose.embedded.yaml")
KEYS = {"HANSEI_API_KEY": "a-key", "CLICKHOUSE_PASSWORD": "a-password"}
"""What somebody who starts a Compose project has to set."""
DEFAULTS = Settings.load({}, {})
PORTS = {key: getattr(DEFAULTS, key).port for key in ("otlp_grpc", "otlp_http", "sql", "ui")}
GRACE = 10
"""Seconds that hansei gives requests under way, beside the drain: 5 on each protocol."""

# --- Compose ---

DURATION = {"type": "string", "pattern": r"^(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$", "minLength": 2}
NAMES = {"propertyNames": {"pattern": "^[a-zA-Z0-9._-]+$"}}
STRINGS = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
SERVICE = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [{"required": ["image"]}, {"required": ["build"]}],
    "properties": {
        "build": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"context": {"type": "string"}, "dockerfile": {"type": "string"}},
        },
        "cap_drop": STRINGS,
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["condition"],
                "properties": {
                    "condition": {"enum": ["service_started", "service_healthy", "service_completed_successfully"]}
                },
            },
        },
        # Quoted numbers only: what YAML takes for a number need not reach the container as it was written.
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "required": ["test"],
            "properties": {
                "test": {"type": "array", "items": [{"const": "CMD"}], "additionalItems": {"type": "string"}},
                "interval": DURATION,
                "timeout": DURATION,
                "start_period": DURATION,
                "retries": {"type": "integer"},
            },
        },
        "image": {"type": "string"},
        "init": {"type": "boolean"},
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^[0-9.]+:\d+:\d+$"}, "uniqueItems": True},
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "security_opt": STRINGS,
        "stop_grace_period": DURATION,
        "ulimits": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["soft", "hard"],
                "properties": {"soft": {"type": "integer"}, "hard": {"type": "integer"}},
            },
        },
        "volumes": {"type": "array", "items": {"type": "string", "pattern": "^[a-z-]+:/[^:]+$"}, "uniqueItems": True},
    },
}
COMPOSE_SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "additionalProperties": False,
    "required": ["services"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {"type": "object", "additionalProperties": SERVICE, **NAMES},
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}, **NAMES},
    },
}
"""The part of the Compose Specification that these files use; a key that is not in it was misspelt, or is new here."""


class NotSet(Exception):
    """A variable that must be set is not."""


def substituted(node: Any, environment: dict[str, str]) -> Any:
    """A YAML tree with ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}`` replaced in its strings."""

    def value(match: re.Match[str]) -> str:
        found = environment.get(match["name"], "")
        if not found and match["operator"] == "?":
            raise NotSet(f"{match['name']}: {match['rest']}")
        return found or (match["rest"] or "")

    match node:
        case dict():
            return {key: substituted(child, environment) for key, child in node.items()}
        case list():
            return [substituted(child, environment) for child in node]
        case str():
            return re.sub(r"\$\{(?:env:)?(?P<name>\w+)(?::(?P<operator>[-?])(?P<rest>[^}]*))?\}", value, node)
    return node


def read(name: str) -> Any:
    """A YAML file as it is written."""
    return yaml.safe_load((DEPLOY / name).read_text())


def compose(name: str, **environment: str) -> Any:
    """A Compose file as Compose would see it."""
    return substituted(read(name), KEYS | environment)


@pytest.fixture(params=COMPOSE_FILES)
def compose_file(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_compose_schema(compose_file: str) -> None:
    """The Compose files keep to the Compose Specification."""
    jsonschema.Draft7Validator.check_schema(COMPOSE_SCHEMA)
    jsonschema.validate(compose(compose_file), COMPOSE_SCHEMA)


def test_compose_needs_every_secret(compose_file: str) -> None:
    """Without its keys and passwords a Compose project does not start, and no file has one in it."""
    text = (DEPLOY / compose_file).read_text()
    required = set(re.findall(r"\$\{(\w+):\?", text))
    assert "HANSEI_API_KEY" in required <= set(KEYS)
    for name in required:
        with pytest.raises(NotSet, match=f"{name}: set a"):
            compose(compose_file, **{name: ""})
    for service in read(compose_file)["services"].values():
        for name, value in service["environment"].items():
            if name.endswith(("_KEY", "_PASSWORD")):
                assert value == f"${{{name}:-}}" or value.startswith(f"${{{name}:?")


def test_compose_environment_is_what_hansei_takes(compose_file: str) -> None:
    """The real settings take the image's environment with the project's; without the key they refuse to listen."""
    environment = image_environment() | compose(compose_file)["services"]["hansei"]["environment"]
    settings = Settings.load({}, environment)
    assert {key: getattr(settings, key).port for key in PORTS} == PORTS
    assert settings.api_key == KEYS["HANSEI_API_KEY"]
    assert settings.admin_key is None
    assert (settings.retention_traces, settings.retention_logs) == (0, 0)
    keyless = {**environment, "HANSEI_API_KEY": ""}
    if settings.clickhouse is not None:
        # The server's keys are known once it is asked.
        refusal = Settings.load({}, keyless).unprotected()
    else:
        with pytest.raises(ConfigurationError) as caught:
            Settings.load({}, keyless)
        refusal = caught.value
    assert "no key protects it; set HANSEI_API_KEY" in str(refusal)


def test_published_ports(compose_file: str) -> None:
    """Every port of hansei that can be used is published, on loopback, under its own number."""
    services = compose(compose_file)["services"]
    published = [port for service in services.values() for port in service["ports"]]
    assert sorted(published) == sorted(f"127.0.0.1:{port}:{port}" for port in PORTS.values())
    assert compose(compose_file, PUBLISH_ON="0.0.0.0")["services"]["hansei"]["ports"][0] == "0.0.0.0:4317:4317"


def test_what_compose_files_refer_to(compose_file: str) -> None:
    """Services that others wait for can say that they are healthy; every volume is declared, and used once."""
    project = compose(compose_file)
    for service in project["services"].values():
        for name, wait in service.get("depends_on", {}).items():
            assert "healthcheck" in project["services"][name], wait
        if "build" in service:
            context = (DEPLOY / service["build"]["context"]).resolve()
            assert context == ROOT
            assert (context / service["build"]["dockerfile"]).is_file()
    used = [volume.partition(":")[0] for service in project["services"].values() for volume in service["volumes"]]
    assert sorted(used) == sorted(project["volumes"])
    assert f":{image_environment()['HANSEI_DATA']}" in project["services"]["hansei"]["volumes"][0]


def test_compose_waits_for_the_drain(compose_file: str) -> None:
    """Compose kills hansei later than hansei gives up by itself."""
    patience = parse_duration("", compose(compose_file)["services"]["hansei"]["stop_grace_period"])
    assert patience > DEFAULTS.drain_timeout + GRACE


def test_compose_clickhouse() -> None:
    """hansei is told the ClickHouse server that is beside it, which is 25.6 or later."""
    services = compose("docker-compose.yaml")["services"]
    server = services["clickhouse"]
    environment = server["environment"]
    user, password, database = (environment[f"CLICKHOUSE_{name}"] for name in ("USER", "PASSWORD", "DB"))
    assert services["hansei"]["environment"]["HANSEI_CLICKHOUSE"] == (
        f"http://{user}:{password}@clickhouse:8123/{database}"
    )
    image, _, version = server["image"].rpartition(":")
    assert image == "clickhouse/clickhouse-server"
    assert tuple(map(int, version.split("."))) >= (25, 6)


# --- the image ---

INSTRUCTIONS = frozenset(
    {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL", "USER",
     "VOLUME", "WORKDIR"}
)  # fmt: skip
"""Those of Docker's reference that are good practice in an image like this one."""


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as pairs of instruction and arguments."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text()).replace("\\\n", "")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def arguments(instruction: str) -> list[str]:
    return [rest for name, rest in instructions() if name == instruction]


def image_environment() -> dict[str, str]:
    """``ENV`` of the last stage."""
    return dict(pair.split("=", 1) for pair in shlex.split(arguments("ENV")[-1]))


def sources() -> list[str]:
    """What is copied from the build context."""
    return [path for rest in arguments("COPY") if "--from" not in rest for path in rest.split()[:-1]]


def ignored(path: str) -> bool:
    """Whether the ``.dockerignore`` keeps a path out of the build: the last pattern wins that fits it or a parent."""
    parents = [path, *map(str, Path(path).parents)]
    out = False
    for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            parts = re.split(r"(\*\*/|\*)", line.removeprefix("!"))
            pattern = "".join({"**/": "(?:.*/)?", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
            if any(re.fullmatch(pattern, parent) for parent in parents if parent != "."):
                out = not line.startswith("!")
    return out


def test_instructions() -> None:
    """Every instruction of the Dockerfile is known, and what is run is in exec form, which passes signals on."""
    assert {name for name, _ in instructions()} <= INSTRUCTIONS
    for rest in (*arguments("ENTRYPOINT"), *arguments("CMD")):
        assert all(isinstance(part, str) for part in json.loads(rest))
    assert arguments("STOPSIGNAL") == ["SIGTERM"]
    assert hasattr(signal, arguments("STOPSIGNAL")[0])


def test_base_image() -> None:
    """Both stages are the same Python, one that the project is tested with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (base,) = {rest.split()[0] for rest in arguments("FROM")}
    version = re.fullmatch(r"python:(3\.\d+)-slim", base)
    assert version
    assert f"Programming Language :: Python :: {version[1]}" in project["classifiers"]


def test_build_context() -> None:
    """What the Dockerfile copies exists and reaches the build, every package of hansei among it."""
    for path in sources():
        assert (ROOT / path).exists()
        assert not ignored(path)
    folders = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"].values()
    assert {folder.split("/")[0] for folder in folders} <= set(sources())
    assert not ignored("collector/schema/0001_otel_traces.sql")


@pytest.mark.parametrize(
    "path", [".git/config", ".env", ".venv/bin/python", "hansei-data/hansei.lock", "tests/conftest.py",
             "deploy/README.md", "collector/__pycache__/wal.cpython-313.pyc"],
)  # fmt: skip
def test_kept_out_of_the_build(path: str) -> None:
    """Data, environments, history and caches stay out of a build."""
    assert ignored(path)


def test_code_comes_after_dependencies() -> None:
    """The layer with the dependencies is made before any code is copied."""
    steps = instructions()
    installed = next(number for number, (name, rest) in enumerate(steps) if name == "RUN" and "-r requirements" in rest)
    copied = [rest.split()[:-1] for name, rest in steps[:installed] if name == "COPY"]
    assert copied == [["pyproject.toml", "constraints.txt"]]


def test_dependencies_of_the_image() -> None:
    """The Dockerfile lists the dependencies of hansei[server] and of its extras, one a line, and not hansei."""
    command = next(rest for rest in arguments("RUN") if "requirements.txt" in rest).partition(" > ")[0]
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    listed = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["server"], *extras["evaluation"], *extras["notebook"]]
    assert sorted(listed.splitlines()) == sorted(each for each in wanted if not each.startswith("hansei"))


def test_image_runs_hansei_as_nobody_special() -> None:
    """The image runs ``hansei serve`` as a user with a fixed number, whose volume is the data folder."""
    command = json.loads(arguments("ENTRYPOINT")[0]) + json.loads(arguments("CMD")[0])
    assert command[0] == "hansei"
    assert _parser().parse_args(command[1:]).run.__name__ == "_serve"
    uid = arguments("USER")[-1].partition(":")[0]
    assert int(uid) > 0
    assert any(f"--uid {uid}" in rest for rest in arguments("RUN"))
    assert arguments("VOLUME") == arguments("WORKDIR")[-1:] == [image_environment()["HANSEI_DATA"]]


def test_exposed_ports() -> None:
    """The image exposes the ports that it listens on."""
    listening = {value.rpartition(":")[2] for value in image_environment().values() if value.startswith("0.0.0.0:")}
    assert set(arguments("EXPOSE")[0].split()) == listening == {str(port) for port in PORTS.values()}


# --- the OpenTelemetry Collector ---

COMPONENTS = {
    "receivers": {"otlp"},
    "processors": {"memory_limiter"},
    "exporters": {"otlp_grpc"},
    "extensions": {"file_storage"},
}
"""The kinds of component in use, by the names they have in the contrib distribution since 0.144."""


@pytest.fixture
def otel_collector() -> Any:
    return substituted(read("otel-collector.yaml"), KEYS)


def test_otel_collector_components(otel_collector: Any) -> None:
    """The pipelines, one for each signal that hansei takes, are made of components that exist; none is left over."""
    service = otel_collector.pop("service")
    assert set(service["pipelines"]) == {"traces", "logs"}
    assert set(otel_collector) == set(COMPONENTS)
    for section, kinds in COMPONENTS.items():
        defined = set(otel_collector[section])
        assert {name.partition("/")[0] for name in defined} <= kinds
        used = service["extensions"] if section == "extensions" else []
        assert defined == {*used, *(name for line in service["pipelines"].values() for name in line.get(section, []))}


def test_otel_collector_exporter(otel_collector: Any) -> None:
    """It sends to hansei's OTLP/gRPC port, and its batches are smaller than the largest request that hansei takes."""
    exporter = otel_collector["exporters"]["otlp_grpc/hansei"]
    host, _, port = exporter["endpoint"].partition(":")
    assert host in compose("docker-compose.yaml")["services"]
    assert int(port) == PORTS["otlp_grpc"]
    batch = exporter["sending_queue"]["batch"]
    assert batch["min_size"] <= batch["max_size"] < DEFAULTS.max_request_size
    assert batch["max_size"] < exporter["sending_queue"]["queue_size"]
    assert exporter["sending_queue"]["sizer"] == batch["sizer"] == "bytes"


def test_otel_collector_loses_nothing(otel_collector: Any) -> None:
    """What it takes is on disk, and is sent until hansei has it."""
    exporter = otel_collector["exporters"]["otlp_grpc/hansei"]
    storage = exporter["sending_queue"]["storage"]
    assert storage in otel_collector["service"]["extensions"]
    assert otel_collector["extensions"][storage]["fsync"] is True
    assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"


# --- against a collector that runs ---


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of a collector with the key of :data:`KEYS`, by the first words of what it announces."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANSEI_")}
    ports = [f"--{key.replace('_', '-')}=127.0.0.1:0" for key in PORTS]
    process = subprocess.Popen(
        [sys.executable, "-m", "hansei.cli", "serve", f"--data={tmp_path_factory.mktemp('deploy') / 'data'}", *ports],
        env=kept | {"HANSEI_API_KEY": KEYS["HANSEI_API_KEY"]}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    addresses = {}
    assert process.stdout
    for line in process.stdout:
        if found := re.fullmatch(r"(\S+).*?\s{2,}http://(\S+)\n", line):
            addresses[found[1].rstrip(",")] = found[2]
        if line.startswith("data"):
            break
    yield addresses
    process.terminate()
    process.communicate(timeout=60)


def healthy(ui: str, **environment: str) -> bool:
    """What the image's health check says of a collector."""
    command = json.loads(arguments("HEALTHCHECK")[0].partition("CMD ")[2])
    assert command.pop(0) == "python"
    environment = {"HANSEI_UI": ui, "PATH": os.environ["PATH"], **environment}
    return subprocess.run([sys.executable, *command], env=environment, stderr=subprocess.DEVNULL).returncode == 0


def test_health_check(running: dict[str, str]) -> None:
    """The image's health check says yes to a collector that runs, whatever proxy the environment names."""
    port = running["pages"].rpartition(":")[2]
    assert healthy(f"0.0.0.0:{port}")
    assert healthy(f"0.0.0.0:{port}", http_proxy="http://127.0.0.1:9")


def test_health_check_of_nothing() -> None:
    """The image's health check says no where nothing answers."""
    assert not healthy("0.0.0.0:9")


def test_otel_collector_is_let_in(running: dict[str, str], otel_collector: Any) -> None:
    """The header that the OpenTelemetry Collector is configured to send is the one that hansei asks for."""
    headers = otel_collector["exporters"]["otlp_grpc/hansei"]["headers"]
    with grpc.insecure_channel(running["OTLP/gRPC"]) as channel:
        call = channel.unary_unary(TRACES.method)
        assert call(b"", metadata=list(headers.items()), timeout=30) == b""
        with pytest.raises(grpc.RpcError) as refused:
            call(b"", timeout=30)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


# --- all of them ---


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_variables_are_settings(path: Path) -> None:
    """Every HANSEI_ variable in these files is a setting."""
    assert set(re.findall(r"HANSEI_[A-Z_]+", path.read_text())) <= {setting.variable for setting in SETTINGS}
