"""Asking a hansei about evaluation over HTTP."""

from collections.abc import Mapping
from typing import ClassVar

from hansei.collector.errors import HanseiError
from hansei.evaluation.errors import EvaluationConflict, EvaluationError, InvalidEvaluation, UnknownEvaluation
from hansei.feedback.api_client import ApiClient


class EvaluationClient(ApiClient):
    """The API of runs, datasets, schedules and leases."""

    error = EvaluationError
    errors: ClassVar[Mapping[int, type[HanseiError]]] = {
        400: InvalidEvaluation,
        404: UnknownEvaluation,
        409: EvaluationConflict,
        413: InvalidEvaluation,
        422: InvalidEvaluation,
    }
