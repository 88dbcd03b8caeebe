"""What reviewers have done with items, as its table holds it."""

import json
from typing import Any, Final

from hansei.feedback.labeling.model import Work
from hansei.feedback.labeling.statements import statement
from hansei.feedback.search.connection import Query
from hansei.feedback.web.tables import Tables

_COLUMNS: Final = (
    "SessionId", "ItemId", "Reviewer", "State", "LeasedAt", "LeaseUntil", "Draft", "Flag", "Seconds", "Written",
)  # fmt: skip


def read_work(query: Query, session_id: str) -> list[Work]:
    """The work of all reviewers of a session."""
    return [work_of(row) for row in query(statement("labeling_work"), {"session_id": session_id})]


def insert_work(store: Tables, session_id: str, work: Work) -> int:
    """Write a reviewer's work on an item as it is from now on; answers the moment that was written with it."""
    written = store.clock.tick()
    row = (
        session_id,
        work.item_id,
        work.reviewer,
        work.state,
        work.leased_ms,
        work.lease_until_ms,
        json.dumps(dict(work.draft), ensure_ascii=False),
        work.flag,
        work.seconds,
        written,
    )
    store.insert("labeling_work", _COLUMNS, [row])
    return written


def work_of(row: dict[str, Any]) -> Work:
    """Work of its row."""
    return Work(
        item_id=row["ItemId"],
        reviewer=row["Reviewer"],
        state=row["State"],
        leased_ms=row["LeasedMs"],
        lease_until_ms=row["LeaseUntilMs"],
        draft=json.loads(row["Draft"]) if row["Draft"] else {},
        flag=row["Flag"],
        seconds=row["Seconds"],
        written=row["Written"],
    )
