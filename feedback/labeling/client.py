"""Asking a hansei for labeling over HTTP."""

from collections.abc import Mapping
from typing import ClassVar

from hansei.collector.errors import HanseiError
from hansei.feedback.api_client import ApiClient
from hansei.feedback.labeling.errors import InvalidLabeling, LabelingConflict, LabelingError, UnknownLabeling


class LabelingClient(ApiClient):
    """The API of labeling."""

    error = LabelingError
    errors: ClassVar[Mapping[int, type[HanseiError]]] = {
        400: InvalidLabeling,
        404: UnknownLabeling,
        409: LabelingConflict,
        413: InvalidLabeling,
        422: InvalidLabeling,
    }
