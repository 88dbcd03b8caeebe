"""How far a batch has come, at the hansei that keeps it."""

from dataclasses import fields
from typing import Any

from hansei.evaluation.batch.record import BatchRecord
from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import UnknownEvaluation


def read_record(client: EvaluationClient, name: str) -> BatchRecord | None:
    """What is known of a batch; None before its first run. Raises ``EvaluationError``."""
    try:
        found = client.ask("GET", "evaluation-batches", name)
    except UnknownEvaluation:
        return None
    return BatchRecord(**{each.name: found[each.name] for each in fields(BatchRecord)})


def write_record(client: EvaluationClient, name: str, **changes: Any) -> None:
    """Write what changes. Raises ``EvaluationError``."""
    client.ask("PUT", "evaluation-batches", name, body=changes)
