"""From a filter's text to its tree: MLflow's language, and OR, NOT and parentheses.

    filter     = and { OR and }
    and        = not { AND not }
    not        = NOT not | "(" filter ")" | comparison
    comparison = field ( "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=" | "~" ) value
               | field [ NOT ] ( LIKE | ILIKE | RLIKE ) text
               | field [ NOT ] IN "(" value { "," value } ")"
               | field IS [ NOT ] NULL
    field      = word { "." ( word | `any text` | "any text" ) }
    value      = 'text' | "text" | number | true | false

Keywords are known in any case. A quote inside its own kind of quotes is written twice.
"""

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from hansei.feedback.search.errors import FilterError
from hansei.feedback.search.filter_fields import CONTAINS, MLFLOW_KEYS, ORDER, TRACES, Fields, FieldSpec, Kind
from hansei.feedback.search.filter_tree import And, Comparison, Expression, Field, Not, Or, Scalar

MAX_LENGTH: Final = 20_000
"""Characters of a filter."""
MAX_DEPTH: Final = 50
"""Parentheses and NOTs inside one another."""
_SHOWN: Final = 60
"""Characters of a token that an error repeats."""

_TOKEN: Final = re.compile(
    r"""
    \s*(?:
        (?P<path>[A-Za-z_]\w*(?:\s*\.\s*(?:\w+|`(?:[^`]|``)*`|"(?:[^"]|"")*"))*)
      | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<sign><=|>=|!=|<>|[=<>~(),])
      | (?P<end>\Z)
    )
    """,
    re.VERBOSE | re.ASCII,
)
_SPACE: Final = re.compile(r"\s*", re.ASCII)
_PART: Final = re.compile(r"""\s*\.?\s*(?:(\w+)|`((?:[^`]|``)*)`|"((?:[^"]|"")*)")""", re.ASCII)
_KEYWORDS: Final = frozenset(["AND", "OR", "NOT", "LIKE", "ILIKE", "RLIKE", "IN", "IS", "NULL", "TRUE", "FALSE"])
_SIGNS: Final = ("=", "!=", "<>", *ORDER, CONTAINS)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int

    @property
    def keyword(self) -> str:
        """The keyword that it is, in capitals, or an empty text."""
        word = self.text.upper()
        return word if self.kind == "path" and word in _KEYWORDS else ""

    def shown(self) -> str:
        """As an error names it."""
        if self.kind == "end":
            return "the end"
        return self.text if len(self.text) <= _SHOWN else self.text[:_SHOWN] + "…"


def parse(text: str, fields: Fields = TRACES) -> Expression:
    """The tree of a filter. Raises :class:`FilterError`, and nothing else."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"it has {len(text)} characters; {MAX_LENGTH} are allowed", text, 0)
    for position, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise FilterError(f"{character!r} cannot be stored, so nothing has it; leave it out", text, position)
    return _Parser(text, fields).filter()


def parse_any(filter_string: str | None) -> Expression:
    """The tree of a filter of traces that may be missing; of nothing, what always holds. Raises ``FilterError``."""
    return parse(filter_string) if filter_string and filter_string.strip() else And(())


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            at = _SPACE.match(text, position).end()  # type: ignore[union-attr]  # it matches anywhere
            if text[at] in "'\"`":
                raise FilterError(f"{text[at]} is not closed; end the text with another {text[at]}", text, at)
            raise FilterError(f"{text[at]!r} has no meaning here; texts are written in 'quotes'", text, at)
        kind = match.lastgroup
        found.append(_Token(kind, match[kind], match.start(kind)))
        position = match.end()
    return found


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])


class _Parser:
    """One run over the tokens of a filter."""

    def __init__(self, text: str, fields: Fields) -> None:
        self._text = text
        self._fields = fields
        self._tokens = _tokens(text)
        self._index = 0
        self._depth = 0

    def filter(self) -> Expression:
        """The whole text."""
        expression = self._or()
        if self._next.kind != "end":
            self._fail("cannot follow; use AND or OR")
        return expression

    @property
    def _next(self) -> _Token:
        return self._tokens[self._index]

    def _take(self) -> _Token:
        token = self._next
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def _accept(self, *words: str) -> str:
        """The next token, if it is one of these keywords or signs, else an empty text."""
        token = self._next
        found = token.keyword or (token.text if token.kind == "sign" else "")
        if found not in words:
            return ""
        self._take()
        return found

    def _fail(self, problem: str, token: _Token | None = None) -> NoReturn:
        token = token or self._next
        raise FilterError(f"{token.shown()} {problem}", self._text, token.position)

    def _or(self) -> Expression:
        operands = [self._and()]
        while self._accept("OR"):
            operands.append(self._and())
        return Or(tuple(operands)) if len(operands) > 1 else operands[0]

    def _and(self) -> Expression:
        operands = [self._not()]
        while self._accept("AND"):
            operands.append(self._not())
        return And(tuple(operands)) if len(operands) > 1 else operands[0]

    def _not(self) -> Expression:
        token = self._next
        opened = self._accept("NOT", "(")
        if not opened:
            return self._comparison()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"is inside {MAX_DEPTH} others, as many as are allowed", token)
        expression: Expression
        if opened == "NOT":
            expression = Not(self._not())
        else:
            expression = self._or()
            if not self._accept(")"):
                self._fail("cannot follow; close the parenthesis, or use AND or OR")
        self._depth -= 1
        return expression

    def _comparison(self) -> Comparison:
        field, spec = self._field()
        operator_token = self._next
        operator = self._operator(spec)
        if operator not in spec.kind.operators:
            self._fail(f"does not fit {field}; use {', '.join(spec.kind.operators)}", operator_token)
        if operator.endswith("NULL"):
            return Comparison(field, operator, None)
        if operator.endswith("IN"):
            return Comparison(field, operator, self._list(spec))
        return Comparison(field, operator, self._value(spec, operator))

    def _field(self) -> tuple[Field, FieldSpec]:
        token = self._take()
        if token.kind != "path" or token.keyword:
            self._fail(f"is where a field should be; use {self._fields.shown()}", token)
        parts = [word or backticks.replace("``", "`") or quotes.replace('""', '"')
                 for word, backticks, quotes in _PART.findall(token.text)]  # fmt: skip
        quoted = token.text.rstrip()[-1] in '`"'
        name = ".".join([parts[0].lower(), *parts[1:]])
        # In quotes it is a key, also where a field of its own has that name.
        if not quoted and (spec := self._fields.plain.get(name.lower())):
            return Field(spec.name), spec
        for length in (2, 1):
            known = self._fields.keyed.get(".".join(parts[:length]).lower())
            if known and len(parts) > length:
                key = ".".join(parts[length:])
                if renamed := MLFLOW_KEYS.get((known.name, key)):
                    return Field(renamed), self._fields[renamed]
                return Field(known.name, key), known
        if name in self._fields.keyed:
            self._fail(f"needs a key; write {name}.<key>, or {name}.`a key with.other characters`", token)
        self._fail(f"is not a field; use {self._fields.shown()}", token)

    def _operator(self, spec: FieldSpec) -> str:
        token = self._next
        if sign := self._accept(*_SIGNS):
            return "!=" if sign == "<>" else sign
        if self._accept("IS"):
            negated = self._accept("NOT")
            if not self._accept("NULL"):
                self._fail("cannot follow IS; write IS NULL or IS NOT NULL")
            return "IS NOT NULL" if negated else "IS NULL"
        negated = self._accept("NOT")
        if word := self._accept("LIKE", "ILIKE", "RLIKE", "IN"):
            return f"NOT {word}" if negated else word
        self._fail(f"is not an operator; use {', '.join(spec.kind.operators)}", self._next if negated else token)

    def _list(self, spec: FieldSpec) -> tuple[Scalar, ...]:
        if not self._accept("("):
            self._fail("cannot follow IN; write IN ('a', 'b')")
        values = [self._value(spec, "IN")]
        while self._accept(","):
            values.append(self._value(spec, "IN"))
        if not self._accept(")"):
            self._fail("cannot follow; write a comma or close the parenthesis")
        return tuple(values)

    def _value(self, spec: FieldSpec, operator: str) -> Scalar:
        token = self._take()
        value = self._scalar(token)
        if value is None:
            self._fail("is where a value should be; write a 'text' or a number", token)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if (spec.kind is Kind.NUMBER or operator in ORDER) and not number:
            self._fail("is not a number; write one without quotes, such as 500", token)
        ordered = spec.kind is Kind.ANYTHING and operator in ("=", "!=", "IN", *ORDER)
        if not isinstance(value, str) and spec.kind is not Kind.NUMBER and not ordered:
            self._fail(f"is not a text; write '{token.shown()}'", token)
        if spec.choices:
            value = str(value).upper()
            if value not in spec.choices:
                self._fail(f"is no {spec.name.rpartition('.')[2]}; use {' or '.join(map(repr, spec.choices))}", token)
        return value

    def _scalar(self, token: _Token) -> Scalar | None:
        if token.kind == "text":
            return _unquoted(token.text)
        if token.keyword in ("TRUE", "FALSE"):
            return token.keyword == "TRUE"
        if token.kind != "number":
            return None
        if len(token.text) > 40 or abs(float(token.text)) == float("inf"):
            self._fail("is too long for a number; 64 bits are compared", token)
        return int(token.text) if token.text.lstrip("+-").isdigit() else float(token.text)
