"""Prices of models as they are called for the first time, looked up beside the collector's work."""

import logging
import threading

from hansei.collector.prices import PriceBook
from hansei.collector.store import Store

log = logging.getLogger("hansei.collector")

_PAUSE = 2.0
"""Seconds at least between two looks for models without a price: one query of some milliseconds."""
_TICK = 0.5
"""Seconds until the thread notices that it should end."""


class PriceLearner:
    """A thread that keeps ``model_prices`` complete. Without it, or until it has looked, a cost is NULL."""

    def __init__(self, store: Store, stopping: threading.Event) -> None:
        """``stopping`` ends it."""
        self._store = store
        self._stopping = stopping
        self._news = threading.Event()
        self._news.set()
        self._thread = threading.Thread(target=self._run, name="price-learner", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def notice(self) -> None:
        """Say that something was stored, perhaps a call of a model not seen before."""
        self._news.set()

    def stop(self) -> None:
        """Return once it has ended; ``stopping`` must be set."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        book: PriceBook | None = None
        failing = False
        while not self._stopping.is_set():
            if not self._news.wait(_TICK):
                continue
            self._news.clear()
            try:
                book = book or PriceBook(self._store.client())
                book.learn()
                failing = False
            except Exception as error:
                # Prices can wait; a store that is away is reported by the inserter.
                if not failing:
                    log.warning("model prices could not be looked up: %s", str(error).split("\n", 1)[0])
                failing = True
                self._news.set()
            self._stopping.wait(_PAUSE)
