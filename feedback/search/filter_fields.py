"""The fields of filters: what each is in SQL, and how it may be compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

EQUAL: Final = ("=", "!=", "IN", "NOT IN")
ORDER: Final = ("<", "<=", ">", ">=")
PATTERN: Final = ("LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "RLIKE", "NOT RLIKE")
PRESENCE: Final = ("IS NULL", "IS NOT NULL")
CONTAINS: Final = "~"
NEGATIVE: Final = ("!=", "NOT IN", "NOT LIKE", "NOT ILIKE", "NOT RLIKE")


class Kind(Enum):
    """What a field's values are, and so the operators that it takes."""

    TEXT = (*EQUAL, *PATTERN)
    OPTIONAL_TEXT = (*EQUAL, *PATTERN, *PRESENCE)
    NUMBER = (*EQUAL, *ORDER, "")  # the last tells it from others: members of an Enum are known by their values
    ANYTHING = (*EQUAL, *ORDER, *PATTERN, *PRESENCE)
    CHOICE = EQUAL
    CONTENT = (CONTAINS, "LIKE", "ILIKE", "RLIKE")
    WORDS = (CONTAINS,)

    @property
    def operators(self) -> tuple[str, ...]:
        """As they are printed."""
        return tuple(filter(None, self.value))


class Level(Enum):
    """Of what a condition speaks."""

    SPAN = "one span; conditions joined by AND speak of the same one"
    ANY_SPAN = "any span of the trace, each condition for itself"
    WHOLE = "the trace, or the session, as a whole"
    COST = "the model calls of the trace together"
    ASSESSMENT = "an assessment of the trace"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field; ``{key}`` in its SQL stands for the parameter that holds the key."""

    name: str
    kind: Kind
    level: Level
    sql: tuple[str, ...]
    """Any of these is compared: a span has a model that was asked for and one that answered."""
    present: str = ""
    """The condition under which there is a value."""
    keyed: bool = False
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    assessment_kind: str = ""
    first: str = ""
    """Of what the first span of a trace decides: the same on that span's row."""
    meaning: str = field(default="", compare=False)


SPAN_TYPE_SQL: Final = (
    "if(SpanAttributes['hansei.span.type'] != '', SpanAttributes['hansei.span.type'], "
    "transform(toString(GenAiOperation), "
    "['chat', 'text_completion', 'generate_content', 'embeddings', 'retrieval', 'execute_tool', 'invoke_agent', "
    "'create_agent', 'invoke_workflow'], ['CHAT_MODEL', 'LLM', 'LLM', 'EMBEDDING', 'RETRIEVER', 'TOOL', 'AGENT', "
    "'AGENT', 'WORKFLOW'], 'UNKNOWN'))"
)
"""MLflow's type of a span: as our instrumentation says it, else from the conventions' operation."""

FIRST_SPAN: Final = "(ParentSpanId != '', Timestamp)"
"""The order in which the root comes first; where none has come, the earliest span stands for the trace."""

_ATTRIBUTE: Final = "SpanAttributes[{key}]"
_NAMED: Final = "mapContains(SpanAttributes, {key})"
# The text of an assessment's value: of a JSON string what is in it, of anything else its JSON.
_VALUE_TEXT: Final = "if(JSONType(Value) = 'String', JSONExtractString(Value), Value)"


def _trace_names(*names: str) -> tuple[str, ...]:
    """A field of the trace under each of MLflow's ways to write it."""
    return tuple(f"{prefix}{name}" for name in names for prefix in ("trace.", "attributes.", "attribute.", "attr.", ""))


TRACE_FIELDS: Final = (
    FieldSpec("trace.id", Kind.TEXT, Level.ANY_SPAN, ("TraceId",),
              aliases=_trace_names("trace_id", "request_id"), meaning="the trace's id"),
    FieldSpec("trace.name", Kind.TEXT, Level.WHOLE, (f"argMin(SpanName, {FIRST_SPAN})",),
              aliases=_trace_names("name"), first="SpanName", meaning="the name of the root span"),
    FieldSpec("trace.status", Kind.CHOICE, Level.WHOLE,
              (f"if(argMin(StatusCode, {FIRST_SPAN}) = 'Error', 'ERROR', 'OK')",),
              aliases=_trace_names("status", "state"), choices=("OK", "ERROR"),
              first="if(StatusCode = 'Error', 'ERROR', 'OK')", meaning="the root span's status"),
    FieldSpec("trace.timestamp_ms", Kind.NUMBER, Level.WHOLE,
              ("intDiv(toUnixTimestamp64Nano(min(Timestamp)), 1000000)",),
              aliases=_trace_names("timestamp_ms", "timestamp"),
              first="intDiv(toUnixTimestamp64Nano(Timestamp), 1000000)",
              meaning="when it began, milliseconds since 1970"),
    FieldSpec("trace.end_time_ms", Kind.NUMBER, Level.WHOLE,
              ("intDiv(max(toUnixTimestamp64Nano(Timestamp) + toInt64(Duration)), 1000000)",),
              aliases=_trace_names("end_time_ms", "end_time"),
              meaning="when its last span ended, milliseconds since 1970"),
    FieldSpec("trace.execution_time_ms", Kind.NUMBER, Level.WHOLE, (f"argMin(Duration, {FIRST_SPAN}) / 1000000",),
              aliases=_trace_names("execution_time_ms", "execution_time"), first="Duration / 1000000",
              meaning="how long the root span took, milliseconds"),
    FieldSpec("trace.client_request_id", Kind.TEXT, Level.ANY_SPAN, ("SpanAttributes['hansei.client_request_id']",),
              present="SpanAttributes['hansei.client_request_id'] != ''", aliases=_trace_names("client_request_id"),
              meaning="the id that the client gave"),
    FieldSpec("run", Kind.TEXT, Level.ASSESSMENT, ("EvaluationRunId",), present="EvaluationRunId != ''",
              aliases=_trace_names("run_id"), meaning="an evaluation run that assessed it"),
    FieldSpec("labeling_session", Kind.TEXT, Level.ASSESSMENT, ("LabelingSessionId",),
              present="LabelingSessionId != ''", meaning="a labeling session in which it was assessed"),
    FieldSpec("assessed_by", Kind.CHOICE, Level.ASSESSMENT, ("SourceType",), choices=("HUMAN", "LLM_JUDGE", "CODE"),
              meaning="who assessed it"),
    FieldSpec("tags", Kind.ANYTHING, Level.ANY_SPAN, (_ATTRIBUTE,), present=_NAMED, keyed=True,
              aliases=("tag",), meaning="a tag"),
    FieldSpec("metadata", Kind.ANYTHING, Level.ANY_SPAN, (_ATTRIBUTE,), present=_NAMED, keyed=True,
              aliases=("request_metadata", "trace_metadata"), meaning="a key of the metadata"),
    FieldSpec("span.id", Kind.TEXT, Level.SPAN, ("SpanId",), aliases=("span.span_id",), meaning="a span's id"),
    FieldSpec("span.name", Kind.TEXT, Level.SPAN, ("SpanName",), meaning="its name"),
    FieldSpec("span.type", Kind.TEXT, Level.SPAN, (SPAN_TYPE_SQL,), aliases=("span.span_type",),
              meaning="its type, `LLM`, `TOOL` …"),
    FieldSpec("span.status", Kind.CHOICE, Level.SPAN, ("upper(StatusCode)",), choices=("UNSET", "OK", "ERROR"),
              meaning="its status"),
    FieldSpec("span.duration_ms", Kind.NUMBER, Level.SPAN, ("Duration / 1000000",), meaning="how long it took"),
    FieldSpec("span.content", Kind.CONTENT, Level.SPAN, ("arrayStringConcat(mapValues(SpanAttributes), '\\n')",),
              meaning="what is written in its attributes"),
    FieldSpec("span.attributes", Kind.ANYTHING, Level.SPAN, (_ATTRIBUTE,), present=_NAMED, keyed=True,
              aliases=("span.attribute",), meaning="one of its attributes"),
    FieldSpec("feedback.name", Kind.TEXT, Level.ASSESSMENT, ("Name",), assessment_kind="feedback",
              meaning="the name of a feedback"),
    FieldSpec("expectation.name", Kind.TEXT, Level.ASSESSMENT, ("Name",), assessment_kind="expectation",
              meaning="the name of an expectation"),
    FieldSpec("feedback", Kind.ANYTHING, Level.ASSESSMENT, (_VALUE_TEXT,), keyed=True, assessment_kind="feedback",
              meaning="the value of the feedback of that name"),
    FieldSpec("expectation", Kind.ANYTHING, Level.ASSESSMENT, (_VALUE_TEXT,), keyed=True,
              assessment_kind="expectation", meaning="the value of the expectation of that name"),
    FieldSpec("service", Kind.TEXT, Level.ANY_SPAN, ("ServiceName",), meaning="a service that took part"),
    FieldSpec("model", Kind.OPTIONAL_TEXT, Level.ANY_SPAN, ("GenAiRequestModel", "GenAiResponseModel"),
              present="GenAiModel != ''", meaning="a model that was asked for, or that answered"),
    FieldSpec("provider", Kind.OPTIONAL_TEXT, Level.ANY_SPAN, ("GenAiProvider",), present="GenAiProvider != ''",
              meaning="its provider"),
    FieldSpec("user", Kind.OPTIONAL_TEXT, Level.ANY_SPAN, ("UserId",), present="UserId != ''", aliases=("user_id",),
              meaning="the user"),
    FieldSpec("session", Kind.OPTIONAL_TEXT, Level.ANY_SPAN, ("ConversationId",), present="ConversationId != ''",
              aliases=("session_id",), meaning="the session"),
    FieldSpec("error_type", Kind.OPTIONAL_TEXT, Level.ANY_SPAN, ("ErrorType",), present="ErrorType != ''",
              meaning="the type of an error"),
    FieldSpec("cost", Kind.NUMBER, Level.COST, ("sum(CostUsd)",),
              meaning="dollars; a trace of unknown cost never fits"),
    FieldSpec("tokens", Kind.NUMBER, Level.WHOLE,
              ("sumIf(GenAiTotalInputTokens + GenAiTotalOutputTokens, GenAiModelCall)",),
              meaning="input and output tokens of its model calls"),
    FieldSpec("text", Kind.CONTENT, Level.ANY_SPAN,
              ("concat(SpanName, '\\n', StatusMessage, '\\n', arrayStringConcat(mapValues(SpanAttributes), '\\n'))",),
              aliases=("trace.text",), meaning="what is written in a span: its name, its error and its attributes"),
    # The expression of the index; see collector/text_index.py.
    FieldSpec("words", Kind.WORDS, Level.ANY_SPAN, ("lower(arrayStringConcat(mapValues(SpanAttributes), '\\n'))",),
              aliases=("trace.words",), meaning="whole words in a span's attributes, all of them, in any order"),
)  # fmt: skip
"""What traces can be found by. A field's first name is how it is printed."""

SESSION_FIELDS: Final = (
    FieldSpec("session", Kind.TEXT, Level.WHOLE, ("SessionId",), aliases=("session_id",), meaning="its id"),
    FieldSpec("user", Kind.TEXT, Level.WHOLE, ("UserId",), aliases=("user_id",), meaning="the first user named"),
    FieldSpec("service", Kind.TEXT, Level.WHOLE, ("ServiceName",), meaning="where it began"),
    FieldSpec("traces", Kind.NUMBER, Level.WHOLE, ("Traces",), meaning="how many traces"),
    FieldSpec("calls", Kind.NUMBER, Level.WHOLE, ("Calls",), meaning="how many model calls"),
    FieldSpec("errors", Kind.NUMBER, Level.WHOLE, ("Errors",), meaning="how many of them failed"),
    FieldSpec("tokens", Kind.NUMBER, Level.WHOLE, ("InputTokens + OutputTokens",), meaning="their tokens"),
    FieldSpec("cost", Kind.NUMBER, Level.WHOLE, ("CostUsd",), present="CostUsd IS NOT NULL",
              meaning="dollars; a session of unknown cost never fits"),
    FieldSpec("duration_ms", Kind.NUMBER, Level.WHOLE, ("dateDiff('millisecond', Start, End)",),
              meaning="from its first to its last moment"),
)  # fmt: skip
"""What sessions can be found by."""

KEY_PREFIXES: Final = {"tags": "hansei.tag.", "metadata": "hansei.metadata."}
"""Attributes that hold what MLflow keeps beside the spans."""

MLFLOW_KEYS: Final = {
    ("tags", "mlflow.traceName"): "trace.name",
    ("metadata", "mlflow.trace.session"): "session",
    ("metadata", "mlflow.trace.user"): "user",
    ("metadata", "mlflow.sourceRun"): "run",
}
"""Keys under which MLflow keeps what is a field here."""


class Fields:
    """A table of fields, by name."""

    def __init__(self, specs: tuple[FieldSpec, ...]) -> None:
        self.specs = specs
        self.plain: Mapping[str, FieldSpec] = {n: s for s in specs if not s.keyed for n in (s.name, *s.aliases)}
        self.keyed: Mapping[str, FieldSpec] = {n: s for s in specs if s.keyed for n in (s.name, *s.aliases)}
        self._named = {spec.name: spec for spec in specs}

    def __getitem__(self, name: str) -> FieldSpec:
        return self._named[name]

    def shown(self) -> str:
        """The names, for an error."""
        return ", ".join(f"{spec.name}.<key>" if spec.keyed else spec.name for spec in self.specs)


TRACES: Final = Fields(TRACE_FIELDS)
SESSIONS: Final = Fields(SESSION_FIELDS)
