"""The routes of labeling, as the description of the API has them."""

from typing import Final

from hansei.collector.keys import Role
from hansei.feedback.api.described import (
    LOCATION,
    NEXT,
    PAGES,
    READING,
    TIMES,
    answer,
    in_path,
    in_query,
    operation,
    tagged,
)
from hansei.feedback.api.resource import PREFIX
from hansei.feedback.api.schemas import Schema, reference
from hansei.feedback.export.asked import FORMATS, HIGHEST_LIMIT, USUAL_LIMIT
from hansei.feedback.export.requests import MEDIA_TYPES
from hansei.feedback.labeling.openapi_schemas import LABELING_SCHEMAS

__all__ = ["LABELING_PATHS", "LABELING_SCHEMAS"]

_LOOKING: Final = (*READING, "404")
_SENDING: Final = (*READING, "413", "415", "422")
_CHANGING: Final = (*_SENDING, "404")
_GONE: Final[dict[str, Schema]] = {"204": {"description": "it is gone"}}
_ONE: Final = f"{PREFIX}/labeling-sessions/{{session_id}}"
_SESSION: Final = in_path("session_id")

LABELING_PATHS: Final = tagged(
    "labeling",
    {
        f"{PREFIX}/label-schemas": {
            "get": operation(
                "The latest version of each label schema, by name",
                Role.READ,
                {"200": answer("LabelSchemaPage", "all of them")},
                READING,
            ),
            "post": operation(
                "Make a label schema, a question that experts answer, or a new version of one",
                Role.REVIEW,
                {"201": answer("LabelSchema", "it is stored")},
                (*_SENDING, "409"),
                (),
                reference("NewLabelSchema"),
            ),
        },
        f"{PREFIX}/label-schemas/{{name}}": {
            "parameters": [in_path("name")],
            "get": operation(
                "The latest version of a label schema", Role.READ, {"200": answer("LabelSchema", "it")}, _LOOKING
            ),
            "delete": operation("Take a label schema away; sessions that ask it go on", Role.REVIEW, _GONE, _LOOKING),
        },
        f"{PREFIX}/labeling-rules:preview": {
            "post": operation(
                "What a rule would add to a session, or to a new one",
                Role.READ,
                {"200": answer("LabelingRulePreview", "how many, and the first of them")},
                _CHANGING,
                (),
                reference("LabelingRuleAsked"),
            )
        },
        f"{PREFIX}/labeling-sessions": {
            "get": operation(
                "All labeling sessions, the newest first",
                Role.READ,
                {"200": answer("LabelingSessionPage", "all of them")},
                READING,
                (in_query("name", "the one of this name"),),
            ),
            "post": operation(
                "Make a labeling session with its reviewers, whose links are told in the answer alone",
                Role.REVIEW,
                {"201": answer("LabelingSessionMade", "it is stored", LOCATION)},
                (*_SENDING, "409"),
                (),
                reference("NewLabelingSession"),
            ),
        },
        _ONE: {
            "parameters": [_SESSION],
            "get": operation("A labeling session", Role.READ, {"200": answer("LabelingSession", "it")}, _LOOKING),
            "patch": operation(
                "Open or close a labeling session, or change some of its settings",
                Role.REVIEW,
                {"200": answer("LabelingSession", "as it is from now on")},
                _CHANGING,
                (),
                reference("LabelingSessionChange"),
            ),
            "delete": operation(
                "Take a labeling session away, and its links; its labels stay", Role.REVIEW, _GONE, _LOOKING
            ),
        },
        f"{_ONE}/items": {
            "parameters": [_SESSION],
            "get": operation(
                "The items of a labeling session, in their order",
                Role.READ,
                {"200": answer("LabelingItemPage", "a page", NEXT)},
                _LOOKING,
                PAGES,
            ),
            "post": operation(
                "Add traces, spans and conversations by their ids, or what a rule chooses",
                Role.REVIEW,
                {"200": answer("LabelingItemsAdded", "they are stored")},
                _CHANGING,
                (),
                reference("LabelingItemsGiven"),
            ),
        },
        f"{_ONE}/items/{{item_id}}": {
            "parameters": [_SESSION, in_path("item_id")],
            "delete": operation("Take an item out; its labels stay", Role.REVIEW, _GONE, _LOOKING),
        },
        f"{_ONE}/reviewers": {
            "parameters": [_SESSION],
            "get": operation(
                "Who works on a labeling session, by name",
                Role.READ,
                {"200": answer("LabelingReviewerPage", "all of them")},
                _LOOKING,
            ),
            "put": operation(
                "Let exactly these work on a labeling session",
                Role.REVIEW,
                {"200": answer("LabelingReviewersSet", "all of them, and the links of those who are new")},
                _CHANGING,
                (),
                reference("LabelingReviewersGiven"),
            ),
        },
        f"{_ONE}/reviewers/{{reviewer}}": {
            "parameters": [_SESSION, in_path("reviewer")],
            "delete": operation("End a reviewer's work on a session, and the link", Role.REVIEW, _GONE, _LOOKING),
        },
        f"{_ONE}/reviewers/{{reviewer}}/link": {
            "parameters": [_SESSION, in_path("reviewer")],
            "post": operation(
                "Give a reviewer a new link; the one before ends",
                Role.REVIEW,
                {"201": answer("LabelingLink", "it is stored")},
                _LOOKING,
            ),
        },
        f"{_ONE}/progress": {
            "parameters": [_SESSION],
            "get": operation(
                "How far a labeling session is", Role.READ, {"200": answer("LabelingProgress", "its counts")}, _LOOKING
            ),
        },
        f"{_ONE}/export": {
            "parameters": [_SESSION],
            "get": operation(
                "The labels of a session as a file, the newest first",
                Role.READ,
                {"200": {"description": "a file", "content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
                (*_LOOKING, "422"),
                (
                    in_query("format", enum=list(FORMATS), default=FORMATS[0]),
                    in_query("limit", type="integer", minimum=1, maximum=HIGHEST_LIMIT, default=USUAL_LIMIT),
                    in_query("name", "of the label schema"),
                    in_query("source_id", "the reviewer"),
                    *TIMES,
                ),
            ),
        },
    },
)
