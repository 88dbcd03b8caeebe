"""What a page asks with a feedback token, as the description of the API has it."""

from typing import Any, Final

from hansei.feedback.api.described import answer, in_path, operation, tagged
from hansei.feedback.api.resource import PREFIX
from hansei.feedback.api.schemas import OPTIONAL_TEXT, TEXT, Schema, array, object_of, reference

_VALUE: Final[Schema] = {"type": ["boolean", "number", "string"], "maxLength": 500}
_SAID: Final[dict[str, Schema]] = {"name": TEXT, "value": _VALUE, "rationale": OPTIONAL_TEXT}
_PROBLEMS: Final = ("400", "401", "403", "429", "503")

BROWSER_SCHEMAS: Final[dict[str, Schema]] = {
    "PageFeedback": object_of(_SAID, description="what holds under a name"),
    "PageFeedbackGiven": object_of(
        {
            "name": TEXT,
            "value": _VALUE,
            "rationale": {**OPTIONAL_TEXT, "maxLength": 5000},
            "trace_id": {**OPTIONAL_TEXT, "description": "compared with the token's"},
        },
        optional=("rationale", "trace_id"),
    ),
    "PageFeedbackWritten": object_of({"assessment_id": TEXT, "trace_id": TEXT, **_SAID}),
    "PageFeedbackNow": object_of(
        {
            "trace_id": TEXT,
            "names": {**array(TEXT), "description": "those that the token is for"},
            "expires": {"type": "integer", "description": "seconds since 1970"},
            "feedback": array(reference("PageFeedback")),
        }
    ),
}
BROWSER_SECURITY: Final[dict[str, Schema]] = {
    "feedbackToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "a feedback token (docs/browser-feedback.md), which the page's server signs",
    }
}


def _by_token(*described: Any) -> Schema:
    return {
        **operation(described[0], None, *described[1:]),
        "description": "A feedback token says who speaks, and of which trace.",
        "security": [{"feedbackToken": []}],
    }


BROWSER_PATHS: Final = tagged(
    "browser",
    {
        f"{PREFIX}/feedback": {
            "get": _by_token("What holds of the token's trace", {"200": answer("PageFeedbackNow", "it")}, _PROBLEMS),
            "post": _by_token(
                "Say something of the token's trace, in place of what was said under the name before",
                {"200": answer("PageFeedbackWritten", "it is on disk")},
                (*_PROBLEMS, "413"),
                (),
                reference("PageFeedbackGiven"),
            ),
        },
        f"{PREFIX}/feedback/{{name}}": {
            "parameters": [in_path("name")],
            "delete": _by_token(
                "Take back what was said under a name", {"204": {"description": "that is on disk"}}, _PROBLEMS
            ),
        },
    },
)
