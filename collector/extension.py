"""What is built on the collector is given this, and answers with routes for the pages' port."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.routing import BaseRoute

from hansei.collector.address import Address
from hansei.collector.ingest import Ingest
from hansei.collector.keys import Keys
from hansei.collector.settings import Settings
from hansei.collector.store import Store


class Background(Protocol):
    """What works beside the requests, for as long as the store is there."""

    def start(self) -> None:
        """Begin: the store is there."""

    def stop(self) -> None:
        """Return once it has ended; ``stopping`` is set."""


@dataclass(frozen=True)
class Server:
    """A collector, for what is built on it."""

    settings: Settings
    store: Store
    ingest: Ingest
    keys: Keys
    addresses: Callable[[], dict[str, Address]]
    """Where each listener listens, by the name of its setting."""
    recovering: Callable[[], bool]
    """Whether log records that an earlier run acknowledged still wait for the store."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when the collector stops."""
    background: list[Background] = field(default_factory=list)
    """What is built on the collector adds its own here while it makes its routes."""


Routes = Callable[[Server], Sequence[BaseRoute]]
"""Makes the routes that come beside health and metrics."""


def no_routes(_: Server) -> Sequence[Any]:
    """A collector by itself."""
    return ()
