"""Whether the right tools were called with the right arguments."""

from collections.abc import Mapping, Sequence
from typing import Any

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.json_text import shown_json
from hansei.evaluation.judges.question import Asker, JudgeModel
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge
from hansei.evaluation.scorers.tool_calls import MARK, ToolCall, arguments_of, available_tools, numbered, tool_calls
from hansei.feedback.assessment import Feedback
from hansei.feedback.search.trace import Trace


class ToolCallCorrectness(PromptJudge):
    """Whether the tools that were called, and their arguments, are right for what was asked: ``yes`` or ``no``.

    Expectation: ``expected_tool_calls``, a list of ``{"name": …, "arguments": …}`` (``arguments`` may be left out).
    Without it the model judges by what was asked.
    """

    prompt = "tool_call_correctness"

    def __init__(
        self,
        name: str | None = None,
        model: str | JudgeModel | None = None,
        *,
        should_exact_match: bool = False,
        should_consider_ordering: bool = False,
    ) -> None:
        """``should_exact_match``: expected calls are compared by code, not by a model.

        ``should_consider_ordering``: their order counts.
        """
        super().__init__(name, model)
        self.should_exact_match = should_exact_match
        self.should_consider_ordering = should_consider_ordering

    async def judge(
        self, asker: Asker, subject_id: str, *, inputs: Any, expectations: Mapping[str, Any], trace: Trace | None
    ) -> Answer:
        """See :class:`~hansei.Judge`."""
        if trace is None:
            raise NotApplicable(f"{self.name} looks at a whole trace, and there is none")
        calls = tool_calls(trace)
        expected = _all_expected(self.name, (expectations or {}).get("expected_tool_calls"))
        if self.should_exact_match:
            if expected is None:
                raise NotApplicable(
                    f"{self.name} needs the expectation expected_tool_calls, and there is none; record it"
                )
            return self._compared(calls, expected)
        if not calls and not expected:
            raise NotApplicable(f"{self.name} judges calls of tools, and the trace has none{MARK}")
        wanted = "" if expected is None else numbered_expected(expected, in_order=self.should_consider_ordering)
        said = await self.verdict(
            asker, subject_id, question=self.asked(inputs, trace), tools=available_tools(trace),
            tool_calls=numbered(calls) or "(no tool was called)", expected_tool_calls=wanted,
        )  # fmt: skip
        return self.feedback(said)

    def _compared(self, calls: Sequence[ToolCall], expected: Sequence[ToolCall]) -> Feedback:
        missing = list(expected)
        extra = []
        for place, call in enumerate(calls):
            if self.should_consider_ordering:
                fits = place < len(expected) and _fits(call, expected[place])
                match = expected[place] if fits else None
            else:
                # What is expected with arguments first: any call fits what is expected without.
                fitting = [each for each in missing if _fits(call, each)]
                match = min(fitting, key=lambda each: each.arguments is None, default=None)
            if match is None:
                extra.append(call)
            else:
                missing.remove(match)
        problems = [f"expected and not called: {each.name}({shown_json(each.arguments)})" for each in missing]
        problems += [f"called and not expected: {each.name}({shown_json(each.arguments)})" for each in extra]
        if problems:
            return self.found("no", "; ".join(problems))
        return self.found("yes", "The calls are those that were expected.")


def numbered_expected(expected: Sequence[ToolCall], *, in_order: bool) -> str:
    """The expected calls, and whether their order counts."""
    lines = [
        f"{number}. {each.name}({'any arguments' if each.arguments is None else shown_json(each.arguments)})"
        for number, each in enumerate(expected, 1)
    ]
    return "\n".join(["Their order counts." if in_order else "Their order does not count.", *(lines or ["(none)"])])


def _all_expected(scorer: str, given: Any) -> list[ToolCall] | None:
    """The expected calls: a list, one alone, or either as JSON text, as people type it; None where there is none."""
    told = arguments_of(given)
    if told is None or told == "":
        return None
    return [_expected(scorer, each) for each in (told if isinstance(told, list) else [told])]


def _expected(scorer: str, given: Any) -> ToolCall:
    if isinstance(given, str):
        return ToolCall(given, None)
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise NotApplicable(f"{scorer}: {given!r} among expected_tool_calls has no name")
    return ToolCall(given["name"], arguments_of(given.get("arguments")))


def _fits(call: ToolCall, expected: ToolCall) -> bool:
    return call.name == expected.name and (
        expected.arguments is None or (call.arguments or {}) == (expected.arguments or {})
    )
