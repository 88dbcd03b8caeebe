"""A filter as a tree. ``str()`` of a tree is a filter that is parsed to the same tree."""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

Scalar: TypeAlias = str | int | float | bool
"""A value in a filter."""

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared: a field by its first name, and its key where it is one of many (a tag, an attribute)."""

    name: str
    key: str | None = None

    def __str__(self) -> str:
        if self.key is None:
            return self.name
        # What is a field of its own, as feedback.name is, has a key of that name in backticks.
        if _PLAIN_KEY.fullmatch(self.key) and self.key != "name":
            return f"{self.name}.{self.key}"
        return f"{self.name}.`{self.key.replace('`', '``')}`"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field, an operator as it is printed, and the value: a tuple for ``IN``, None for ``IS NULL``."""

    field: Field
    operator: str
    value: Scalar | tuple[Scalar, ...] | None

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.field} {self.operator}"
        if isinstance(self.value, tuple):
            return f"{self.field} {self.operator} ({', '.join(map(_literal, self.value))})"
        return f"{self.field} {self.operator} {_literal(self.value)}"


@dataclass(frozen=True, slots=True)
class Not:
    """The traces that the operand does not hold for."""

    operand: "Expression"

    def __str__(self) -> str:
        return f"NOT {_inside(self.operand)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more."""

    operands: "tuple[Expression, ...]"

    def __str__(self) -> str:
        return " AND ".join(map(_inside, self.operands))


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more."""

    operands: "tuple[Expression, ...]"

    def __str__(self) -> str:
        return " OR ".join(map(_inside, self.operands))


Expression: TypeAlias = Comparison | Not | And | Or


def _inside(expression: Expression) -> str:
    return f"({expression})" if isinstance(expression, And | Or) else str(expression)


def _literal(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
