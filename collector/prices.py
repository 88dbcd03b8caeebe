"""What models cost: price lists from genai-prices, kept in the store beside the calls they price.

``model_prices`` has a row for each (provider, model) pair that spans name; the views multiply. See the table's file
in ``collector/schema`` for the meaning of a price list.

A name is only ever matched within the provider that the span names. Without a provider, or with one that
genai-prices does not sell for, there is no price: the same open model is sold by many and served at home by more,
and no cost is better than somebody else's. For the same reason a provider is known by an exact name from a list,
not by a part of its name (``openai-compatible`` is not OpenAI).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from datetime import time as time_of_day
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from hansei.collector.errors import HanseiError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, Provider

# Importing genai_prices takes 0.3 s and several megabytes: only inside functions.

_PROVIDERS = {
    # gen_ai.provider.name, where it is not the id in genai-prices already.
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "x_ai": "x-ai",
    # gen_ai.system, its predecessor, and what frameworks and gateways write.
    "amazon_bedrock": "aws",
    "amazon-bedrock": "aws",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure_ai": "azure",
    "azure_openai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "fireworks_ai": "fireworks",
    "fireworks-ai": "fireworks",
    "gemini": "google",
    "google_genai": "google",
    "google_vertexai": "google",
    "mistralai": "mistral",
    "together_ai": "together",
    "together-ai": "together",
    "vertex_ai": "google",
    "vertexai": "google",
    "xai": "x-ai",
}
"""Names of providers in spans (lower case), and their ids in genai-prices."""

_OPEN_WEIGHTS_OF_OPENAI = "gpt-oss"
"""OpenAI's API does not sell its open models. Whoever serves them speaks its protocol and is called ``openai``."""

_EPOCH = date(1970, 1, 1)

_WHOLE_PAUSE = 3600.0
"""Seconds between two looks for new models in the whole roll-up. Calls may come days late, but that is rare."""
_RECENT = 86400.0
"""Seconds that the looks in between go back."""


class PricesUnavailable(HanseiError):
    """The published prices could not be downloaded; the prices in use stay as they are."""


class Price(NamedTuple):
    """An entry of a price list, in the order of ``model_prices.Prices``; USD per million tokens, and per request."""

    start: datetime
    """Since when (UTC)."""
    day_start: int
    """Since which second of the day (UTC)."""
    input_tokens_above: int
    """For requests with more input tokens than this."""
    input: float
    cached_input: float
    cache_write: float
    output: float
    reasoning: float
    request: float


@dataclass(frozen=True)
class ModelPrices:
    """A row of ``model_prices``: a pair of names from spans, what it matched, and its price list."""

    provider: str
    model: str
    matched_provider: str = ""
    matched_model: str = ""
    prices: tuple[Price, ...] = ()
    """Empty where no price is known."""


class PriceBook:
    """Keeps ``model_prices`` up to date. Not thread-safe: use it where its client is used."""

    def __init__(self, client: "Client", clock: Callable[[], float] = time.time) -> None:
        """``client``: of the database that has the schema; ``clock``: seconds since 1970."""
        self._client = client
        self._clock = clock
        self._whole_seen = 0.0
        self._snapshot: DataSnapshot | None = None
        self._version = ""
        self._tried: set[tuple[str, str]] = set()

    def learn(self) -> list[ModelPrices]:
        """Look up models that were called for the first time; answers what was written.

        Meant for a loop: one query of some milliseconds where nothing is new. It looks at the calls of the last
        day, and at all of them the first time and once an hour. A model for which nothing is found is stored
        without prices, and tried again when the price data has another version.
        """
        self._load()
        now = self._clock()
        whole = now - self._whole_seen >= _WHOLE_PAUSE
        since = 0 if whole else int(now - _RECENT)
        rows = self._client.query(_sql("models_to_price"), {"version": self._version, "since": since}).result_rows
        learnt = self._write([(provider, model) for provider, model in rows if (provider, model) not in self._tried])
        if whole:
            self._whole_seen = now
        return learnt

    def refresh(self, *, download: bool = False, url: str | None = None) -> list[ModelPrices]:
        """Look up again every model that was ever called; answers all of them.

        ``download``: from the prices that genai-prices publishes (at ``url``, if given) instead of those of the
        installed package; this object uses them from then on. Raises :class:`PricesUnavailable`.
        """
        if download:
            self._download(url)
        else:
            self._load(installed=True)
        rows = self._client.query(_sql("models_seen")).result_rows
        return self._write([(provider, model) for provider, model in rows])

    def _load(self, *, installed: bool = False) -> None:
        if self._snapshot is not None and not installed:
            return
        from genai_prices import __version__
        from genai_prices.data import providers
        from genai_prices.data_snapshot import DataSnapshot

        self._use(DataSnapshot(providers, from_auto_update=False), f"genai-prices {__version__}")

    def _download(self, url: str | None) -> None:
        import httpx2
        from genai_prices.update_prices import DEFAULT_UPDATE_URL, UpdatePrices

        address = url or DEFAULT_UPDATE_URL
        try:
            snapshot = UpdatePrices(url=address).fetch()
        # ValueError: an answer that is no JSON, or not of the shape of price data (pydantic's error is one too).
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
            raise PricesUnavailable(
                f"prices could not be downloaded from {address}: {reason}; those in use stay as they are"
            ) from error
        assert snapshot is not None
        self._use(snapshot, f"downloaded {datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}")

    def _use(self, snapshot: "DataSnapshot", version: str) -> None:
        self._snapshot, self._version = snapshot, version
        self._tried.clear()
        self._whole_seen = 0.0

    def _write(self, pairs: list[tuple[str, str]]) -> list[ModelPrices]:
        if not pairs:
            return []
        assert self._snapshot is not None
        found = [look_up(self._snapshot.providers, provider, model) for provider, model in pairs]
        self._client.insert(
            "model_prices",
            [
                [row.provider, row.model, row.prices, row.matched_provider, row.matched_model, self._version]
                for row in found
            ],
            column_names=["Provider", "Model", "Prices", "MatchedProvider", "MatchedModel", "PricesVersion"],
            settings={"async_insert": 0},
        )
        self._tried.update(pairs)
        return found


def look_up(providers: "list[Provider]", provider: str, model: str) -> ModelPrices:
    """Match the names that a span gives against genai-prices' data, with its own rules for model names.

    ``provider`` and ``model``: as spans spell them. LiteLLM's ``litellm`` with ``openai/gpt-4o`` is OpenAI's
    ``gpt-4o``; without the prefix it could be anybody's.
    """
    name, reference = provider.strip().lower(), model
    if name == "litellm" and "/" in model:
        name, _, reference = model.lower().partition("/")
    identity = _PROVIDERS.get(name, name)
    seller = next((candidate for candidate in providers if candidate.id == identity), None)
    matched = seller.find_model(reference, all_providers=providers) if seller else None
    if seller is None or matched is None or (seller.id == "openai" and matched.id.startswith(_OPEN_WEIGHTS_OF_OPENAI)):
        return ModelPrices(provider, model)
    return ModelPrices(provider, model, seller.id, matched.id, price_list(matched))


def price_list(model: "ModelInfo") -> tuple[Price, ...]:
    """A model's prices over all dates, times of day and sizes of input.

    Which price holds at a moment is left to genai-prices: it is asked once for each date and time of day at which
    something changes. Prices that depend on the service tier (batch, flex, priority) are not used: spans do not
    say what was billed. Empty for a model that is sold by something else than tokens or requests (seconds of
    audio, pages), since what spans count would make it free; a model whose price data is empty *is* free.
    """
    from genai_prices.types import StartDateConstraint, TimeOfDateConstraint

    conditions = [price.constraint for price in _conditional_prices(model)]
    dates = {_EPOCH} | {c.start_date for c in conditions if isinstance(c, StartDateConstraint)}
    seconds = {0}
    for constraint in conditions:
        if isinstance(constraint, TimeOfDateConstraint):
            seconds |= {_second_of_day(constraint.start_time), _second_of_day(constraint.end_time)}
    entries = []
    for day in sorted(dates):
        start = datetime.combine(day, time_of_day(), timezone.utc)
        for second in sorted(seconds):
            price = model.get_prices(start + timedelta(seconds=second))
            if not _sold_by_tokens(price):
                return ()
            entries += [_entry(price, start, second, above) for above in _thresholds(price)]
    return tuple(entries)


def thresholds(providers: "list[Provider]") -> set[int]:
    """Every input size (tokens) at which some model's price changes."""
    return {
        threshold
        for provider in providers
        for model in provider.models
        for price in _conditional_prices(model)
        for threshold in _thresholds(price.prices)
    }


def _conditional_prices(model: "ModelInfo") -> "list[ConditionalPrice]":
    from genai_prices.types import ConditionalPrice

    return model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]


def _second_of_day(moment: time_of_day) -> int:
    """Seconds since midnight UTC; a time without a zone is UTC."""
    aware = datetime.combine(_EPOCH, moment, moment.tzinfo or timezone.utc).astimezone(timezone.utc)
    return aware.hour * 3600 + aware.minute * 60 + aware.second


def _sold_by_tokens(price: "ModelPrice") -> bool:
    values = {key for key, value in vars(price).items() if value is not None}
    return not values or bool(values & {"input_mtok", "output_mtok", "requests_kcount"})


def _thresholds(price: "ModelPrice") -> list[int]:
    from genai_prices.types import TieredPrices

    tiers = [tier for value in vars(price).values() if isinstance(value, TieredPrices) for tier in value.tiers]
    return sorted({0} | {tier.start for tier in tiers})


def _entry(price: "ModelPrice", start: datetime, second: int, above: int) -> Price:
    """The price of requests with more than ``above`` input tokens.

    A kind of token without a price of its own costs what the kind that contains it costs.
    """

    def usd(key: str, otherwise: float = 0.0) -> float:
        from genai_prices.types import TieredPrices

        value = getattr(price, key)
        if isinstance(value, TieredPrices):
            value = next((tier.price for tier in reversed(value.tiers) if tier.start <= above), value.base)
        return otherwise if value is None else float(value)

    base_input, base_output = usd("input_mtok"), usd("output_mtok")
    return Price(
        start=start,
        day_start=second,
        input_tokens_above=above,
        input=base_input,
        cached_input=usd("cache_read_mtok", base_input),
        cache_write=usd("cache_write_mtok", base_input),
        output=base_output,
        reasoning=usd("output_reasoning_mtok", base_output),
        request=usd("requests_kcount") / 1000,
    )


def _sql(name: str) -> str:
    return files("hansei.collector.queries").joinpath(f"{name}.sql").read_text().rstrip().rstrip(";")
