"""The filter language: what is understood, what is refused and how, and the SQL that it becomes."""

import os
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansei.feedback.search.errors import FilterError
from hansei.feedback.search.filter_fields import ORDER, SESSIONS, TRACES, FieldSpec, Kind
from hansei.feedback.search.filter_parser import MAX_LENGTH, parse
from hansei.feedback.search.filter_sql import session_condition, trace_conditions
from hansei.feedback.search.filter_tree import And, Comparison, Expression, Field, Not, Or

GOLDEN = Path(__file__).with_name("search_filters.golden.sql")

OF_TRACES = [
    "attributes.status = 'ERROR'",
    "trace.execution_time_ms > 500 AND trace.timestamp_ms >= 1700000000000",
    "trace.name LIKE 'chat%'",
    "tags.env = 'prod'",
    "tags.`a.b` != 'x'",
    "tags.env IS NULL",
    "tags.env IS NOT NULL",
    "metadata.`mlflow.trace.session` = 's'",
    "metadata.retries >= 2",
    "metadata.retries IN (1, 2, 'many')",
    "span.name = 'search' AND span.type = 'TOOL' AND service = 'shop'",
    "span.attributes.gen_ai.request.model ILIKE '%GPT%'",
    "span.attributes.x IS NULL AND span.status = 'error'",
    "span.name = 'a' OR span.name = 'b'",
    "(span.name = 'a' AND span.duration_ms < 10) OR user = 'ann'",
    "NOT span.name = 'a'",
    "NOT (service = 'a' OR trace.status = 'OK')",
    "feedback.helpful = false",
    "feedback.score <= 0.5 AND expectation.answer RLIKE '^a'",
    "feedback.name = 'helpful'",
    "feedback.`name` = 'helpful'",
    "feedback.helpful IS NULL",
    "feedback.helpful = true OR cost > 0.01",
    "run_id = 'r' AND labeling_session IN ('a', 'b')",
    "model NOT IN ('a', 'b')",
    "model = 'gpt' AND provider IS NOT NULL AND error_type != 'timeout'",
    "tokens > 1000 AND cost <= 1.5",
    "text ~ 'refund'",
    "trace.id = '0af7651916cd43dd8448eb211c80319c'",
]
OF_SESSIONS = [
    "user = 'ann' AND calls > 3",
    "NOT (cost > 1 OR errors = 0) OR session LIKE 's-%'",
]


def written() -> str:
    """The SQL of every example, as the golden file holds it."""
    lines = []
    for text in OF_TRACES:
        made = trace_conditions(parse(text))
        lines.append(f"-- {text}")
        lines += [f"span: {condition}" for condition in made.spans]
        lines += [f"trace: {condition}" for condition in made.traces]
        lines += [f"having: {condition}" for condition in made.having]
        lines.append(f"with {made.parameters}\n")
    for text in OF_SESSIONS:
        condition, parameters = session_condition(parse(text, SESSIONS))
        lines += [f"-- {text}", f"session: {condition}", f"with {parameters}\n"]
    return "\n".join(lines)


def test_sql() -> None:
    """Each example becomes the SQL of the golden file; values and keys are parameters."""
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(written())
    assert written() == GOLDEN.read_text(), (
        "if the difference is meant: WRITE_GOLDEN=1 python -m pytest tests/feedback/test_search_filters.py"
    )


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("status = 'ok'", Comparison(Field("trace.status"), "=", "OK")),
        ("attr.name <> 'x'", Comparison(Field("trace.name"), "!=", "x")),
        ("tag.a = 1", Comparison(Field("tags", "a"), "=", 1)),
        ("TRACE.Status = \"ERROR\"", Comparison(Field("trace.status"), "=", "ERROR")),
        ("tags.\"a b\" = 'it''s'", Comparison(Field("tags", "a b"), "=", "it's")),
        ("tags.`a``b` = '\\'", Comparison(Field("tags", "a`b"), "=", "\\")),
        ("tags.`mlflow.traceName` = 'x'", Comparison(Field("trace.name"), "=", "x")),
        ("metadata.`mlflow.sourceRun` = 'x'", Comparison(Field("run"), "=", "x")),
        ("feedback.name = 'x'", Comparison(Field("feedback.name"), "=", "x")),
        ("feedback.`name` = 'x'", Comparison(Field("feedback", "name"), "=", "x")),
        ("feedback.ok=TRUE", Comparison(Field("feedback", "ok"), "=", True)),
        ("cost>-1.5e-3", Comparison(Field("cost"), ">", -0.0015)),
        ("model not in ('a','b')", Comparison(Field("model"), "NOT IN", ("a", "b"))),
        ("user is not null", Comparison(Field("user"), "IS NOT NULL", None)),
        (
            "cost > 1 or cost > 2 and not cost > 3",
            Or((Comparison(Field("cost"), ">", 1),
                And((Comparison(Field("cost"), ">", 2), Not(Comparison(Field("cost"), ">", 3)))))),
        ),
        (
            "(cost > 1 or cost > 2) and cost > 3",
            And((Or((Comparison(Field("cost"), ">", 1), Comparison(Field("cost"), ">", 2))),
                 Comparison(Field("cost"), ">", 3))),
        ),
    ],
)  # fmt: skip
def test_understood(text: str, tree: Expression) -> None:
    """Spellings, aliases, keys, values and precedence."""
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", 0, "the end is where a field should be"),
        ("foo = 'x'", 0, "foo is not a field; use trace.id"),
        ("status = 'ERROR' foo", 17, "foo cannot follow; use AND or OR"),
        ("status = 'WRONG'", 9, "'WRONG' is no status; use 'OK' or 'ERROR'"),
        ("status > 'OK'", 7, "> does not fit trace.status; use =, !=, IN, NOT IN"),
        ("cost > '5'", 7, "'5' is not a number; write one without quotes, such as 500"),
        ("model = 5", 8, "5 is not a text; write '5'"),
        ("tags = 'x'", 0, "tags needs a key; write tags.<key>"),
        ("tags.a < 'x'", 9, "'x' is not a number"),
        ("tags.a LIKE 5", 12, "5 is not a text; write '5'"),
        ("user = ", 7, "the end is where a value should be"),
        ("user", 4, "the end is not an operator; use ="),
        ("user NOT 'x'", 9, "'x' is not an operator"),
        ("user IS 5", 8, "5 cannot follow IS"),
        ("user IN 'x'", 8, "'x' cannot follow IN; write IN ('a', 'b')"),
        ("user IN ('x'", 12, "the end cannot follow; write a comma or close"),
        ("(user = 'x'", 11, "the end cannot follow; close the parenthesis"),
        ("user = 'x", 7, "' is not closed; end the text with another '"),
        ("user = x", 7, "x is where a value should be"),
        ("user = $1", 7, "'$' has no meaning here"),
        ("user = 'x' -- comment", 11, "'-' has no meaning here"),
        ("user = '\0'", 8, "'\\x00' cannot be stored"),
        ("cost > 1e999", 7, "1e999 is too long for a number"),
        ("(" * 60 + "cost > 1", 50, "( is inside 50 others"),
        ("NOT " * 60 + "cost > 1", 200, "NOT is inside 50 others"),
        ("text = 'x'", 5, "= does not fit text; use ~, LIKE, ILIKE, RLIKE"),
        ("\u3000", 0, "'\\u3000' has no meaning here"),
    ],
)  # fmt: skip
def test_refused(text: str, place: int, said: str) -> None:
    """An error names what stands there and what would be allowed, and its caret is under the place."""
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.problem.startswith(said)
    assert caught.value.position == place
    message, line, caret = str(caught.value).split("\n")
    assert message == f"filter: {caught.value.problem}"
    if place < len(text) and text[place].isprintable():
        assert line[len(caret) - 1] == text[place]


def test_the_length_has_a_bound() -> None:
    """A filter longer than that is refused, not tried."""
    with pytest.raises(FilterError, match="characters; 20000 are allowed"):
        parse("x" * (MAX_LENGTH + 1))


def test_a_field_is_printed_as_it_is_named() -> None:
    """The names of the tables are understood, and no two fields share one."""
    for fields in (TRACES, SESSIONS):
        names = [name for spec in fields.specs for name in {spec.name, *spec.aliases}]
        assert len(set(names)) == len(names)
        for spec in fields.specs:
            operand = {Kind.NUMBER: "1", Kind.CHOICE: f"'{spec.choices[0]}'" if spec.choices else ""}.get(
                spec.kind, "'x'"
            )
            for operator in spec.kind.operators:
                value = "" if "NULL" in operator else f"({operand})" if "IN" in operator else operand
                value = "1" if operator in ORDER else value
                text = f"{spec.name}{'.key' if spec.keyed else ''} {operator} {value}".strip()
                assert str(parse(text, fields)).lower() == text.lower()


# --- any tree, any text ---

KEYS = st.text(min_size=0, max_size=8).filter(lambda key: "\0" not in key)
TEXTS = st.text(max_size=12).filter(lambda text: "\0" not in text)
NUMBERS = st.one_of(st.integers(-(10**18), 10**18), st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    """A comparison of any field of traces, as a parsed filter would have it."""
    spec: FieldSpec = draw(st.sampled_from(TRACES.specs))
    key = draw(KEYS) if spec.keyed else None
    operator = draw(st.sampled_from(spec.kind.operators))
    if "NULL" in operator:
        return Comparison(Field(spec.name, key), operator, None)
    if spec.choices:
        values: st.SearchStrategy[str | int | float | bool] = st.sampled_from(spec.choices)
    elif spec.kind is Kind.NUMBER or operator in ORDER:
        values = NUMBERS
    elif spec.kind is Kind.ANYTHING and operator in ("=", "!=", "IN"):
        values = st.one_of(TEXTS, NUMBERS, st.booleans())
    else:
        values = TEXTS
    if operator.endswith("IN"):
        return Comparison(Field(spec.name, key), operator, tuple(draw(st.lists(values, min_size=1, max_size=3))))
    return Comparison(Field(spec.name, key), operator, draw(values))


TREES = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda found: And(tuple(found)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda found: Or(tuple(found)), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)
WORDS = st.sampled_from(
    ["AND", "OR", "NOT", "(", ")", "IN", "LIKE", "IS", "NULL", "=", "<", "~", ",", "tags", ".", "`", "'", '"', "user",
     "trace.status", "tags.a", "feedback.name", "1", "1e5", "-", "'x'", "true", "\\", "é", "\n", "cost"]
)  # fmt: skip


@given(TREES)
@settings(max_examples=150, deadline=None)
def test_what_is_printed_is_parsed_to_the_same(tree: Expression) -> None:
    """A tree, printed and parsed, is that tree; and it becomes SQL that holds none of its texts."""
    text = str(tree)
    assert str(parse(text)) == text
    assert parse(text) == tree
    made = trace_conditions(tree)
    sql = " ".join([*made.spans, *made.traces, *made.having])
    assert set(sql) <= set(string.printable)
    assert {name for name in made.parameters if f"{{{name}:" not in sql} == set()


@given(st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=14).map(" ".join), st.lists(WORDS).map("".join)))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_another_error(text: str) -> None:
    """Whatever is written, it is a filter or a FilterError."""
    try:
        tree = parse(text)
    except FilterError as error:
        place = error.position
    else:
        place = 0
        assert parse(str(tree)) == tree
    assert 0 <= place <= len(text)
