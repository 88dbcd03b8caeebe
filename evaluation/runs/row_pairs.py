"""Which rows of two runs are about the same."""

from collections.abc import Callable, Sequence

from hansei.evaluation.json_text import canonical_json, plain_json
from hansei.evaluation.runs.record import RunRow

RowPair = tuple[RunRow, RunRow]


def paired_rows(before: Sequence[RunRow], after: Sequence[RunRow]) -> tuple[list[RowPair], int, int]:
    """The pairs of rows, and how many rows of each run have no partner.

    Rows are about the same where they are the same record of a dataset, else the same trace or conversation, else have
    the same inputs. Where several are, the first is paired with the first, the second with the second.
    """
    left, right = list(before), list(after)
    pairs: list[RowPair] = []
    for key in (_record, _subject, _inputs):
        found, left, right = _paired(key, left, right)
        pairs += found
    order = {id(row): place for place, row in enumerate(before)}
    return sorted(pairs, key=lambda pair: order[id(pair[0])]), len(left), len(right)


def _paired(
    key: Callable[[RunRow], str], before: Sequence[RunRow], after: Sequence[RunRow]
) -> tuple[list[RowPair], list[RunRow], list[RunRow]]:
    waiting: dict[str, list[RunRow]] = {}
    for row in reversed(after):
        if key(row):
            waiting.setdefault(key(row), []).append(row)
    pairs: list[RowPair] = []
    left = []
    for row in before:
        same = waiting.get(key(row)) if key(row) else None
        if same:
            pairs.append((row, same.pop()))
        else:
            left.append(row)
    taken = {id(row) for _, row in pairs}
    return pairs, left, [row for row in after if id(row) not in taken]


def _record(row: RunRow) -> str:
    return row.record_id


def _subject(row: RunRow) -> str:
    if row.trace_id:
        return f"trace {row.trace_id}"
    return f"session {row.session_id}" if row.session_id and row.inputs is None else ""


def _inputs(row: RunRow) -> str:
    return "" if row.inputs is None else canonical_json(plain_json(row.inputs))
