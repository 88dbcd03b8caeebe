"""Keys at a running collector: each listener asks for its role, and new, revoked and expired keys are noticed."""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hansei.collector.key_file import KEYS, KEYS_COPY, KeyFile
from hansei.collector.key_format import digest_of, key_id_in
from hansei.collector.keys import ROLES, Principal, StoredKey

from .otlp_clients import GrpcClient, HttpClient
from .processes import Ran, Serving
from .sql_http import Sql
from .test_serve import PORTS, refused

Hansei = Callable[..., Ran]
Serve = Callable[..., Serving]
Wait = Callable[[Callable[[], object], str], None]

EMPTY = ExportTraceServiceRequest().SerializeToString()
ADMIN = "sesame"


def create(hansei: Hansei, place: str, *roles: str) -> str:
    """A new key, made by the command; ``place`` is ``--data=…`` or ``--clickhouse=…``."""
    ran = hansei("keys", "create", place, "--name=of a test", *(f"--role={role}" for role in roles))
    assert ran.code == 0, ran.err
    return ran.out.strip()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory, hansei: Hansei) -> dict[str, str]:
    """A key of each role, in a data folder that no collector has used yet."""
    data = tmp_path_factory.mktemp("keys") / "data"
    return {"data": str(data), **{role: create(hansei, f"--data={data}", role) for role in ROLES}}


@pytest.fixture(scope="module")
def serving(keys: dict[str, str]) -> Iterator[Serving]:
    """A collector over that folder, one of whose listeners other machines reach."""
    running = Serving(Path(keys["data"]), "--otlp-http=0.0.0.0:0")
    yield running
    said = running.errors()
    running.close()
    assert said == ""


def grpc(serving: Serving, key: str | None) -> tuple[str, str]:
    with closing(GrpcClient(serving.grpc)) as client:
        answer = client.export(EMPTY, key=None if key is None else f"Bearer {key}")
    return answer.code, answer.message or ""


def http(serving: Serving, key: str | None) -> tuple[int | None, str]:
    with closing(HttpClient(serving.http)) as client:
        answer = client.export(EMPTY, key=None if key is None else f"Bearer {key}")
    return answer.http, answer.message or ""


def metrics(serving: Serving, key: str | None) -> int:
    return serving.get("/metrics", **({} if key is None else {"Authorization": f"Bearer {key}"}))[0]


def sql(serving: Serving, key: str | None, query: str = "SELECT 1") -> int | None:
    """The code of ClickHouse's error."""
    return Sql(serving.sql).post(query, {} if key is None else {"X-ClickHouse-Key": key}).code


def test_each_listener_asks_for_its_role(serving: Serving, keys: dict[str, str]) -> None:
    """OTLP takes ingest, SQL and metrics take read, an administrator may all, and nobody else gets in anywhere."""
    of = {role: keys[role] for role in ROLES}
    may_not = "the key 'of a test' lacks the role ingest; it has "
    told = {role: f"{may_not}{role}" for role in ("feedback", "read", "review")}
    assert {role: grpc(serving, key) for role, key in of.items()} == {
        "ingest": ("OK", ""), "admin": ("OK", ""),
        **{role: ("PERMISSION_DENIED", text) for role, text in told.items()},
    }  # fmt: skip
    assert {role: http(serving, key) for role, key in of.items()} == {
        "ingest": (200, ""), "admin": (200, ""), **{role: (403, text) for role, text in told.items()},
    }  # fmt: skip
    assert {role: metrics(serving, key) for role, key in of.items()} == {
        "ingest": 403, "feedback": 403, "read": 200, "review": 403, "admin": 200,
    }  # fmt: skip
    assert {role: sql(serving, key) for role, key in of.items()} == {
        "ingest": 497, "feedback": 497, "read": None, "review": 497, "admin": None,
    }  # fmt: skip
    for nobody in (None, "wrong", keys["ingest"][:-1]):
        assert grpc(serving, nobody)[0] == "UNAUTHENTICATED"
        assert (http(serving, nobody)[0], metrics(serving, nobody), sql(serving, nobody)) == (401, 401, 516)
    counted = serving.get("/metrics", Authorization=f"Bearer {keys['read']}")[1]
    for reason in ("forbidden", "unauthenticated"):
        for transport in ("grpc", "http"):
            labels = f'{{reason="{reason}",signal="traces",transport="{transport}"}}'
            assert f"hansei_refused_requests_total{labels} 3.0\n" in counted


def test_sql_by_role(serving: Serving, keys: dict[str, str]) -> None:
    """A key comes as any password; one that reads changes nothing and sees no keys, an administrator's lifts that."""
    reader = Sql(serving.sql)
    basic = base64.b64encode(f"ana:{keys['read']}".encode()).decode()
    for headers in ({"Authorization": f"Basic {basic}"}, {"Authorization": f"Bearer {keys['read']}"}):
        assert reader.get("SELECT 1", {**headers, "Host": "db.example.com"}).body == b"1\n"
    assert reader.get("SELECT 1", password=keys["read"]).body == b"1\n"
    assert sql(serving, keys["read"], "DROP TABLE otel_traces") == 164
    assert sql(serving, keys["read"], "SELECT * FROM default.hansei_keys") == 497
    assert sql(serving, keys["admin"], "SELECT * FROM default.hansei_keys") is None
    said = reader.get("SELECT 1", {"X-ClickHouse-Key": keys["ingest"]}).body.decode()
    assert "Not enough privileges: the key 'of a test' lacks the role read; it has ingest" in said


def test_query_with_a_created_key(serving: Serving, keys: dict[str, str], hansei: Hansei) -> None:
    """`hansei query` presents a created key as it does the environment's."""
    ran = hansei("query", "--data", serving.data, "SELECT 1 FORMAT TSV", HANSEI_API_KEY=keys["read"])
    assert (ran.code, ran.out) == (0, "1\n")


def test_new_and_revoked_keys(serving: Serving, hansei: Hansei) -> None:
    """Without a restart a new key is taken, and a revoked or expired one refused, within two seconds."""
    place = f"--data={serving.data}"
    key = create(hansei, place, "ingest", "read")
    assert seconds_until(lambda: http(serving, key)[0] == 200) < 2
    assert (grpc(serving, key)[0], metrics(serving, key), sql(serving, key)) == ("OK", 200, None)
    ran = hansei("keys", "revoke", place, str(key_id_in(key)))
    assert ran.code == 0
    assert seconds_until(lambda: http(serving, key)[0] == 401) < 2
    assert (grpc(serving, key)[0], metrics(serving, key), sql(serving, key)) == ("UNAUTHENTICATED", 401, 516)
    short = hansei("keys", "create", place, "--name=short", "--role=ingest", "--expires=1s").out.strip()
    assert seconds_until(lambda: http(serving, short)[0] == 401) < 2


def seconds_until(condition: Callable[[], object]) -> float:
    """How long it takes until a condition holds; what it takes a busy machine to ask once more does not count."""
    began = time.monotonic()
    while True:
        asked = time.monotonic()
        if condition():
            return asked - began
        time.sleep(0.05)


def test_beyond_loopback_with_dead_keys(hansei: Hansei, tmp_path: Path) -> None:
    """A listener that others reach wants a key that is good: neither revoked nor expired ones suffice."""
    data = tmp_path / "data"
    for more in ({"revoked": 2}, {"expires": 2}):
        key = StoredKey(Principal("aaaaaaaa", "a", frozenset(["read"])), digest_of("a"), 1, **more)
        KeyFile(data / KEYS).put(key)
        assert refused(hansei("serve", "--data", data, *PORTS, "--ui=0.0.0.0:0")) == (
            "ui: 0.0.0.0:0 can be reached from other machines, and no key protects it; set HANSEI_API_KEY, make a key "
            "with `hansei keys create`, or listen on 127.0.0.1"
        )
    assert [path.name for path in data.iterdir()] == [KEYS]


def test_a_broken_file_stops_the_start(hansei: Hansei, tmp_path: Path) -> None:
    """A collector does not start without knowing who may do what."""
    (tmp_path / KEYS).write_text("{")
    said = refused(hansei("serve", "--data", tmp_path, *PORTS))
    assert said.startswith(f"{tmp_path}/keys.json is not a file of keys; put back a copy, or move it away")


# --- in front of a server ---


def test_keys_of_a_server(hansei: Hansei, serve: Serve, wait: Wait, tmp_path: Path) -> None:
    """In a server's table keys are made, listed and revoked for all collectors, which know them while it is away."""
    server = serve(data=tmp_path / "server", HANSEI_ADMIN_KEY=ADMIN)
    url = f"http://admin:{ADMIN}@{server.sql}/shared"
    place = f"--clickhouse={url}"
    said = refused(hansei("keys", "create", place, "--name=early", "--role=read"))
    assert said.startswith(f"ClickHouse at http://{server.sql}/shared ")
    assert hansei("migrate", place).code == 0
    exposed = ("serve", place, "--data", tmp_path / "second", *PORTS, "--otlp-grpc=0.0.0.0:0")
    assert "otlp_grpc: 0.0.0.0:0 can be reached from other machines, and no key" in refused(hansei(*exposed))
    first, lasting = create(hansei, place, "ingest", "read"), create(hansei, place, "ingest")
    listed = hansei("keys", "list", place).out
    assert [line.split()[-1] for line in listed.splitlines()] == ["state", "live", "live"]
    second = serve(place, "--otlp-grpc=0.0.0.0:0", data=tmp_path / "second")
    assert [http(second, key)[0] for key in (first, lasting, None)] == [200, 200, 401]
    assert Sql(server.sql).get("SELECT count() FROM shared.hansei_keys").code == 497
    assert hansei("keys", "revoke", place, str(key_id_in(first))).code == 0
    assert "  revoked 20" in hansei("keys", "list", place).out
    third = create(hansei, place, "ingest")
    wait(lambda: http(second, third)[0] == 200, "the new key to be taken")
    assert http(second, first)[0] == 401
    assert second.end() == 0
    assert (second.data / KEYS_COPY).stat().st_mode & 0o777 == 0o600
    server.kill()
    again = serve(place, "--otlp-grpc=0.0.0.0:0", data=tmp_path / "second")
    assert [http(again, key)[0] for key in (first, lasting, third, None)] == [401, 200, 200, 401]


def test_a_server_that_is_away(hansei: Hansei, tmp_path: Path) -> None:
    """Where keys cannot be looked for, a listener that others reach is refused, with the reason."""
    flags = ("--clickhouse=http://127.0.0.1:9/default", *PORTS, "--ui=0.0.0.0:0")
    said = refused(hansei("serve", "--data", tmp_path / "data", *flags))
    assert said.startswith("ui: 0.0.0.0:0 can be reached from other machines, and no key protects it; ")
    assert "(ClickHouse at http://127.0.0.1:9/default refused or did not answer: " in said
