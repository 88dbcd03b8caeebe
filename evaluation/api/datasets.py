"""The routes of ``/api/v1`` for datasets: making, finding and reading them, version by version."""

import json
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Principal, Role
from hansei.evaluation.api.answers import Handle, problem_of_evaluation, told
from hansei.evaluation.api.dataset_merges import DatasetMerges
from hansei.evaluation.datasets.difference import count_differences, read_differences
from hansei.evaluation.datasets.file_export import send_records
from hansei.evaluation.datasets.info import (
    create_info,
    delete_info,
    existing_info,
    existing_version,
    find_infos,
    head_of,
    heads_of,
    info_named,
    versions_of,
)
from hansei.evaluation.datasets.record import DatasetInfo, VersionRecord
from hansei.evaluation.datasets.record_json import dataset_json, record_json, version_json
from hansei.evaluation.datasets.records import BEGINNING, read_records
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.feedback.api.parameters import PAGES, Parameters, items
from hansei.feedback.api.problem import problem_of
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource, json_body, name_of
from hansei.feedback.labeling.api_json import body_of
from hansei.feedback.search.page import Page, place_of, token_of
from hansei.feedback.web.access import require

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

_NEW: Final = ("name", "description", "tags")
_LARGEST: Final = 2**32 - 1


class Datasets:
    """What the API does with datasets."""

    def __init__(self, site: "Site") -> None:
        self._site = site
        self._tables = site.tables
        self._run = site.reader.run

    async def create(self, request: Request, principal: Principal | None) -> Answer:
        """``POST``: an empty dataset."""
        Parameters.of(request)
        body = body_of(await json_body(request), _NEW, "name")
        name = body.get("name")
        info = await self._run(
            create_info, self._tables, name, description=body.get("description", ""), tags=body.get("tags"),
            changed_by=name_of(principal),
        )  # fmt: skip
        made = dataset_json(info, VersionRecord(0))
        return Answer(201, made, {"Location": f"{PREFIX}/datasets/{info.dataset_id}"})

    async def list(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: datasets, the newest first; one by its name."""
        parameters = Parameters.of(request, *PAGES, "name", "contains", "tags")
        limit, token = parameters.limit, parameters.text("page_token")
        found, heads = await self._run(self._found, parameters, limit, token)
        body = items([dataset_json(each, heads[each.dataset_id]) for each in found], found.next_page_token)
        return Answer(200, body, parameters.next_page(found.next_page_token))

    async def read(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: a dataset, by its id or its name."""
        Parameters.of(request)
        info = await self._existing(request)
        return Answer(200, dataset_json(info, await self._run(head_of, self._tables.query, info)))

    async def delete(self, request: Request, principal: Principal | None) -> Answer:
        """``DELETE``: a dataset with all its versions."""
        Parameters.of(request)
        await self._run(delete_info, self._tables, request.path_params["dataset"], changed_by=name_of(principal))
        return Answer(204, None)

    async def versions(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: the versions, the newest first."""
        parameters = Parameters.of(request, *PAGES)
        limit, token = parameters.limit, parameters.text("page_token")
        up_to = _LARGEST if token is None else max(0, place_of(token, int)[0])
        info = await self._existing(request)
        found = await self._run(versions_of, self._tables.query, info, up_to=up_to, limit=limit)
        next_token = token_of(found[-1].version - 1) if found[-1].version else None
        body = items([version_json(each) for each in found], next_token)
        return Answer(200, body, parameters.next_page(next_token))

    async def records(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: the records of a version, in their order."""
        parameters = Parameters.of(request, *PAGES)
        limit, token = parameters.limit, parameters.text("page_token")
        after = BEGINNING if token is None else tuple(place_of(token, int, str))
        info = await self._existing(request)
        version = await self._version(info, "version", request.path_params["version"])
        found = await self._run(
            read_records, self._tables.query, info.dataset_id, version, after=after, limit=limit + 1
        )
        more = found[limit - 1] if len(found) > limit else None
        next_token = token_of(more.position, more.record_id) if more else None
        body = items([record_json(each) for each in found[:limit]], next_token)
        return Answer(200, body, parameters.next_page(next_token))

    async def difference(self, request: Request, _: Principal | None) -> Answer:
        """``GET``: what differs between two versions."""
        parameters = Parameters.of(request, *PAGES, "from", "to")
        limit, token = parameters.limit, parameters.text("page_token")
        after = "" if token is None else place_of(token, str)[0]
        info = await self._existing(request)
        head = await self._run(head_of, self._tables.query, info)
        end = await self._version(info, "to", parameters.text("to") or str(head.version))
        start = await self._version(info, "from", parameters.text("from") or str(max(0, end - 1)))
        query, dataset_id = self._tables.query, info.dataset_id
        counts = await self._run(count_differences, query, dataset_id, start, end)
        found = await self._run(read_differences, query, dataset_id, start, end, after_id=after, limit=limit + 1)
        next_token = token_of(found[limit - 1].record_id) if len(found) > limit else None
        body = {"from": start, "to": end, **counts, **items([each.to_json() for each in found[:limit]], next_token)}
        return Answer(200, body, parameters.next_page(next_token))

    async def export(self, request: Request) -> Response:
        """``GET``: the records of a version as a file: CSV, JSON Lines or Parquet."""
        try:
            require(self._site, request, Role.READ)
            info = await self._existing(request)
            head = await self._run(head_of, self._tables.query, info)
            version = await self._version(info, "version", request.query_params.get("version") or str(head.version))
            return await send_records(self._site, request, info, version)
        except EvaluationError as error:
            return problem_of_evaluation(error, in_body=False).response()
        except Exception as error:
            return problem_of(error).response()

    async def _existing(self, request: Request) -> DatasetInfo:
        return await self._run(existing_info, self._tables.query, request.path_params["dataset"])

    async def _version(self, info: DatasetInfo, name: str, text: str) -> int:
        """A number of a version that there is. Raises ``InvalidEvaluation`` and ``UnknownEvaluation``."""
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise InvalidEvaluation(f"{name}: {text[:80]!r} is not the number of a version")
        return (await self._run(existing_version, self._tables.query, info, int(text))).version

    def _found(
        self, parameters: Parameters, limit: int, token: str | None
    ) -> tuple[Page[DatasetInfo], dict[str, VersionRecord]]:
        query, name = self._tables.query, parameters.text("name")
        if name is not None:
            named = info_named(query, name)
            found = Page([named] if named else [])
        else:
            contains, tags = parameters.text("contains") or "", _tags(parameters.text("tags"))
            found = find_infos(query, name=contains, tags=tags, limit=limit, page_token=token)
        return found, heads_of(query, found)


def dataset_api_routes(site: "Site") -> list[BaseRoute]:
    """The routes of datasets, the narrower ones first."""
    of, merges = Datasets(site), DatasetMerges(site)

    def read(handle: Handle) -> Operation:
        return Operation(told(handle), Role.READ)

    def write(handle: Handle) -> Operation:
        return Operation(told(handle), Role.REVIEW)

    path = f"{PREFIX}/datasets"
    one, sessions = path + "/{dataset}", f"{PREFIX}/labeling-sessions/{{session}}"
    return [
        Route(path, Resource(site, {"GET": read(of.list), "POST": write(of.create)})),
        Route(one, Resource(site, {"GET": read(of.read), "DELETE": write(of.delete)})),
        Route(f"{one}/records:merge", Resource(site, {"POST": write(merges.merge)})),
        Route(f"{one}/records:import", Resource(site, {"POST": write(merges.import_file)})),
        Route(f"{one}/records:delete", Resource(site, {"POST": write(merges.remove)})),
        Route(f"{one}/versions", Resource(site, {"GET": read(of.versions)})),
        Route(f"{one}/versions/{{version}}/records", Resource(site, {"GET": read(of.records)})),
        Route(f"{one}/diff", Resource(site, {"GET": read(of.difference)})),
        Route(f"{one}/export", of.export),
        Route(f"{sessions}:sync", Resource(site, {"POST": write(merges.sync)})),
        Route(f"{sessions}:add-dataset", Resource(site, {"POST": write(merges.label)})),
    ]


def _tags(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise InvalidEvaluation(f'tags: {text[:80]!r} is not a JSON object of texts, such as {{"team": "support"}}')
    return found
