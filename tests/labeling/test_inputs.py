"""What an answer may be, by the input of its question."""

import json
from typing import Any

import pytest

from hansei import (
    InputCategorical,
    InputCategoricalList,
    InputNumeric,
    InputPassFail,
    InputText,
    InputTextList,
)
from hansei.feedback.labeling.errors import InvalidLabel, InvalidLabeling
from hansei.feedback.labeling.inputs import Input, input_of

COLOURS = ["red", "green", "blue"]


@pytest.mark.parametrize(
    ("given", "value", "recorded"),
    [
        (InputCategorical(COLOURS), "green", "green"),
        (InputCategoricalList(COLOURS), ["blue", "red", "blue"], ["red", "blue"]),
        (InputText(), "  two\nlines ", "  two\nlines "),
        (InputText(max_length=3), "日本語", "日本語"),
        (InputTextList(), ["a", "b"], ["a", "b"]),
        (InputTextList(max_length_each=1, max_count=2), ["a", "a"], ["a", "a"]),
        (InputNumeric(), -2.5, -2.5),
        (InputNumeric(1, 5), 5, 5),
        (InputPassFail(), False, False),
    ],
)
def test_answers(given: Input, value: Any, recorded: Any) -> None:
    """An answer that fits is recorded with its type; of several options, each once, in the order of the question."""
    found = given.check(value)
    assert (found, type(found)) == (recorded, type(recorded))


@pytest.mark.parametrize(
    ("given", "value", "said"),
    [
        (InputCategorical(COLOURS), "pink", "'pink' is not one of the options; choose one of 'red', 'green', 'blue'"),
        (InputCategorical(COLOURS), ["red"], r"\['red'\] is not one of the options"),
        (InputCategoricalList(COLOURS), [], "the list of options is empty; give at least one"),
        (InputCategoricalList(COLOURS), "red", "'red' is not a list of options"),
        (InputCategoricalList(COLOURS), ["red", None], "None is not one of the options"),
        (InputText(), " \n", "the text is empty"),
        (InputText(), 3, "3 is not a text"),
        (InputText(), "\ud800", "a character that cannot be stored"),
        (InputText(max_length=3), "four", "the text has 4 characters; write at most 3"),
        (InputText(), "x" * 65_536, "write at most 65535"),
        (InputTextList(max_count=1), ["a", "b"], "these are 2 texts; give at most 1"),
        (InputTextList(max_length_each=1), ["a", "bb"], "the text has 2 characters"),
        (InputTextList(), ["x" * 40_000, "y" * 40_000], "more than 65535 characters together"),
        (InputNumeric(), True, "True is not a number"),
        (InputNumeric(), float("nan"), "nan is not a number"),
        (InputNumeric(), "1", "'1' is not a number; give a number"),
        (InputNumeric(min_value=0), -1, "-1 is out of range; give a number of at least 0"),
        (InputNumeric(max_value=5), 6, "6 is out of range; give a number of at most 5"),
        (InputNumeric(1, 5), 5.5, "5.5 is out of range; give a number from 1 to 5"),
        (InputPassFail("Good", "Bad"), 1, r"1 is neither true \(Good\) nor false \(Bad\)"),
    ],
)
def test_refused_answers(given: Input, value: Any, said: str) -> None:
    """An answer that does not fit is refused in a line that says what would."""
    with pytest.raises(InvalidLabel, match=said):
        given.check(value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: InputCategorical(["one"]), "options: there are 1; give 2 to 100 different texts"),
        (lambda: InputCategorical([str(each) for each in range(101)]), "options: there are 101"),
        (lambda: InputCategorical(["a", "a"]), "options: 'a' is there twice"),
        (lambda: InputCategorical("ab"), "options: 'ab' is not a list of texts"),
        (lambda: InputCategoricalList(["a", ""]), "options: '' is not a text of one line"),
        (lambda: InputCategoricalList(["a", "x" * 501]), "has 501 characters; give at most 500"),
        (lambda: InputText(max_length=0), "max_length: 0 is not a whole number from 1 to 65535"),
        (lambda: InputText(max_length=65_536), "max_length: 65536 is not"),
        (lambda: InputTextList(max_count=True), "max_count: True is not a whole number from 1 to 1000"),
        (lambda: InputNumeric(5, 5), "max_value: 5 is not more than min_value, 5"),
        (lambda: InputNumeric(min_value=float("inf")), "min_value: inf is not a finite number"),
        (lambda: InputPassFail("Same", "Same"), "negative_label: 'Same' is the positive_label too"),
        (lambda: InputPassFail(positive_label=" "), "positive_label: ' ' is not a text of one line"),
        (lambda: input_of([]), r"input: \[\] is not an object"),
        (lambda: input_of({"type": "stars"}), "input.type: 'stars' is not one of categorical, categorical_list, text,"),
        (lambda: input_of({"type": "categorical"}), "input.options: there are none"),
        (lambda: input_of({"type": "text", "min": 1}), "input.min: text has no such limit; there are max_length"),
    ],
)
def test_limits(make: Any, said: str) -> None:
    """An input with impossible limits cannot be made; the line names the limit, its value and what would be allowed."""
    with pytest.raises(InvalidLabeling, match=said):
        make()


@pytest.mark.parametrize(
    "given",
    [
        InputCategorical(["👩‍💻", "b"]),
        InputCategoricalList(COLOURS),
        InputText(max_length=10),
        InputTextList(max_length_each=3, max_count=2),
        InputNumeric(0.5, 1.5),
        InputPassFail("Ja", "Nein"),
    ],
)
def test_json(given: Input) -> None:
    """An input is the same after it was stored as JSON."""
    assert input_of(json.loads(json.dumps(given.to_json()))) == given
