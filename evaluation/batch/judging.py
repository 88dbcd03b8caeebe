"""Asking models in a batch: within the configured limits, and with a journal, so that nothing is paid for twice."""

import os
from pathlib import Path
from types import TracebackType
from typing import Final

from hansei.evaluation.batch.config import BatchConfig
from hansei.evaluation.errors import JudgeError
from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.judges.journal import Journal
from hansei.evaluation.judges.question import Asker, Question, Verdict
from hansei.evaluation.judges.settings import JudgeSettings

_CODE_CONCURRENCY: Final = 16


def state_folder() -> Path:
    """Where journals are kept unless another folder is named: below ``XDG_STATE_HOME``."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "hansei" / "journals"


def judge_settings(config: BatchConfig) -> JudgeSettings:
    """The limits. Raises ``InvalidEvaluation``."""
    return JudgeSettings(**{name: value for name, value in config.judge.items() if name != "model"})


class BatchAsker:
    """Asks models for the length of a run; where no scorer is a judge there is nothing to open."""

    def __init__(self, config: BatchConfig, name: str, run_id: str, folder: Path | None, *, judging: bool) -> None:
        self._settings = judge_settings(config)
        self._run_id = run_id
        file = name.replace("#", "-").replace("/", "-of-") + ".journal"
        self._path = (folder or state_folder()) / file if judging else None
        self._journal: Journal | None = None
        self._models: ModelAsker | None = None

    @property
    def asker(self) -> Asker:
        """What asks."""
        return self._models or _Nobody()

    @property
    def concurrency(self) -> int:
        """Pieces of work at the same time."""
        return max(self._settings.concurrency, _CODE_CONCURRENCY) if self._path is None else self._settings.concurrency

    def forget(self) -> None:
        """Every score is stored: what models answered is no longer needed."""
        if self._journal is not None:
            self._journal.delete()
            self._journal = None

    async def __aenter__(self) -> "BatchAsker":
        """Raises ``EvaluationError`` where another process has the journal."""
        if self._path is not None:
            self._journal = Journal(self._path)
            self._models = ModelAsker(self._settings, run_id=self._run_id, journal=self._journal)
            await self._models.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._models is not None:
            await self._models.__aexit__(kind, error, trace)
        if self._journal is not None:
            self._journal.close()
            self._journal = None


class _Nobody:
    """There is no judge."""

    async def ask(self, question: Question) -> Verdict:
        """See :class:`~hansei.evaluation.judges.question.Asker`."""
        raise JudgeError(f"{question.scorer} asks a model, and the batch has no judge")
