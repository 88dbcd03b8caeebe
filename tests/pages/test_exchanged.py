"""What was asked and what was answered, of messages, inputs and outputs."""

from hansei.feedback.pages.conversation import Content, Message, Part, Value
from hansei.feedback.pages.exchanged import WORDS, answered, asked

QUESTION, ANSWER = Part("text", "Is it open?"), Part("text", "On Sunday too.")
THOUGHT, CALL, RESULT = Part("reasoning", "Look first."), Part("call", "{}", "look_up"), Part("result", "closed")


def test_messages() -> None:
    """The last message with words counts; what tools were called with and returned is nobody's word."""
    input_messages = [Message("user", [QUESTION]), Message("assistant", [CALL]), Message("user", [RESULT])]
    output_messages = [Message("assistant", [THOUGHT, ANSWER]), Message("assistant", [CALL])]
    content = Content(input=input_messages, output=output_messages)
    assert asked([Content(), content]) == [QUESTION]
    assert answered([Content(), content]) == [ANSWER]
    assert answered([content], (*WORDS, "reasoning")) == [THOUGHT, ANSWER]
    assert asked([Content()]) == answered([]) == ()


def test_values() -> None:
    """A function's arguments stand for a question: the only one, or one of a telling name, or else all of them."""
    for fields, part in (
        ([("what", "Is it open?", False)], QUESTION),
        ([("limit", "3", True), ("query", "Is it open?", False)], QUESTION),
        ([("limit", "3", True), ("other", "x", False)], Part("data", "{…}", "JSON")),
    ):
        assert asked([Content(inputs=Value("{…}", True, fields))]) == [part]
    assert answered([Content(outputs=Value("On Sunday too.", False, ()))]) == [ANSWER]
