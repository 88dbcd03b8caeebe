"""Labeling, as who organises it sees it: the questions, the sessions, and how far they are."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from hansei.collector.keys import Role
from hansei.feedback.labeling.model import OPEN, LabelingSessionRecord, LabelSchemaVersion
from hansei.feedback.labeling.progress import read_counts
from hansei.feedback.labeling.schemas import latest_schemas
from hansei.feedback.labeling.sessions import read_sessions
from hansei.feedback.pages.labeling_adjudicate_page import AdjudicatePages
from hansei.feedback.pages.labeling_errors import told
from hansei.feedback.pages.labeling_new_page import NewSessionPages
from hansei.feedback.pages.labeling_schema_form import INPUT_NAMES
from hansei.feedback.pages.labeling_schema_page import SchemaPages
from hansei.feedback.pages.labeling_session_page import SessionPages
from hansei.feedback.pages.page_routes import PageRoutes
from hansei.feedback.pages.render import page
from hansei.feedback.pages.visitor import Handler

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site


def labeling_routes(site: "Site") -> list[BaseRoute]:
    """Its routes: looking needs the role ``read``, changing ``review``."""
    schemas, new, session, deciding = (
        SchemaPages(site),
        NewSessionPages(site),
        SessionPages(site),
        AdjudicatePages(site),
    )
    routes = PageRoutes(site, told)
    get, edit, post = routes.get, routes.edit, routes.post
    one = "/labeling/{session_id}"
    return [
        get("/labeling", _overview(site)),
        edit("/labeling/schemas/new", schemas.form),
        post("/labeling/schemas/new", schemas.create),
        edit("/labeling/schemas/edit", schemas.form_of_known),
        post("/labeling/schemas/edit", schemas.change),
        post("/labeling/schemas/preview", schemas.preview),
        post("/labeling/schemas/delete", schemas.delete),
        edit("/labeling/sessions/new", new.form),
        post("/labeling/sessions/new", new.create),
        post("/labeling/rules/preview", new.count),
        get(one, session.session),
        get(f"{one}/agreement", session.agreement),
        post(f"{one}/status", session.status),
        post(f"{one}/reviewers", session.add_reviewers),
        post(f"{one}/links", session.link),
        post(f"{one}/release", session.release),
        post(f"{one}/items", session.add_items),
        post(f"{one}/delete", session.delete),
        get(f"{one}/adjudicate", deciding.disagreements),
        post(f"{one}/adjudicate", deciding.decide),
    ]


def _overview(site: "Site") -> Handler:
    async def overview(request: "Request") -> "Response":
        sessions, counts, schemas = await site.reader.run(_read, site.reader.query)
        return page(
            request, "labeling.html", section="Labeling",
            sessions=[(session, *counts.get(session.session_id, (0, 0))) for session in sessions],
            schemas=list(schemas.values()), input_names=INPUT_NAMES, open=OPEN,
            may_change=request.state.visitor.may(Role.REVIEW),
        )  # fmt: skip

    return overview


def _read(
    query: "Query",
) -> tuple[list[LabelingSessionRecord], dict[str, tuple[int, int]], dict[str, LabelSchemaVersion]]:
    sessions = read_sessions(query)
    return sessions, read_counts(query, [session.session_id for session in sessions]), latest_schemas(query)
