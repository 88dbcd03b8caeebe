"""The tree of a trace: its spans in the order in which they are shown, each at its depth and its place in time.

Spans are kept by column, not as objects: a trace may have tens of thousands.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

Numbers = Sequence[int]
Texts = Sequence[str]

ORPHANS: Final = -1
"""Stands in the order for the heading of spans whose parent has not come."""
CIRCLES: Final = -2
"""Stands in the order for the heading of spans that are their own ancestors."""
HEADINGS: Final = {ORPHANS: "Their parent has not come", CIRCLES: "Their parents go in a circle"}

_LONGEST: Final = 24 * 3600 * 10**9
"""What begins further than this from the trace's root does not stretch the time line (nanoseconds)."""

_TYPES: Final = {
    "chat": "CHAT_MODEL",
    "text_completion": "LLM",
    "generate_content": "LLM",
    "embeddings": "EMBEDDING",
    "retrieval": "RETRIEVER",
    "execute_tool": "TOOL",
    "invoke_agent": "AGENT",
    "create_agent": "AGENT",
    "invoke_workflow": "WORKFLOW",
}
"""The type of each operation of the conventions."""
_LABELS: Final = {
    "CHAT_MODEL": "Chat",
    "LLM": "LLM",
    "EMBEDDING": "Embed",
    "RETRIEVER": "Retrieve",
    "RERANKER": "Rerank",
    "TOOL": "Tool",
    "AGENT": "Agent",
    "WORKFLOW": "Workflow",
    "CHAIN": "Chain",
    "PARSER": "Parse",
    "MEMORY": "Memory",
    "TASK": "Task",
    "GUARDRAIL": "Guard",
    "EVALUATOR": "Judge",
    "": "Span",
}
_LOOKS: Final = {
    "model": ("CHAT_MODEL", "LLM"),
    "find": ("EMBEDDING", "RETRIEVER", "RERANKER", "MEMORY"),
    "tool": ("TOOL", "PARSER"),
    "agent": ("AGENT", "WORKFLOW"),
}


def span_type(operation: str, said: str = "") -> str:
    """The type that a span says it has, else that of its operation; empty where neither tells."""
    found = said.upper().replace(" ", "_") if said else _TYPES.get(operation, "")
    return "" if found == "UNKNOWN" else found


def type_label(of_type: str) -> str:
    """What is written for a type."""
    return _LABELS.get(of_type) or of_type.replace("_", " ").capitalize()[:12]


def type_look(of_type: str) -> str:
    """The colour of a type: ``model``, ``find``, ``tool``, ``agent`` or ``plain``."""
    return next((look for look, types in _LOOKS.items() if of_type in types), "plain")


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans of a trace by column, in the order in which they began. Times are nanoseconds."""

    ids: Texts
    parents: Texts
    """Empty for a root."""
    names: Texts
    services: Texts
    types: Texts
    starts: Numbers
    durations: Numbers
    failures: Numbers
    model_calls: Numbers
    input_tokens: Numbers
    output_tokens: Numbers
    costs: Sequence[float | None]
    session_id: str = ""
    user_id: str = ""
    cut: bool = False
    """Whether there are more than these."""


@dataclass(frozen=True, slots=True)
class Order:
    """How spans are shown: indexes of them and headings, and how deep each is."""

    rows: Sequence[int]
    depths: Numbers


def arrange(ids: Texts, parents: Texts) -> Order:
    """Parents before their children, each level in the order in which it began.

    Every span comes once: where several share an id, the first has the children; one whose parent is missing, or that
    is its own ancestor, comes under a heading at the end.
    """
    first: dict[str, int] = {}
    for index, span_id in enumerate(ids):
        first.setdefault(span_id, index)
    roots: list[int] = []
    orphans: list[int] = []
    children: dict[int, list[int]] = defaultdict(list)
    for index, parent in enumerate(parents):
        if not parent:
            roots.append(index)
        elif parent in first:
            children[first[parent]].append(index)
        else:
            orphans.append(index)
    rows: list[int] = []
    depths: list[int] = []
    seen = bytearray(len(ids))

    def walk(tops: Iterable[int], depth: int) -> None:
        waiting = [(index, depth) for index in reversed(list(tops))]
        while waiting:
            index, at = waiting.pop()
            if seen[index]:
                continue
            seen[index] = 1
            rows.append(index)
            depths.append(at)
            if index in children:
                waiting.extend((child, at + 1) for child in reversed(children[index]))

    walk(roots, 0)
    if orphans:
        rows.append(ORPHANS)
        depths.append(0)
        walk(orphans, 1)
    if len(rows) - bool(orphans) < len(ids):
        rows.append(CIRCLES)
        depths.append(0)
        for index in range(len(ids)):
            walk([index], 1)
    return Order(rows, depths)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the tree, for the first of them, which the server writes."""

    number: int
    """From 1."""
    key: str
    """What names the span on this page; empty for a heading."""
    depth: int
    name: str
    label: str
    look: str
    service: str
    """Where it is another than the parent's."""
    duration: int | None
    left: float
    width: float
    """Per mille of the time line."""
    placed: bool
    """Whether it has a place on the time line."""
    failed: bool
    input_tokens: int
    output_tokens: int
    cost: float | None
    said: int
    """How many assessments speak of it."""
    children: bool


@dataclass(frozen=True)
class Waterfall:
    """A trace, ready to be shown."""

    spans: Spans
    order: Order
    keys: Texts
    """What names each span: its id, and ``.1``, ``.2`` … behind it where others before it have the same."""
    begin: int
    length: int
    """The time line; the length is at least 1 ns."""
    said: Mapping[str, int] = field(default_factory=dict)
    """How many assessments speak of a span, by its id."""

    @classmethod
    def of(cls, spans: Spans, said: Mapping[str, int]) -> "Waterfall":
        """Of at least one span."""
        order = arrange(spans.ids, spans.parents)
        begin, length = _time_line(spans, order.rows[0] if order.rows[0] >= 0 else order.rows[1])
        return cls(spans, order, _keys(spans.ids), begin, length, said)

    @property
    def root(self) -> int | None:
        """The index of the root span; None where it has not come."""
        return self.order.rows[0] if self.order.rows[0] >= 0 else None

    @property
    def top(self) -> int:
        """The index of the root, or of the first span that is shown."""
        return self.order.rows[0] if self.order.rows[0] >= 0 else self.order.rows[1]

    @cached_property
    def errors(self) -> int:
        """How many spans failed."""
        return sum(map(bool, self.spans.failures))

    @cached_property
    def tokens(self) -> tuple[int, int]:
        """Input and output tokens of the model calls."""
        calls = self.spans.model_calls
        return (
            sum(tokens for tokens, call in zip(self.spans.input_tokens, calls, strict=True) if call),
            sum(tokens for tokens, call in zip(self.spans.output_tokens, calls, strict=True) if call),
        )

    @cached_property
    def cost(self) -> float | None:
        """Dollars; None where none is known."""
        known = [cost for cost in self.spans.costs if cost is not None]
        return sum(known) if known else None

    @cached_property
    def unpriced(self) -> int:
        """How many model calls that did not fail have no known cost."""
        spans = self.spans
        rows = zip(spans.model_calls, spans.failures, spans.costs, strict=True)
        return sum(1 for call, failed, cost in rows if call and not failed and cost is None)

    @property
    def services(self) -> list[str]:
        """In the order of their first span."""
        return list(dict.fromkeys(filter(None, self.spans.services)))

    def index(self, key: str) -> int | None:
        """The span of a key."""
        try:
            return self.keys.index(key)
        except ValueError:
            return None

    def rows(self, start: int, count: int) -> Iterator[Row]:
        """Some rows, the first being 0."""
        shown = self.order.rows
        ancestors: list[int] = []
        for number in range(min(start + count, len(shown))):
            depth = self.order.depths[number]
            del ancestors[depth:]
            if number >= start:
                yield self._row(number, ancestors[-1] if ancestors else None)
            ancestors.append(shown[number])

    def _row(self, number: int, parent: int | None) -> Row:
        index, depth = self.order.rows[number], self.order.depths[number]
        children = number + 1 < len(self.order.rows) and self.order.depths[number + 1] > depth
        if index < 0:
            return Row(number + 1, "", depth, HEADINGS[index], "", "heading", "", None, 0, 0, False, False,
                       0, 0, None, 0, children)  # fmt: skip
        spans = self.spans
        service = spans.services[index]
        offset, length = spans.starts[index] - self.begin, self.length
        left = min(max(offset / length, 0), 1) * 1000
        right = min(max((offset + spans.durations[index]) / length, 0), 1) * 1000
        return Row(
            number=number + 1,
            key=self.keys[index],
            depth=depth,
            name=spans.names[index],
            label=type_label(spans.types[index]),
            look=type_look(spans.types[index]),
            service=service if parent is None or parent < 0 or spans.services[parent] != service else "",
            duration=spans.durations[index],
            left=round(left, 2),
            width=round(right - left, 2),
            placed=0 <= offset <= length,
            failed=bool(spans.failures[index]),
            input_tokens=spans.input_tokens[index],
            output_tokens=spans.output_tokens[index],
            cost=spans.costs[index],
            said=self.said.get(spans.ids[index], 0),
            children=children,
        )

    def json(self) -> str:
        """Everything that the browser needs to draw the tree: columns in the order of the rows.

        It is safe within a ``script`` element: no ``<`` stands in it.
        """
        spans = self.spans
        rows = self.order.rows
        names, name_numbers = _numbered([HEADINGS[row] if row < 0 else spans.names[row] for row in rows])
        services, service_numbers = _numbered(["" if row < 0 else spans.services[row] for row in rows])
        types, type_numbers = _numbered(["" if row < 0 else spans.types[row] for row in rows])
        columns = {
            "length": self.length,
            "names": names,
            "services": services,
            "labels": [type_label(of_type) for of_type in types],
            "looks": [type_look(of_type) for of_type in types],
            "key": ["" if row < 0 else self.keys[row] for row in rows],
            "depth": self.order.depths,
            "name": name_numbers,
            "service": service_numbers,
            "type": type_numbers,
            "start": [0 if row < 0 else spans.starts[row] - self.begin for row in rows],
            "duration": [0 if row < 0 else spans.durations[row] for row in rows],
            "failed": [0 if row < 0 else int(spans.failures[row]) for row in rows],
            "input": [0 if row < 0 else spans.input_tokens[row] for row in rows],
            "output": [0 if row < 0 else spans.output_tokens[row] for row in rows],
            "cost": [None if row < 0 else _rounded(spans.costs[row]) for row in rows],
            "said": self.said,
        }
        return json.dumps(columns, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _numbered(texts: Sequence[str]) -> tuple[list[str], list[int]]:
    """The different texts, and for each text its number among them."""
    numbers: dict[str, int] = {}
    found = [numbers.setdefault(text, len(numbers)) for text in texts]
    return list(numbers), found


def _rounded(cost: float | None) -> float | None:
    """A cost as short as what is shown of it needs."""
    return None if cost is None else round(cost, 9)


def _keys(ids: Texts) -> list[str]:
    if len(set(ids)) == len(ids):
        return list(ids)
    times: dict[str, int] = {}
    keys = []
    for span_id in ids:
        before = times.get(span_id, 0)
        times[span_id] = before + 1
        keys.append(f"{span_id}.{before}" if before else span_id)
    return keys


def _time_line(spans: Spans, reference: int) -> tuple[int, int]:
    """Where the time line begins and how long it is: of the spans that begin within a day of the reference."""
    at = spans.starts[reference]
    near = [
        (start, start + duration)
        for start, duration in zip(spans.starts, spans.durations, strict=True)
        if abs(start - at) <= _LONGEST
    ]
    begin = min(start for start, _ in near)
    end = max(end for _, end in near)
    return begin, max(end - begin, 1)
