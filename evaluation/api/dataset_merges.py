"""What changes datasets, over HTTP: merging and removing records, files, and labels."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from hansei.collector.keys import Principal
from hansei.evaluation.datasets.file_merge import FileMerged, merge_file
from hansei.evaluation.datasets.files import FORMATS
from hansei.evaluation.datasets.given import given_of
from hansei.evaluation.datasets.info import existing_info, existing_version, head_of
from hansei.evaluation.datasets.labeling import add_dataset, session_named, sync_json, sync_session
from hansei.evaluation.datasets.merge import MergeResult, merge_upload, remove_records
from hansei.evaluation.datasets.traces import from_traces
from hansei.evaluation.datasets.uploads import add_to_upload, checked_upload_id, new_upload_id
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.expectations import ON_CONFLICT, OnConflict
from hansei.feedback.api.parameters import Parameters
from hansei.feedback.api.problem import Problem
from hansei.feedback.api.resource import Answer, json_body, name_of
from hansei.feedback.labeling.api_json import body_of
from hansei.feedback.labeling.texts import brief

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

LARGEST_BODY: Final = 8 * 1024**2
"""Bytes of records in one request; a version may take many."""
LARGEST_FILE: Final = 256 * 1024**2
"""Bytes of a file."""
LONGEST_NOTE: Final = 500
"""Characters."""
_MERGE: Final = ("records", "note", "on_conflict", "file", "upload_id", "more")


class DatasetMerges:
    """What the API does to datasets. The work is done in threads of its own, as it may take long."""

    def __init__(self, site: "Site") -> None:
        self._site = site
        self._tables = site.tables

    async def merge(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: records, the last of them with what makes a version of all that were sent."""
        Parameters.of(request)
        body = body_of(await json_body(request, LARGEST_BODY), _MERGE, "records")
        return Answer(
            200,
            await run_in_threadpool(self._merge, request.path_params["dataset"], body, name_of(principal)),
        )

    async def import_file(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: a file of records, as the body."""
        parameters = Parameters.of(request, "format", "name", "note", "on_conflict")
        file_format = parameters.choice("format", FORMATS)
        if file_format is None:
            raise InvalidEvaluation(f"format: there is none; give one of {', '.join(FORMATS)}")
        name = Path(parameters.text("name") or f"file.{file_format}").name
        with tempfile.NamedTemporaryFile(dir=self._site.server.settings.data, suffix=".import") as kept:
            size = 0
            async for piece in request.stream():
                size += len(piece)
                if size > LARGEST_FILE:
                    raise Problem(413, f"the file is larger than {LARGEST_FILE} bytes; send it in parts")
                await run_in_threadpool(kept.write, piece)
            kept.flush()
            done = await run_in_threadpool(
                self._import, request.path_params["dataset"], Path(kept.name), file_format, name,
                dict(parameters.given), name_of(principal),
            )  # fmt: skip
        return Answer(200, merge_json(done.merge, done.unknown, done.without_inputs))

    async def remove(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: a version without some records."""
        Parameters.of(request)
        body = body_of(await json_body(request, LARGEST_BODY), ("record_ids", "note"), "record_ids")
        ids = body["record_ids"]
        if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
            raise InvalidEvaluation(f"record_ids: {brief(ids)} is not a list of ids")
        result = await run_in_threadpool(
            self._remove, request.path_params["dataset"], ids, _note(body), name_of(principal)
        )
        return Answer(200, merge_json(result))

    async def sync(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: what experts expected in a labeling session, merged into a dataset."""
        Parameters.of(request)
        body = body_of(await json_body(request), ("to_dataset", "on_conflict"), "to_dataset")
        done = await run_in_threadpool(self._sync, request.path_params["session"], body, name_of(principal))
        return Answer(200, {**merge_json(done.merge), **sync_json(done)})

    async def label(self, request: Request, _: Principal | None) -> Answer:
        """``POST``: the traces of a dataset's records, added to a labeling session."""
        Parameters.of(request)
        body = body_of(await json_body(request), ("dataset", "version"), "dataset")
        return Answer(200, await run_in_threadpool(self._label, request.path_params["session"], body))

    def _merge(self, dataset: str, body: Mapping[str, Any], changed_by: str) -> dict[str, Any]:
        note, on_conflict, records = _note(body), _on_conflict(body), body["records"]
        more, file = body.get("more", False), body.get("file", "")
        if not isinstance(records, list):
            raise InvalidEvaluation(f"records: {brief(records)} is not a list")
        if not isinstance(more, bool):
            raise InvalidEvaluation(f"more: {brief(more)} is neither true nor false")
        if not isinstance(file, str) or len(file) > LONGEST_NOTE:
            raise InvalidEvaluation(f"file: {brief(file)} is not the name of a file")
        upload_id = checked_upload_id(body["upload_id"]) if "upload_id" in body else new_upload_id()
        info = existing_info(self._tables.query, dataset)
        given = [given_of(f"records.{index}", each, file) for index, each in enumerate(records)]
        found = from_traces(self._tables.query, given)
        add_to_upload(self._tables, upload_id, found.records)
        if more:
            return {"upload_id": upload_id, **_left_out(found.unknown, found.without_inputs)}
        merge = merge_upload(self._tables, info, upload_id, note=note, on_conflict=on_conflict, changed_by=changed_by)
        return merge_json(merge, found.unknown, found.without_inputs)

    def _import(
        self, dataset: str, path: Path, file_format: str, name: str, given: Mapping[str, Any], changed_by: str
    ) -> FileMerged:
        info = existing_info(self._tables.query, dataset)
        return merge_file(
            self._tables, info, path, file_format, name, note=_note(given) or f"file {name}"[:LONGEST_NOTE],
            on_conflict=_on_conflict(given), changed_by=changed_by,
        )  # fmt: skip

    def _remove(self, dataset: str, ids: list[str], note: str, changed_by: str) -> MergeResult:
        info = existing_info(self._tables.query, dataset)
        return remove_records(self._tables, info, ids, note=note, changed_by=changed_by)

    def _sync(self, session: str, body: Mapping[str, Any], changed_by: str) -> Any:
        query = self._tables.query
        found, info = session_named(query, session), existing_info(query, str(body["to_dataset"]))
        return sync_session(self._tables, found, info, on_conflict=_on_conflict(body), changed_by=changed_by)

    def _label(self, session: str, body: Mapping[str, Any]) -> dict[str, Any]:
        query = self._tables.query
        found, info = session_named(query, session), existing_info(query, str(body["dataset"]))
        version = body.get("version")
        if version is None:
            version = head_of(query, info).version
        elif isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 2**32:
            raise InvalidEvaluation(f"version: {brief(version)} is not the number of a version")
        added = add_dataset(self._tables, found, info, existing_version(query, info, version).version)
        items = added.items
        return {
            "added": items.added,
            "already_there": items.already_there,
            "unknown": items.unknown,
            "without_trace": added.without_trace,
        }


def merge_json(result: MergeResult, unknown: int = 0, without_inputs: int = 0) -> dict[str, Any]:
    """What became of a merge."""
    return {
        "version": result.version.version,
        "records": result.version.records,
        "is_new": result.is_new,
        "added": result.added,
        "changed": result.changed,
        "removed": result.removed,
        "unchanged": result.unchanged,
        **_left_out(unknown, without_inputs),
        "conflict_count": result.conflict_count,
        "conflicts": [each.to_json() for each in result.conflicts],
    }


def _left_out(unknown: int, without_inputs: int) -> dict[str, int]:
    return {"unknown_traces": unknown, "without_inputs": without_inputs}


def _note(body: Mapping[str, Any]) -> str:
    note = body.get("note", "")
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise InvalidEvaluation(f"note: {brief(note)} is not a text of at most {LONGEST_NOTE} characters")
    return note.replace("\0", "")


def _on_conflict(body: Mapping[str, Any]) -> OnConflict:
    given = body.get("on_conflict", ON_CONFLICT[0])
    if given not in ON_CONFLICT:
        raise InvalidEvaluation(f"on_conflict: {brief(given)} is not one of {', '.join(ON_CONFLICT)}")
    return cast("OnConflict", given)
