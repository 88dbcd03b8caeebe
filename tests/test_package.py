"""What is built and installed: everything the package needs, nothing else, and light without its extras."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from .collector import conftest
from .collector.processes import clean_environment

# What the collector's tests use.
hansei = conftest.hansei
serve = conftest.serve
clients = conftest.clients
some_spans = conftest.some_spans

ROOT = Path(__file__).parents[1]
FOLDERS = {"hansei": ROOT / "src" / "hansei"} | {
    f"hansei/{name}": ROOT / name for name in ("collector", "instrumentation", "feedback", "evaluation")
}
"""Where the packages' files come from."""

BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


def _run(*command: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, env=clean_environment(environment),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], Path]:
    """``build(what, tree)``: the ``wheel`` or ``sdist`` of a tree, with the build system that it asks for."""
    (wanted,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    # Environments of Python 3.12 and later have none, earlier ones an old one.
    present = [found.version for found in metadata.distributions(name="setuptools")]
    path = ""
    if not present or int(present[0].partition(".")[0]) < int(wanted.rpartition("=")[2]):
        tools = tmp_path_factory.mktemp("tools")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(tools)]
        if subprocess.run([*pip, wanted], capture_output=True, check=False, timeout=120).returncode != 0:
            pytest.skip(f"{wanted} is neither installed nor to be had")
        path = str(tools)
    made = tmp_path_factory.mktemp("made")

    def build(what: str, tree: Path) -> Path:
        out = made / f"{what}-{len(list(made.iterdir()))}"
        out.mkdir()
        _run("-P", "-c", BUILD, f"build_{what}", out, cwd=tree, PYTHONPATH=path)
        (result,) = out.iterdir()
        return result

    return build


@pytest.fixture(scope="module")
def sdist(build: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of a copy of this tree."""
    tree = tmp_path_factory.mktemp("tree") / "hansei"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "hansei-data")
    shutil.copytree(ROOT, tree, symlinks=True, ignore=ignored)
    return build("sdist", tree)


WHOLE_FOLDERS = ("templates", "static", "catalogs", "prompts")
"""Folders of files that are no modules."""


@pytest.fixture(scope="module")
def wheel(sdist: Path, build: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from nothing but the source distribution."""
    place = tmp_path_factory.mktemp("unpacked")
    # Python 3.11.4 brought the filter, 3.14 makes it the default.
    shutil.unpack_archive(sdist, place, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (tree,) = place.iterdir()
    return build("wheel", tree)


@pytest.fixture(scope="module")
def about(wheel: Path) -> Message:
    """The wheel's metadata."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel alone, to be put before everything else."""
    target = tmp_path_factory.mktemp("installed")
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    _run(*pip, "--target", target, wheel)
    return target


def test_wheel_has_all_of_the_package_and_nothing_else(wheel: Path) -> None:
    """Modules, subpackages, SQL, reading schemas and py.typed are in it; tests, benchmarks and documents are not."""
    expected = {
        f"{package}/{path.relative_to(folder)}"
        for package, folder in FOLDERS.items()
        for path in folder.rglob("*")
        if path.suffix in (".py", ".sql", ".proto", ".typed") or path.parent.name in WHOLE_FOLDERS
    }
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert files == expected
    assert {"hansei/py.typed", "hansei/collector/schema/0001_otel_traces.sql"} < files
    assert {"hansei/collector/schema/reading/traces.proto", "hansei/collector/queries/models_seen.sql"} < files


def test_core_dependencies_are_light(about: Message) -> None:
    """A service under observation gets OpenTelemetry and nothing of the server; the extra brings the rest."""
    required = about.get_all("Requires-Dist") or []
    core = [line for line in required if "extra ==" not in line]
    assert all(line.startswith(("opentelemetry-", "wrapt")) for line in core), core
    server = [line for line in required if "extra == 'server'" in line.replace('"', "'")]
    for name in ("chdb-core", "clickhouse-connect", "starlette", "uvicorn"):
        assert any(line.startswith(name) for line in server)


def test_metadata(about: Message, wheel: Path) -> None:
    """Name, version, license and README are in the metadata; the command and the instrumentor are entry points."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (about["Name"], about["Version"], about["License-Expression"]) == ("hansei", version, "Apache-2.0")
    assert about["License-File"] == "LICENSE"
    assert about["Description-Content-Type"] == "text/markdown"
    with zipfile.ZipFile(wheel) as archive:
        entry_points = archive.read(f"hansei-{version}.dist-info/entry_points.txt").decode()
    assert "[console_scripts]\nhansei = hansei.cli:main\n" in entry_points
    assert "[opentelemetry_instrumentor]\nhansei_openai = hansei.instrumentation" in entry_points


WITHOUT_EXTRAS = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import hansei
hansei.instrument(service_name="shop")
with hansei.session("s-1"):
    hansei.uninstrument()
print(hansei.__file__, hansei.__version__)
"""
EXTRAS = "chdb clickhouse_connect genai_prices httptools openai prometheus_client starlette uvicorn xxhash"


def test_import_without_extras(installed: Path, about: Message) -> None:
    """Installed without extras, ``import hansei`` and instrumenting work, also where there is no openai."""
    done = _run("-P", "-c", WITHOUT_EXTRAS, EXTRAS, PYTHONPATH=str(installed), OTEL_SDK_DISABLED="false")
    assert done.stdout == f"{installed / 'hansei' / '__init__.py'} {about['Version']}\n"


def test_installed_collector(
    installed: Path, tmp_path: Path, serve: Any, hansei: Any, clients: Any, some_spans: Any
) -> None:
    """The command is installed, and its collector stores what it gets: SQL and reading schemas are found."""
    version = _run(installed / "bin" / "hansei", "--version", PYTHONPATH=str(installed))
    assert version.stdout.startswith("hansei ")
    serving = serve(PYTHONPATH=str(installed))
    client = clients["grpc"](serving.grpc)
    assert client.export(some_spans(3).SerializeToString()).code == "OK"
    client.close()
    assert serving.end() == 0
    ran = hansei(
        "query", "--data", serving.data, "SELECT count() FROM otel_traces FORMAT TSV", PYTHONPATH=str(installed)
    )
    assert (ran.code, ran.out, ran.err) == (0, "3\n", "")
