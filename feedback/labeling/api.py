"""The routes of ``/api/v1`` for labeling: label schemas, labeling sessions, their items, reviewers and labels."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Principal, Role
from hansei.feedback.api.parameters import PAGES, Parameters, items
from hansei.feedback.api.problem import Problem, problem_of
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource, json_body, name_of
from hansei.feedback.export.requests import list_export
from hansei.feedback.labeling.api_json import (
    Handle,
    body_of,
    item_json,
    items_of,
    link_path,
    problem_of_labeling,
    reviewer_json,
    schema_json,
    session_json,
    told,
)
from hansei.feedback.labeling.errors import InvalidLabeling, LabelingError
from hansei.feedback.labeling.items import add_items, read_items_page, remove_item
from hansei.feedback.labeling.label_export import labels_of
from hansei.feedback.labeling.model import LabelingSessionRecord, LabelSchemaVersion
from hansei.feedback.labeling.progress import read_counts, read_progress
from hansei.feedback.labeling.reviewers import (
    checked_reviewers,
    remove_reviewer,
    reviewers_of,
    reviewers_of_sessions,
    rotate_link,
    set_reviewers,
)
from hansei.feedback.labeling.rules import rule_of
from hansei.feedback.labeling.sampling import apply_rule, preview_rule
from hansei.feedback.labeling.schemas import (
    create_schema,
    delete_schema,
    latest_schemas,
    read_schema,
    read_versions_of,
)
from hansei.feedback.labeling.sessions import (
    change_session,
    create_session,
    delete_session,
    existing_session,
    read_sessions,
    settings_of,
)
from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.search.page import place_of, token_of
from hansei.feedback.web.access import AccessDenied, require

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

LARGEST_BODY: Final = 8 * 1024**2
"""Bytes of a list of items."""
_SCHEMA: Final = ("name", "type", "input", "title", "instruction", "enable_comment", "overwrite")
_SESSION: Final = ("name", "label_schemas", "assigned_users", "arbiters", "settings")
_CHANGES: Final = ("status", "settings")
_ITEMS: Final = ("trace_ids", "spans", "session_ids", "reason", "rule")
_REVIEWERS: Final = ("assigned_users", "arbiters")
_PREVIEW: Final = ("rule", "session_id")


class Labeling:
    """What the API does with labeling."""

    def __init__(self, site: "Site") -> None:
        self._site = site
        self._store = site.tables
        self._run = site.reader.run

    async def create_schema(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: a label schema, or a new version of one."""
        Parameters.of(request)
        body = body_of(await json_body(request), _SCHEMA, "name", "type", "input", "title")
        overwrite = body.get("overwrite", False)
        if not isinstance(overwrite, bool):
            raise InvalidLabeling(f"overwrite: {overwrite!r} is neither true nor false")
        given = LabelSchemaVersion(version=0, **{name: value for name, value in body.items() if name != "overwrite"})
        made = await self._run(create_schema, self._store, given, overwrite=overwrite, changed_by=name_of(principal))
        return Answer(201, schema_json(made))

    async def schemas(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: the latest version of each."""
        Parameters.of(request)
        found = await self._run(latest_schemas, self._store.query)
        return Answer(200, items([schema_json(found[name]) for name in sorted(found)], None))

    async def schema(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: the latest version of one."""
        Parameters.of(request)
        return Answer(200, schema_json(await self._run(read_schema, self._store.query, request.path_params["name"])))

    async def delete_schema(self, request: Request, principal: Principal | None) -> Answer:
        """``DELETE``."""
        Parameters.of(request)
        await self._run(delete_schema, self._store, request.path_params["name"], changed_by=name_of(principal))
        return Answer(204, None)

    async def create_session(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: a session with its reviewers, whose links are told here and never again."""
        Parameters.of(request)
        body = body_of(await json_body(request), _SESSION, "name", "label_schemas")
        made, links = await self._run(self._create_session, body, name_of(principal))
        address = {"Location": f"{PREFIX}/labeling-sessions/{made['session_id']}"}
        return Answer(201, {**made, "links": links}, address)

    def _create_session(self, body: Mapping[str, Any], changed_by: str) -> tuple[dict[str, Any], dict[str, str]]:
        roles = checked_reviewers(body.get("assigned_users", []), body.get("arbiters", []))
        record = create_session(
            self._store,
            name=body["name"],
            label_schemas=body["label_schemas"],
            settings=settings_of(_object("settings", body.get("settings", {}))),
            changed_by=changed_by,
        )
        tokens = set_reviewers(self._store, record, roles, changed_by=changed_by)
        return self._whole(record), _links(tokens)

    async def sessions(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: all sessions, the newest first; or the one of a name."""
        name = Parameters.of(request, "name").text("name")
        return Answer(200, items(await self._run(self._sessions, name), None))

    def _sessions(self, name: str | None) -> list[dict[str, Any]]:
        return self._all([record for record in read_sessions(self._store.query) if name in (None, record.name)])

    async def session(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: a session."""
        Parameters.of(request)
        return Answer(200, await self._run(lambda: self._whole(self._existing(request))))

    async def change_session(self, request: Request, principal: Principal | None) -> Answer:
        """``PATCH``: open or close a session, or change its settings."""
        Parameters.of(request)
        body = body_of(await json_body(request), _CHANGES)
        record = await self._run(
            change_session,
            self._store,
            request.path_params["session_id"],
            status=body.get("status"),
            settings=_object("settings", body.get("settings", {})),
            changed_by=name_of(principal),
        )
        return Answer(200, await self._run(self._whole, record))

    async def delete_session(self, request: Request, principal: Principal | None) -> Answer:
        """``DELETE``: a session and its links; its labels stay."""
        Parameters.of(request)
        session_id = request.path_params["session_id"]
        await self._run(delete_session, self._store, session_id, changed_by=name_of(principal))
        return Answer(204, None)

    async def items(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: the items of a session, in their order."""
        parameters = Parameters.of(request, *PAGES)
        token, limit = parameters.text("page_token"), parameters.limit
        after = (0, "") if token is None else tuple(place_of(token, int, str))
        session = await self._run(self._existing, request)
        found = await self._run(read_items_page, self._store.query, session.session_id, after, limit + 1)
        more = found[limit - 1] if len(found) > limit else None
        next_token = token_of(more.position, more.item_id) if more else None
        body = items([item_json(each) for each in found[:limit]], next_token)
        return Answer(200, body, parameters.next_page(next_token))

    async def add_items(self, request: Request, _: Principal | None) -> Answer:
        """``POST``: traces, spans and conversations by their ids, or what a rule chooses."""
        Parameters.of(request)
        body = body_of(await json_body(request, LARGEST_BODY), _ITEMS)
        session = await self._run(self._existing, request)
        if "rule" in body:
            if len(body) > 1:
                raise InvalidLabeling("rule: there is something beside it; give a rule, or ids")
            added = await self._run(apply_rule, self._store, rule_of(body["rule"]), session.session_id)
        else:
            added = await self._run(lambda: add_items(self._store, session.session_id, items_of(body)))
        return Answer(200, asdict(added))

    async def remove_item(self, request: Request, _: Principal | None) -> Answer:
        """``DELETE``: an item; its labels stay."""
        Parameters.of(request)
        session = await self._run(self._existing, request)
        await self._run(remove_item, self._store, session.session_id, request.path_params["item_id"])
        return Answer(204, None)

    async def reviewers(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: who works on a session."""
        Parameters.of(request)
        session = await self._run(self._existing, request)
        found = await self._run(reviewers_of, self._store.query, session.session_id)
        return Answer(200, items([reviewer_json(each) for each in found], None))

    async def set_reviewers(self, request: Request, principal: Principal | None) -> Answer:
        """``PUT``: exactly these work on a session; the links of those who are new are told here."""
        Parameters.of(request)
        body = body_of(await json_body(request), _REVIEWERS)
        roles = checked_reviewers(body.get("assigned_users", []), body.get("arbiters", []))
        session = await self._run(self._existing, request)
        tokens = await self._run(set_reviewers, self._store, session, roles, changed_by=name_of(principal))
        found = await self._run(reviewers_of, self._store.query, session.session_id)
        return Answer(200, {**items([reviewer_json(each) for each in found], None), "links": _links(tokens)})

    async def remove_reviewer(self, request: Request, principal: Principal | None) -> Answer:
        """``DELETE``: a reviewer's work on a session ends, and the link."""
        Parameters.of(request)
        session = await self._run(self._existing, request)
        reviewer = request.path_params["reviewer"]
        await self._run(remove_reviewer, self._store, session.session_id, reviewer, changed_by=name_of(principal))
        return Answer(204, None)

    async def rotate_link(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: a new link for a reviewer; the one before ends."""
        Parameters.of(request)
        session = await self._run(self._existing, request)
        reviewer = request.path_params["reviewer"]
        token = await self._run(rotate_link, self._store, session, reviewer, changed_by=name_of(principal))
        return Answer(201, {"reviewer": reviewer, "link": link_path(token)})

    async def progress(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: how far a session is."""
        Parameters.of(request)
        session = await self._run(self._existing, request)
        return Answer(200, asdict(await self._run(read_progress, self._store.query, session)))

    async def preview(self, request: Request, _: Principal | None) -> Answer:
        """``POST``: what a rule would add to a session, or to a new one."""
        Parameters.of(request)
        body = body_of(await json_body(request), _PREVIEW, "rule")
        rule, session_id = rule_of(body["rule"]), body.get("session_id", "")
        if session_id:
            await self._run(existing_session, self._store.query, session_id)
        found = await self._run(preview_rule, self._store.query, rule, session_id=session_id)
        return Answer(200, {"rule": rule.to_json(), "reason": rule.reason(), **asdict(found)})

    async def export(self, request: Request) -> Response:
        """``GET``: the labels of a session as a file: CSV, JSON Lines or Parquet."""
        try:
            require(self._site, request, Role.READ)
            session = await self._run(self._existing, request)
            return await list_export(self._site, labels_of(session.session_id))(request)
        except (LabelingError, InvalidSearch) as error:
            return problem_of_labeling(error, in_body=False).response()
        except (AccessDenied, Problem) as error:
            return problem_of(error).response()
        except Exception as error:
            return problem_of(error).response()

    def _existing(self, request: Request) -> LabelingSessionRecord:
        return existing_session(self._store.query, request.path_params["session_id"])

    def _whole(self, record: LabelingSessionRecord) -> dict[str, Any]:
        (found,) = self._all([record])
        return found

    def _all(self, records: Sequence[LabelingSessionRecord]) -> list[dict[str, Any]]:
        query, session_ids = self._store.query, [record.session_id for record in records]
        questions = read_versions_of(query, records)
        reviewers = reviewers_of_sessions(query, session_ids)
        counts = read_counts(query, session_ids)
        return [
            session_json(record, questions[each], reviewers[each], counts.get(each, (0, 0)))
            for each, record in zip(session_ids, records, strict=True)
        ]


def labeling_api_routes(site: "Site") -> list[BaseRoute]:
    """The routes, the narrower ones first."""
    of = Labeling(site)

    def route(path: str, **operations: tuple[Handle, str]) -> Route:
        made = {method: Operation(told(handle), role) for method, (handle, role) in operations.items()}
        return Route(PREFIX + path, Resource(site, made))

    one = "/labeling-sessions/{session_id}"
    return [
        route("/label-schemas", GET=(of.schemas, Role.READ), POST=(of.create_schema, Role.REVIEW)),
        route("/label-schemas/{name:path}", GET=(of.schema, Role.READ), DELETE=(of.delete_schema, Role.REVIEW)),
        route("/labeling-rules:preview", POST=(of.preview, Role.READ)),
        route("/labeling-sessions", GET=(of.sessions, Role.READ), POST=(of.create_session, Role.REVIEW)),
        route(f"{one}/items", GET=(of.items, Role.READ), POST=(of.add_items, Role.REVIEW)),
        route(f"{one}/items/{{item_id}}", DELETE=(of.remove_item, Role.REVIEW)),
        route(f"{one}/reviewers", GET=(of.reviewers, Role.READ), PUT=(of.set_reviewers, Role.REVIEW)),
        route(f"{one}/reviewers/{{reviewer:path}}/link", POST=(of.rotate_link, Role.REVIEW)),
        route(f"{one}/reviewers/{{reviewer:path}}", DELETE=(of.remove_reviewer, Role.REVIEW)),
        route(f"{one}/progress", GET=(of.progress, Role.READ)),
        Route(f"{PREFIX}{one}/export", of.export),
        route(
            one,
            GET=(of.session, Role.READ),
            PATCH=(of.change_session, Role.REVIEW),
            DELETE=(of.delete_session, Role.REVIEW),
        ),
    ]


def _object(name: str, given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InvalidLabeling(f"{name}: {given!r} is not an object")
    return given


def _links(tokens: Mapping[str, str]) -> dict[str, str]:
    return {reviewer: link_path(token) for reviewer, token in tokens.items()}
