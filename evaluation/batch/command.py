"""``hansei evaluate``: batches from the command line, and from what schedules commands."""

import logging
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hansei.evaluation.batch.config import BatchConfig
from hansei.evaluation.batch.lease import HeldElsewhere
from hansei.evaluation.batch.result import DONE, HELD_ELSEWHERE, MISTAKE, NOT_DONE, BatchResult
from hansei.evaluation.batch.runner import run_batch
from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.feedback.search.errors import InvalidSearch, SearchError

_ENDING: Final = (signal.SIGTERM, signal.SIGINT)


def evaluate_command(
    config: Path,
    *,
    since: str | None = None,
    until: str | None = None,
    shard: str | None = None,
    schedule: str | None = None,
    once: bool = False,
    dry_run: bool = False,
    journal: Path | None = None,
) -> int:
    """Run a batch, once or on its schedule, and print what came of it; answers the exit code.

    0: all done. 1: done, with failed scores. 2: a mistake in the configuration. 3: stopped by the budget. 4: another
    process runs this batch. 5: it could not go on, and may be run again. 143: stopped by hand.
    """
    logging.basicConfig(format="hansei: %(message)s", level=logging.WARNING, stream=sys.stderr)
    try:
        batch = BatchConfig.read(config)
        cron = "" if once or dry_run or since or until else (schedule or batch.schedule)
        with _until_signalled() as stop:
            if cron:
                return _keep_running(batch, cron, shard, journal, stop)
            result = run_batch(
                batch, since=since, until=until, shard=shard, journal=journal, dry_run=dry_run, stop=stop
            )
    except HeldElsewhere as error:
        return _fail(HELD_ELSEWHERE, error)
    except (InvalidEvaluation, InvalidSearch) as error:
        return _fail(MISTAKE, error)
    except (EvaluationError, SearchError) as error:
        return _fail(NOT_DONE, error)
    print("\n".join(result_lines(result)), flush=True)
    return result.exit_code


def _keep_running(batch: BatchConfig, cron: str, shard: str | None, journal: Path | None, stop: threading.Event) -> int:
    from hansei.evaluation.batch.schedule import Schedule

    logging.getLogger("hansei.evaluation").setLevel(logging.INFO)
    schedule = Schedule(batch, cron, shard, journal)
    print(f"{schedule.name} runs at {cron} (UTC)", flush=True)
    schedule.run(stop, lambda result: print("\n".join(result_lines(result)), flush=True))
    return DONE


@contextmanager
def _until_signalled() -> Iterator[threading.Event]:
    """An event that a signal sets; a second one ends the process at once."""
    stop = threading.Event()

    def end(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {each: signal.signal(each, end) for each in _ENDING}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def result_lines(result: BatchResult) -> list[str]:
    """What came of a run, for people."""
    funnel = result.funnel
    again = f", {funnel['again']} of them again" if funnel["again"] else ""
    took = f", in {result.seconds:.1f} s" if result.seconds else ""
    lines = [
        f"{result.name}: {result.status}" + (f": {result.message}" if result.message else ""),
        f"seen {funnel['seen']}, selected {funnel['selected']}{again}{took}",
        *_table(funnel["scorers"]),
    ]
    for name, counts in funnel["scorers"].items():
        lines += [f"  {name} failed {count} times: {text}" for text, count in counts["errors"].items()]
        lines += [f"  {name} skipped {count}: {text}" for text, count in counts["reasons"].items()]
    for name, value in sorted(result.metrics.items()):
        ends = result.intervals.get(name)
        lines.append(f"{name:<40} {value:>10.4g}" + (f"  [{ends[0]:.4g}, {ends[1]:.4g}]" if ends else ""))
    if result.status == "dry":
        lines.append(f"calls to models: {result.calls} or more")
    elif result.cost_usd is not None:
        lines.append(f"cost: {result.cost_usd:.4f} USD")
    if result.url:
        lines.append(result.url)
    return lines


def _table(scorers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    columns = ("scored", "failed", "skipped", "kept", "unasked")
    rows: list[Sequence[str]] = [("scorer", *columns)]
    rows += [(name, *(str(counts[column]) for column in columns)) for name, counts in scorers.items()]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns) + 1)]
    return [
        row[0].ljust(widths[0]) + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]


def _fail(code: int, error: Exception) -> int:
    print(f"hansei: {error}", file=sys.stderr)
    return code
