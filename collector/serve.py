"""``hansei serve``."""

import logging
from collections.abc import Mapping
from pathlib import Path

from hansei.collector.app import Collector
from hansei.collector.settings import Settings


def serve(flags: Mapping[str, str | None], config: Path | None) -> None:
    """Run a collector until it is told to stop. Raises :class:`~hansei.collector.errors.HanseiError`."""
    settings = Settings.load(flags, config=config)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    Collector(settings).run(lambda line: print(line, flush=True))
