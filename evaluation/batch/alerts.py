"""Telling somebody that a metric has moved."""

import json
import logging
import math
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from hansei.evaluation.batch.config import Alert
from hansei.evaluation.batch.result import BatchResult
from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationError

_ATTEMPTS: Final = 5
_TIMEOUT: Final = 10.0
"""Seconds for one answer."""
_FIRST_PAUSE: Final = 0.5
"""Seconds before the second attempt; each further one waits twice as long."""
_LOOK_BACK: Final = 100
"""Runs among which those before are looked for."""

log: Final = logging.getLogger("hansei.evaluation")


def tell_alerts(client: EvaluationClient, alerts: Sequence[Alert], result: BatchResult) -> list[dict[str, Any]]:
    """Send what there is to tell of a run; answers it. A webhook that cannot be reached is logged, and not an error.

    Nor is that the runs before cannot be read, to which a change would be compared.
    """
    before: Sequence[Mapping[str, float]] = []
    if any(alert.change is not None for alert in alerts):
        try:
            before = _runs_before(client, result)
        except EvaluationError as error:
            log.warning("alerts of %s are not compared with the runs before: %s", result.name, error)
    told = []
    for alert in alerts:
        found = moved(alert, result, before)
        if found is not None:
            _post(alert.webhook, found)
            told.append(found)
    return told


def moved(alert: Alert, result: BatchResult, before: Sequence[Mapping[str, float]]) -> dict[str, Any] | None:
    """What an alert tells of a run, given the metrics of those before, the newest first; None where it is silent.

    A change counts where the mean of the runs before lies outside the interval of the metric, where it has one.
    """
    value = result.metrics.get(alert.metric)
    if value is None:
        return None
    interval = result.intervals.get(alert.metric)
    earlier = [metrics[alert.metric] for metrics in before if alert.metric in metrics][: alert.runs]
    mean = math.fsum(earlier) / len(earlier) if earlier else None
    reasons = []
    if alert.above is not None and value > alert.above:
        reasons.append(f"it is above {alert.above:g}")
    if alert.below is not None and value < alert.below:
        reasons.append(f"it is below {alert.below:g}")
    beyond = mean is not None and (interval is None or not interval[0] <= mean <= interval[1])
    if alert.change is not None and mean is not None and beyond and abs(value - mean) > alert.change:
        reasons.append(f"it was {mean:.4g} on average of the {len(earlier)} runs before")
    if not reasons:
        return None
    return {
        "batch": result.name,
        "run_id": result.run_id,
        "url": result.url,
        "metric": alert.metric,
        "value": value,
        "interval": list(interval) if interval else None,
        "mean_before": mean,
        "runs_before": len(earlier),
        "text": f"{result.name}: {alert.metric} is {value:.4g}: {', and '.join(reasons)}",
    }


def _runs_before(client: EvaluationClient, result: BatchResult) -> list[Mapping[str, float]]:
    query = urlencode({"batch": result.name, "kind": "batch", "limit": _LOOK_BACK})
    found = client.ask("GET", "evaluation-runs", query=query)["items"]
    return [run["metrics"] for run in found if run["status"] == "finished" and run["run_id"] != result.run_id]


def _post(webhook: str, body: Mapping[str, Any]) -> None:
    request = urllib.request.Request(
        webhook, json.dumps(body, ensure_ascii=False).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    pause = _FIRST_PAUSE
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT):
                return
        except urllib.error.HTTPError as error:
            with error:
                said, passing = f"it answers {error.code}", error.code in (408, 429) or error.code >= 500
        except OSError as error:
            said, passing = f"it does not answer: {error}", True
        if not passing or attempt == _ATTEMPTS:
            # The address may hold a secret: its host alone is told.
            log.warning("the alert on %s was not taken by %s: %s", body["metric"], request.host, said)
            return
        time.sleep(pause)
        pause *= 2
