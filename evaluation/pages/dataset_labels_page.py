"""Sending what experts expect in a labeling session to a dataset."""

from typing import TYPE_CHECKING, Any, Final, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hansei.evaluation.datasets.info import create_info, existing_info, find_infos
from hansei.evaluation.datasets.labeling import SyncResult, session_named, sync_session
from hansei.evaluation.datasets.record import DatasetInfo
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.evaluation.expectations import ON_CONFLICT, OnConflict
from hansei.evaluation.pages.render import page

if TYPE_CHECKING:
    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site

_CHOICES: Final = 200
"""Datasets to choose from, the newest."""


class DatasetLabelPages:
    """The form, and what became of it."""

    def __init__(self, site: "Site") -> None:
        self._site = site

    async def form(self, request: Request) -> Response:
        """Which dataset, and what holds where reviewers disagree."""
        return await self._form(request, request.query_params.get("session", ""))

    async def send(self, request: Request) -> Response:
        """Merge the labels."""
        given = await request.form()
        session, dataset, name, on_conflict = (
            str(given.get(each) or "").strip() for each in ("session", "dataset", "name", "on_conflict")
        )
        try:
            info, result = await run_in_threadpool(
                self._send, session, dataset, name, on_conflict, request.state.visitor.name
            )
        except EvaluationError as error:
            return await self._form(request, session, dataset=dataset, name=name, error=str(error))
        shown = await self._site.reader.run(session_named, self._site.reader.query, session)
        return page(request, "dataset_sent.html", section="Datasets", session=shown, info=info, result=result)

    def _send(
        self, session: str, dataset: str, name: str, on_conflict: str, who: str
    ) -> tuple[DatasetInfo, SyncResult]:
        tables = self._site.tables
        if bool(dataset) == bool(name):
            raise InvalidEvaluation("dataset: choose one, or write a name for a new one, and not both")
        if on_conflict not in ON_CONFLICT:
            raise InvalidEvaluation(f"on_conflict: {on_conflict[:80]!r} is not one of {', '.join(ON_CONFLICT)}")
        record = session_named(tables.query, session)
        info = existing_info(tables.query, dataset) if dataset else create_info(tables, name, changed_by=who)
        rule = cast("OnConflict", on_conflict)
        return info, sync_session(tables, record, info, on_conflict=rule, changed_by=who)

    async def _form(
        self, request: Request, session: str, *, dataset: str = "", name: str = "", error: str = ""
    ) -> Response:
        shown = await self._site.reader.run(_read, self._site.reader.query, session)
        return page(
            request, "dataset_from_labeling.html", 400 if error else 200, section="Datasets", chosen=dataset,
            name=name, error=error, **shown,
        )  # fmt: skip


def _read(query: "Query", session: str) -> dict[str, Any]:
    return {"session": session_named(query, session), "datasets": find_infos(query, limit=_CHOICES)}
