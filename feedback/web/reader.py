"""Reading the store inside the server, a few questions at a time."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from clickhouse_connect.driver.exceptions import ClickHouseError

from hansei.collector.store import Store, StoreUnavailable
from hansei.feedback.search.errors import SearchError

P = ParamSpec("P")
T = TypeVar("T")

_AT_ONCE: Final = 4
_TIMEOUT_EXCEEDED: Final = 159
_SETTINGS: Final = {
    "max_execution_time": 20,
    "max_memory_usage": 512 * 1024**2,
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
}
"""Of every question: a page that takes longer is not waited for (seconds, bytes), and to compile an expression takes
longer than to run it for the rows of a page."""


class StoreAway(SearchError):
    """The store does not answer now."""


class Reader:
    """Reads for pages and API. Each of its threads has its own client of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="reader")
        # Of their own, or those who wait for them could leave them no thread.
        self._side_threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="reader-side")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what reads, in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args, **kwargs))

    def together(self, *calls: Callable[[], Any]) -> list[Any]:
        """What some calls answer, each in a thread; the first that fails is raised."""
        first, *others = calls
        running = [self._side_threads.submit(call) for call in others]
        return [first(), *(each.result() for each in running)]

    def query(self, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows of a statement of ours, by column; nothing of a stranger may stand in it. Raises ``SearchError``."""
        try:
            result = self._store.client().query(sql, parameters=dict(parameters), settings=_SETTINGS)
            return list(result.named_results())
        except StoreUnavailable as error:
            raise StoreAway(str(error)) from error
        except ClickHouseError as error:
            if getattr(error, "code", None) == _TIMEOUT_EXCEEDED:
                raise SearchError(
                    f"this took longer than {_SETTINGS['max_execution_time']} s; choose a shorter time or a "
                    "narrower filter"
                ) from error
            raise SearchError(f"ClickHouse refused the search: {str(error).strip().splitlines()[0][:300]}") from error
