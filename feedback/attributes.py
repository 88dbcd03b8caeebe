"""Attribute names of an assessment's event: the GenAI conventions' own, and ours for what they lack."""

from typing import Final

EVENT_NAME: Final = "gen_ai.evaluation.result"

NAME: Final = "gen_ai.evaluation.name"
SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
EXPLANATION: Final = "gen_ai.evaluation.explanation"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
ERROR_TYPE: Final = "error.type"

ASSESSMENT_ID: Final = "hansei.assessment.id"
KIND: Final = "hansei.assessment.kind"
VALUE: Final = "hansei.assessment.value"
SOURCE_TYPE: Final = "hansei.assessment.source.type"
SOURCE_ID: Final = "hansei.assessment.source.id"
OVERRIDES: Final = "hansei.assessment.overrides"
CORRECTION: Final = "hansei.assessment.correction"
DELETED: Final = "hansei.assessment.deleted"
METADATA: Final = "hansei.assessment.metadata"
ERROR_MESSAGE: Final = "hansei.assessment.error.message"
ERROR_CODE: Final = "hansei.assessment.error.code"
LABELING_SESSION_ID: Final = "hansei.assessment.labeling_session.id"
EVALUATION_RUN_ID: Final = "hansei.assessment.evaluation_run.id"
