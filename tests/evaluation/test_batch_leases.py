"""Leases: of many who want one, exactly one has it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hansei.collector.store import ServerStore
from hansei.evaluation.batch.lease import HeldElsewhere, HeldLease
from hansei.evaluation.batch.lease_table import Leases, leases_of
from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationConflict, InvalidEvaluation, UnknownEvaluation
from hansei.feedback.web.reader import Reader
from hansei.feedback.web.tables import tables_of

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from ..collector.waiting import until  # noqa: TID252
from .conftest import ADMIN_KEY

_TAKERS = 12


@pytest.fixture(scope="module")
def both(serving: Serving) -> Iterator[tuple[Leases, Leases]]:
    """Two that know nothing of each other but the tables, as those of two servers over one ClickHouse."""
    store = ServerStore(f"http://admin:{ADMIN_KEY}@{serving.sql}/default")
    yield tuple(leases_of(store, tables_of(store, Reader(store).query)) for _ in range(2))  # type: ignore[misc]
    store.close()


def test_many_takers(both: tuple[Leases, Leases]) -> None:
    """Of many who take a term at once exactly one has it, and the others are told who."""
    for term in range(1, 6):
        gate = threading.Barrier(_TAKERS)

        def take(number: int, gate: threading.Barrier = gate) -> str:
            gate.wait()
            try:
                return both[number % 2].take("nightly", f"taker-{number}", 60).holder
            except EvaluationConflict as error:
                return str(error)

        with ThreadPoolExecutor(_TAKERS) as threads:
            said = list(threads.map(take, range(_TAKERS)))
        (winner,) = {each for each in said if each.startswith("taker-")}
        assert said.count(winner) == 1
        lost = {each for each in said if each != winner}
        assert lost <= {f"'{winner}' holds 'nightly', for {left} s more unless it goes on" for left in (59, 60)}
        found = both[1].read("nightly")
        assert found is not None
        assert (found.term, found.holder) == (term, winner)
        both[0].release("nightly", winner, term)


def test_terms(both: tuple[Leases, Leases]) -> None:
    """A term is extended by its holder alone, and over once it has run out or another has begun."""
    one, two = both
    taken = one.take("n", "a", 60)
    assert one.take("n", "a", 90).until_ms > taken.until_ms
    with pytest.raises(EvaluationConflict, match="'b' does not hold the term 1 of 'n'; take it again"):
        two.extend("n", "b", 1, 60)
    one.release("n", "a", 1)
    with pytest.raises(EvaluationConflict, match="the term 1 of 'n' has run out; take it again"):
        one.extend("n", "a", 1, 60)
    assert two.take("n", "b", 60).term == 2
    with pytest.raises(EvaluationConflict, match="'a' does not hold the term 1"):
        one.release("n", "a", 1)


@pytest.mark.usefixtures("here")
def test_held_by_a_process() -> None:
    """A lease is extended while a block runs and free after it; one that is lost is told; one of a dead process is
    taken over at once."""
    client, lost = EvaluationClient(), threading.Event()
    with HeldLease(client, "batch/a#1", lost.set, seconds=1.5, every=0.3):
        with pytest.raises(HeldElsewhere, match="holds 'batch/a#1'"), HeldLease(client, "batch/a#1", lost.set):
            pass
        assert not lost.wait(1.8)
    with HeldLease(client, "batch/a#1", lost.set, every=0.1) as held:
        found = client.ask("GET", "evaluation-leases", "batch/a#1")
        assert found["term"] == 2
        client.ask("DELETE", "evaluation-leases", "batch/a#1", query=f"term=2&holder={_quoted(found['holder'])}")
        until(lambda: held.lost, "the loss to be noticed")
    assert lost.is_set()
    dead = found["holder"].rpartition("/")[0] + "/99999999:0"
    client.ask("POST", "evaluation-leases", "batch/a#1", body={"holder": dead, "seconds": 600})
    with HeldLease(client, "batch/a#1", lost.set):
        assert client.ask("GET", "evaluation-leases", "batch/a#1")["term"] == 4


@pytest.mark.usefixtures("here")
def test_api() -> None:
    """What is wrong with a lease or a batch is told."""
    client = EvaluationClient()
    with pytest.raises(UnknownEvaluation, match="there is no lease 'never'"):
        client.ask("GET", "evaluation-leases", "never")
    with pytest.raises(InvalidEvaluation, match="seconds: 0 is not a number above 0, up to 86400"):
        client.ask("POST", "evaluation-leases", "x", body={"holder": "a", "seconds": 0})
    with pytest.raises(UnknownEvaluation, match="there is no batch 'never'"):
        client.ask("GET", "evaluation-batches", "never")
    with pytest.raises(InvalidEvaluation, match="watermark: there is no such field; there are config"):
        client.ask("PUT", "evaluation-batches", "n", body={"watermark": 5})
    changed = client.ask("PUT", "evaluation-batches", "n#1/2", body={"watermark_ms": 5000, "schedule": "* * * * *"})
    assert client.ask("PUT", "evaluation-batches", "n#1/2", body={"next_run_ms": 7}) == {**changed, "next_run_ms": 7}
    with pytest.raises(EvaluationConflict, match="is at 5000 ms already and goes forward only"):
        client.ask("PUT", "evaluation-batches", "n#1/2", body={"watermark_ms": 4000})
    assert "n#1/2" in {each["name"] for each in client.ask("GET", "evaluation-batches")["items"]}
    client.ask("DELETE", "evaluation-batches", "n#1/2")
    with pytest.raises(UnknownEvaluation):
        client.ask("GET", "evaluation-batches", "n#1/2")


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text)
