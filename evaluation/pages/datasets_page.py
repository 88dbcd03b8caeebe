"""Datasets: the list, and a form for a new one."""

from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from hansei.collector.keys import Role
from hansei.evaluation.datasets.info import create_info, find_infos, heads_of
from hansei.evaluation.datasets.record import DatasetInfo, VersionRecord
from hansei.evaluation.errors import EvaluationConflict, InvalidEvaluation
from hansei.evaluation.pages.answers import told_of_datasets
from hansei.evaluation.pages.dataset_labels_page import DatasetLabelPages
from hansei.evaluation.pages.dataset_page import DatasetPages
from hansei.evaluation.pages.render import page
from hansei.feedback.pages.page_routes import PageRoutes
from hansei.feedback.pages.render import HEADERS
from hansei.feedback.search.page import Page

if TYPE_CHECKING:
    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site

_AT_ONCE = 50


def dataset_routes(site: "Site") -> list[BaseRoute]:
    """The routes of all pages of datasets: looking needs the role ``read``, changing ``review``."""
    lists, one, labels = DatasetListPages(site), DatasetPages(site), DatasetLabelPages(site)
    routes = PageRoutes(site, told_of_datasets)
    get, edit, post = routes.get, routes.edit, routes.post
    path = "/datasets/{dataset_id}"
    return [
        get("/datasets", lists.list),
        edit("/datasets/new", lists.form),
        post("/datasets/new", lists.create),
        edit("/datasets/from-labeling", labels.form),
        post("/datasets/from-labeling", labels.send),
        get(path, one.dataset),
        get(f"{path}/diff", one.difference),
        get(f"{path}/export", one.export),
        post(f"{path}/import", one.import_file),
        post(f"{path}/remove", one.remove),
        post(f"{path}/delete", one.delete),
    ]


class DatasetListPages:
    """The list, and the form."""

    def __init__(self, site: "Site") -> None:
        self._site = site

    async def list(self, request: Request) -> Response:
        """Datasets whose name contains what is looked for, the newest first."""
        name, token = request.query_params.get("name", ""), request.query_params.get("page") or None
        found, heads = await self._site.reader.run(_read, self._site.reader.query, name, token)
        return page(
            request, "datasets.html", section="Datasets", datasets=[(info, heads[info.dataset_id]) for info in found],
            name=name, next_page=found.next_page_token, may_change=request.state.visitor.may(Role.REVIEW),
        )  # fmt: skip

    async def form(self, request: Request) -> Response:
        """An empty form."""
        return page(request, "dataset_new.html", section="Datasets", name="", description="", error="")

    async def create(self, request: Request) -> Response:
        """Make one, and go to its page."""
        given = await request.form()
        name, description = str(given.get("name") or "").strip(), str(given.get("description") or "")
        making = partial(
            create_info, self._site.tables, name, description=description, changed_by=request.state.visitor.name
        )
        try:
            made = await self._site.reader.run(making)
        except (InvalidEvaluation, EvaluationConflict) as error:
            return page(
                request, "dataset_new.html", 400, section="Datasets", name=name, description=description,
                error=str(error),
            )  # fmt: skip
        return RedirectResponse(f"/datasets/{made.dataset_id}", 303, HEADERS)


def _read(query: "Query", name: str, token: str | None) -> tuple[Page[DatasetInfo], dict[str, VersionRecord]]:
    found = find_infos(query, name=name, limit=_AT_ONCE, page_token=token)
    return found, heads_of(query, found)
