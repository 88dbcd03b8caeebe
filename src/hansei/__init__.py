"""hansei: an OpenTelemetry-native collector for generative-AI applications.

Every public name is importable from here and loaded on first use, so that ``import hansei`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hansei.collector.errors import HanseiError
    from hansei.evaluation.agreement.judge_agreement import JudgeAgreement, judge_agreement
    from hansei.evaluation.batch.config import BatchConfig
    from hansei.evaluation.batch.result import BatchResult
    from hansei.evaluation.batch.runner import run_batch
    from hansei.evaluation.datasets.dataset import Dataset, create_dataset, delete_dataset, get_dataset, search_datasets
    from hansei.evaluation.errors import EvaluationError, InvalidEvaluation, JudgeError, NotApplicable
    from hansei.evaluation.judges.judge import Judge
    from hansei.evaluation.judges.make_judge import make_judge
    from hansei.evaluation.judges.question import JudgeModel
    from hansei.evaluation.judges.settings import JudgeSettings
    from hansei.evaluation.runs.comparison import compare
    from hansei.evaluation.runs.evaluate import evaluate
    from hansei.evaluation.runs.record import RunRow
    from hansei.evaluation.runs.result import EvaluationResult
    from hansei.evaluation.scorer import Scorer, scorer
    from hansei.evaluation.scorers.adapters.autoevals import from_autoevals
    from hansei.evaluation.scorers.adapters.deepeval import from_deepeval
    from hansei.evaluation.scorers.adapters.ragas import from_ragas
    from hansei.evaluation.scorers.all_scorers import get_all_scorers
    from hansei.evaluation.scorers.bleu import Bleu
    from hansei.evaluation.scorers.chrf import Chrf
    from hansei.evaluation.scorers.completeness import Completeness
    from hansei.evaluation.scorers.conversation_completeness import ConversationCompleteness
    from hansei.evaluation.scorers.conversational_guidelines import ConversationalGuidelines
    from hansei.evaluation.scorers.conversational_role_adherence import ConversationalRoleAdherence
    from hansei.evaluation.scorers.conversational_safety import ConversationalSafety
    from hansei.evaluation.scorers.conversational_tool_call_efficiency import ConversationalToolCallEfficiency
    from hansei.evaluation.scorers.correctness import Correctness
    from hansei.evaluation.scorers.cost import Cost
    from hansei.evaluation.scorers.embedding_similarity import EmbeddingSimilarity
    from hansei.evaluation.scorers.equivalence import Equivalence
    from hansei.evaluation.scorers.exact_match import ExactMatch
    from hansei.evaluation.scorers.expectations_guidelines import ExpectationsGuidelines
    from hansei.evaluation.scorers.fluency import Fluency
    from hansei.evaluation.scorers.fuzzy_match import FuzzyMatch
    from hansei.evaluation.scorers.guidelines import Guidelines
    from hansei.evaluation.scorers.json_schema import JsonSchema
    from hansei.evaluation.scorers.json_valid import JsonValid
    from hansei.evaluation.scorers.knowledge_retention import KnowledgeRetention
    from hansei.evaluation.scorers.latency import Latency
    from hansei.evaluation.scorers.pii_detection import PIIDetection
    from hansei.evaluation.scorers.regex_match import RegexMatch
    from hansei.evaluation.scorers.registry import built_in_scorers, scorer_named
    from hansei.evaluation.scorers.relevance_to_query import RelevanceToQuery
    from hansei.evaluation.scorers.response_length import ResponseLength
    from hansei.evaluation.scorers.retrieval_groundedness import RetrievalGroundedness
    from hansei.evaluation.scorers.retrieval_relevance import RetrievalRelevance
    from hansei.evaluation.scorers.retrieval_sufficiency import RetrievalSufficiency
    from hansei.evaluation.scorers.rouge import Rouge
    from hansei.evaluation.scorers.safety import Safety
    from hansei.evaluation.scorers.summarization import Summarization
    from hansei.evaluation.scorers.token_usage import TokenUsage
    from hansei.evaluation.scorers.tool_call_correctness import ToolCallCorrectness
    from hansei.evaluation.scorers.tool_call_efficiency import ToolCallEfficiency
    from hansei.evaluation.scorers.user_frustration import UserFrustration
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
    from hansei.instrumentation.autolog import autolog

__version__ = "0.1.0"
__all__ = [
    "Assessment",
    "AssessmentError",
    "AssessmentSource",
    "AssessmentSourceType",
    "AsyncFeedbackClient",
    "BatchConfig",
    "BatchResult",
    "Bleu",
    "Chrf",
    "Completeness",
    "ConversationCompleteness",
    "ConversationalGuidelines",
    "ConversationalRoleAdherence",
    "ConversationalSafety",
    "ConversationalToolCallEfficiency",
    "Correctness",
    "Cost",
    "Dataset",
    "DeliveryError",
    "EmbeddingSimilarity",
    "Equivalence",
    "EvaluationError",
    "EvaluationResult",
    "ExactMatch",
    "Expectation",
    "ExpectationsGuidelines",
    "Feedback",
    "FeedbackClient",
    "FilterError",
    "Fluency",
    "FuzzyMatch",
    "Guidelines",
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
    "InvalidEvaluation",
    "JsonSchema",
    "JsonValid",
    "Judge",
    "JudgeAgreement",
    "JudgeError",
    "JudgeModel",
    "JudgeSettings",
    "KnowledgeRetention",
    "LabelSchema",
    "LabelSchemaType",
    "LabelingSession",
    "Latency",
    "NotApplicable",
    "PIIDetection",
    "RegexMatch",
    "RelevanceToQuery",
    "ResponseLength",
    "RetrievalGroundedness",
    "RetrievalRelevance",
    "RetrievalSufficiency",
    "Rouge",
    "RunRow",
    "Safety",
    "Scorer",
    "SearchError",
    "Span",
    "SpanType",
    "Summarization",
    "TokenUsage",
    "ToolCallCorrectness",
    "ToolCallEfficiency",
    "Trace",
    "TraceInfo",
    "UserFrustration",
    "__version__",
    "autolog",
    "built_in_scorers",
    "compare",
    "create_dataset",
    "create_label_schema",
    "create_labeling_session",
    "delete_assessment",
    "delete_dataset",
    "delete_label_schema",
    "delete_labeling_session",
    "evaluate",
    "feedback_client",
    "feedback_token",
    "flush",
    "from_autoevals",
    "from_deepeval",
    "from_ragas",
    "get_all_scorers",
    "get_assessment",
    "get_current_active_span",
    "get_current_trace_id",
    "get_dataset",
    "get_label_schema",
    "get_labeling_session",
    "get_labeling_sessions",
    "get_last_active_trace_id",
    "get_trace",
    "instrument",
    "judge_agreement",
    "list_label_schemas",
    "log_assessment",
    "log_expectation",
    "log_feedback",
    "make_judge",
    "override_feedback",
    "run_batch",
    "scorer",
    "scorer_named",
    "search_assessments",
    "search_datasets",
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
    "BatchConfig": "hansei.evaluation.batch.config",
    "BatchResult": "hansei.evaluation.batch.result",
    "Bleu": "hansei.evaluation.scorers.bleu",
    "Chrf": "hansei.evaluation.scorers.chrf",
    "Completeness": "hansei.evaluation.scorers.completeness",
    "ConversationCompleteness": "hansei.evaluation.scorers.conversation_completeness",
    "ConversationalGuidelines": "hansei.evaluation.scorers.conversational_guidelines",
    "ConversationalRoleAdherence": "hansei.evaluation.scorers.conversational_role_adherence",
    "ConversationalSafety": "hansei.evaluation.scorers.conversational_safety",
    "ConversationalToolCallEfficiency": "hansei.evaluation.scorers.conversational_tool_call_efficiency",
    "Correctness": "hansei.evaluation.scorers.correctness",
    "Cost": "hansei.evaluation.scorers.cost",
    "Dataset": "hansei.evaluation.datasets.dataset",
    "DeliveryError": "hansei.feedback.client",
    "EmbeddingSimilarity": "hansei.evaluation.scorers.embedding_similarity",
    "Equivalence": "hansei.evaluation.scorers.equivalence",
    "EvaluationError": "hansei.evaluation.errors",
    "EvaluationResult": "hansei.evaluation.runs.result",
    "ExactMatch": "hansei.evaluation.scorers.exact_match",
    "Expectation": "hansei.feedback.assessment",
    "ExpectationsGuidelines": "hansei.evaluation.scorers.expectations_guidelines",
    "Feedback": "hansei.feedback.assessment",
    "FeedbackClient": "hansei.feedback.client",
    "FilterError": "hansei.feedback.search.errors",
    "Fluency": "hansei.evaluation.scorers.fluency",
    "FuzzyMatch": "hansei.evaluation.scorers.fuzzy_match",
    "Guidelines": "hansei.evaluation.scorers.guidelines",
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
    "InvalidEvaluation": "hansei.evaluation.errors",
    "JsonSchema": "hansei.evaluation.scorers.json_schema",
    "JsonValid": "hansei.evaluation.scorers.json_valid",
    "Judge": "hansei.evaluation.judges.judge",
    "JudgeAgreement": "hansei.evaluation.agreement.judge_agreement",
    "JudgeError": "hansei.evaluation.errors",
    "JudgeModel": "hansei.evaluation.judges.question",
    "JudgeSettings": "hansei.evaluation.judges.settings",
    "KnowledgeRetention": "hansei.evaluation.scorers.knowledge_retention",
    "LabelSchema": "hansei.feedback.labeling.label_schema",
    "LabelSchemaType": "hansei.feedback.labeling.label_schema",
    "LabelingSession": "hansei.feedback.labeling.labeling_session",
    "Latency": "hansei.evaluation.scorers.latency",
    "NotApplicable": "hansei.evaluation.errors",
    "PIIDetection": "hansei.evaluation.scorers.pii_detection",
    "RegexMatch": "hansei.evaluation.scorers.regex_match",
    "RelevanceToQuery": "hansei.evaluation.scorers.relevance_to_query",
    "ResponseLength": "hansei.evaluation.scorers.response_length",
    "RetrievalGroundedness": "hansei.evaluation.scorers.retrieval_groundedness",
    "RetrievalRelevance": "hansei.evaluation.scorers.retrieval_relevance",
    "RetrievalSufficiency": "hansei.evaluation.scorers.retrieval_sufficiency",
    "Rouge": "hansei.evaluation.scorers.rouge",
    "RunRow": "hansei.evaluation.runs.record",
    "Safety": "hansei.evaluation.scorers.safety",
    "Scorer": "hansei.evaluation.scorer",
    "SearchError": "hansei.feedback.search.errors",
    "Span": "hansei.feedback.search.trace",
    "SpanType": "hansei.instrumentation",
    "Summarization": "hansei.evaluation.scorers.summarization",
    "TokenUsage": "hansei.evaluation.scorers.token_usage",
    "ToolCallCorrectness": "hansei.evaluation.scorers.tool_call_correctness",
    "ToolCallEfficiency": "hansei.evaluation.scorers.tool_call_efficiency",
    "Trace": "hansei.feedback.search.trace",
    "TraceInfo": "hansei.feedback.search.trace",
    "UserFrustration": "hansei.evaluation.scorers.user_frustration",
    "autolog": "hansei.instrumentation.autolog",
    "built_in_scorers": "hansei.evaluation.scorers.registry",
    "compare": "hansei.evaluation.runs.comparison",
    "create_dataset": "hansei.evaluation.datasets.dataset",
    "create_label_schema": "hansei.feedback.labeling.label_schema",
    "create_labeling_session": "hansei.feedback.labeling.labeling_session",
    "delete_assessment": "hansei.feedback.recording",
    "delete_dataset": "hansei.evaluation.datasets.dataset",
    "delete_label_schema": "hansei.feedback.labeling.label_schema",
    "delete_labeling_session": "hansei.feedback.labeling.labeling_session",
    "evaluate": "hansei.evaluation.runs.evaluate",
    "feedback_client": "hansei.feedback.client",
    "feedback_token": "hansei.feedback.tokens",
    "flush": "hansei.instrumentation.activation",
    "from_autoevals": "hansei.evaluation.scorers.adapters.autoevals",
    "from_deepeval": "hansei.evaluation.scorers.adapters.deepeval",
    "from_ragas": "hansei.evaluation.scorers.adapters.ragas",
    "get_all_scorers": "hansei.evaluation.scorers.all_scorers",
    "get_assessment": "hansei.feedback.search.assessments",
    "get_current_active_span": "hansei.instrumentation",
    "get_current_trace_id": "hansei.instrumentation",
    "get_dataset": "hansei.evaluation.datasets.dataset",
    "get_label_schema": "hansei.feedback.labeling.label_schema",
    "get_labeling_session": "hansei.feedback.labeling.labeling_session",
    "get_labeling_sessions": "hansei.feedback.labeling.labeling_session",
    "get_last_active_trace_id": "hansei.instrumentation",
    "get_trace": "hansei.feedback.search.traces",
    "instrument": "hansei.instrumentation",
    "judge_agreement": "hansei.evaluation.agreement.judge_agreement",
    "list_label_schemas": "hansei.feedback.labeling.label_schema",
    "log_assessment": "hansei.feedback.recording",
    "log_expectation": "hansei.feedback.recording",
    "log_feedback": "hansei.feedback.recording",
    "make_judge": "hansei.evaluation.judges.make_judge",
    "override_feedback": "hansei.feedback.recording",
    "run_batch": "hansei.evaluation.batch.runner",
    "scorer": "hansei.evaluation.scorer",
    "scorer_named": "hansei.evaluation.scorers.registry",
    "search_assessments": "hansei.feedback.search.assessments",
    "search_datasets": "hansei.evaluation.datasets.dataset",
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
