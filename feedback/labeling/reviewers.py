"""Reviewers and their links, as their table holds them."""

import hashlib
import secrets
import time
from typing import Any, Final

from hansei.feedback.labeling.model import ReviewerRecord
from hansei.feedback.labeling.statements import statement
from hansei.feedback.labeling.store import LabelingStore
from hansei.feedback.search.connection import Query

UNKNOWN: Final = "unknown"
"""A link that was never given out, was replaced by another or taken back, or whose session is gone."""
EXPIRED: Final = "expired"

_COLUMNS: Final = (
    "SessionId", "Reviewer", "Role", "LinkHash", "ExpiresAt", "Deleted", "ChangedBy", "Written",
)  # fmt: skip
_TOKEN_BYTES: Final = 32


def new_link_token() -> str:
    """What makes a link good: 256 random bits, in 43 characters that a URL may have."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def link_hash(link_token: str) -> str:
    """What is kept of a link. So many random bits need no slow hash."""
    return hashlib.sha256(link_token.encode(errors="replace")).hexdigest()


def reviewers_of(query: Query, session_id: str) -> list[ReviewerRecord]:
    """Who works on a session, by name; reviewers and arbiters."""
    return [reviewer_of(row) for row in query(statement("labeling_reviewers"), {"session_id": session_id})]


def reviewer_by_link(
    query: Query, link_token: str, *, now_ms: int | None = None
) -> tuple[ReviewerRecord | None, str]:
    """Whose link it is, and an empty text; or None, and why: ``unknown`` or ``expired``."""
    rows = query(statement("labeling_reviewer_by_link"), {"link_hash": link_hash(link_token)})
    if not rows:
        return None, UNKNOWN
    found = reviewer_of(rows[0])
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    return (found, "") if now < found.expires_ms else (None, EXPIRED)


def insert_reviewer(
    store: LabelingStore, record: ReviewerRecord, *, changed_by: str = "", deleted: bool = False
) -> None:
    """Write a reviewer as it is from now on; ``deleted`` takes the link back."""
    row = (
        record.session_id,
        record.reviewer,
        record.role,
        record.link_hash,
        record.expires_ms,
        int(deleted),
        changed_by,
        store.clock.tick(),
    )
    store.insert("labeling_reviewers", _COLUMNS, [row])


def reviewer_of(row: dict[str, Any]) -> ReviewerRecord:
    """A reviewer of its row."""
    return ReviewerRecord(
        session_id=row["SessionId"],
        reviewer=row["Reviewer"],
        role=row["Role"],
        link_hash=row["LinkHash"],
        expires_ms=row["ExpiresMs"],
    )
