"""Reviewers, arbiters and their links.

A link is all that a reviewer needs. It holds 256 random bits and is told once, when it is made; only a hash of it is
kept, so that nobody who reads the tables can use it. It ends by its time, by a new one for the same reviewer, when the
reviewer is taken away, and with its session.
"""

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hansei.feedback.labeling.errors import InvalidLabeling, UnknownLabeling
from hansei.feedback.labeling.model import ARBITER, REVIEWER, LabelingSessionRecord, ReviewerRecord
from hansei.feedback.labeling.statements import statement
from hansei.feedback.labeling.texts import brief, plain_text
from hansei.feedback.search.connection import Query
from hansei.feedback.web.tables import Tables

UNKNOWN: Final = "unknown"
"""A link that was never given out, was replaced by another or taken back, or whose session is gone."""
EXPIRED: Final = "expired"

MOST_REVIEWERS: Final = 1_000
"""Of a session."""
LONGEST_REVIEWER: Final = 320
"""Characters; that of an address."""
_DAY_MS: Final = 86_400_000
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


def reviewers_of_sessions(query: Query, session_ids: Sequence[str]) -> dict[str, list[ReviewerRecord]]:
    """As :func:`reviewers_of`, of some sessions, by id."""
    found: dict[str, list[ReviewerRecord]] = {session_id: [] for session_id in session_ids}
    for row in query(statement("labeling_reviewers_of_sessions"), {"session_ids": list(session_ids)}):
        found[row["SessionId"]].append(reviewer_of(row))
    return found


def reviewer_by_link(query: Query, link_token: str, *, now_ms: int | None = None) -> tuple[ReviewerRecord | None, str]:
    """Whose link it is, and an empty text; or None, and why: ``unknown`` or ``expired``."""
    rows = query(statement("labeling_reviewer_by_link"), {"link_hash": link_hash(link_token)})
    if not rows:
        return None, UNKNOWN
    found = reviewer_of(rows[0])
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    return (found, "") if now < found.expires_ms else (None, EXPIRED)


def checked_reviewers(users: object, arbiters: object = ()) -> dict[str, str]:
    """The role of each. Raises :class:`InvalidLabeling`."""
    roles: dict[str, str] = {}
    for argument, given, role in (("assigned_users", users, REVIEWER), ("arbiters", arbiters, ARBITER)):
        if isinstance(given, str) or not isinstance(given, Sequence) or len(given) > MOST_REVIEWERS:
            raise InvalidLabeling(
                f"{argument}: {brief(given)} is not a list of up to {MOST_REVIEWERS} names or addresses"
            )
        for each in given:
            name = plain_text(argument, each, LONGEST_REVIEWER).strip()
            if roles.setdefault(name, role) != role:
                raise InvalidLabeling(
                    f"arbiters: {brief(name)} is an assigned user too; give somebody else, who decides between others"
                )
    return roles


def set_reviewers(
    store: Tables, session: LabelingSessionRecord, roles: Mapping[str, str], *, changed_by: str
) -> dict[str, str]:
    """Let exactly these work on a session, by name and role. Answers the links' tokens of those who are new.

    Who stays keeps their link; the links of others end.
    """
    made: dict[str, str] = {}
    with store.turn:
        before = {record.reviewer: record for record in reviewers_of(store.query, session.session_id)}
        for name, role in roles.items():
            known = before.get(name)
            if known is None:
                made[name] = _give_link(store, session, name, role, changed_by)
            elif known.role != role:
                insert_reviewer(store, replace(known, role=role), changed_by=changed_by)
        for name, record in before.items():
            if name not in roles:
                insert_reviewer(store, record, changed_by=changed_by, deleted=True)
    return made


def rotate_link(store: Tables, session: LabelingSessionRecord, reviewer: str, *, changed_by: str) -> str:
    """Give a reviewer a new link, good for as long as the session says; the one before ends. Answers its token.

    Raises :class:`UnknownLabeling`.
    """
    with store.turn:
        role = existing_reviewer(store.query, session.session_id, reviewer).role
        return _give_link(store, session, reviewer, role, changed_by)


def remove_reviewer(store: Tables, session_id: str, reviewer: str, *, changed_by: str) -> None:
    """End a reviewer's work on a session, and the link. Raises :class:`UnknownLabeling`."""
    with store.turn:
        found = existing_reviewer(store.query, session_id, reviewer)
        insert_reviewer(store, found, changed_by=changed_by, deleted=True)


def existing_reviewer(query: Query, session_id: str, reviewer: str) -> ReviewerRecord:
    """Who works on a session under a name. Raises :class:`UnknownLabeling`."""
    found = next((each for each in reviewers_of(query, session_id) if each.reviewer == reviewer), None)
    if found is None:
        raise UnknownLabeling(f"nobody by the name of {brief(reviewer)} works on this labeling session")
    return found


def _give_link(store: Tables, session: LabelingSessionRecord, reviewer: str, role: str, changed_by: str) -> str:
    token = new_link_token()
    expires_ms = store.clock.tick() // 1_000_000 + round(session.settings.link_days * _DAY_MS)
    record = ReviewerRecord(session.session_id, reviewer, role, link_hash(token), expires_ms)
    insert_reviewer(store, record, changed_by=changed_by)
    return token


def insert_reviewer(store: Tables, record: ReviewerRecord, *, changed_by: str = "", deleted: bool = False) -> None:
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
