"""Tokens of inserts whose parts a crash took."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansei.collector.deduplication_log import forget_lost_parts

from .ledger import Ledger
from .processes import Ran, Serving

TABLES = "SELECT name, data_paths[1] FROM system.tables WHERE name IN ('otel_traces', 'otel_logs', 'genai_usage_5m')"


def test_killed_between_the_token_and_its_part(
    serve: Callable[..., Serving],
    hansei: Callable[..., Ran],
    clients: Any,
    ledger: Ledger,
) -> None:
    """What a process leaves that is killed after the engine logged a token and before the part has its name."""
    serving = serve("--segment-age=1h")
    client = clients["grpc"](serving.grpc)
    draw = random.Random(0)
    while not all(count > 10 for count in ledger.counted()):
        assert ledger.send(client, draw)
    client.close()
    serving.kill()
    log = serving.data / "wal"
    shutil.copytree(log, serving.data / "as it was")
    again = serve()
    again.wait_stored()
    assert again.end() == 0
    # The segments are there again, and all of their tables but one know their rows.
    shutil.rmtree(log)
    (serving.data / "as it was").rename(log)
    tables = hansei("query", "--data", serving.data, "--format", "TSV", TABLES).out.splitlines()
    assert len(tables) == 3
    for line in tables:
        (part,) = (path for path in Path(line.split("\t")[1]).glob("2*_*"))
        shutil.rmtree(part)
    last = serve()
    last.wait_stored()
    assert last.end() == 0
    ledger.settle(serving.data, hansei)


PARTITIONS = st.sampled_from(["20261123", "202611", "all"])
BLOCKS = st.integers(1, 30)


@given(
    kept=st.sets(st.tuples(PARTITIONS, BLOCKS, st.integers(0, 5))),
    logged=st.lists(st.tuples(PARTITIONS, BLOCKS), unique=True),
    torn=st.sampled_from([b"", b"1", b"1\tall_3_3_0", b"1\tall_3_3_0\tall_12"]),
)
def test_only_what_is_lost_is_forgotten(
    tmp_path_factory: pytest.TempPathFactory,
    kept: set[tuple[str, int, int]],
    logged: list[tuple[str, int]],
    torn: bytes,
) -> None:
    """A token stays where its part is there, or another that it was merged into; nothing else in a log changes."""
    table = tmp_path_factory.mktemp("engine") / "store" / "abc" / "table"
    for partition, first, more in kept:
        (table / f"{partition}_{first}_{first + more}_{1 if more else 0}").mkdir(parents=True)
    for other in ("detached", "tmp_insert_all_1_1_0", "delete_tmp_all_2_2_0", "deduplication_logs"):
        (table / other).mkdir(parents=True)
    lines = [f"{partition}_{block}_{block}_0\t{partition}_{block}77_99\n" for partition, block in logged]
    logs = [table / "deduplication_logs" / f"deduplication_log_{number}.txt" for number in (1, 2)]
    middle = len(lines) // 2
    logs[0].write_text("".join("1\t" + line for line in lines[:middle]) + "2\tall_99_99_0\tall_1_1\n")
    logs[1].write_bytes("".join("1\t" + line for line in lines[middle:]).encode() + torn)
    lost = [
        not any(name == partition and first <= block <= first + more for name, first, more in kept)
        for partition, block in logged
    ]
    assert forget_lost_parts(table.parent.parent.parent) == sum(lost)
    expected = [f"{2 if gone else 1}\t{line}" for line, gone in zip(lines, lost, strict=True)]
    assert logs[0].read_text() == "".join(expected[:middle]) + "2\tall_99_99_0\tall_1_1\n"
    assert logs[1].read_text() == "".join(expected[middle:])
    assert forget_lost_parts(table.parent.parent.parent) == 0
