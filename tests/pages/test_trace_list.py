"""From an address to what is searched for: the filter, the time, and lines for a shell."""

import subprocess
from urllib.parse import parse_qs

import pytest

from hansei.feedback.pages.trace_list_address import ListAddress
from hansei.feedback.pages.trace_list_columns import COLUMNS, columns_of
from hansei.feedback.pages.trace_list_filter import filter_of
from hansei.feedback.pages.trace_list_range import TimeRange, range_of
from hansei.feedback.pages.trace_list_sql import shell_lines
from hansei.feedback.search.filter_parser import parse

HOSTILE = """<img src=x onerror="alert(1)"><script>alert(2)</script>' " {{ 7*7 }} `}` %s \\ </textarea>"""


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", ""),
        ("text=it's&service=a&model=b&status=OK",
         "text ~ 'it''s' AND service = 'a' AND model = 'b' AND trace.status = 'OK'"),
        ("min_ms=2000&min_cost=0.05", "trace.execution_time_ms >= 2000 AND cost >= 0.05"),
        ("feedback=helpful", "feedback.name = 'helpful'"),
        ("feedback=helpful:false&feedback=score<0.5&feedback=tone:kind%20enough",
         "feedback.helpful = false AND feedback.score < 0.5 AND feedback.tone = 'kind enough'"),
        ("attr=http.route%3D/chat&attr=user.tier",
         "span.attributes.`http.route` = '/chat' AND span.attributes.`user.tier` IS NOT NULL"),
        ("user=ana&session=s-1&assessed=anyone", "feedback.name LIKE '%' AND user = 'ana' AND session = 's-1'"),
        ("q=cost > 1 OR tokens > 9", "cost > 1 OR tokens > 9"),
        ("q=cost > 1 OR tokens > 9&status=error", "trace.status = 'ERROR' AND (cost > 1 OR tokens > 9)"),
        ("q=cost > 1 AND tokens > 9&status=error", "trace.status = 'ERROR' AND cost > 1 AND tokens > 9"),
    ],
)  # fmt: skip
def test_what_is_picked_is_one_filter(query: str, text: str) -> None:
    """Everything that is picked comes to one filter in MLflow's language."""
    made = filter_of(ListAddress.of(_pairs(query)))
    assert (made.text, made.problems, made.filter_error) == (text, [], "")


@pytest.mark.parametrize("key", ["text", "service", "model", "user", "session", "feedback", "attr"])
@pytest.mark.parametrize("value", [HOSTILE, "a' OR cost > 0 OR service = 'b", "`", "=", "🦝:'", "name"])
def test_a_value_stays_a_value(key: str, value: str) -> None:
    """No value that is picked can become more of the filter than a value."""
    made = filter_of(ListAddress.of([(key, value)]))
    if made.usable:
        assert str(parse(made.text)) == made.text
        assert len(made.facets) == 1
        assert type(parse(made.text)).__name__ == "Comparison"
    else:
        assert made.text == ""


def test_an_address_says_what_it_knows() -> None:
    """What is unknown or empty is left out; what changes starts at the first page; a time replaces another."""
    address = ListAddress.of(
        [("service", "a"), ("service", " b "), ("attr", "x=1"), ("attr", "x=1"), ("attr", "y"), ("evil", "1"),
         ("status", ""), ("range", "1h"), ("page", "token"), ("cols", "name"), ("cols", "cost")]
    )  # fmt: skip
    assert address.pairs == (
        ("range", "1h"), ("service", "b"), ("attr", "x=1"), ("attr", "y"), ("cols", "name,cost"), ("page", "token"),
    )  # fmt: skip
    assert address.without("attr", "x=1") == "/traces?range=1h&service=b&attr=y&cols=name%2Ccost"
    assert address.having(from_=5, to=6) == "/traces?service=b&attr=x%3D1&attr=y&cols=name%2Ccost&from=5&to=6"
    assert address.having(page="next").endswith("&page=next")
    assert ListAddress.of([("service", "a")]).without("service") == "/traces"


def test_columns_are_those_that_are_known() -> None:
    """The first choice that names a column counts; the time is always there; else the usual ones are."""
    assert [column.key for column in columns_of("cost,unknown,name", "user")] == ["time", "name", "cost"]
    assert [column.key for column in columns_of("", "user")] == ["time", "user"]
    assert columns_of("", "nothing") == [column for column in COLUMNS if column.usual]


def test_lines_for_a_shell_are_quoted() -> None:
    """Whatever stands in the SQL, a shell takes it as one argument."""

    class Keys:
        required = True

    class Server:
        keys = Keys()
        addresses = staticmethod(lambda: {"sql": "127.0.0.1:8123"})

    for _, line in shell_lines(Server(), "SELECT '$(touch x)'\n`id` \"\\"):  # type: ignore[arg-type]
        said = subprocess.run(
            ["sh", "-c", f"for last; do :; done; set -- {line}; shift $(($# - 1)); printf %s \"$1\""],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert said.stdout == "SELECT '$(touch x)'\n`id` \"\\"


def test_times_are_read() -> None:
    """A range goes until now; from and to are milliseconds or ISO 8601; without an end it goes until now."""
    now = 1_800_000_000_000
    assert range_of({}, now) == TimeRange(now - 86_400_000, now, "24h", live=True)
    assert range_of({"range": "15m"}, now) == TimeRange(now - 900_000, now, "15m", live=True)
    assert range_of({"from": "1000", "to": "1970-01-01T00:00:02Z"}, now) == TimeRange(1000, 2000, "custom", live=False)
    assert range_of({"range": "1h", "from": "1000"}, now) == TimeRange(now - 3_600_000, now, "1h", live=True)
    assert range_of({"from": "1970-01-01T00:01"}, now) == TimeRange(60_000, now, "custom", live=True)


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(key, value) for key, values in parse_qs(query).items() for value in values]
