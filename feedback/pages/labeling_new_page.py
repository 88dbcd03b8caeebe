"""A new labeling session: the form, what its rule would choose, and the links once it is made."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response

from hansei.feedback.labeling.errors import InvalidLabeling, LabelingConflict
from hansei.feedback.labeling.items import Added
from hansei.feedback.labeling.model import LabelingSessionRecord, LabelSchemaVersion
from hansei.feedback.labeling.reviewers import checked_reviewers, set_reviewers
from hansei.feedback.labeling.rules import STRATA, WEIGHTS
from hansei.feedback.labeling.sampling import Preview, apply_rule, preview_rule
from hansei.feedback.labeling.schemas import latest_schemas
from hansei.feedback.labeling.sessions import create_session
from hansei.feedback.pages.labeling_rule_form import RULE_NAMES, RuleForm
from hansei.feedback.pages.labeling_session_form import SessionForm
from hansei.feedback.pages.render import HEADERS, environment, page
from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.web.tables import Tables

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.web.site import Site


@dataclass(frozen=True, slots=True)
class Made:
    """A session that has just been made."""

    session: LabelingSessionRecord
    tokens: dict[str, str]
    """Of the reviewers' links."""
    added: Added | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What a rule would choose now, or what is wrong with it; neither where there is no rule."""

    found: Preview | None = None
    error: str = ""


class NewSessionPages:
    """The pages of a session that is to be."""

    def __init__(self, site: "Site") -> None:
        self._site = site

    async def form(self, request: "Request") -> Response:
        """A form; ``filter`` and ``question`` of the address may fill some of it."""
        schemas = await self._schemas()
        given = request.query_params
        rule = RuleForm(rule="filter", filter=given["filter"]) if given.get("filter") else RuleForm()
        ticked = frozenset(given.getlist("question")) & set(schemas)
        return _shown(request, SessionForm(order=tuple(schemas), questions=ticked, rule=rule), schemas)

    async def create(self, request: "Request") -> Response:
        """Make the session, and show the links: this once, for only hashes of them are kept."""
        schemas = await self._schemas()
        given = await request.form()
        form = SessionForm.of(given, list(schemas))
        if given.get("move"):
            return _shown(request, form, schemas)
        if given.get("do") == "count":
            return _shown(request, form, schemas, count=await counted(self._site, form.rule))
        try:
            made = await self._site.reader.run(_make, self._site.tables, form, request.state.visitor.name)
        except (InvalidLabeling, LabelingConflict, InvalidSearch) as error:
            return _shown(request, form, schemas, error=str(error))
        links = {name: review_link(request, token) for name, token in made.tokens.items()}
        return page(
            request, "labeling_links.html", 201, section="Labeling", session=made.session, links=links,
            added=made.added, new=True,
        )  # fmt: skip

    async def count(self, request: "Request") -> Response:
        """What a rule chooses, for the page's script; ``session`` of the address: beside what that has already."""
        form = RuleForm.of(await request.form())
        count = await counted(self._site, form, request.query_params.get("session", ""))
        html = environment().get_template("labeling_rule_count.html").render(count=count)
        return HTMLResponse(html, 200, HEADERS)

    async def _schemas(self) -> dict[str, LabelSchemaVersion]:
        return await self._site.reader.run(latest_schemas, self._site.reader.query)


async def counted(site: "Site", form: RuleForm, session_id: str = "") -> Counted:
    """What a rule would choose now, beside what a session has already."""
    if not form.chosen:
        return Counted()
    try:
        found = await site.reader.run(partial(preview_rule, site.reader.query, form.made(), session_id=session_id))
    except (InvalidLabeling, InvalidSearch) as error:
        return Counted(error=str(error))
    return Counted(found)


def review_link(request: "Request", token: str) -> str:
    """The address that lets a reviewer in."""
    return f"{request.url.scheme}://{request.url.netloc}/review/{token}"


def _make(store: Tables, form: SessionForm, who: str) -> Made:
    settings, roles = form.settings(), checked_reviewers(form.reviewer_names)
    # What is wrong with the rule is told before anything is written.
    rule = form.rule.made() if form.rule.chosen else None
    if roles and len(roles) < settings.reviewers_per_item:
        raise InvalidLabeling(
            f"reviewers_per_item: {settings.reviewers_per_item} are wanted for each item, and there are {len(roles)} "
            "reviewers; name more of them, or want fewer"
        )
    session = create_session(store, name=form.name, label_schemas=form.label_schemas, settings=settings, changed_by=who)
    tokens = set_reviewers(store, session, roles, changed_by=who)
    added = apply_rule(store, rule, session.session_id) if rule else None
    return Made(session, tokens, added)


def _shown(
    request: "Request",
    form: SessionForm,
    schemas: dict[str, LabelSchemaVersion],
    error: str = "",
    count: Counted | None = None,
) -> Response:
    return page(
        request, "labeling_new.html", 400 if error else 200, section="Labeling",
        form=form, schemas=schemas, error=error, count=count or Counted(), rule=form.rule, rule_names=RULE_NAMES,
        weights=WEIGHTS, strata=STRATA, counted_for="",
    )  # fmt: skip
