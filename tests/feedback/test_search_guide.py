"""docs/search.md says what searches do."""

import inspect
import re
from pathlib import Path

import pytest

import hansei
from hansei.feedback.search.errors import FilterError
from hansei.feedback.search.filter_fields import SESSIONS, TRACES, Fields
from hansei.feedback.search.filter_parser import parse
from hansei.feedback.search.traces import COLUMNS

GUIDE = (Path(__file__).parents[2] / "docs" / "search.md").read_text()


@pytest.mark.parametrize(("heading", "fields"), [("field of traces", TRACES), ("field of sessions", SESSIONS)])
def test_fields(heading: str, fields: Fields) -> None:
    """Every field is in its table, in order, with its meaning, and nothing else is."""
    table = GUIDE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert [row[0].strip("`") for row in rows] == [
        f"{spec.name}.<key>" if spec.keyed else spec.name for spec in fields.specs
    ]
    for row, spec in zip(rows, fields.specs, strict=True):
        assert row[3].startswith(spec.meaning)
        assert {name.removesuffix(".<key>") for name in re.findall(r"`([^`]+)`", row[1])} <= set(spec.aliases)


def test_signatures() -> None:
    """The functions are in the guide with all of their parameters."""
    told = dict(re.findall(r"(?m)^\| `(\w+)\(([^)]*)\)`", GUIDE))
    for name, parameters in told.items():
        names = [part.strip().rstrip("=") for part in parameters.split(",")]
        assert names == list(inspect.signature(getattr(hansei, name)).parameters)
    homes = {name: getattr(getattr(hansei, name), "__module__", "") for name in hansei.__all__}
    searches = {name for name, home in homes.items() if home.startswith("hansei.feedback.search")}
    assert set(told) == {name for name in searches if name.startswith(("search_", "get_"))}
    assert all(f"`{column}`" in GUIDE for column in COLUMNS)


def test_filters() -> None:
    """The filters of the examples are understood; the one that is refused is refused as shown."""
    examples = re.findall(r'search_traces\([^)]*?filter_string="([^"]+)"', GUIDE)
    assert len(examples) == 2
    for text in examples:
        parse(text)
    with pytest.raises(FilterError) as caught:
        parse("status > 'OK'")
    shown = "\n".join(f"    {line}" for line in str(caught.value).splitlines())
    assert shown in GUIDE
