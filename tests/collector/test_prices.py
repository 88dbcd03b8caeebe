"""Price lists: which model of genai-prices a span's names mean, and that SQL computes what genai-prices does."""

import contextlib
import functools
import http.server
import itertools
import json
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import clickhouse_connect
import genai_prices
import pytest
from genai_prices import Usage
from genai_prices.data import providers as PROVIDERS  # noqa: N812 - data, not a function
from genai_prices.types import TimeOfDateConstraint

from hansei.collector.migrations import migrate
from hansei.collector.prices import ModelPrices, Price, PriceBook, PricesUnavailable, look_up, price_list, thresholds
from hansei.collector.store import ENGINE_OPTIONS, EmbeddedStore

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

INSTALLED = f"genai-prices {genai_prices.__version__}"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_databases = itertools.count(1)


@pytest.fixture(scope="module")
def new_database(engine: EmbeddedStore) -> Iterator[Callable[[], "Client"]]:
    """Make a database with the schema, and a client of it."""
    with contextlib.ExitStack() as opened:

        def make() -> "Client":
            name = f"prices_{next(_databases)}"
            engine.client().command(f"CREATE DATABASE {name}")
            client = opened.enter_context(
                clickhouse_connect.get_client(
                    interface="chdb", path=str(engine.directory), chdb_options=ENGINE_OPTIONS, database=name
                )
            )
            migrate(client)
            return client

        yield make


def call(client: "Client", provider: str, model: str, days_ago: int = 0) -> None:
    """One call with a million tokens of input."""
    client.command(
        "INSERT INTO otel_traces (Timestamp, SpanAttributes) "
        "SELECT now64(9) - toIntervalDay({days:UInt32}), map('gen_ai.operation.name', 'chat', "
        "'gen_ai.provider.name', {provider:String}, 'gen_ai.request.model', {model:String}, "
        "'gen_ai.usage.input_tokens', '1000000')",
        {"provider": provider, "model": model, "days": days_ago},
    )


def rows(client: "Client", sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(sql).result_rows]


def stored(client: "Client") -> list[tuple[Any, ...]]:
    return rows(
        client,
        "SELECT Provider, Model, MatchedProvider, MatchedModel, length(Prices), PricesVersion "
        "FROM model_prices FINAL ORDER BY 1, 2",
    )


# --- names ---


@pytest.mark.parametrize(
    ("provider", "model", "matched"),
    [
        ("openai", "gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("OpenAI", "gpt-4o", "openai/gpt-4o"),
        ("azure.ai.openai", "gpt-4o-2024-08-06", "azure/gpt-4o"),
        ("azure.ai.inference", "gpt-4o", "azure/gpt-4o"),
        ("anthropic", "claude-3-5-sonnet-20241022", "anthropic/claude-3-5-sonnet"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0", None),
        ("gcp.vertex_ai", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gcp.gemini", "gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("gcp.gen_ai", "gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("x_ai", "grok-4-0709", "x-ai/grok-4-0709"),
        ("mistral_ai", "mistral-large-latest", None),
        ("deepseek", "deepseek-chat", "deepseek/deepseek-chat"),
        ("groq", "llama-3.3-70b-versatile", None),
        ("perplexity", "sonar", "perplexity/sonar"),
        ("cohere", "command-r-plus", None),
        ("litellm", "openai/gpt-4o", "openai/gpt-4o"),
        ("litellm", "azure/gpt-4o", "azure/gpt-4o"),
    ],
)
def test_the_names_of_the_conventions_find_their_prices(provider: str, model: str, matched: str | None) -> None:
    """A span's provider and model, as the conventions and instrumentations spell them."""
    found = look_up(PROVIDERS, provider, model)
    assert found.prices
    if matched is not None:
        assert f"{found.matched_provider}/{found.matched_model}" == matched


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("", "gpt-4o"),
        ("ollama", "deepseek-r1"),
        ("vllm", "gpt-4o"),
        ("openai-compatible", "gpt-4o"),
        ("my openai proxy", "gpt-4o"),
        ("openai", "gpt-oss-20b"),
        ("openai", "llama-3.3-70b"),
        ("openai", "gpt-4o-mini-local"),
        ("litellm", "gpt-4o"),
        ("litellm", "ollama/deepseek-r1"),
        ("ibm.watsonx.ai", "ibm/granite-13b-instruct-v2"),
    ],
)
def test_nobody_gets_the_price_of_somebody_else(provider: str, model: str) -> None:
    """Without a provider that genai-prices knows by that very name, there is no price."""
    assert look_up(PROVIDERS, provider, model) == ModelPrices(provider, model)


def test_what_is_sold_by_the_second_has_no_price_and_what_is_free_has() -> None:
    """Speech that is paid by its length would come out free; moderation is."""
    assert look_up(PROVIDERS, "openai", "whisper-1").prices == ()
    [free] = look_up(PROVIDERS, "openai", "omni-moderation-latest").prices
    assert free[3:] == (0,) * 6


# --- SQL against genai-prices ---


@pytest.fixture(scope="module")
def priced(new_database: Callable[[], "Client"]) -> tuple["Client", dict[str, float]]:
    """Random calls of every model that genai-prices has, and what genai-prices says each of them costs."""
    client = new_database()
    chance = random.Random(20261123)
    models = {(provider.id, model.id): (provider, model) for provider in PROVIDERS for model in provider.models}
    lists = {pair: price_list(model) for pair, (_, model) in models.items()}
    client.insert(
        "model_prices",
        [[*pair, prices, "own"] for pair, prices in lists.items()],
        column_names=["Provider", "Model", "Prices", "PricesVersion"],
    )
    expected: dict[str, float] = {}
    spans = []
    for pair, prices in lists.items():
        if not prices:
            continue
        provider, model = models[pair]
        for _ in range(3):
            at, usage = _moment(chance, prices), _usage(chance, prices)
            span_id = f"{len(expected):016x}"
            expected[span_id] = float(
                model.calc_price(Usage(**usage), provider, genai_request_timestamp=at).total_price
            )
            spans.append([(at - EPOCH) // timedelta(seconds=1) * 10**9, span_id, _attributes(pair, usage)])
    client.insert(
        "otel_traces",
        spans,
        column_names=["Timestamp", "SpanId", "SpanAttributes"],
        settings={"max_partitions_per_insert_block": 0},
    )
    return client, expected


def _moment(chance: random.Random, prices: tuple[Price, ...]) -> datetime:
    """Any second of some days of three years, or one at or just before a moment at which the price changes."""
    any_day = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=100 * chance.randrange(11))
    any_time = any_day + timedelta(seconds=chance.randrange(86400))
    price = chance.choice(prices)
    day = max(price.start, datetime(2025, 6, 1, tzinfo=UTC))
    edge = day + timedelta(seconds=price.day_start - chance.choice([0, 1]))
    return chance.choice([any_time, edge])


def _usage(chance: random.Random, prices: tuple[Price, ...]) -> dict[str, int]:
    """Tokens up to 400 000, or as many as a threshold has, or one more."""
    threshold = chance.choice(prices).input_tokens_above
    total = chance.choice([chance.randrange(1, 400_000), max(1, threshold), threshold + 1])
    cached = chance.choice([0, chance.randrange(total + 1)])
    written = chance.choice([0, chance.randrange(total - cached + 1)])
    output = chance.choice([0, chance.randrange(50_000)])
    return {
        "input_tokens": total,
        "cache_read_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": output,
        "output_reasoning_tokens": chance.choice([0, chance.randrange(output + 1)]),
    }


def _attributes(pair: tuple[str, str], usage: dict[str, int]) -> dict[str, str]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": pair[0],
        "gen_ai.request.model": pair[1],
        "gen_ai.usage.input_tokens": str(usage["input_tokens"]),
        "gen_ai.usage.cache_read.input_tokens": str(usage["cache_read_tokens"]),
        "gen_ai.usage.cache_write.input_tokens": str(usage["cache_write_tokens"]),
        "gen_ai.usage.output_tokens": str(usage["output_tokens"]),
        "gen_ai.usage.reasoning.output_tokens": str(usage["output_reasoning_tokens"]),
    }


def test_the_cost_of_a_call_is_what_genai_prices_says(priced: tuple["Client", dict[str, float]]) -> None:
    """For every model, at random and at critical sizes and moments, to a billionth."""
    client, expected = priced
    assert len(expected) > 6000
    found = dict(rows(client, "SELECT SpanId, CostUsd FROM genai_calls"))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_the_cost_of_the_roll_up_is_the_sum_of_its_calls(priced: tuple["Client", dict[str, float]]) -> None:
    """For every model and five minutes, though the roll-up has only sums of tokens."""
    client, expected = priced
    of_calls = rows(client, """
        SELECT toUnixTimestamp(toStartOfFiveMinutes(Timestamp)) AS Start, Provider, Model, sum(CostUsd), count()
        FROM genai_calls GROUP BY ALL ORDER BY ALL
        """)  # fmt: skip
    of_usage = rows(client, """
        SELECT toUnixTimestamp(Start), Provider, Model, CostUsd, Calls FROM genai_usage ORDER BY ALL
        """)  # fmt: skip
    assert [(row[:3], row[4]) for row in of_usage] == [(row[:3], row[4]) for row in of_calls]
    assert [row[3] for row in of_usage] == pytest.approx([row[3] for row in of_calls], rel=1e-9, abs=1e-15)
    assert sum(row[3] for row in of_usage) == pytest.approx(sum(expected.values()), rel=1e-9)


def test_the_roll_up_knows_every_threshold_of_the_installed_prices() -> None:
    """A price tier that the roll-up's buckets do not separate would be priced wrongly there."""
    file = "0011_genai_usage_5m_mv.sql"
    literal = re.search(r"\[([\d, ]+)\] AS thresholds", files("hansei.collector.schema").joinpath(file).read_text())
    assert literal
    known = {int(number) for number in literal[1].split(",")}
    missing = sorted(thresholds(PROVIDERS) - known)
    assert not missing, (
        f"genai-prices {genai_prices.__version__} has price tiers above {missing} input tokens; add them to "
        f"`thresholds` in collector/schema/{file}, and a migration that replaces the view in existing stores"
    )


def test_prices_change_on_a_boundary_of_the_roll_up() -> None:
    """Times of day in the installed prices are multiples of five minutes, so that no bucket has two prices."""
    odd = [
        (provider.id, model.id, moment)
        for provider in PROVIDERS
        for model in provider.models
        for condition in (model.prices if isinstance(model.prices, list) else [])
        if isinstance(condition.constraint, TimeOfDateConstraint)
        for moment in (condition.constraint.start_time, condition.constraint.end_time)
        if moment.minute % 5 or moment.second
    ]
    assert not odd


# --- the book ---


@pytest.fixture
def client(new_database: Callable[[], "Client"]) -> "Client":
    """An empty database."""
    return new_database()


def test_a_model_is_learnt_once(client: "Client") -> None:
    """The first look stores the known with its price and the unknown without; the next has nothing to do."""
    call(client, "openai", "gpt-4o")
    call(client, "openai", "gpt-4o")
    call(client, "ollama", "llama3")
    call(client, "openai", "")
    book = PriceBook(client)
    assert {(row.model, row.matched_model, bool(row.prices)) for row in book.learn()} == {
        ("gpt-4o", "gpt-4o", True),
        ("llama3", "", False),
    }
    assert stored(client) == [
        ("ollama", "llama3", "", "", 0, INSTALLED),
        ("openai", "gpt-4o", "openai", "gpt-4o", 1, INSTALLED),
    ]
    assert rows(client, "SELECT CostUsd FROM genai_calls WHERE Model = 'gpt-4o'") == [(2.5,), (2.5,)]
    assert book.learn() == []
    assert PriceBook(client).learn() == []


def test_a_call_that_comes_late_is_learnt_within_the_hour(client: "Client") -> None:
    """Between two looks at everything only the last day is looked at."""
    now = time.time()
    book = PriceBook(client, clock=lambda: now)
    call(client, "openai", "gpt-4o", days_ago=10)
    assert [row.model for row in book.learn()] == ["gpt-4o"]
    call(client, "openai", "gpt-5", days_ago=10)
    call(client, "openai", "gpt-5-mini")
    assert [row.model for row in book.learn()] == ["gpt-5-mini"]
    now += 3600
    assert [row.model for row in book.learn()] == ["gpt-5"]


def test_an_empty_store_has_nothing_to_learn(client: "Client") -> None:
    """Neither learning nor refreshing writes anything."""
    assert PriceBook(client).learn() == []
    assert PriceBook(client).refresh() == []


@pytest.mark.parametrize(
    ("version", "prices", "again"),
    [
        ("genai-prices 0.0.1", "[]", True),
        ("genai-prices 0.0.1", "[(0, 0, 0, 9, 9, 9, 9, 9, 0)]", True),
        ("downloaded 2026-01-01T00:00:00Z", "[]", True),
        ("downloaded 2026-01-01T00:00:00Z", "[(0, 0, 0, 9, 9, 9, 9, 9, 0)]", False),
        (INSTALLED, "[]", False),
        ("own", "[]", False),
        ("own", "[(0, 0, 0, 9, 9, 9, 9, 9, 0)]", False),
    ],
)
def test_other_price_data_is_a_reason_to_look_again(client: "Client", version: str, prices: str, again: bool) -> None:
    """An unknown model under another version, and a price of another release; not a download, not a person's own."""
    call(client, "openai", "gpt-4o")
    client.command(
        "INSERT INTO model_prices (Provider, Model, Prices, PricesVersion, UpdatedAt) "
        f"VALUES ('openai', 'gpt-4o', {prices}, '{version}', '2026-01-01 00:00:00')"
    )
    book = PriceBook(client)
    assert [row.model for row in book.learn()] == (["gpt-4o"] if again else [])
    assert stored(client)[0][-1] == (INSTALLED if again else version)
    assert book.learn() == []


def test_two_versions_side_by_side_do_not_take_turns(client: "Client") -> None:
    """A collector looks a name up once, even if another one with other price data keeps changing the row."""
    call(client, "openai", "gpt-4o")
    book = PriceBook(client)
    assert len(book.learn()) == 1
    client.command(
        "INSERT INTO model_prices (Provider, Model, Prices, PricesVersion) "
        "VALUES ('openai', 'gpt-4o', [], 'genai-prices 9')"
    )
    assert book.learn() == []


def test_a_refresh_replaces_all_but_prices_set_by_hand(client: "Client") -> None:
    """A stale price is replaced, one's own stays."""
    for model in ("gpt-4o", "gpt-4o-mini"):
        call(client, "openai", model)
    client.command(
        "INSERT INTO model_prices (Provider, Model, Prices, PricesVersion, UpdatedAt) VALUES "
        "('openai', 'gpt-4o', [(0, 0, 0, 9, 9, 9, 9, 9, 0)], 'downloaded 2026-01-01T00:00:00Z', '2026-01-01 00:00:00'),"
        "('openai', 'gpt-4o-mini', [(0, 0, 0, 9, 9, 9, 9, 9, 0)], 'own', '2026-01-01 00:00:00')"
    )
    assert [row.model for row in PriceBook(client).refresh()] == ["gpt-4o"]
    assert rows(client, "SELECT Model, CostUsd FROM genai_calls ORDER BY 1") == [("gpt-4o", 2.5), ("gpt-4o-mini", 9.0)]


# --- published prices ---


class _Published(http.server.BaseHTTPRequestHandler):
    """Answers every GET with its body."""

    def __init__(self, body: bytes, *arguments: Any) -> None:
        self.body = body
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def published(body: bytes) -> Iterator[str]:
    """A server of price data; its URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Published, body)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/data.json"
        server.shutdown()
        thread.join()


NEW_PRICES = [
    {
        "id": "openai",
        "name": "OpenAI",
        "api_pattern": "https://api\\.openai\\.com",
        "models": [
            {"id": "gpt-4o", "match": {"equals": "gpt-4o"}, "prices": {"input_mtok": 7, "output_mtok": 8}},
            {"id": "gpt-next", "match": {"equals": "gpt-next"}, "prices": {"input_mtok": 1, "output_mtok": 2}},
        ],
    }
]


def test_a_download_corrects_prices_and_is_what_is_learnt_from_then_on(client: "Client") -> None:
    """Published prices replace the package's, in the store and for models that are new later."""
    call(client, "openai", "gpt-4o")
    book = PriceBook(client)
    book.learn()
    with published(json.dumps(NEW_PRICES).encode()) as url:
        book.refresh(download=True, url=url)
    call(client, "openai", "gpt-next")
    book.learn()
    assert rows(client, "SELECT Model, CostUsd FROM genai_calls ORDER BY 1") == [("gpt-4o", 7.0), ("gpt-next", 1.0)]
    assert all(re.fullmatch(r"downloaded \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[-1]) for row in stored(client))
    assert genai_prices.calc_price(Usage(input_tokens=1_000_000), "gpt-4o", provider_id="openai").total_price == 2.5


@pytest.mark.parametrize("body", [b"not json", b'{"no": "list"}', b'[{"id": 1}]', None])
def test_a_failed_download_changes_nothing_and_says_why(client: "Client", body: bytes | None) -> None:
    """Garbage, price data of another shape, or nobody there: one line, and the prices that were there."""
    call(client, "openai", "gpt-4o")
    book = PriceBook(client)
    book.learn()
    before = stored(client)
    with published(body or b"") as url, pytest.raises(PricesUnavailable) as raised:
        book.refresh(download=True, url=url if body is not None else "http://127.0.0.1:1/data.json")
    assert re.fullmatch(
        r"prices could not be downloaded from http://127\.0\.0\.1:\d+/data\.json: .+; those in use stay as they are",
        str(raised.value),
    )
    assert stored(client) == before
    assert book.learn() == []


def test_importing_the_module_imports_no_price_data() -> None:
    """genai-prices takes 0.3 s to import; it waits until prices are wanted."""
    code = "import sys, hansei.collector.prices; sys.exit('genai_prices' in sys.modules or 'httpx2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
