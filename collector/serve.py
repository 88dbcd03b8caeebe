"""``hansei serve``."""

import contextlib
import gc
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from clickhouse_connect.driver.exceptions import ClickHouseError

from hansei.collector.errors import StoreError
from hansei.collector.output import OutputError, say
from hansei.collector.settings import Settings

# The hundreds of megabytes that an insert needs, the engine's allocator gives back after a second, not five; until
# then it cuts small pieces from large ones that are free, sooner than ask the kernel for zeroed pages.
# It reads this when the engine is loaded, which is why the collector is imported after it.
os.environ.setdefault("JE_MALLOC_CONF", "dirty_decay_ms:1000,lg_extent_max_active_fit:10")

from hansei.collector.app import Collector
from hansei.collector.extension import Routes


def serve(flags: Mapping[str, str | None], config: Path | None, schema: Sequence[str], routes: Routes) -> None:
    """Run a collector until it is told to stop. Raises :class:`~hansei.collector.errors.HanseiError`.

    ``schema``: the packages whose SQL files make the tables; ``routes``: makes the pages and the API.
    """
    settings = Settings.load(flags, config=config)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        collector = Collector(settings, schema, routes)
    except ClickHouseError as error:
        # The schema or the retention, on a full disk or without the right to change tables.
        raise StoreError(f"ClickHouse refused to be prepared: {str(error).strip().splitlines()[0]}") from error
    # What has been imported stays: the garbage collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    # The engine writes format schemas that it is given as text into the working directory.
    os.chdir(settings.data)
    collector.run(_announce)


def _announce(line: str) -> None:
    """What cannot be told is no reason to stop."""
    with contextlib.suppress(OutputError, BrokenPipeError):
        say(line)
