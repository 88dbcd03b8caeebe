"""The records of a version as a list that can be exported."""

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from hansei.evaluation.datasets.record import DatasetInfo, DatasetRecord
from hansei.evaluation.datasets.record_json import source_json
from hansei.evaluation.datasets.records import BEGINNING, read_records
from hansei.feedback.export.asked import HIGHEST_LIMIT
from hansei.feedback.export.columns import Column, Row
from hansei.feedback.export.lists import Exported, Page
from hansei.feedback.export.requests import list_export
from hansei.feedback.search.moment import Moment
from hansei.feedback.search.page import place_of, token_of

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

COLUMNS: Final = (
    Column("record_id", "String"),
    Column("inputs", "String", is_json=True),
    Column("outputs", "Nullable(String)", is_json=True),
    Column("expectations", "String", is_json=True),
    Column("tags", "String", is_json=True),
    Column("source", "String", is_json=True),
    Column("version", "UInt32"),
)
_PAGE: Final = 1000


def records_export(info: DatasetInfo, version: int) -> Exported:
    """The records of a version, in their order."""

    def read(
        site: "Site", asked: dict[str, Any], start: Moment | None, end: Moment | None, count: int, token: str | None
    ) -> Page:
        position, record_id = BEGINNING if token is None else place_of(token, int, str)
        found = read_records(site.reader.query, info.dataset_id, version, after=(position, record_id), limit=count + 1)
        last = found[count - 1] if len(found) > count else None
        return Page([_row(each) for each in found[:count]], token_of(last.position, last.record_id) if last else None)

    return Exported("records", COLUMNS, frozenset({"version"}), _PAGE, read)


async def send_records(site: "Site", request: Request, info: DatasetInfo, version: int) -> Response:
    """The records of a version as a file: all of them, where the address names no limit. Raises ``InvalidSearch``."""
    query = request.url.query
    if not any(name == "limit" for name, _ in parse_qsl(query)):
        query = f"{query}&limit={HIGHEST_LIMIT}" if query else f"limit={HIGHEST_LIMIT}"
    whole = Request({**request.scope, "query_string": query.encode()}, request.receive)
    return await list_export(site, records_export(info, version))(whole)


def _row(record: DatasetRecord) -> Row:
    return (
        record.record_id,
        record.inputs,
        record.outputs,
        dict(record.expectations),
        dict(record.tags),
        source_json(record),
        record.version,
    )
