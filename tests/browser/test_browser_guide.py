"""docs/browser-feedback.md says what the program does."""

import inspect
import re
from pathlib import Path

import hansei
from hansei.feedback.browser import answer, endpoint, script
from hansei.feedback.tokens import DEFAULT_NAMES

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "browser-feedback.md").read_text()
SCRIPT = script._FILE.read_text()


def cells(heading: str) -> set[str]:
    """The names in the first column of the table with this heading."""
    (table,) = re.findall(rf"(?m)^\| {heading} \|.*\n\| --- .*\n((?:\|.*\n)+)", GUIDE)
    return set(re.findall(r"`([^`]+)`", "".join(row.split("|")[1] for row in table.splitlines())))


def test_signature() -> None:
    """The arguments of ``feedback_token`` are in the guide, and its names."""
    section = GUIDE.partition("## In the page")[0]
    (told,) = re.findall(r"`feedback_token\(([^)]*)\)`", section)
    assert re.findall(r"\w+", told) == list(inspect.signature(hansei.feedback_token).parameters)
    assert f"`{DEFAULT_NAMES[0]}` and `{DEFAULT_NAMES[1]}`" in section
    assert set(re.findall(r"\w+", told)) == cells("argument")


def test_element() -> None:
    """Every attribute, part, custom property and state of the element is in the guide, and no other."""
    labels = {f"label-{key}" for key in re.findall(r'(\w+): "', SCRIPT.partition("ja: {")[0])}
    (observed,) = re.findall(r"observedAttributes = \[(.*)\]", SCRIPT)
    assert cells("attribute") == labels | set(re.findall(r'"([\w-]+)"', observed)) - {"lang"}
    made = re.findall(r'(?:make\("\w+"|button\()\s*,?\s*"([\w ]+)"', SCRIPT)
    (parts,) = re.findall(r"(?m)^Parts: (.*)\.$", GUIDE)
    assert set(re.findall(r"[\w]+", parts)) == set(" ".join(made).split())
    assert set(re.findall(r"--hansei-[\w-]+", SCRIPT)) == set(re.findall(r"(--hansei-[\w-]+):", GUIDE))
    assert {"sending", "saved", "undone", "failed", "refused"} <= set(re.findall(r"`(\w+)`", GUIDE))


def test_limits() -> None:
    """The limits are those of the program."""
    characters, address = answer._LONGEST_VALUE, endpoint._ADDRESS_TIMES
    assert f"up to {characters} characters" in GUIDE
    assert f"one address may {address} times as often" in GUIDE
    assert f"the body up to {answer.MOST_BYTES // 1024} KiB" in GUIDE
