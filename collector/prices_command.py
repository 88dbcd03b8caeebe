"""``hansei prices``."""

from pathlib import Path

from hansei.collector.access import open_store
from hansei.collector.output import say
from hansei.collector.prices import PriceBook
from hansei.collector.query import QueryError


def refresh_prices(data: Path, clickhouse: str | None, *, download: bool) -> None:
    """Look up the prices of all models that were called, and print them.

    Raises :class:`~hansei.collector.errors.HanseiError`.
    """
    from clickhouse_connect.driver.exceptions import ClickHouseError

    with open_store(data, clickhouse) as store:
        try:
            found = PriceBook(store.client()).refresh(download=download)
        except ClickHouseError as error:
            raise QueryError(
                f"{str(error).strip().splitlines()[0]} (a running collector takes prices with its HANSEI_ADMIN_KEY)"
            ) from error
    for row in found:
        price = row.prices[-1] if row.prices else None
        cost = f"{price.input:g} in, {price.output:g} out, USD a million tokens" if price else "no price known"
        say(f"{row.provider or '(no provider)'}  {row.model}  {cost}")
    say(f"{len(found)} models")
