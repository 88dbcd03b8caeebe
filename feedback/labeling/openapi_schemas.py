"""The JSON Schemas of labeling, as the description of the API has them."""

from typing import Final

from hansei.feedback.api.schemas import (
    COUNT,
    FLAG,
    MOMENT,
    OPTIONAL_TEXT,
    TEXT,
    TEXTS,
    TRACE_ID,
    Schema,
    array,
    object_of,
    page_of,
    reference,
)
from hansei.feedback.labeling.inputs import (
    FEWEST_OPTIONS,
    LONGEST_OPTION,
    LONGEST_TEXT,
    MOST_OPTIONS,
    MOST_TEXTS,
    InputCategorical,
    InputCategoricalList,
    InputNumeric,
    InputPassFail,
    InputText,
    InputTextList,
)
from hansei.feedback.labeling.model import ARBITER, CLOSED, ITEM_KINDS, OPEN, REVIEWER, TYPES
from hansei.feedback.labeling.reviewers import LONGEST_REVIEWER, MOST_REVIEWERS
from hansei.feedback.labeling.rules import MOST, MOST_RULES, STRATA, TAKEN, WEIGHTS
from hansei.feedback.labeling.schemas import LONGEST_INSTRUCTION, LONGEST_NAME, LONGEST_TITLE
from hansei.feedback.labeling.sessions import (
    LONGEST_LEASE_MINUTES,
    LONGEST_LINK_DAYS,
    MOST_QUESTIONS,
    MOST_REVIEWERS_PER_ITEM,
)

_NAME: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
_OPTION: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": LONGEST_OPTION}
_OPTIONS: Final[Schema] = {
    "type": "array",
    "items": _OPTION,
    "minItems": FEWEST_OPTIONS,
    "maxItems": MOST_OPTIONS,
    "uniqueItems": True,
}
_LENGTH: Final[Schema] = {"type": ["integer", "null"], "minimum": 1, "maximum": LONGEST_TEXT}
_BOUND: Final[Schema] = {"type": ["number", "null"]}
_SECONDS: Final[Schema] = {"type": ["number", "null"], "description": "null where no time was taken"}
_MILLISECONDS: Final[Schema] = {"type": ["integer", "null"], "description": "milliseconds since 1970"}
_TIME: Final[Schema] = {"type": ["integer", "string", "null"], "description": "RFC 3339 or milliseconds since 1970"}
_MANY: Final[Schema] = {"type": ["integer", "null"], "minimum": 1, "maximum": MOST}
_ROLE: Final[Schema] = {"enum": [REVIEWER, ARBITER]}
_STATUS: Final[Schema] = {"enum": [OPEN, CLOSED]}
_PEOPLE: Final[Schema] = {
    "type": ["array", "null"],
    "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_REVIEWER},
    "maxItems": MOST_REVIEWERS,
    "description": "names or addresses",
}
_LINKS: Final[Schema] = {**TEXTS, "description": "paths by reviewer, told this once"}


def _input(kind: str, limits: dict[str, Schema], *, optional: bool = True) -> Schema:
    return object_of({"type": {"const": kind}, **limits}, optional=tuple(limits) if optional else ())


def _given(properties: dict[str, Schema], *needed: str, description: str = "") -> Schema:
    """What a body may have, and must."""
    optional = tuple(name for name in properties if name not in needed)
    return object_of(properties, optional=optional, description=description)


_LABEL_SCHEMA: Final[dict[str, Schema]] = {
    "name": {**_NAME, "description": "of the assessments that labels are"},
    "type": {"enum": list(TYPES)},
    "input": reference("LabelInput"),
    "title": {"type": "string", "minLength": 1, "maxLength": LONGEST_TITLE, "description": "the question"},
    "instruction": {**OPTIONAL_TEXT, "maxLength": LONGEST_INSTRUCTION},
    "enable_comment": {**FLAG, "default": False},
}
_SETTINGS: Final[dict[str, Schema]] = {
    "reviewers_per_item": {"type": "integer", "minimum": 1, "maximum": MOST_REVIEWERS_PER_ITEM, "default": 1},
    "show_feedback": {**FLAG, "default": False, "description": "whether reviewers see what was said of an item before"},
    "lease_minutes": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": LONGEST_LEASE_MINUTES,
        "default": 30,
        "description": "how long an item is kept for who has it, without a sign of life",
    },
    "link_days": {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST_LINK_DAYS, "default": 30},
    "rules": {**array(reference("LabelingRule")), "maxItems": MOST_RULES, "description": "that keep adding traces"},
}
_SESSION: Final[dict[str, Schema]] = {
    "session_id": TEXT,
    "name": TEXT,
    "run_id": {**TEXT, "description": "evaluation_run_id of its labels"},
    "status": _STATUS,
    "created_at": MOMENT,
    "path": {**TEXT, "description": "of its page"},
    "label_schemas": array(reference("LabelSchema")),
    "settings": reference("LabelingSettings"),
    "reviewers": array(reference("LabelingReviewer")),
    "items": COUNT,
    "answers": {**COUNT, "description": "answered items, once for each reviewer who answered"},
}
_COUNTS: Final = ("done", "in_work", "skipped", "flagged")

LABELING_SCHEMAS: Final[dict[str, Schema]] = {
    "LabelInput": {
        "description": "what an answer may be",
        "oneOf": [
            _input(InputCategorical.TYPE, {"options": _OPTIONS}, optional=False),
            _input(InputCategoricalList.TYPE, {"options": _OPTIONS}, optional=False),
            _input(InputText.TYPE, {"max_length": _LENGTH}),
            _input(
                InputTextList.TYPE,
                {
                    "max_length_each": _LENGTH,
                    "max_count": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_TEXTS},
                },
            ),
            _input(InputNumeric.TYPE, {"min_value": _BOUND, "max_value": _BOUND}),
            _input(
                InputPassFail.TYPE,
                {
                    "positive_label": {**_OPTION, "default": InputPassFail().positive_label},
                    "negative_label": {**_OPTION, "default": InputPassFail().negative_label},
                },
            ),
        ],
    },
    "LabelSchema": object_of(
        {**_LABEL_SCHEMA, "version": {"type": "integer", "minimum": 1}}, description="a question, in a version"
    ),
    "NewLabelSchema": _given(
        {
            **_LABEL_SCHEMA,
            "overwrite": {**FLAG, "default": False, "description": "make a new version of one that is there"},
        },
        *("name", "type", "input", "title"),
    ),
    "LabelSchemaPage": page_of("LabelSchema"),
    "LabelingRule": _given(
        {
            "kind": {"enum": list(TAKEN)},
            "name": {**OPTIONAL_TEXT, "description": "of the feedback that is looked at; without one, any"},
            "threshold": {"type": ["number", "null"], "description": "the score that is low, and all below it"},
            "weight": {"enum": [*WEIGHTS, None], "description": "twice of it is drawn twice as likely"},
            "share": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1},
            "by": {"enum": [*STRATA, None]},
            "each": {**_MANY, "description": "traces of each value of by"},
            "filter": {**OPTIONAL_TEXT, "description": "MLflow's filter language (docs/search.md)"},
            "since": {"type": ["string", "null"], "description": "30m, 12h, 7d or 2w back"},
            "from": _TIME,
            "to": _TIME,
            "maximum": _MANY,
        },
        "kind",
        description="which traces are chosen",
    ),
    "LabelingSettings": object_of(_SETTINGS),
    "LabelingSettingsGiven": _given(_SETTINGS, description="what is left out is as by default, or as it was"),
    "LabelingReviewer": object_of({"reviewer": TEXT, "role": _ROLE, "link_expires_at": MOMENT}),
    "LabelingReviewerPage": page_of("LabelingReviewer"),
    "LabelingReviewersGiven": _given({"assigned_users": _PEOPLE, "arbiters": _PEOPLE}),
    "LabelingReviewersSet": page_of("LabelingReviewer", links={**_LINKS, "description": "of those who are new"}),
    "LabelingLink": object_of({"reviewer": TEXT, "link": {**TEXT, "description": "a path, told this once"}}),
    "LabelingSession": object_of(_SESSION),
    "LabelingSessionPage": page_of("LabelingSession"),
    "LabelingSessionMade": object_of({**_SESSION, "links": _LINKS}),
    "NewLabelingSession": _given(
        {
            "name": _NAME,
            "label_schemas": {
                "type": "array",
                "items": TEXT,
                "minItems": 1,
                "maxItems": MOST_QUESTIONS,
                "description": "names, in the order in which they are asked",
            },
            "assigned_users": _PEOPLE,
            "arbiters": {**_PEOPLE, "description": "who decides where answers differ"},
            "settings": reference("LabelingSettingsGiven"),
        },
        *("name", "label_schemas"),
    ),
    "LabelingSessionChange": _given({"status": _STATUS, "settings": reference("LabelingSettingsGiven")}),
    "LabelingItem": object_of(
        {
            "item_id": TEXT,
            "kind": {"enum": list(ITEM_KINDS)},
            "trace_id": OPTIONAL_TEXT,
            "span_id": OPTIONAL_TEXT,
            "session_id": {**OPTIONAL_TEXT, "description": "the conversation"},
            "reason": {**OPTIONAL_TEXT, "description": "why it was added"},
        }
    ),
    "LabelingItemPage": page_of("LabelingItem"),
    "LabelingItemsGiven": _given(
        {
            "trace_ids": array({**TRACE_ID, "pattern": "^[0-9a-fA-F]{32}$"}),
            "spans": array(object_of({"trace_id": TEXT, "span_id": TEXT})),
            "session_ids": {**array(TEXT), "description": "conversations"},
            "reason": OPTIONAL_TEXT,
            "rule": {**reference("LabelingRule"), "description": "alone, instead of ids"},
        }
    ),
    "LabelingItemsAdded": object_of(
        {
            "added": COUNT,
            "already_there": COUNT,
            "unknown": {**COUNT, "description": "of the added ones, those of which no span has come yet"},
        }
    ),
    "LabelingRuleAsked": _given(
        {
            "rule": reference("LabelingRule"),
            "session_id": {**OPTIONAL_TEXT, "description": "without one, a new session"},
        },
        "rule",
    ),
    "LabelingRulePreview": object_of(
        {
            "rule": reference("LabelingRule"),
            "reason": {**TEXT, "description": "the rule in words, as its items carry it"},
            "count": COUNT,
            "trace_ids": {**array(TEXT), "description": "the first of them"},
        },
        description="what a rule would add",
    ),
    "LabelingReviewerProgress": object_of(
        {
            "reviewer": TEXT,
            "role": {"enum": [REVIEWER, ARBITER, ""], "description": "empty for one who works on it no more"},
            **dict.fromkeys(_COUNTS, COUNT),
            "median_seconds": _SECONDS,
            "last_ms": {**_MILLISECONDS, "description": "when an item was last given out, milliseconds since 1970"},
        }
    ),
    "LabelingProgress": object_of(
        {
            **dict.fromkeys(("items", "begun", "answers", *_COUNTS), COUNT),
            "remaining": {**COUNT, "description": "answers that are missing until all items are done"},
            "median_seconds": _SECONDS,
            "seconds_left": _SECONDS,
            "reviewers": array(reference("LabelingReviewerProgress")),
        }
    ),
}
