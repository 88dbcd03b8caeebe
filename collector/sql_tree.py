"""The syntax tree of a statement, read from the text of ``EXPLAIN AST``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hansei.collector.sql_errors import denied

_LINE = re.compile(r"(?P<indent> *)(?P<kind>[A-Za-z_:]+)(?: (?P<rest>.*))?", re.DOTALL)
_MARKED = re.compile(r"(?P<name>.*?)(?: \(alias (?P<alias>.*?)\))?(?: \(children \d+\))?", re.DOTALL)
MARKS = (" (alias ", " (children ")
"""What the engine puts behind an unquoted name. The guard takes no name with such a mark in it."""


@dataclass(slots=True)
class Node:
    """A line of ``EXPLAIN AST`` and what is below it."""

    kind: str
    rest: str
    """What stands behind the kind: a name, the value of a literal, marks."""
    parent: "Node | None"
    children: "list[Node]" = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name, without marks."""
        return str(self._marked["name"])

    @property
    def alias(self) -> str | None:
        """The name that ``AS`` gives to it."""
        alias: str | None = self._marked["alias"]
        return alias

    @property
    def _marked(self) -> re.Match[str]:
        match = _MARKED.fullmatch(self.rest)
        assert match is not None
        return match

    @property
    def arguments(self) -> "list[Node]":
        """The arguments of a function."""
        first = self.children[0] if self.children else None
        return first.children if first is not None and first.kind == "ExpressionList" else []

    def is_below(self, kind: str) -> bool:
        """Whether the node right above is of this kind."""
        return self.parent is not None and self.parent.kind == kind


def parse(tree: str) -> list[Node]:
    """All nodes, in the order of the text. Raises :class:`~hansei.collector.sql_errors.SqlError`."""
    return list(_nodes(tree))


def _nodes(tree: str) -> Iterator[Node]:
    above: list[Node] = []
    # Not splitlines(): the engine escapes \n in what a caller wrote, but none of the other characters that
    # Unicode counts as the end of a line.
    for line in tree.split("\n"):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        depth = len(match["indent"]) if match is not None else 0
        if match is None or depth > len(above):
            raise denied(line.strip())
        del above[depth:]
        node = Node(match["kind"], match["rest"] or "", above[-1] if above else None)
        if above:
            above[-1].children.append(node)
        above.append(node)
        yield node
