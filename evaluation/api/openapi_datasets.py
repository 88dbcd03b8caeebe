"""The routes of datasets and their JSON Schemas, as the description of the API has them."""

from typing import Final

from hansei.collector.keys import Role
from hansei.evaluation.api.dataset_merges import LONGEST_NOTE
from hansei.evaluation.api.openapi_schemas import ANYTHING, OBJECT, given
from hansei.evaluation.datasets.files import FORMATS
from hansei.evaluation.datasets.info import LONGEST_DESCRIPTION, LONGEST_NAME
from hansei.evaluation.expectations import ON_CONFLICT
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
from hansei.feedback.api.schemas import (
    COUNT,
    FLAG,
    MOMENT,
    OPTIONAL_TEXT,
    TEXT,
    TEXTS,
    Schema,
    array,
    object_of,
    or_null,
    page_of,
    reference,
)
from hansei.feedback.export.asked import FORMATS as EXPORT_FORMATS
from hansei.feedback.export.asked import HIGHEST_LIMIT
from hansei.feedback.export.requests import MEDIA_TYPES

_NAME: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
_NOTE: Final[Schema] = {"type": "string", "maxLength": LONGEST_NOTE, "description": "what the version says of itself"}
_VERSION: Final[Schema] = {"type": "integer", "minimum": 0}
_ON_CONFLICT: Final[Schema] = {
    "enum": list(ON_CONFLICT),
    "default": ON_CONFLICT[0],
    "description": "where people expect different things and nobody has decided",
}
_LEFT_OUT: Final[dict[str, Schema]] = {
    "unknown_traces": {**COUNT, "description": "records of traces that are not stored"},
    "without_inputs": {**COUNT, "description": "records of traces that have no inputs"},
}
_MERGE: Final[dict[str, Schema]] = {
    "version": _VERSION,
    "records": COUNT,
    "is_new": {**FLAG, "description": "whether anything changed, and so a version was made"},
    **dict.fromkeys(("added", "changed", "removed", "unchanged"), COUNT),
    **_LEFT_OUT,
    "conflict_count": COUNT,
    "conflicts": {**array(reference("DatasetConflict")), "description": "the first of them"},
}
_RECORD: Final[dict[str, Schema]] = {
    "inputs": ANYTHING,
    "outputs": ANYTHING,
    "expectations": {**OBJECT, "description": "by name"},
    "tags": TEXTS,
    "source": reference("DatasetRecordSource"),
}
_LABEL: Final[dict[str, Schema]] = {
    "rule": TEXT,
    "trace_id": TEXT,
    "assessment_ids": array(TEXT),
    "source_ids": array(TEXT),
    "labeling_session_id": TEXT,
    "label_schema_version": TEXT,
}

DATASET_SCHEMAS: Final[dict[str, Schema]] = {
    "Dataset": object_of(
        {
            "dataset_id": TEXT,
            "name": TEXT,
            "description": TEXT,
            "tags": TEXTS,
            "created_at": MOMENT,
            "version": {**_VERSION, "description": "the latest; 0 has no records"},
            "records": {**COUNT, "description": "of that version"},
            "path": {**TEXT, "description": "of its page"},
        }
    ),
    "DatasetPage": page_of("Dataset"),
    "NewDataset": given(
        {"name": _NAME, "description": {"type": "string", "maxLength": LONGEST_DESCRIPTION}, "tags": TEXTS}, "name"
    ),
    "DatasetVersion": object_of(
        {
            "version": _VERSION,
            "records": COUNT,
            **dict.fromkeys(("added", "changed", "removed"), COUNT),
            "note": TEXT,
            "created_by": TEXT,
            "created_at": MOMENT,
        }
    ),
    "DatasetVersionPage": page_of("DatasetVersion"),
    "DatasetLabel": given(_LABEL, description="where an expectation came from that people gave"),
    "DatasetRecordSource": given(
        {
            "trace": given({"trace_id": TEXT, "span_id": TEXT}, "trace_id"),
            "session": object_of({"session_id": TEXT}),
            "labels": {"type": "object", "additionalProperties": reference("DatasetLabel")},
            "file": object_of({"name": TEXT}),
        },
        description="where a record came from",
    ),
    "DatasetRecord": object_of(
        {"record_id": TEXT, **_RECORD, "version": {**_VERSION, "description": "the one from which on it is so"}}
    ),
    "DatasetRecordPage": page_of("DatasetRecord"),
    "DatasetRecordGiven": given(
        {
            **_RECORD,
            "tags": {**OBJECT, "description": "kept as texts"},
            "trace_id": {**OPTIONAL_TEXT, "description": "without inputs, those of this trace are taken"},
            "span_id": OPTIONAL_TEXT,
            "session_id": OPTIONAL_TEXT,
            **{name: {"description": "not looked at"} for name in ("record_id", "dataset_record_id", "version")},
        }
    ),
    "DatasetRecordsGiven": given(
        {
            "records": array(reference("DatasetRecordGiven")),
            "note": _NOTE,
            "on_conflict": _ON_CONFLICT,
            "file": {"type": "string", "maxLength": LONGEST_NOTE, "description": "the name of where they came from"},
            "upload_id": {**TEXT, "description": "as the request before was answered"},
            "more": {**FLAG, "default": False, "description": "keep them for the requests that follow"},
        },
        "records",
    ),
    "DatasetRecordsChosen": given({"record_ids": array(TEXT), "note": _NOTE}, "record_ids"),
    "DatasetUpload": object_of({"upload_id": TEXT, **_LEFT_OUT}, description="kept until the request without more"),
    "DatasetConflict": object_of(
        {
            "record_id": TEXT,
            "trace_id": TEXT,
            "name": TEXT,
            "said": array(object_of({"source_id": TEXT, "value": ANYTHING})),
        },
        description="an expectation about which people disagree",
    ),
    "DatasetMerge": object_of(_MERGE),
    "DatasetSync": object_of(
        {
            **_MERGE,
            "labelled": {**COUNT, "description": "traces with expectations in the session"},
            "conversations_left_out": {**COUNT, "description": "items that are whole conversations"},
        }
    ),
    "DatasetSyncAsked": given(
        {"to_dataset": {**TEXT, "description": "an id or a name"}, "on_conflict": _ON_CONFLICT}, "to_dataset"
    ),
    "DatasetLabelingAsked": given(
        {"dataset": {**TEXT, "description": "an id or a name"}, "version": {**_VERSION, "type": ["integer", "null"]}},
        "dataset",
    ),
    "DatasetLabelingAdded": object_of(
        {
            "added": COUNT,
            "already_there": COUNT,
            "unknown": {**COUNT, "description": "of the added ones, those of which no span has come yet"},
            "without_trace": {**COUNT, "description": "records that came from no trace"},
        }
    ),
    "DatasetDifference": object_of(
        {
            "record_id": TEXT,
            "change": {"enum": ["added", "changed", "removed"]},
            "fields": {**array(TEXT), "description": "what of it changed"},
            "before": or_null("DatasetRecord"),
            "after": or_null("DatasetRecord"),
        }
    ),
    "DatasetDifferencePage": page_of(
        "DatasetDifference",
        **{"from": _VERSION, "to": _VERSION},
        **dict.fromkeys(("added", "changed", "removed"), COUNT),
    ),
}

_LOOKING: Final = (*READING, "404")
_SENDING: Final = (*READING, "404", "409", "413", "415", "422")
_ONE: Final = f"{PREFIX}/datasets/{{dataset}}"
_DATASET: Final[Schema] = {**in_path("dataset"), "description": "an id or a name"}
_SESSION: Final = f"{PREFIX}/labeling-sessions/{{session}}"
_MERGED: Final = answer("DatasetMerge", "the version that it made, or that stays")
_IMPORT: Final = operation(
    "Merge a file, which is the body, into a dataset",
    Role.REVIEW,
    {"200": _MERGED},
    (*READING, "404", "409", "413", "422"),
    (
        {**in_query("format", enum=list(FORMATS)), "required": True},
        in_query("name", "of the file"),
        in_query("note", maxLength=LONGEST_NOTE),
        in_query("on_conflict", enum=list(ON_CONFLICT), default=ON_CONFLICT[0]),
    ),
)

DATASET_PATHS: Final = tagged(
    "datasets",
    {
        f"{PREFIX}/datasets": {
            "get": operation(
                "Datasets, the newest first",
                Role.READ,
                {"200": answer("DatasetPage", "a page", NEXT)},
                READING,
                (
                    in_query("name", "the one of this name"),
                    in_query("contains", "a part of the name"),
                    in_query("tags", 'a JSON object of texts: {"team": "support"}'),
                    *PAGES,
                ),
            ),
            "post": operation(
                "Make an empty dataset",
                Role.REVIEW,
                {"201": answer("Dataset", "it is stored", LOCATION)},
                (*READING, "409", "413", "415", "422"),
                (),
                reference("NewDataset"),
            ),
        },
        _ONE: {
            "parameters": [_DATASET],
            "get": operation("A dataset", Role.READ, {"200": answer("Dataset", "it")}, _LOOKING),
            "delete": operation(
                "Take a dataset away with all its versions",
                Role.REVIEW,
                {"204": {"description": "it is gone"}},
                _LOOKING,
            ),
        },
        f"{_ONE}/records:merge": {
            "parameters": [_DATASET],
            "post": operation(
                "Merge records into a dataset, which makes a version of it",
                Role.REVIEW,
                {
                    "200": {
                        "description": "the version, or with more that they are kept",
                        "content": {
                            "application/json": {
                                "schema": {"oneOf": [reference("DatasetMerge"), reference("DatasetUpload")]}
                            }
                        },
                    }
                },
                _SENDING,
                (),
                reference("DatasetRecordsGiven"),
            ),
        },
        f"{_ONE}/records:import": {
            "parameters": [_DATASET],
            "post": {**_IMPORT, "requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
        },
        f"{_ONE}/records:delete": {
            "parameters": [_DATASET],
            "post": operation(
                "Make a version without some records",
                Role.REVIEW,
                {"200": _MERGED},
                _SENDING,
                (),
                reference("DatasetRecordsChosen"),
            ),
        },
        f"{_ONE}/versions": {
            "parameters": [_DATASET],
            "get": operation(
                "The versions of a dataset, the newest first",
                Role.READ,
                {"200": answer("DatasetVersionPage", "a page", NEXT)},
                _LOOKING,
                PAGES,
            ),
        },
        f"{_ONE}/versions/{{version}}/records": {
            "parameters": [_DATASET, in_path("version")],
            "get": operation(
                "The records of a version, in the order in which they were first merged",
                Role.READ,
                {"200": answer("DatasetRecordPage", "a page", NEXT)},
                _LOOKING,
                PAGES,
            ),
        },
        f"{_ONE}/diff": {
            "parameters": [_DATASET],
            "get": operation(
                "What differs between two versions",
                Role.READ,
                {"200": answer("DatasetDifferencePage", "a page, and how many there are", NEXT)},
                _LOOKING,
                (
                    in_query("from", "a version; else the one before", type="integer", minimum=0),
                    in_query("to", "a version; else the latest", type="integer", minimum=0),
                    *PAGES,
                ),
            ),
        },
        f"{_ONE}/export": {
            "parameters": [_DATASET],
            "get": operation(
                "The records of a version as a file",
                Role.READ,
                {"200": {"description": "a file", "content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
                (*_LOOKING, "422"),
                (
                    in_query("format", enum=list(EXPORT_FORMATS), default=EXPORT_FORMATS[0]),
                    in_query("version", "else the latest", type="integer", minimum=0),
                    in_query("limit", "else all", type="integer", minimum=1, maximum=HIGHEST_LIMIT),
                    *TIMES,
                ),
            ),
        },
        f"{_SESSION}:sync": {
            "parameters": [in_path("session")],
            "post": operation(
                "Merge what experts expected in a labeling session into a dataset",
                Role.REVIEW,
                {"200": answer("DatasetSync", "the version that it made, or that stays")},
                _SENDING,
                (),
                reference("DatasetSyncAsked"),
            ),
        },
        f"{_SESSION}:add-dataset": {
            "parameters": [in_path("session")],
            "post": operation(
                "Let the traces of a dataset be labelled",
                Role.REVIEW,
                {"200": answer("DatasetLabelingAdded", "they are stored")},
                _SENDING,
                (),
                reference("DatasetLabelingAsked"),
            ),
        },
    },
)
