"""Desks over the tables of a collector, as one in front of a ClickHouse server has them."""

import itertools
import time
from types import SimpleNamespace
from typing import Any, cast

from hansei.collector.signals import Signal
from hansei.collector.store import ServerStore
from hansei.feedback.labeling.desk import Desk
from hansei.feedback.labeling.desk_tables import DeskTables
from hansei.feedback.labeling.desks import Desks
from hansei.feedback.labeling.inputs import InputCategorical, InputPassFail, InputText
from hansei.feedback.labeling.items import insert_items, span_item, trace_item
from hansei.feedback.labeling.labels import Label, read_labels
from hansei.feedback.labeling.model import Item, LabelingSessionRecord, LabelSchemaVersion, SessionSettings
from hansei.feedback.labeling.schemas import insert_schema
from hansei.feedback.labeling.sessions import insert_session
from hansei.feedback.web.reader import Reader
from hansei.feedback.web.tables import Tables, tables_of

# The tests are no package whose name could be written out.
from ..collector.otlp_clients import HttpClient  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252

ADMIN_KEY = "sesame"
QUESTIONS = (
    LabelSchemaVersion("verdict", 1, "feedback", InputPassFail().to_json(), "Is it right?", enable_comment=True),
    LabelSchemaVersion("tone", 3, "feedback", InputCategorical(["kind", "rude"]).to_json(), "How does it sound?"),
    LabelSchemaVersion("ideal", 2, "expectation", InputText().to_json(), "What is right?", enable_comment=True),
)
ANSWERS = {"verdict": {"value": True, "comment": "as in the manual"}, "tone": {"value": "kind"}}

_numbers = itertools.count(1)


class Clock:
    """Nanoseconds that a test may move on."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead

    def pass_minutes(self, minutes: float) -> None:
        self.ahead += int(minutes * 60_000_000_000)


class Logs:
    """The write path, which is in another process here."""

    def __init__(self, serving: Serving) -> None:
        self._client = HttpClient(serving.http)
        self.fault: Exception | None = None

    def export(self, signal: Signal, payload: bytes, _: str) -> bytes:
        if self.fault:
            raise self.fault
        answer = self._client.export(payload, signal)
        assert answer.code == "OK", answer
        return b""


class Room:
    """A collector's tables, sessions in them, and desks over these."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.clock = Clock()
        self.store = ServerStore(f"http://admin:{ADMIN_KEY}@{serving.sql}/default")
        self.reader = Reader(self.store)
        self.tables: Tables = tables_of(self.store, self.reader.query)
        self.logs = Logs(serving)
        self._tables: DeskTables | None = None

    def desks(self, *, shared: bool = False, redact: tuple[str, ...] | None = None) -> Desks:
        """The desks of a new collector."""
        settings = SimpleNamespace(redact=redact)
        server = SimpleNamespace(store=self.store, ingest=self.logs, settings=settings)
        site = SimpleNamespace(server=server, reader=self.reader)
        opened = Desks(cast(Any, site), now_ns=self.clock, shared=shared)
        # Threads with clients of their own take longer to make than a test.
        if self._tables is None:
            self._tables = opened._tables
        opened._tables = self._tables
        return opened

    def session(self, items: int | list[Item], reviewers_per_item: int = 1, **settings: Any) -> str:
        """A new session; answers its id."""
        for schema in QUESTIONS:
            insert_schema(self.tables, schema)
        session_id = f"session-{next(_numbers)}"
        self.write_session(session_id, SessionSettings(reviewers_per_item=reviewers_per_item, **settings))
        self.add(session_id, [self.item() for _ in range(items)] if isinstance(items, int) else items)
        return session_id

    def write_session(self, session_id: str, settings: SessionSettings, status: str = "open") -> None:
        asked = tuple((schema.name, schema.version) for schema in QUESTIONS)
        record = LabelingSessionRecord(session_id, session_id, f"run-of-{session_id}", asked, settings, status, 1)
        insert_session(self.tables, record)

    def add(self, session_id: str, items: list[Item], *, deleted: bool = False) -> None:
        insert_items(self.tables, session_id, items, deleted=deleted)

    def item(self, *, span: bool = False) -> Item:
        """A trace that was never an item, or a span of one."""
        number = next(_numbers)
        return span_item(f"{number:032x}", f"{number:016x}") if span else trace_item(f"{number:032x}")

    def desk(self, items: int | list[Item] = 3, reviewers_per_item: int = 1, **settings: Any) -> Desk:
        """The desk of a new session."""
        return self.desks().of(self.session(items, reviewers_per_item, **settings))

    def labels(self, session_id: str, items: list[Item]) -> list[Label]:
        """What the ledger says of a session's items."""
        self.serving.wait_stored()
        return read_labels(self.reader.query, session_id, items)

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.store.client().query(sql, parameters).result_rows]

    @staticmethod
    def away() -> ServerStore:
        """A store at which nobody listens."""
        return ServerStore("http://127.0.0.1:9/default")

    def close(self) -> None:
        self.store.close()
