"""The types of spans that people know from MLflow, and what each is in the GenAI semantic conventions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from hansei.instrumentation import attributes as names
from hansei.instrumentation.plain_value import attribute_value


class SpanType:
    """What a span stands for. Any other text is a type too: a plain span that carries it."""

    LLM: Final = "LLM"
    CHAIN: Final = "CHAIN"
    AGENT: Final = "AGENT"
    TOOL: Final = "TOOL"
    CHAT_MODEL: Final = "CHAT_MODEL"
    RETRIEVER: Final = "RETRIEVER"
    PARSER: Final = "PARSER"
    EMBEDDING: Final = "EMBEDDING"
    RERANKER: Final = "RERANKER"
    MEMORY: Final = "MEMORY"
    UNKNOWN: Final = "UNKNOWN"
    WORKFLOW: Final = "WORKFLOW"
    TASK: Final = "TASK"
    GUARDRAIL: Final = "GUARDRAIL"
    EVALUATOR: Final = "EVALUATOR"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the conventions: its name, the kind of its spans, and the attribute for what is called."""

    name: str
    kind: SpanKind
    target: str | None = None


_OPERATIONS: Mapping[str, Operation] = {
    SpanType.LLM: Operation("chat", SpanKind.CLIENT),
    SpanType.CHAT_MODEL: Operation("chat", SpanKind.CLIENT),
    SpanType.EMBEDDING: Operation("embeddings", SpanKind.CLIENT),
    SpanType.RETRIEVER: Operation("retrieval", SpanKind.CLIENT),
    SpanType.TOOL: Operation("execute_tool", SpanKind.INTERNAL, names.TOOL_NAME),
    SpanType.AGENT: Operation("invoke_agent", SpanKind.INTERNAL, names.AGENT_NAME),
    SpanType.WORKFLOW: Operation("invoke_workflow", SpanKind.INTERNAL, names.WORKFLOW_NAME),
}
_PLAIN = Operation("", SpanKind.INTERNAL)

# What the second word of a span's name is, where the caller says so: the conventions name these, not the function.
_NAMING = {
    "chat": names.REQUEST_MODEL,
    "embeddings": names.REQUEST_MODEL,
    "retrieval": names.DATA_SOURCE_ID,
    "execute_tool": names.TOOL_NAME,
    "invoke_agent": names.AGENT_NAME,
    "invoke_workflow": names.WORKFLOW_NAME,
}


@dataclass(frozen=True, slots=True)
class SpanPlan:
    """All of a span that is known before the call: worked out once for each decorated function."""

    name: str
    operation: str
    """The conventions' operation, or an empty text."""
    kind: SpanKind
    attributes: Mapping[str, AttributeValue]


def span_plan(
    name: str, span_type: str | None, attributes: Mapping[str, Any] | None, description: str | None = None
) -> SpanPlan:
    """Plan a span of this type for what is called ``name``; ``attributes`` win over what the type brings.

    A type with an operation names its spans as the conventions do, ``execute_tool look_up`` or ``chat gpt-4o``
    (where the attributes have a model), and without such a word with ``name``; any other is named ``name``.
    """
    chosen = str(span_type or SpanType.UNKNOWN)
    operation = _OPERATIONS.get(chosen.upper(), _PLAIN)
    planned: dict[str, AttributeValue] = {names.SPAN_TYPE: chosen}
    if operation.name:
        planned[names.OPERATION_NAME] = operation.name
    if operation.target:
        planned[operation.target] = name
    if operation.name == "execute_tool":
        planned[names.TOOL_TYPE] = "function"
        if description:
            planned[names.TOOL_DESCRIPTION] = description
    for key, value in (attributes or {}).items():
        planned[str(key)] = attribute_value(value)
    if not operation.name:
        return SpanPlan(name, "", operation.kind, planned)
    target = planned.get(_NAMING[operation.name]) or name
    return SpanPlan(f"{operation.name} {target}", operation.name, operation.kind, planned)
