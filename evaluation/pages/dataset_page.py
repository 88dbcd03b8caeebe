"""A dataset: the records of a version with where they came from, its versions, and what differs between two."""

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hansei.collector.keys import Role
from hansei.evaluation.datasets.difference import count_differences, read_differences
from hansei.evaluation.datasets.file_export import send_records
from hansei.evaluation.datasets.file_merge import FileMerged, merge_file
from hansei.evaluation.datasets.files import format_of
from hansei.evaluation.datasets.info import delete_info, existing_info, existing_version, head_of, versions_of
from hansei.evaluation.datasets.merge import MergeResult, remove_records
from hansei.evaluation.datasets.record import DatasetInfo, DatasetRecord
from hansei.evaluation.datasets.records import BEGINNING, read_records
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.evaluation.pages.render import page
from hansei.feedback.labeling.sessions import read_sessions
from hansei.feedback.pages.render import HEADERS
from hansei.feedback.pages.session_address import session_address
from hansei.feedback.search.page import place_of, token_of

if TYPE_CHECKING:
    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site

LARGEST_FILE: Final = 256 * 1024**2
"""Bytes of a file that is imported."""
_AT_ONCE: Final = 25
_VERSIONS: Final = 200


class DatasetPages:
    """The pages of a dataset, and what their forms do."""

    def __init__(self, site: "Site") -> None:
        self._site = site

    async def dataset(self, request: Request) -> Response:
        """The records of a version, the latest where the address names none, and the versions."""
        return await self._shown(request)

    async def difference(self, request: Request) -> Response:
        """What differs between two versions; the form may name the one or the other first."""
        query = request.query_params
        end, start = _number("to", query.get("to", "")), _number("from", query.get("from", ""))
        after = "" if not query.get("page") else str(place_of(query["page"], str)[0])
        shown = await self._site.reader.run(
            _read_difference, self._site.reader.query, request.path_params["dataset_id"], start, end, after
        )
        return page(request, "dataset_diff.html", section="Datasets", address=session_address, **shown)

    async def export(self, request: Request) -> Response:
        """A version as a file."""
        info, version = await self._site.reader.run(
            _version_of, self._site.reader.query, request.path_params["dataset_id"],
            _number("version", request.query_params.get("version", "")),
        )  # fmt: skip
        return await send_records(self._site, request, info, version)

    async def import_file(self, request: Request) -> Response:
        """Merge a file."""
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > LARGEST_FILE:
            raise InvalidEvaluation(f"file: it is larger than {LARGEST_FILE // 1024**2} MiB; import it in parts")
        async with request.form(max_files=1, max_fields=5) as given:
            file = given.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                return await self._shown(request, error="file: there is none; choose a JSON lines, CSV or Parquet file")
            try:
                done = await run_in_threadpool(
                    self._import, request.path_params["dataset_id"], file, request.state.visitor.name
                )
            except EvaluationError as error:
                return await self._shown(request, error=str(error))
        return await self._shown(request, merge=done.merge, left_out=(done.unknown, done.without_inputs))

    async def remove(self, request: Request) -> Response:
        """Make a version without a record."""
        given = await request.form()
        result = await run_in_threadpool(
            self._remove, request.path_params["dataset_id"], str(given.get("record") or ""), request.state.visitor.name
        )
        return await self._shown(request, merge=result)

    async def delete(self, request: Request) -> Response:
        """Take it away."""
        deleting = partial(
            delete_info, self._site.tables, request.path_params["dataset_id"], changed_by=request.state.visitor.name
        )
        await self._site.reader.run(deleting)
        return RedirectResponse("/datasets", 303, HEADERS)

    def _import(self, dataset_id: str, file: UploadFile, who: str) -> FileMerged:
        name = Path(file.filename or "").name
        file_format = format_of(name)
        info = existing_info(self._site.reader.query, dataset_id)
        with tempfile.NamedTemporaryFile(dir=self._site.server.settings.data, suffix=".import") as kept:
            while piece := file.file.read(1024**2):
                kept.write(piece)
            kept.flush()
            return merge_file(
                self._site.tables, info, Path(kept.name), file_format, name, note=f"file {name}"[:500], changed_by=who
            )

    def _remove(self, dataset_id: str, record_id: str, who: str) -> MergeResult:
        info = existing_info(self._site.reader.query, dataset_id)
        return remove_records(self._site.tables, info, [record_id], note="a record removed by hand", changed_by=who)

    async def _shown(
        self,
        request: Request,
        *,
        error: str = "",
        merge: MergeResult | None = None,
        left_out: tuple[int, int] = (0, 0),
    ) -> Response:
        # What a form has just done is seen in the latest version, from its beginning.
        query = {} if request.method == "POST" else request.query_params
        version, token = _number("version", query.get("version", "")), query.get("page")
        after = BEGINNING if not token else place_of(token, int, str)
        shown = await self._site.reader.run(
            _read, self._site.reader.query, request.path_params["dataset_id"], version, tuple(after)
        )
        return page(
            request, "dataset.html", 400 if error else 200, section="Datasets", error=error, merge=merge,
            left_out=left_out, address=session_address, paged=bool(token),
            may_change=request.state.visitor.may(Role.REVIEW), **shown,
        )  # fmt: skip


def labeling_names(query: "Query") -> dict[str, str]:
    """The names of the labeling sessions, by their ids."""
    return {session.session_id: session.name for session in read_sessions(query)}


def _read(query: "Query", dataset_id: str, version: int | None, after: tuple[int, str]) -> dict[str, Any]:
    info = existing_info(query, dataset_id)
    head = head_of(query, info)
    shown = head if version is None else existing_version(query, info, version)
    found = read_records(query, info.dataset_id, shown.version, after=after, limit=_AT_ONCE + 1)
    more = found[_AT_ONCE - 1] if len(found) > _AT_ONCE else None
    versions = versions_of(query, info, limit=_VERSIONS)
    if shown not in versions:
        versions.append(shown)
    return {
        "info": info,
        "head": head,
        "version": shown,
        "versions": versions,
        "records": found[:_AT_ONCE],
        "next_page": token_of(more.position, more.record_id) if more else None,
        "labeling": _labeling_of(query, found),
    }


def _read_difference(query: "Query", dataset_id: str, start: int | None, end: int | None, after: str) -> dict[str, Any]:
    info = existing_info(query, dataset_id)
    last = existing_version(query, info, head_of(query, info).version if end is None else end)
    first = existing_version(query, info, max(0, last.version - 1) if start is None else start)
    found = read_differences(query, info.dataset_id, first.version, last.version, after_id=after, limit=_AT_ONCE + 1)
    records = [record for each in found for record in (each.before, each.after) if record]
    return {
        "info": info,
        "first": first,
        "last": last,
        "versions": versions_of(query, info, limit=1000),
        "counts": count_differences(query, info.dataset_id, first.version, last.version),
        "differences": found[:_AT_ONCE],
        "next_page": token_of(found[_AT_ONCE - 1].record_id) if len(found) > _AT_ONCE else None,
        "labeling": _labeling_of(query, records),
    }


def _labeling_of(query: "Query", records: list[DatasetRecord]) -> dict[str, str]:
    """The names of the labeling sessions, where a record came from one."""
    labelled = any(label.labeling_session_id for record in records for label in record.labels.values())
    return labeling_names(query) if labelled else {}


def _version_of(query: "Query", dataset_id: str, version: int | None) -> tuple[DatasetInfo, int]:
    info = existing_info(query, dataset_id)
    return info, existing_version(query, info, head_of(query, info).version if version is None else version).version


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidEvaluation(f"{name}: {text[:80]!r} is not the number of a version")
    return int(text)
