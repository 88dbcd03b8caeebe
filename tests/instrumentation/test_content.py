"""The switch for message content."""

import pytest

from hansei.instrumentation.content import CAPTURE_VARIABLE, content_recorded


@pytest.mark.parametrize(
    ("word", "recorded"),
    [
        ("true", True),
        ("SPAN_ONLY", True),
        (" span_and_event ", True),
        ("false", False),
        ("no_content", False),
        ("event_only", False),
    ],
)
def test_the_variable_takes_the_official_words(monkeypatch: pytest.MonkeyPatch, word: str, recorded: bool) -> None:
    """Whatever the default; and the argument takes the same words."""
    monkeypatch.setenv(CAPTURE_VARIABLE, word)
    assert content_recorded(None, default=not recorded) is recorded
    assert content_recorded(word, default=not recorded) is recorded


def test_the_argument_wins_over_the_variable_and_the_variable_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An empty variable is none."""
    assert content_recorded(None, default=True) is True
    monkeypatch.setenv(CAPTURE_VARIABLE, "")
    assert content_recorded(None, default=True) is True
    monkeypatch.setenv(CAPTURE_VARIABLE, "true")
    assert content_recorded(False, default=True) is False


def test_an_unknown_word_records_nothing_and_names_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A typing error must not leak a prompt."""
    monkeypatch.setenv(CAPTURE_VARIABLE, "yes please")
    assert content_recorded(None, default=True) is False
    assert "'yes please' is not a way to capture content; use one of true, span_only" in caplog.text
