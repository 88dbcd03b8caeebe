"""The description of the API says what a page may ask with a feedback token."""

from hansei.feedback.browser.answer import _FIELDS
from hansei.feedback.browser.openapi import BROWSER_PATHS, BROWSER_SCHEMAS

# The tests are no package whose name could be written out.
from ..api.described import check_answer, check_body, documented  # noqa: TID252
from .conftest import Call, token_for


def test_answers(call: Call, trace_id: str) -> None:
    """Real bodies and real answers fit their schemas; so do errors."""
    body = {"name": "helpful", "value": False, "rationale": "Too long", "trace_id": trace_id}
    operations = documented(BROWSER_PATHS)
    assert set(BROWSER_SCHEMAS["PageFeedbackGiven"]["properties"]) == set(_FIELDS)
    for method in ("post", "get", "delete"):
        path = "/helpful" if method == "delete" else ""
        operation = operations["/api/v1/feedback" + path.replace("helpful", "{name}"), method]
        sent = body if method == "post" else None
        if sent:
            check_body(sent, operation)
        answer = call(method.upper(), token_for(trace_id), sent, path)
        assert answer.status in (200, 204)
        check_answer(answer.status, answer.body, operation)
        refused = call(method.upper(), "no token", sent, path)
        assert refused.status == 401
        check_answer(401, refused.body, operation)
    unfit = call("POST", token_for(trace_id), {"name": "helpful", "value": None})
    check_answer(400, unfit.body, operations["/api/v1/feedback", "post"])
