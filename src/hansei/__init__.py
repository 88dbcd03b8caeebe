"""hansei: an OpenTelemetry-native collector for generative-AI applications.

Every public name is importable from here and loaded on first use, so that ``import hansei`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hansei.collector.errors import HanseiError
    from hansei.feedback.assessment import Assessment, AssessmentError, Expectation, Feedback
    from hansei.feedback.client import AsyncFeedbackClient, DeliveryError, FeedbackClient, feedback_client
    from hansei.feedback.errors import InvalidAssessment
    from hansei.feedback.labeling.inputs import (
        InputCategorical,
        InputCategoricalList,
        InputNumeric,
        InputPassFail,
        InputText,
        InputTextList,
    )
    from hansei.feedback.labeling.label_schema import (
        LabelSchema,
        LabelSchemaType,
        create_label_schema,
        delete_label_schema,
        get_label_schema,
        list_label_schemas,
    )
    from hansei.feedback.labeling.labeling_session import (
        LabelingSession,
        create_labeling_session,
        delete_labeling_session,
        get_labeling_session,
        get_labeling_sessions,
    )
    from hansei.feedback.recording import (
        delete_assessment,
        log_assessment,
        log_expectation,
        log_feedback,
        override_feedback,
        update_assessment,
    )
    from hansei.feedback.search.assessments import get_assessment, search_assessments
    from hansei.feedback.search.errors import FilterError, SearchError
    from hansei.feedback.search.sessions import search_sessions
    from hansei.feedback.search.trace import Span, Trace, TraceInfo
    from hansei.feedback.search.traces import get_trace, search_traces
    from hansei.feedback.source import AssessmentSource, AssessmentSourceType
    from hansei.feedback.tokens import feedback_token
    from hansei.instrumentation import (
        HanseiASGIMiddleware,
        HanseiWSGIMiddleware,
        SpanType,
        get_current_active_span,
        get_current_trace_id,
        get_last_active_trace_id,
        instrument,
        session,
        start_span,
        trace,
        uninstrument,
        update_current_trace,
        using_attributes,
    )
    from hansei.instrumentation.activation import flush

__version__ = "0.1.0"
__all__ = [
    "Assessment",
    "AssessmentError",
    "AssessmentSource",
    "AssessmentSourceType",
    "AsyncFeedbackClient",
    "DeliveryError",
    "Expectation",
    "Feedback",
    "FeedbackClient",
    "FilterError",
    "HanseiASGIMiddleware",
    "HanseiError",
    "HanseiWSGIMiddleware",
    "InputCategorical",
    "InputCategoricalList",
    "InputNumeric",
    "InputPassFail",
    "InputText",
    "InputTextList",
    "InvalidAssessment",
    "LabelSchema",
    "LabelSchemaType",
    "LabelingSession",
    "SearchError",
    "Span",
    "SpanType",
    "Trace",
    "TraceInfo",
    "__version__",
    "create_label_schema",
    "create_labeling_session",
    "delete_assessment",
    "delete_label_schema",
    "delete_labeling_session",
    "feedback_client",
    "feedback_token",
    "flush",
    "get_assessment",
    "get_current_active_span",
    "get_current_trace_id",
    "get_label_schema",
    "get_labeling_session",
    "get_labeling_sessions",
    "get_last_active_trace_id",
    "get_trace",
    "instrument",
    "list_label_schemas",
    "log_assessment",
    "log_expectation",
    "log_feedback",
    "override_feedback",
    "search_assessments",
    "search_sessions",
    "search_traces",
    "session",
    "start_span",
    "trace",
    "uninstrument",
    "update_assessment",
    "update_current_trace",
    "using_attributes",
]

_HOMES = {
    "Assessment": "hansei.feedback.assessment",
    "AssessmentError": "hansei.feedback.assessment",
    "AssessmentSource": "hansei.feedback.source",
    "AssessmentSourceType": "hansei.feedback.source",
    "AsyncFeedbackClient": "hansei.feedback.client",
    "DeliveryError": "hansei.feedback.client",
    "Expectation": "hansei.feedback.assessment",
    "Feedback": "hansei.feedback.assessment",
    "FeedbackClient": "hansei.feedback.client",
    "FilterError": "hansei.feedback.search.errors",
    "HanseiASGIMiddleware": "hansei.instrumentation",
    "HanseiError": "hansei.collector.errors",
    "HanseiWSGIMiddleware": "hansei.instrumentation",
    "InputCategorical": "hansei.feedback.labeling.inputs",
    "InputCategoricalList": "hansei.feedback.labeling.inputs",
    "InputNumeric": "hansei.feedback.labeling.inputs",
    "InputPassFail": "hansei.feedback.labeling.inputs",
    "InputText": "hansei.feedback.labeling.inputs",
    "InputTextList": "hansei.feedback.labeling.inputs",
    "InvalidAssessment": "hansei.feedback.errors",
    "LabelSchema": "hansei.feedback.labeling.label_schema",
    "LabelSchemaType": "hansei.feedback.labeling.label_schema",
    "LabelingSession": "hansei.feedback.labeling.labeling_session",
    "SearchError": "hansei.feedback.search.errors",
    "Span": "hansei.feedback.search.trace",
    "SpanType": "hansei.instrumentation",
    "Trace": "hansei.feedback.search.trace",
    "TraceInfo": "hansei.feedback.search.trace",
    "create_label_schema": "hansei.feedback.labeling.label_schema",
    "create_labeling_session": "hansei.feedback.labeling.labeling_session",
    "delete_assessment": "hansei.feedback.recording",
    "delete_label_schema": "hansei.feedback.labeling.label_schema",
    "delete_labeling_session": "hansei.feedback.labeling.labeling_session",
    "feedback_client": "hansei.feedback.client",
    "feedback_token": "hansei.feedback.tokens",
    "flush": "hansei.instrumentation.activation",
    "get_assessment": "hansei.feedback.search.assessments",
    "get_current_active_span": "hansei.instrumentation",
    "get_current_trace_id": "hansei.instrumentation",
    "get_label_schema": "hansei.feedback.labeling.label_schema",
    "get_labeling_session": "hansei.feedback.labeling.labeling_session",
    "get_labeling_sessions": "hansei.feedback.labeling.labeling_session",
    "get_last_active_trace_id": "hansei.instrumentation",
    "get_trace": "hansei.feedback.search.traces",
    "instrument": "hansei.instrumentation",
    "list_label_schemas": "hansei.feedback.labeling.label_schema",
    "log_assessment": "hansei.feedback.recording",
    "log_expectation": "hansei.feedback.recording",
    "log_feedback": "hansei.feedback.recording",
    "override_feedback": "hansei.feedback.recording",
    "search_assessments": "hansei.feedback.search.assessments",
    "search_sessions": "hansei.feedback.search.sessions",
    "search_traces": "hansei.feedback.search.traces",
    "session": "hansei.instrumentation",
    "start_span": "hansei.instrumentation",
    "trace": "hansei.instrumentation",
    "uninstrument": "hansei.instrumentation",
    "update_assessment": "hansei.feedback.recording",
    "update_current_trace": "hansei.instrumentation",
    "using_attributes": "hansei.instrumentation",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'hansei' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
