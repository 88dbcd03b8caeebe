"""The routes of ``/api/v1`` for what models answered."""

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Principal, Role
from hansei.evaluation.api.answers import told
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.statements import statement
from hansei.feedback.api.parameters import Parameters
from hansei.feedback.api.resource import PREFIX, Answer, Operation, Resource, json_body
from hansei.feedback.labeling.api_json import body_of

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

LARGEST_BODY: Final = 16 * 1024**2
MOST_RESPONSES: Final = 1_000
_COLUMNS: Final = ("RequestHash", "Model", "Response", "InputTokens", "OutputTokens", "CostUsd", "Written")


def judge_response_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""

    async def find(request: Request, _: Principal | None) -> Answer:
        Parameters.of(request)
        keys = _list("keys", body_of(await json_body(request), ("keys",), "keys")["keys"])
        if not all(isinstance(key, str) for key in keys):
            raise InvalidEvaluation("keys: one of them is not a text")
        rows = await site.reader.run(site.reader.query, statement("judges", "judge_responses"), {"keys": keys})
        return Answer(200, {"responses": {row["RequestHash"]: row["Response"] for row in rows}})

    async def keep(request: Request, _: Principal | None) -> Answer:
        Parameters.of(request)
        given = _list(
            "responses", body_of(await json_body(request, LARGEST_BODY), ("responses",), "responses")["responses"]
        )
        rows = [_row(f"responses.{index}", each, site.tables.clock.tick()) for index, each in enumerate(given)]
        await site.reader.run(site.tables.insert, "judge_responses", _COLUMNS, rows)
        return Answer(200, {"responses": len(rows)})

    return [
        Route(f"{PREFIX}/judge-responses:find", Resource(site, {"POST": Operation(told(find), Role.READ)})),
        Route(f"{PREFIX}/judge-responses", Resource(site, {"POST": Operation(told(keep), Role.FEEDBACK)})),
    ]


def _list(name: str, given: object) -> list[Any]:
    if not isinstance(given, list) or len(given) > MOST_RESPONSES:
        raise InvalidEvaluation(f"{name}: it is not a list of at most {MOST_RESPONSES}")
    return given


def _row(name: str, given: object, written: int) -> tuple[Any, ...]:
    if not isinstance(given, dict) or not isinstance(given.get("request_hash"), str) or "response" not in given:
        raise InvalidEvaluation(f"{name}: it has no request_hash and response")
    read, spent = (_tokens(f"{name}.{field}", given.get(field)) for field in ("input_tokens", "output_tokens"))
    cost = given.get("cost_usd")
    if cost is not None and (isinstance(cost, bool) or not isinstance(cost, int | float) or not cost >= 0):
        raise InvalidEvaluation(f"{name}.cost_usd: it is not a number from 0 on")
    response = json.dumps(given["response"], ensure_ascii=False, separators=(",", ":"))
    return (
        given["request_hash"],
        str(given.get("model") or ""),
        response,
        read,
        spent,
        cost,
        written,
    )


def _tokens(name: str, given: object) -> int:
    if given is None:
        return 0
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < 2**32:
        raise InvalidEvaluation(f"{name}: it is not a whole number from 0 to {2**32 - 1}")
    return given
