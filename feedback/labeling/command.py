"""``hansei labeling``: label schemas and labeling sessions of a running hansei, over its API."""

import sys
from collections.abc import Sequence
from pathlib import Path

from hansei.feedback.labeling.client import LabelingClient
from hansei.feedback.labeling.errors import LabelingError
from hansei.feedback.labeling.label_schema import list_label_schemas
from hansei.feedback.labeling.labeling_session import (
    LabelingSession,
    create_labeling_session,
    get_labeling_session,
)


def print_schemas() -> None:
    """The label schemas, a line each. Raises ``HanseiError``."""
    _table(
        ("NAME", "VERSION", "TYPE", "INPUT", "TITLE"),
        [(each.name, str(each.version), each.type, each.input.TYPE, each.title) for each in list_label_schemas()],
    )


def print_sessions() -> None:
    """The sessions, a line each, the newest first. Raises ``HanseiError``."""
    rows = [
        (
            each["session_id"],
            each["name"],
            each["status"],
            str(each["items"]),
            str(each["answers"]),
            ", ".join(one["reviewer"] for one in each["reviewers"]),
        )
        for each in LabelingClient().ask("GET", "labeling-sessions")["items"]
    ]
    _table(("ID", "NAME", "STATUS", "ITEMS", "ANSWERED", "REVIEWERS"), rows)


def create_session(
    name: str,
    schemas: Sequence[str],
    users: Sequence[str],
    arbiters: Sequence[str],
    *,
    reviewers_per_item: int,
    filter_string: str | None,
    max_results: int,
) -> None:
    """Make a session, and print its page and the links. Raises ``HanseiError``."""
    session = create_labeling_session(
        name,
        label_schemas=schemas,
        assigned_users=users,
        arbiters=arbiters,
        reviewers_per_item=reviewers_per_item,
    )
    print(session.url)
    _print_links(session)
    if filter_string is not None:
        added = session.add_traces(filter_string=filter_string, max_results=max_results).added
        print(f"{added.added if added else 0} traces were added")


def print_new_links(name: str, users: Sequence[str] | None) -> None:
    """Make new links, for everybody or for some, and print them. Raises ``HanseiError``."""
    session = get_labeling_session(name)
    for user in users or [*session.assigned_users, *session.arbiters]:
        session.rotate_link(user)
    _print_links(session)


def close_session(name: str) -> None:
    """Take no more answers. Raises ``HanseiError``."""
    session = get_labeling_session(name).close()
    print(f"{session.name} is closed")


def export_labels(name: str, file_format: str, output: Path | None) -> None:
    """Write the labels to a file or standard output. Raises ``HanseiError``."""
    content = get_labeling_session(name).export(file_format)
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise LabelingError(f"--output: {str(output)!r} cannot be written: {error.strerror}") from error


def _print_links(session: LabelingSession) -> None:
    _table(("REVIEWER", "LINK"), list(session.reviewer_links.items()))


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    whole = [heading, *rows]
    widths = [max(len(row[column]) for row in whole) for column in range(len(heading))]
    for row in whole:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
