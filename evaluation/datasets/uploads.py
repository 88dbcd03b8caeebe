"""What was sent to be merged, until it is: pieces of an upload, in the order in which they were sent."""

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hansei.evaluation.datasets.given import Given, given_of_text
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.statements import statement
from hansei.feedback.labeling.texts import brief
from hansei.feedback.search.connection import Query
from hansei.feedback.web.tables import Tables

_COLUMNS: Final = ("UploadId", "RecordId", "Number", "Given")
_AT_ONCE: Final = 500
_FORM: Final = re.compile("u-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent of one record."""

    record_id: str
    given: Sequence[Given]
    first: int
    """Its place in the order of what was sent: nanoseconds since 1970 and a number within."""


def new_upload_id() -> str:
    """An id that no other upload has."""
    return f"u-{uuid.uuid4().hex}"


def checked_upload_id(given: object) -> str:
    """The id of an upload that was begun. Raises ``InvalidEvaluation``."""
    if not isinstance(given, str) or not _FORM.fullmatch(given):
        raise InvalidEvaluation(f"upload_id: {brief(given)} is none; give that which the first request was answered")
    return given


def add_to_upload(tables: Tables, upload_id: str, given: Sequence[Given]) -> None:
    """Keep records until they are merged; after two days they are dropped."""
    rows = [(upload_id, each.record_id, tables.clock.tick(), each.text()) for each in given]
    tables.insert("dataset_uploads", _COLUMNS, rows)


def read_upload(query: Query, upload_id: str) -> Iterator[list[Sent]]:
    """What was sent, some records at a time."""
    after = ""
    while True:
        asked = {"upload_id": upload_id, "after_id": after, "limit": _AT_ONCE}
        rows = query(statement("datasets", "upload_page"), asked)
        if rows:
            yield [Sent(row["RecordId"], [given_of_text(each) for each in row["Pieces"]], row["First"]) for row in rows]
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1]["RecordId"]
