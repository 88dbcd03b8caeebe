"""docs/feedback.md says what the program does."""

import inspect
import re
from pathlib import Path

import hansei
from hansei.feedback import attributes, recording

from .conftest import Tables

GUIDE = (Path(__file__).parents[2] / "docs" / "feedback.md").read_text()


def test_attributes() -> None:
    """Every attribute that an event may have is in the guide, and no other of ours is."""
    named = {value for name, value in vars(attributes).items() if name.isupper()}
    told = set(re.findall(r"`((?:gen_ai|hansei|error)\.[\w.]+)`", GUIDE))
    assert named <= told
    assert {name for name in told if name.startswith("hansei.assessment")} <= named


def test_columns(tables: Tables) -> None:
    """Every column of the view is in the guide, and its states of the past have the same."""
    columns = [row[0] for row in tables.rows("DESCRIBE feedback")]
    (table,) = re.findall(r"(?ms)^\| column of `feedback` .*?\n\n", GUIDE)
    told = re.findall(r"`([A-Z]\w+)`", "".join(row.split("|")[1] for row in table.strip().splitlines()[2:]))
    assert sorted(told) == sorted(columns)
    at = "feedback_as_of(at = '2026-11-20 12:00:00')"
    assert [row[:2] for row in tables.rows(f"DESCRIBE (SELECT * FROM {at})")] == [
        row[:2] for row in tables.rows("DESCRIBE (SELECT * FROM feedback)")
    ]


def test_signatures() -> None:
    """The functions are in the guide with the names of their parameters."""
    for name, said in re.findall(r"(?m)^\| `(\w+)\(([^)]*)\)`", GUIDE):
        function = getattr(recording, name, None)
        if function is None:
            continue
        assert getattr(hansei, name) is function
        parameters = set(inspect.signature(function).parameters)
        told = set(re.findall(r"\w+", said))
        assert told <= parameters
        assert "…" in said or name == "delete_assessment" or told == parameters


def test_queries(tables: Tables) -> None:
    """The queries of the guide are answered."""
    (block,) = re.findall(r"(?ms)^```sql\n(.*?)^```", GUIDE)
    queries = [query for query in block.split(";") if query.strip()]
    assert len(queries) == 3
    for query in queries:
        tables.rows(query)
