"""The journal of answers: what a process had written when it was killed is there for the next one, and nothing else."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hansei.evaluation.errors import EvaluationError
from hansei.evaluation.judges.journal import Journal

from .model_server import ModelServer

_WRITER = """
import sys
from pathlib import Path
from hansei.evaluation.judges.journal import Journal

journal, number = Journal(Path(sys.argv[1])), int(sys.argv[2])
while True:
    journal.put(f"key-{number}", {"number": number, "text": "x" * (number * 37 % 20_000)})
    # Said only after it was kept.
    print(number, flush=True)
    number += 1
"""
_ASKER = """
import asyncio, sys
from pathlib import Path
from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.judges.journal import Journal
from hansei.evaluation.judges.question import JudgeModel, Question
from hansei.evaluation.judges.settings import JudgeSettings

async def main():
    model = JudgeModel("m", sys.argv[1], "key")
    journal = Journal(Path(sys.argv[2]))
    async with ModelAsker(JudgeSettings(concurrency=8), journal=journal, spans=False) as asker:
        texts = [f"subject-{number}" for number in range(200)]
        await asyncio.gather(*(
            asker.ask(Question(model, [{"role": "user", "content": text}], {"type": "boolean"}, "j", "v", text))
            for text in texts
        ))
    journal.delete()

asyncio.run(main())
"""


def test_killed_while_it_writes(tmp_path: Path) -> None:
    """After each of five kills all that was said to be kept is there, whole, and the file goes on."""
    path = tmp_path / "nightly.journal"
    kept = -1
    for _ in range(5):
        arguments = [sys.executable, "-c", _WRITER, str(path), str(kept + 1)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.03)
            os.kill(writer.pid, signal.SIGKILL)
            said = [line for line in writer.stdout.read().split("\n")[:-1] if line]
        journal = Journal(path)
        kept = max(kept + 1, int(said[-1]) if said else -1)
        for number in range(kept + 1):
            assert journal.get(f"key-{number}") == {"number": number, "text": "x" * (number * 37 % 20_000)}
        # One may have been kept and not said; none is there by half.
        assert len(journal) in (kept + 1, kept + 2)
        journal.close()


def test_every_end_of_a_torn_line(tmp_path: Path) -> None:
    """Wherever the last write was cut off, the answers before it are read and those after it too; it is an answer
    itself where nothing but its line's end is missing."""
    path = tmp_path / "whole"
    journal = Journal(path)
    journal.put("a", {"said": "ä"})
    first = path.stat().st_size
    journal.put("b", {"said": "ö"})
    journal.close()
    whole = path.read_bytes()
    for size in range(first, len(whole)):
        torn = tmp_path / f"torn-{size}"
        torn.write_bytes(whole[:size])
        last = {"said": "ö"} if size == len(whole) - 1 else None
        journal = Journal(torn)
        assert journal.get("a") == {"said": "ä"}
        assert journal.get("b") == last
        journal.put("c", {"said": "ü"})
        journal.close()
        again = Journal(torn)
        assert (again.get("a"), again.get("b"), again.get("c")) == ({"said": "ä"}, last, {"said": "ü"})
        again.close()


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    """A process that is killed while it asks and starts again asks only what it had not read: at most those that were
    under way."""
    path = tmp_path / "nightly.journal"
    with ModelServer(delay=0.02) as models:
        arguments = [sys.executable, "-c", _ASKER, models.url, str(path)]
        with subprocess.Popen(arguments) as asker:
            while sum(models.answered.values()) < 100:
                time.sleep(0.005)
                assert asker.poll() is None
            os.kill(asker.pid, signal.SIGKILL)
        assert subprocess.run(arguments, check=False).returncode == 0
        assert len(models.asked) == 200
        assert sum(models.asked.values()) <= 200 + 8
    assert not path.exists()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """A journal that is open is nobody else's; one that cannot be opened is told by its name."""
    journal = Journal(tmp_path / "a" / "nightly.journal")
    with pytest.raises(EvaluationError, match="is another process's; give this one a folder of its own"):
        Journal(journal.path)
    journal.close()
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot be opened: File exists"):
        Journal(tmp_path / "file" / "nightly.journal")
