"""The documentation says what the program does: every name in the one is in the other, and its code is tried."""

import argparse
import ast
import os
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import fields
from itertools import takewhile
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

import hansei
from hansei.cli import _parser
from hansei.collector import migrations
from hansei.collector.address import Address
from hansei.collector.counters import Counters
from hansei.collector.settings import SETTINGS, Settings
from hansei.collector.signals import SIGNALS
from hansei.collector.status import Readiness, status_routes
from hansei.instrumentation import attributes

ROOT = Path(__file__).parents[1]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
PAGES = [page for page in sorted(ROOT.rglob("*.md")) if "/." not in str(page.relative_to(ROOT.parent))]
"""Every Markdown file of the project."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def rows(first: str) -> list[list[str]]:
    """The cells of the table of docs/configuration.md whose first column is headed ``first``, without backticks."""
    lines = iter(CONFIGURATION.splitlines())
    assert any(line.startswith(f"| {first} |") for line in lines), f"docs/configuration.md has no table of {first}"
    table = list(takewhile(lambda line: line.startswith("|"), lines))[1:]
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in table]


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", text)


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    (choices,) = (action.choices for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(choices)


def options(command: argparse.ArgumentParser) -> set[str]:
    found = {name for action in command._actions for name in action.option_strings} - {"-h"}
    below = (action.choices for action in command._actions if isinstance(action, argparse._SubParsersAction))
    return found.union(*(options(action) for actions in below for action in actions.values()))


# --- docs/configuration.md against the program ---


def test_settings() -> None:
    """Every setting is listed in order, with its flag, variable, key and default, and nothing else is."""
    assert [row[:4] for row in rows("flag")] == [
        ["none" if setting.secret else setting.flag, setting.variable, setting.name, setting.default or "none"]
        for setting in SETTINGS
    ]


def test_configuration_file(tmp_path: Path) -> None:
    """The example of a configuration file is one, and every line of it changes something."""
    (example,) = code_blocks(CONFIGURATION, "toml")
    path = tmp_path / "hansei.toml"
    path.write_text(example)
    loaded, defaults = Settings.load({}, {}, path), Settings.load({}, {})
    changed = {field.name for field in fields(Settings) if getattr(loaded, field.name) != getattr(defaults, field.name)}
    assert changed == set(re.findall(r"(?m)^(\w+) =", example))
    assert loaded.otlp_grpc == Address("0.0.0.0", 4317)


def test_commands() -> None:
    """Every command has a section that names each of its options, and no other is named."""
    sections = dict(re.findall(r"(?ms)^### hansei (\w+)\n(.*?)(?=^##)", CONFIGURATION))
    assert set(sections) == set(commands())
    flags = {setting.flag for setting in SETTINGS}
    for name, command in commands().items():
        known = options(command) - {"--help"}
        mentioned = set(re.findall(r"--[a-z][a-z-]*", sections[name]))
        assert mentioned <= known
        assert known - mentioned <= (flags if name == "serve" else set())
    everywhere = set().union(*map(options, commands().values())) | options(_parser())
    assert set(re.findall(r"`(--[a-z][a-z-]*)", CONFIGURATION)) <= everywhere


def test_metrics() -> None:
    """Every metric is listed with its type and labels, and nothing else is."""
    registered = []
    for metric in vars(Counters()).values():
        if isinstance(metric, MetricWrapperBase):
            name = metric._name + ("_total" if metric._type == "counter" else "")
            registered.append([name, metric._type, ", ".join(metric._labelnames)])
    assert sorted(row[:3] for row in rows("metric")) == sorted(registered)
    assert set(re.findall(r"hansei_\w+(?:_total|_bytes|_seconds|_segments)", CONFIGURATION)) == {
        name for name, *_ in registered
    }


def test_reasons() -> None:
    """Every reason for which a request is refused is listed, and nothing else is."""
    code = "".join(path.read_text() for path in (ROOT / "collector").glob("*.py"))
    assert {row[0] for row in rows("reason")} == set(re.findall(r'\.refuse\([^)]*"(\w+)"\)', code))


def test_tables() -> None:
    """Every table and view is listed with its kind, and nothing else is."""
    parts = ("collector", "feedback", "evaluation")
    schema = [path.read_text() for part in parts for path in (ROOT / part / "schema").glob("*.sql")]
    made = re.findall(
        r"(?m)^CREATE (TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS (\w+)", "\n".join([*schema, migrations._RECORD])
    )
    assert sorted(tuple(row[:2]) for row in rows("name")) == sorted((name, kind.lower()) for kind, name in made)


def test_readiness() -> None:
    """The fields of /readyz are named."""
    (line,) = (line for line in CONFIGURATION.splitlines() if "`/readyz`" in line)
    assert {field.name for field in fields(Readiness)} <= set(re.findall(r"`(\w+)`", line))


def test_paths(tmp_path: Path) -> None:
    """Every path is listed, and each that is listed is answered by a collector that runs."""
    listed = {(listener, path) for listener, path, _ in rows("listener")}
    pages = {("ui", route.path) for route in status_routes(lambda: Readiness(True, "", 0, 0, 0), bytes, None)}
    otlp = {("otlp_http", f"/v1/{signal.name}") for signal in SIGNALS}
    assert {(listener, path) for listener, path in listed if listener != "sql"} == pages | otlp
    addresses = serve_once(tmp_path, sorted(listed))
    assert {status for status in addresses.values() if status in (404, 500)} == set()


def serve_once(folder: Path, paths: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The status with which a new collector answers ``GET`` on each listener's path."""
    names = {"otlp_http": "OTLP/HTTP", "sql": "SQL", "ui": "pages"}
    flags = [f"--{key}=127.0.0.1:0" for key in ("otlp-grpc", "otlp-http", "sql", "ui")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANSEI_")}
    with subprocess.Popen(
        [sys.executable, "-m", "hansei.cli", "serve", f"--data={folder / 'data'}", *flags],
        env=kept, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        announced = []
        for line in process.stdout:
            announced.append(line)
            if line.startswith("data"):
                break
        found = {}
        for listener, path in paths:
            (line,) = (line for line in announced if line.startswith(names[listener]))
            try:
                with urllib.request.urlopen(line.split()[-1] + path) as answer:
                    found[listener, path] = answer.status
            except urllib.error.HTTPError as error:
                with error:
                    found[listener, path] = error.code
        process.terminate()
    return found


# --- docs/instrumentation.md against the program ---

INSTRUMENTATION = (ROOT / "docs" / "instrumentation.md").read_text()
FEEDBACK = (ROOT / "docs" / "feedback.md").read_text()
SEARCH = (ROOT / "docs" / "search.md").read_text()
LABELING = (ROOT / "docs" / "labeling.md").read_text()


def test_public_names() -> None:
    """Every public name of the package is in one of the guides, or in the README."""
    guides = "".join(page.read_text() for page in PAGES if page.parent.name == "docs" or page.name == "README.md")
    told = set(re.findall(r"\w+", guides))
    assert set(hansei.__all__) - {"__version__"} <= told


def test_instrumentation_variables() -> None:
    """Every variable that the instrumentation has of its own, or takes from the GenAI conventions, is in the guide."""
    sources = "".join(path.read_text() for path in (ROOT / "instrumentation").rglob("*.py"))
    read = set(re.findall(r'"((?:HANSEI|OTEL_INSTRUMENTATION_GENAI|OTEL_SEMCONV)_\w+)"', sources))
    assert read == set(re.findall(r"(?:HANSEI|OTEL_INSTRUMENTATION_GENAI|OTEL_SEMCONV)_\w+", INSTRUMENTATION))


def test_attributes_of_our_own() -> None:
    """Every attribute and event that the conventions lack is in the guide."""
    named = (value for name, value in vars(attributes).items() if name.isupper())
    ours = {value for value in named if value.startswith("hansei.")}
    told = set(re.findall(r"`(hansei\.[\w.]+)(?:\*)?`", INSTRUMENTATION))
    assert ours <= told


# --- every page ---


@each_page
def test_links(page: Path) -> None:
    """A link to a file of the project, or to a heading in it, leads somewhere."""
    text = re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / path) if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"(?m)^#+ (.+)$", file.read_text())
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, target


@each_page
def test_python_compiles(page: Path) -> None:
    """Python in the documentation is Python."""
    for block in code_blocks(page.read_text(), "python"):
        ast.parse(block)


@each_page
def test_command_lines(page: Path) -> None:
    """Every command line of hansei in the documentation is one that it takes."""
    text = page.read_text()
    lines = re.findall(r"(?m)^ {4}(hansei .+)$", text) + re.findall(r"`(hansei [^`]+)`", text)
    assert [line for line in lines if not takes(line)] == []


def takes(line: str) -> bool:
    """Whether hansei takes a command line; square brackets are around what may be left out."""
    words = shlex.split(re.sub(r"[\[\]]", "", line), comments=True)[1:]
    if words in [[name] for name in commands()]:
        return True  # the name of a command in running text
    try:
        _parser().parse_args(words)
    except SystemExit as end:
        return end.code == 0
    return True
