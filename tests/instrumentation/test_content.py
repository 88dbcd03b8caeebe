"""The switch for content, and how much of it is taken."""

import json

import pytest

from hansei.instrumentation.content import (
    CAPTURE_VARIABLE,
    DEFAULT_MAX_LENGTH,
    MAX_LENGTH_VARIABLE,
    NOTHING,
    Content,
    content_choice,
    cut,
)
from hansei.instrumentation.size import bounded

SPANS = Content(on_spans=True)
EVENTS = Content(on_events=True)
BOTH = Content(on_spans=True, on_events=True)


@pytest.mark.parametrize(
    ("word", "chosen"),
    [
        ("true", SPANS),
        ("SPAN_ONLY", SPANS),
        (" span_and_event ", BOTH),
        ("false", NOTHING),
        ("no_content", NOTHING),
        ("event_only", EVENTS),
    ],
)
def test_the_variable_takes_the_official_words(monkeypatch: pytest.MonkeyPatch, word: str, chosen: Content) -> None:
    """Whatever the default; and the argument takes the same words."""
    monkeypatch.setenv(CAPTURE_VARIABLE, word)
    for default in (NOTHING, SPANS, BOTH):
        assert content_choice(None, default=default) == chosen
        assert content_choice(word, default=default) == chosen


def test_the_argument_wins_over_the_variable_and_the_variable_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An empty variable is none."""
    assert content_choice(None, default=SPANS) == SPANS
    monkeypatch.setenv(CAPTURE_VARIABLE, "")
    assert content_choice(None, default=SPANS) == SPANS
    monkeypatch.setenv(CAPTURE_VARIABLE, "true")
    assert content_choice(False, default=SPANS) == NOTHING
    assert content_choice(True, default=NOTHING) == SPANS


def test_an_unknown_word_records_nothing_and_names_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A typing error must not leak a prompt."""
    monkeypatch.setenv(CAPTURE_VARIABLE, "yes please")
    assert content_choice(None, default=SPANS) == NOTHING
    assert "'yes please' is not a way to capture content; use one of true, span_only" in caplog.text


def test_the_limit_of_a_text_is_a_number_of_characters(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Anything else is named, and the default holds."""
    monkeypatch.setenv(MAX_LENGTH_VARIABLE, "100")
    assert content_choice(True, default=NOTHING).max_length == 100
    monkeypatch.setenv(MAX_LENGTH_VARIABLE, "-1")
    assert content_choice(True, default=NOTHING).max_length == DEFAULT_MAX_LENGTH
    assert "HANSEI_CONTENT_MAX_LENGTH: '-1' is not a number of characters" in caplog.text


def test_a_long_text_is_cut_and_says_so() -> None:
    """What is left out is counted."""
    assert cut("12345", 5) == "12345"
    assert cut("123456789", 5) == "12345… [4 characters left out]"


def said(text: str) -> dict[str, object]:
    return {"role": "user", "parts": [{"type": "text", "content": text}]}


def test_a_long_history_loses_its_middle_and_says_so() -> None:
    """Instructions come first, the question last: those are kept."""
    history = [said(f"{number:04d}" * 25) for number in range(40)]
    kept = bounded(history, 100)
    assert kept[0] == history[0]
    assert kept[-1] == history[-1]
    left_out = len(history) - len(kept) + 1
    assert kept[1] == {"role": "system", "parts": [{"type": "text", "content": f"… [{left_out} left out]"}]}
    assert len(json.dumps(kept)) < 2 * 8 * 100
    assert bounded(history[:5], 100) == history[:5]


def test_half_of_an_image_is_none() -> None:
    """A blob that is too long keeps its place, and not its bytes."""
    image = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "A" * 101}
    assert bounded([image], 100) == [{**image, "content": "", "omitted_chars": 101}]
    assert bounded([image], 101) == [image]
