"""The languages of the review app: every text in both, and none outside of the catalogs."""

import re
from pathlib import Path
from string import Formatter

import pytest

from hansei.feedback.review import app
from hansei.feedback.review.language import LANGUAGES, Language, catalog

HERE = Path(app.__file__).parent
TEMPLATES = sorted((HERE / "templates").iterdir())
SOURCES = "".join(path.read_text() for path in [*HERE.glob("*.py"), *TEMPLATES])
SCRIPTS = "".join(path.read_text() for path in (HERE / "static").glob("*.js"))
CODE = re.compile(r"(?s)\{#.*?#\}|\{% block data %\}.*?\{% endblock %\}|\{%.*?%\}|<kbd.*?</kbd>")


def test_same_keys() -> None:
    """Every language has the same keys, with a text each that is not another language's, and the same values in it."""
    english, *others = (catalog(code) for code in LANGUAGES)
    for other in others:
        assert list(other) == list(english)
        for key, text in english.items():
            assert other[key].strip()
            assert _values(other[key]) == _values(text), key
            assert other[key] != text or text.startswith("{") or key == "page.title", key


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_keys_are_used() -> None:
    """No key is in the catalogs that nothing asks for."""
    for key in catalog("en"):
        name = key.removesuffix(".one").removesuffix(".other")
        if name.startswith("script."):
            name = name.removeprefix("script.")
            assert re.search(rf"texts\.{name}\b|\bshow\(.*\"{name}\"|\[.*\"{name}\".*\]", SCRIPTS), key
        elif name.startswith("help."):
            assert f'"{name.removeprefix("help.")}"' in SOURCES, key
        elif name.endswith((".title", ".text")):
            assert f'"{name}"' in SOURCES or f'"{name.rpartition(".")[0]}"' in SOURCES, key
        else:
            assert re.search(rf"[\"']{re.escape(name)}[\"']", SOURCES), key


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_say_nothing_themselves(path: Path) -> None:
    """What a template shows comes from the catalogs: between and in its tags are no words of a language."""
    text = CODE.sub("", path.read_text())
    text = re.sub(r"(?s)\{\{.*?\}\}", "", text)
    shown = re.sub(r"(?s)<[^>]*>", "\n", text)
    assert re.findall(r"[^\W\d_]{2,}", shown) == []
    for attribute in re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', text):
        assert re.findall(r"[^\W\d_]{2,}", attribute) == []


def test_numbers_and_times() -> None:
    """Counts choose their form; numbers have commas; times are about right."""
    english, japanese = Language("en"), Language("ja")
    assert english("start.items", count=1) == "1 conversation is waiting for you."
    assert english("start.items", count=3) == "3 conversations are waiting for you."
    assert japanese("progress.left", count=3) == "残り3件"
    assert [english.number(number) for number in (1234, 0.25, -1)] == ["1,234", "0.25", "-1"]
    assert [english.minutes(seconds) for seconds in (5, 300, 3600, 5400)] == [
        "1 minute", "5 minutes", "1 hour", "1 h 30 min",
    ]  # fmt: skip
    assert japanese.minutes(5400) == "1時間30分"
