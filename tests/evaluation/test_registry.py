"""Scorers by name."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hansei
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scorers import registry
from hansei.evaluation.scorers.registry import built_in_scorers, scorer_named, snake_case

OWN = """
from hansei import Scorer, scorer

@scorer
def polite(outputs):
    return "please" in outputs

def plain(outputs):
    return 1

class Longer(Scorer):
    name = "longer"

    def __init__(self, than: int) -> None:
        if than < 0:
            raise ValueError("than: less than 0")
        self.than = than

    def __call__(self, *, outputs):
        return len(outputs) > self.than
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that a command is called in, with a module of scorers and an installed package that offers some."""
    (tmp_path / "own_scorers.py").write_text(OWN)
    (tmp_path / "broken_scorers.py").write_text("1 / 0\n")
    offered = tmp_path / "offered-1.0.dist-info"
    offered.mkdir()
    (offered / "METADATA").write_text("Metadata-Version: 2.1\nName: offered\nVersion: 1.0\n")
    (offered / "entry_points.txt").write_text(
        "[hansei.scorers]\nlonger = own_scorers:Longer\nkind = own_scorers:polite\nbroken = broken_scorers:x\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    yield tmp_path
    for name in ("own_scorers", "broken_scorers"):
        sys.modules.pop(name, None)


def test_built_in_names() -> None:
    """A built-in scorer has the name of its class, or the same in small letters, and its arguments."""
    for name in ("RegexMatch", "regex_match"):
        made = scorer_named(name, pattern="a", name="has_a")
        assert isinstance(made, hansei.RegexMatch)
        assert (made.name, made.pattern) == ("has_a", "a")


def test_built_in_scorers() -> None:
    """Every built-in scorer is a class of scorers with a docstring, and known by the name in its own class."""
    found = built_in_scorers()
    assert {"exact_match", "correctness", "pii_detection", "user_frustration"} <= found.keys()
    for name, kind in found.items():
        assert issubclass(kind, Scorer)
        assert snake_case(kind.__name__) == name
        assert kind.__doc__


def test_lazy() -> None:
    """A name brings in the module of that scorer and no other, and nothing that is installed beside it."""
    code = (
        "import sys; from hansei.evaluation.scorers.registry import scorer_named\n"
        "scorer_named('regex_match', pattern='a')\n"
        "others = ('rapidfuzz', 'sacrebleu', 'jsonschema', 'openai', 'numpy', 'hansei.evaluation.scorers.bleu')\n"
        "print(*[name for name in others if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


def test_entry_points(folder: Path) -> None:
    """An installed package offers classes and scorers by names of its own."""
    made = scorer_named("longer", than=3)
    assert made(outputs="four") is True
    assert scorer_named("kind").name == "polite"


def test_objects(folder: Path) -> None:
    """What is named by module and object is found in the folder too; names within objects are followed."""
    assert scorer_named("own_scorers:polite").name == "polite"
    assert scorer_named("own_scorers:Longer", than=1)(outputs="ab") is True


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("RegexMtch", {}, "scorer: there is no scorer 'RegexMtch'; did you mean regex_match"),
        ("longest", {}, "did you mean longer"),
        ("zzz", {}, "there is no scorer 'zzz'; write one of bleu, broken, chrf, "),
        ("", {}, "scorer: '' is not the name of a scorer"),
        ("regex_match", {}, "regex_match: pattern: it is needed"),
        ("regex_match", {"pattern": "a", "patern": "b"}, "regex_match: patern: there is no such argument; did you"),
        ("latency", {"x": 1}, "latency: x: there is no such argument; it takes name, aggregations, max_seconds"),
        ("regex_match", {"pattern": 1}, "RegexMatch: pattern: 1 is not text"),
        ("own_scorers:polite", {"than": 1}, "own_scorers:polite: than: it is made already, and takes no arguments"),
        ("own_scorers:plain", {}, "'own_scorers:plain' is no scorer and no class of scorers, but a function"),
        ("own_scorers:Longr", {}, "own_scorers has no 'Longr'; did you mean Longer"),
        ("own_scorers:Longer", {"than": -1}, "own_scorers:Longer: ValueError: than: less than 0"),
        ("none_such:x", {}, "'none_such' cannot be imported: ModuleNotFoundError: No module named 'none_such'"),
        ("broken", {}, "'broken' of offered (broken_scorers:x) cannot be loaded: ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_errors(folder: Path, name: str, arguments: dict[str, Any], error: str) -> None:
    """What is wrong is named, with what was perhaps meant."""
    with pytest.raises(InvalidEvaluation) as told:
        scorer_named(name, **arguments)
    assert error in str(told.value)


GUIDE = (Path(__file__).parents[2] / "docs" / "scorers.md").read_text()


def test_guide_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The code of the guide runs, and prints what stands beside it."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    space: dict[str, Any] = {}
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```", GUIDE)
    ran = [block for block in blocks if "search_traces" not in block and "from autoevals" not in block]
    assert len(blocks) - len(ran) == 2
    for block in ran:
        exec(block, space)
        told = [line.rpartition("  # ")[2] for line in block.splitlines() if line.startswith("print(")]
        assert capsys.readouterr().out.splitlines() == told


def test_guide_signatures() -> None:
    """Every scorer that is code has its parameters and their defaults in the guide."""
    for name in registry._CODE:
        (said,) = re.findall(rf"`{name}\(([^`]*)\)`", GUIDE)
        parameters = dict(inspect.signature(getattr(hansei, name)).parameters)
        del parameters["aggregations"]
        told = [part.strip().partition("=") for part in re.sub(r"\s+", " ", said).split(", ")]
        assert {key: default for key, _, default in told} == {
            key: "" if each.default is each.empty else repr(each.default).replace("'", '"')
            for key, each in parameters.items()
        }
