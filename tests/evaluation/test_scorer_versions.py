"""The version of a scorer: the same in every process, as long as the scorer is the same."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hansei.evaluation.scorer import Scorer, scorer

_MODULE = """
from hansei.evaluation.scorer import Scorer, scorer

def below(limit):
    return lambda number: number < limit

def made(check, words, wanted):
    @scorer
    def fits(outputs, others=wanted):
        return check(len(outputs)) and outputs in words
    return fits

class Client:
    pass

class Asks(Scorer):
    name = "asks"
    def __init__(self):
        self.client, self.words = Client(), {"a", "b", "c"}
    def __call__(self, *, outputs):
        return outputs in self.words

print(made(below(3), {"alpha", "beta", "gamma"}, frozenset("xyz")).version, Asks().version)
"""


def test_alike_in_every_process(tmp_path: Path) -> None:
    """Functions, sets and objects that a scorer holds make no other version of it in another process."""
    (tmp_path / "mine.py").write_text(_MODULE)
    said = {
        subprocess.run(
            [sys.executable, str(tmp_path / "mine.py")], env={**os.environ, "PYTHONHASHSEED": seed}, text=True,
            capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


def test_what_it_closes_over() -> None:
    """Another value that a function closes over, or another function, is another version."""

    def made(threshold: Any) -> str:
        @scorer
        def reaches(outputs: Any) -> bool:
            return bool(threshold(outputs) if callable(threshold) else outputs >= threshold)

        return reaches.version

    def above(least: float) -> Callable[[float], bool]:
        return lambda value: value > least

    def even(value: int) -> bool:
        return value == 0 or not even(value - 1)

    versions = [made(1), made(2), made(above(1)), made(above(2)), made(even)]
    assert len(set(versions)) == 5
    assert versions == [made(1), made(2), made(above(1)), made(above(2)), made(even)]


class Held(Scorer):
    name = "held"

    def __init__(self, words: Any) -> None:
        self.words = words

    def __call__(self, *, outputs: Any) -> bool:
        return outputs in self.words


def test_what_was_worked_out() -> None:
    """What an object has worked out of itself is no part of its version."""
    used = Held(["a"])
    assert (used.needs, used.is_async, used.source.source_id) == (frozenset({"outputs"}), False, "held")
    assert used.version == Held(["a"]).version != Held(["b"]).version
