"""From a filter's tree to the SQL that finds what it holds for.

What comes out are conditions, each on a line of the golden file ``tests/feedback/search_filters.sql``. Values and the
keys of maps are parameters; everything else of the text comes from :mod:`hansei.feedback.search.filter_fields`.

A trace is found in two steps. *Candidates* are traces for which a part of the filter holds that a row alone can tell
(a span, an assessment), so that ClickHouse's indexes serve it. *Conditions* are on the candidates' spans together
(``HAVING``). Of ``AND`` on the outside every part that can becomes a candidate's condition, so a trace fits if it is
candidate of all of them and the conditions hold.

``span.`` conditions joined by AND speak of one span; what NOT denies is that the trace has such a span.
"""

import re
from dataclasses import dataclass, field, replace
from enum import Enum

from hansei.feedback.search.filter_fields import (
    CONTAINS,
    KEY_PREFIXES,
    NEGATIVE,
    PRESENCE,
    SESSIONS,
    TRACES,
    Fields,
    FieldSpec,
    Kind,
    Level,
)
from hansei.feedback.search.filter_tree import And, Comparison, Expression, Not, Or, Scalar

_TEXT_OPERATORS = {
    "LIKE": "{left} LIKE {right}",
    "ILIKE": "{left} ILIKE {right}",
    "RLIKE": "match({left}, {right})",
    "NOT LIKE": "{left} NOT LIKE {right}",
    "NOT ILIKE": "{left} NOT ILIKE {right}",
    "NOT RLIKE": "NOT match({left}, {right})",
    CONTAINS: "positionCaseInsensitiveUTF8({left}, {right}) > 0",
}


@dataclass
class Conditions:
    """What a trace must fulfil, and the parameters' values by name."""

    spans: list[str] = field(default_factory=list)
    """On one row of otel_traces each: the trace has a span for which it holds."""
    traces: list[str] = field(default_factory=list)
    """On ``TraceId``."""
    having: list[str] = field(default_factory=list)
    """On the spans of a trace together."""
    parameters: dict[str, object] = field(default_factory=dict)


def trace_conditions(expression: Expression) -> Conditions:
    """The conditions for the traces that a filter holds for."""
    builder = _Builder(TRACES)
    made = Conditions(parameters=builder.parameters)
    operands = _flat(expression)
    same_span = [operand for operand in operands if _of_a_span(operand)]
    if same_span:
        made.spans.append(" AND ".join(builder.row(operand) for operand in same_span))
    for operand in operands:
        if operand in same_span:
            continue
        level = TRACES[operand.field.name].level if isinstance(operand, Comparison) else None
        if level is Level.ANY_SPAN and isinstance(operand, Comparison) and operand.operator != "IS NULL":
            made.spans.append(builder.row(operand))
        elif level is Level.ASSESSMENT and isinstance(operand, Comparison) and operand.operator != "IS NULL":
            made.traces.append(builder.whole(operand))
        else:
            made.having.append(builder.whole(operand))
    return made


class Cost(Enum):
    """What a condition on rows reads."""

    NARROW = "a few small columns"
    INDEXED = "the index of words, where there is one"
    CONTENT = "what is written in the spans, which is most of what is stored"


@dataclass
class ListConditions:
    """What a list of traces, the newest first, is made by; of a trace all must hold that is in ``having``."""

    row: str | None = None
    """Holds for a row of otel_traces of each trace that fits, and perhaps of others; None where no such is known."""
    at_start: bool = True
    """Whether the trace's first row is such a row."""
    assessed: list[str] = field(default_factory=list)
    """On ``TraceId``, by the valid assessments."""
    sums: list[str] = field(default_factory=list)
    """On the rows of genai_spans that are a trace's model calls, where nothing above is known."""
    having: list[str] = field(default_factory=list)
    """On the rows of the traces ``{trace_ids:Array(String)}``, by trace."""
    cost: Cost = Cost.NARROW
    """What it takes to look for ``row``."""
    parameters: dict[str, object] = field(default_factory=dict)

    @property
    def blind(self) -> bool:
        """Whether nothing tells cheaply which traces may fit."""
        return bool(self.having) and self.row is None and not self.assessed and not self.sums


_SUMS = {"cost": "sum(CostUsd)", "tokens": "sum(InputTokens + OutputTokens)"}
"""What the fields are on the rows of genai_spans."""


def list_conditions(expression: Expression, words_indexed: bool = False) -> ListConditions:
    """How to find the newest traces that a filter holds for without looking at all of them.

    ``words_indexed``: whether the words of attributes are in an index, which then finds their values too.
    """
    builder = _Builder(TRACES, words_indexed)
    made = ListConditions(parameters=builder.parameters)
    if expression == And(()):
        return made
    made.row, made.at_start = builder.hint(expression)
    if made.row is not None and "mapValues(SpanAttributes)" in made.row:
        made.cost = Cost.INDEXED if "hasAllTokens(" in made.row else Cost.CONTENT
    among = "TraceId IN {trace_ids:Array(String)}"
    rest = []
    for operand in _flat(expression):
        if _is_positive(operand, Level.ASSESSMENT):
            made.assessed.append(_of(builder.whole(operand), among))
            continue
        rest.append(operand)
        if made.row is None and isinstance(operand, Comparison) and _is_large_sum(operand):
            made.sums.append(builder.sum(operand))
    if rest and not (made.row is not None and len(rest) == 1 and not made.assessed and _told_by_row(rest[0])):
        whole = builder.whole(And(tuple(rest)) if len(rest) > 1 else rest[0])
        made.having.append(_of(whole.replace("TraceId IN (SELECT TraceId FROM candidates)", among), among))
    return made


def _of(condition: str, among: str) -> str:
    """A condition that asks for the assessments of some traces alone."""
    return condition.replace("FROM feedback WHERE ", f"FROM feedback WHERE {among} AND ")


def root_conditions(expression: Expression) -> tuple[list[str], dict[str, object]]:
    """Conditions on the root's row, between ``{from:Int64}`` and ``{until:Int64}``, and the parameters.

    What the root alone does not tell is asked of the spans from then on.
    """
    builder = _Builder(TRACES)
    between = "Timestamp >= fromUnixTimestamp64Nano({from:Int64})"
    made = []
    for operand in _flat(expression) if expression != And(()) else []:
        spec = TRACES[operand.field.name] if isinstance(operand, Comparison) else None
        if isinstance(operand, Comparison) and spec is not None and spec.first:
            made.append(builder.hint(operand)[0] or "true")
        elif spec is not None and spec.level is Level.ASSESSMENT:
            made.append(builder.whole(operand))
        elif _of_a_span(operand) or _is_positive(operand, Level.ANY_SPAN):
            made.append(f"TraceId IN (SELECT TraceId FROM otel_traces WHERE {between} AND {builder.row(operand)})")
        else:
            whole = builder.whole(operand).replace(
                " WHERE TraceId IN (SELECT TraceId FROM candidates)", f" WHERE {between}"
            )
            made.append(f"TraceId IN (SELECT TraceId FROM otel_traces WHERE {between} GROUP BY TraceId HAVING {whole})")
    return made, builder.parameters


def _is_large_sum(comparison: Comparison) -> bool:
    """Whether it asks for so much that a trace without model calls does not fit."""
    value = comparison.value
    large = comparison.operator in (">", ">=") and isinstance(value, int | float) and value > 0
    return large and comparison.field.name in _SUMS


def _is_positive(expression: Expression, level: Level) -> bool:
    """Whether it says that there is something of a level."""
    if not isinstance(expression, Comparison) or expression.operator == "IS NULL":
        return False
    return TRACES[expression.field.name].level is level


def _told_by_row(expression: Expression) -> bool:
    """Whether one row decides: a trace that has such a row fits, whatever else is in it."""
    return _of_a_span(expression) or _is_positive(expression, Level.ANY_SPAN)


def session_condition(expression: Expression) -> tuple[str, dict[str, object]]:
    """The condition on a row of genai_sessions, and the parameters."""
    builder = _Builder(SESSIONS)
    return builder.row(expression), builder.parameters


def _flat(expression: Expression) -> list[Expression]:
    if not isinstance(expression, And):
        return [expression]
    return [inner for operand in expression.operands for inner in _flat(operand)]


def _of_a_span(expression: Expression) -> bool:
    """Whether it speaks of one span alone, and denies nothing."""
    if isinstance(expression, Comparison):
        return TRACES[expression.field.name].level is Level.SPAN
    return isinstance(expression, And | Or) and all(map(_of_a_span, expression.operands))


class _Builder:
    """The parameters of one filter, and the SQL that speaks of them."""

    def __init__(self, fields: Fields, words_indexed: bool = False) -> None:
        self._fields = fields
        self._words_indexed = words_indexed
        self.parameters: dict[str, object] = {}

    def row(self, expression: Expression) -> str:
        """A condition on one row."""
        if isinstance(expression, Comparison):
            return self._comparison(expression)
        if isinstance(expression, Not):
            return f"NOT ({self.row(expression.operand)})"
        word = " AND " if isinstance(expression, And) else " OR "
        return f"({word.join(self.row(operand) for operand in expression.operands)})"

    def hint(self, expression: Expression) -> tuple[str | None, bool]:
        """A condition that a row of each trace fulfils for which the expression holds, and whether the first does."""
        if isinstance(expression, Not):
            return None, True
        if isinstance(expression, Comparison):
            spec = self._fields[expression.field.name]
            if expression.operator == "IS NULL":
                return None, True
            if spec.first:
                return self._comparison(expression, replace(spec, sql=(spec.first,))), True
            if spec.level not in (Level.SPAN, Level.ANY_SPAN):
                return None, True
            return f"{self.row(expression)}{self._words_of(expression, spec)}", False
        if _of_a_span(expression):
            return self.row(expression), False
        hints = [self.hint(operand) for operand in expression.operands]
        if isinstance(expression, And):
            return next((hint for hint in hints if hint[0] is not None), (None, True))
        rows = [row for row, _ in hints if row is not None]
        if len(rows) < len(hints):
            return None, True
        return f"({' OR '.join(rows)})", all(at_start for _, at_start in hints)

    def _words_of(self, comparison: Comparison, spec: FieldSpec) -> str:
        """That a span has the words of an attribute's value, which the index finds sooner than the attribute."""
        value = comparison.value
        if not self._words_indexed or not spec.keyed or comparison.operator != "=" or not isinstance(value, str):
            return ""
        if not re.search(r"[A-Za-z0-9]|[^\x00-\x7f]", value):
            return ""
        return f" AND hasAllTokens({TRACES['words'].sql[0]}, {self._bind(value.lower())})"

    def sum(self, comparison: Comparison) -> str:
        """A condition on the rows of genai_spans that are a trace's model calls."""
        name = comparison.field.name
        return self._comparison(comparison, replace(self._fields[name], sql=(_SUMS[name],)))

    def whole(self, expression: Expression) -> str:
        """A condition on the rows of a trace together."""
        if _of_a_span(expression):
            return f"countIf({self.row(expression)}) > 0"
        if isinstance(expression, Comparison):
            return self._of_trace(expression)
        if isinstance(expression, Not):
            return f"NOT ({self.whole(expression.operand)})"
        if isinstance(expression, Or):
            return f"({' OR '.join(self.whole(operand) for operand in expression.operands)})"
        operands = _flat(expression)
        same_span = tuple(operand for operand in operands if _of_a_span(operand))
        parts = [self.whole(operand) for operand in operands if operand not in same_span]
        if same_span:
            parts.append(self.whole(And(same_span) if len(same_span) > 1 else same_span[0]))
        return f"({' AND '.join(parts)})"

    def _of_trace(self, comparison: Comparison) -> str:
        spec = self._fields[comparison.field.name]
        if spec.level is Level.ANY_SPAN:
            if comparison.operator == "IS NULL":
                return f"countIf({self._present(spec, comparison)}) = 0"
            return f"countIf({self._comparison(comparison)}) > 0"
        if spec.level is Level.ASSESSMENT:
            return self._assessment(spec, comparison)
        if spec.level is Level.COST:
            priced = "SELECT TraceId FROM genai_calls WHERE TraceId IN (SELECT TraceId FROM candidates)"
            return f"TraceId IN ({priced} GROUP BY TraceId HAVING {self._comparison(comparison)})"
        return self._comparison(comparison)

    def _assessment(self, spec: FieldSpec, comparison: Comparison) -> str:
        conditions = ["Valid"]
        if spec.assessment_kind:
            conditions.append(f"Kind = '{spec.assessment_kind}'")
        if comparison.field.key is not None:
            conditions.append(f"Name = {self._bind(comparison.field.key)}")
        if comparison.operator not in PRESENCE:
            conditions.append(self._comparison(comparison))
        within = "NOT IN" if comparison.operator == "IS NULL" else "IN"
        return f"TraceId {within} (SELECT TraceId FROM feedback WHERE {' AND '.join(conditions)})"

    def _comparison(self, comparison: Comparison, spec: FieldSpec | None = None) -> str:
        spec = spec or self._fields[comparison.field.name]
        if comparison.operator in PRESENCE:
            present = self._present(spec, comparison)
            return present if comparison.operator == "IS NOT NULL" else f"NOT {present}"
        key = self._key(comparison)
        compared = [self._compare(spec, sql.replace("{key}", key), comparison) for sql in spec.sql]
        condition = compared[0]
        if len(compared) > 1:
            condition = f"({(' AND ' if comparison.operator in NEGATIVE else ' OR ').join(compared)})"
        if spec.present and (comparison.operator in NEGATIVE or spec.kind in (Kind.ANYTHING, Kind.NUMBER)):
            return f"({spec.present.replace('{key}', key)} AND {condition})"
        return condition

    def _present(self, spec: FieldSpec, comparison: Comparison) -> str:
        return spec.present.replace("{key}", self._key(comparison))

    def _key(self, comparison: Comparison) -> str:
        field = comparison.field
        if field.key is None or self._fields[field.name].level is Level.ASSESSMENT:
            return ""
        return self._bind(KEY_PREFIXES.get(field.name, "") + field.key)

    def _compare(self, spec: FieldSpec, left: str, comparison: Comparison) -> str:
        operator, value = comparison.operator, comparison.value
        if isinstance(value, tuple):
            return self._among(spec, left, operator, value)
        assert value is not None
        if spec.kind is Kind.WORDS:
            return f"hasAllTokens({left}, {self._bind(str(value).lower())})"
        if operator in _TEXT_OPERATORS:
            return _TEXT_OPERATORS[operator].format(left=left, right=self._bind(value))
        left, right = self._pair(spec, left, value)
        return f"{left} {operator} {right}"

    def _among(self, spec: FieldSpec, left: str, operator: str, values: tuple[Scalar, ...]) -> str:
        """Texts and numbers of one list are compared apart: each as what it is."""
        texts: list[Scalar] = [value for value in values if isinstance(value, str | bool)]
        numbers: list[Scalar] = [value for value in values if not isinstance(value, str | bool)]
        parts = []
        for chosen in filter(None, (texts, numbers)):
            left_side, _ = self._pair(spec, left, chosen[0])
            name = next(reversed(self.parameters))
            self.parameters[name] = [_plain(value) for value in chosen]
            kind = "String" if chosen is texts else "Float64"
            parts.append(f"{left_side} {operator} {{{name}:Array({kind})}}")
        joined = (" AND " if operator == "NOT IN" else " OR ").join(parts)
        return f"({joined})" if len(parts) > 1 else joined

    def _pair(self, spec: FieldSpec, left: str, value: Scalar) -> tuple[str, str]:
        """Both sides of a comparison: texts as texts, numbers as numbers."""
        if isinstance(value, str | bool):
            return left, self._bind(value)
        if spec.level is Level.ASSESSMENT:
            return "ifNull(NumericValue, nan)", self._bind(value)
        if spec.kind is Kind.ANYTHING:
            # What is no number is not equal to one, nor less.
            return f"ifNull(toFloat64OrNull({left}), nan)", self._bind(value)
        return left, self._bind(value)

    def _bind(self, value: Scalar) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = _plain(value)
        return f"{{{name}:{'String' if isinstance(value, str | bool) else 'Float64'}}}"


def _plain(value: Scalar) -> str | float:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else float(value)
