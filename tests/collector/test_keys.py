"""Keys, where they are kept, and the command that makes them."""

import json
import re
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hansei.collector import key_file
from hansei.collector.errors import StoreError
from hansei.collector.key_file import KEYS, KeyFile, KeysOfFile
from hansei.collector.key_format import bearer, digest_of, key_id_in, new_key, token_secret_of
from hansei.collector.keys import ANYONE, ROLES, KeyRefused, Keys, Principal, Role, StoredKey

from .processes import Ran
from .test_serve import refused

Hansei = Callable[..., Ran]
NOW = 1_800_000_000


def stored(*roles: str, **more: Any) -> tuple[str, StoredKey]:
    """A new key, and what is kept of it."""
    key_id, key = new_key()
    return key, StoredKey(Principal(key_id, "shop", frozenset(roles)), digest_of(key), NOW, **more)


class Created(dict[str, StoredKey]):
    """Keys that were created."""

    def __init__(self, *keys: StoredKey) -> None:
        super().__init__({key.key_id: key for key in keys})

    def current(self) -> dict[str, StoredKey]:
        return self

    def exist(self) -> bool:
        return bool(self)


# --- what a key looks like ---


def test_a_key_has_its_id_and_256_random_bits() -> None:
    """Every key is another, begins with hansei_ and carries its id; other text has none."""
    made = [new_key() for _ in range(50)]
    assert len({key for _, key in made}) == 50
    for key_id, key in made:
        assert re.fullmatch(rf"hansei_{key_id}_[A-Za-z0-9_-]{{43}}", key)
        assert key_id_in(key) == key_id
        assert [key_id_in(text) for text in ("", "s3cret", key[:-1], key + "x", key.upper(), f" {key}")] == [None] * 6


@pytest.mark.parametrize(
    ("header", "key"),
    [(None, None), ("", None), ("Bearer", None), ("Bearer  ", None), ("Basic k", None), ("bearer  k ", "k")],
)
def test_bearer(header: str | None, key: str | None) -> None:
    """The key of a header is what stands behind Bearer, in any case."""
    assert bearer(header) == key


def test_services_compute_the_same_secret() -> None:
    """A service derives from the plain key what the collector derives from what it keeps; another key's is another."""
    key, kept = stored(Role.FEEDBACK)
    keys = Keys("of the environment", "of its administrator", Created(kept))
    assert token_secret_of(key) == (kept.key_id, keys.token_secret(kept.key_id))
    assert token_secret_of("of the environment") == ("env", keys.token_secret("env"))
    secrets = {keys.token_secret(key_id) for key_id in (kept.key_id, "env", "env-admin")}
    assert len(secrets) == 3
    assert kept.digest not in secrets
    assert keys.secret(kept.key_id, b"session") not in secrets
    assert keys.token_secret("unknown0") is None


def test_the_format_is_light() -> None:
    """A service that computes with a key imports nothing for it but the standard library."""
    code = (
        "import sys; import hansei.collector.key_format; print(sorted(set(sys.modules) - set(sys.stdlib_module_names)))"
    )
    loaded = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert [
        name for name in ("starlette", "clickhouse_connect", "grpc", "google", "opentelemetry") if name in loaded
    ] == []


# --- who may what ---


def test_keys_of_the_environment() -> None:
    """HANSEI_API_KEY may all but administer, HANSEI_ADMIN_KEY all, and nothing else is known."""
    keys = Keys("friend", "sesame")
    friend = Principal("env", "HANSEI_API_KEY", frozenset(ROLES[:-1]))
    sesame = Principal("env-admin", "HANSEI_ADMIN_KEY", frozenset(ROLES))
    assert keys.required
    assert [keys.principal(key) for key in ("friend", "sesame", "", None, "frien", "\udcff")] == [
        friend, sesame, None, None, None, None,
    ]  # fmt: skip
    assert [keys.describe(key_id) for key_id in ("env", "env-admin", "")] == [friend, sesame, None]


@pytest.mark.parametrize(
    ("keys", "required"),
    [
        (Keys(None, None), False),
        (Keys(None, "sesame"), False),
        (Keys("friend", None), True),
        (Keys(None, None, exposed=True), True),
        (Keys(None, None, Created(stored(Role.READ)[1])), True),
        (Keys(None, None, Created(stored(Role.READ, revoked=NOW)[1])), True),
    ],
    ids=["none", "an administrator", "the environment's", "exposed", "created", "created and revoked"],
)
def test_when_a_key_is_asked_for(keys: Keys, required: bool) -> None:
    """A key is asked for once there is one, or was, or others reach the collector; else anyone is let in."""
    assert keys.required is required
    assert keys.principal("whatever") is (None if required else ANYONE)


def test_it_never_falls_open() -> None:
    """A collector that has asked for a key goes on asking, when all keys are gone too."""
    created = Created(stored(Role.READ)[1])
    keys = Keys(None, None, created)
    assert keys.required
    created.clear()
    assert (keys.required, keys.principal(None)) == (True, None)


def test_roles_are_required() -> None:
    """Without a known key it is 401, without the role 403, in words that name it; an administrator may all."""
    reading, kept = stored(Role.READ, Role.FEEDBACK)
    governing, admin = stored(Role.ADMIN)
    keys = Keys(None, None, Created(kept, admin))
    assert keys.require(reading, Role.READ) == kept.principal
    assert {keys.require(governing, role) for role in ROLES} == {admin.principal}
    told = {}
    for secret in (None, "wrong", reading[:-1] + "!", reading):
        with pytest.raises(KeyRefused) as caught:
            keys.require(secret, Role.INGEST)
        told[caught.value.status] = str(caught.value)
    assert told == {
        401: "the key is not known here, or has expired or been revoked; send a key as a header: "
        "Authorization: Bearer KEY",
        403: "the key 'shop' lacks the role ingest; it has feedback, read",
    }


def test_a_key_ends() -> None:
    """A key that has expired or been revoked is not known any more, nor is what was derived from it."""
    expired, past = stored(Role.READ, expires=int(time.time()) - 1)
    revoked, gone = stored(Role.READ, revoked=int(time.time()))
    lasting, live = stored(Role.READ, expires=int(time.time()) + 60)
    keys = Keys(None, None, Created(past, gone, live))
    assert [keys.principal(key) for key in (expired, revoked, lasting)] == [None, None, live.principal]
    assert [keys.describe(key.key_id) for key in (past, gone, live)] == [None, None, live.principal]
    assert [keys.token_secret(key.key_id) is None for key in (past, gone, live)] == [True, True, False]


def test_a_created_key_in_the_environment() -> None:
    """In HANSEI_API_KEY too, a created key stays what it was created as, and ends when it is revoked."""
    key, kept = stored(Role.INGEST)
    created = Created(kept)
    keys = Keys(key, None, created)
    assert keys.principal(key) == kept.principal
    created[kept.key_id] = replace(kept, revoked=NOW)
    assert keys.principal(key) is None
    assert keys.describe(kept.key_id) is None
    other = Keys(key, None)
    assert other.principal(key) == Principal(kept.key_id, "HANSEI_API_KEY", frozenset(ROLES[:-1]))
    assert (kept.key_id, other.token_secret(kept.key_id)) == token_secret_of(key)


# --- the file ---


def test_what_the_file_keeps(tmp_path: Path) -> None:
    """Keys come back as they were put; only the owner can read them, no secret is among them, no other file is left."""
    file = KeyFile(tmp_path / "data" / KEYS)
    assert file.read() == {}
    one, first = stored(Role.READ, expires=NOW + 60)
    two, second = stored(*ROLES)
    for key in (first, second, replace(second, revoked=NOW + 5)):
        file.put(key)
    assert file.read() == {first.key_id: first, second.key_id: replace(second, revoked=NOW + 5)}
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    text = file.path.read_text()
    assert [key for key in (one, two) if key in text or key[-43:] in text] == []
    assert digest_of(one).hex() in text
    assert [path.name for path in file.path.parent.iterdir()] == [KEYS]


def test_many_at_once(tmp_path: Path) -> None:
    """Nothing is lost when several put keys at a time."""
    keys = [stored(Role.READ)[1] for _ in range(24)]
    threads = [threading.Thread(target=KeyFile(tmp_path / KEYS).put, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert KeyFile(tmp_path / KEYS).read() == {key.key_id: key for key in keys}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"keys": [{}]}', '{"keys": [{"id": 1}]}', "\xff"])
def test_a_file_of_something_else(tmp_path: Path, content: str) -> None:
    """What is no file of keys is not taken for one, nor written over."""
    file = KeyFile(tmp_path / KEYS)
    file.path.write_text(content, encoding="latin-1")
    for use in (file.read, lambda: file.put(stored(Role.READ)[1])):
        with pytest.raises(StoreError, match=r"keys\.json is not a file of keys; put back a copy"):
            use()
    assert file.path.read_text(encoding="latin-1") == content


def test_the_file_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed file is read again; one that is broken or gone lets nobody in who was not, and is told of once."""
    monkeypatch.setattr(key_file.KeysOfFile, "_SECONDS", 0)
    file, warnings = KeyFile(tmp_path / KEYS), list[str]()
    followed = KeysOfFile(file, warnings.append)
    keys = Keys(None, None, followed)
    assert (keys.required, keys.principal(None)) == (False, ANYONE)
    secret, key = stored(Role.READ)
    file.put(key)
    assert (keys.principal(None), keys.principal(secret)) == (None, key.principal)
    file.path.write_text("{")
    assert [keys.principal(secret) for _ in range(3)] == [key.principal] * 3
    assert [warning.partition(";")[0] for warning in warnings] == [f"{file.path} is not a file of keys"]
    file.path.unlink()
    assert (keys.required, keys.principal(secret), keys.principal(None)) == (True, None, None)
    broken = Keys(None, None, unreadable := KeysOfFile(file, warnings.append))
    file.path.mkdir()
    assert (unreadable.current(), broken.required) == ({}, True)


# --- the command ---


def test_create_list_and_revoke(hansei: Hansei, tmp_path: Path) -> None:
    """A key is printed once, alone; lists show everything else of it, and how it ended."""
    data = tmp_path / "data"
    made = hansei(
        "keys", "create", "--data", data, "--name", "shop", "--role=ingest", "--role=feedback", "--expires=90d"
    )
    key_id = key_id_in(made.out.strip())
    assert made.code == 0
    assert made.out == f"{made.out.strip()}\n"
    assert made.err.splitlines() == [
        f"{data}/keys.json keeps its SHA-256 alone: this is the only time that the key is shown",
        "it is the first key there: a collector that took everybody's requests now asks for a key",
    ]
    second = hansei("keys", "create", "--name", " Anaïs ", "--role", "admin", HANSEI_DATA=str(data))
    assert len(second.err.splitlines()) == 1
    kept = {key["name"]: key for key in json.loads((data / KEYS).read_text())["keys"]}
    assert kept["shop"]["expires"] - kept["shop"]["created"] == 90 * 86400
    assert kept["shop"]["sha256"] == digest_of(made.out.strip()).hex()
    listed = hansei("keys", "list", "--data", data)
    times = [re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", line) for line in listed.out.splitlines()]
    other = key_id_in(second.out.strip())
    assert times[0] == "id        name   roles            created               expires               state"
    assert sorted(line.split() for line in times[1:]) == sorted([
        [key_id, "shop", "ingest,feedback", "TIME", "TIME", "live"],
        [other, "Anaïs", "admin", "TIME", "never", "live"],
    ])  # fmt: skip
    assert made.out.strip()[-8:] not in listed.out
    revoked = hansei("keys", "revoke", "--data", data, str(key_id))
    assert (revoked.code, revoked.out) == (
        0, f"{key_id} (shop) is revoked; running collectors refuse it within seconds\n",
    )  # fmt: skip
    again = hansei("keys", "revoke", "--data", data, made.out.strip())
    assert (again.code, again.out.partition("20")[0]) == (0, f"{key_id} (shop) was revoked ")
    assert "  revoked 20" in hansei("keys", "list", "--data", data).out


def test_no_keys(hansei: Hansei, tmp_path: Path) -> None:
    """Where there are none, the list is empty and says so beside."""
    ran = hansei("keys", "list", "--data", tmp_path)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"there are no keys in {tmp_path}/keys.json; make one with `hansei keys create`\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "--name=", "--role=read"], "name: '' is not a name; write 1 to 80 printable characters"),
        (["create", "--name=a\nb", "--role=read"], r"name: 'a\nb' is not a name; write 1 to 80 printable characters"),
        (["create", "--name=a", "--role=reader"], "role: 'reader' is not a role; there are ingest, feedback, read, "),
        (["create", "--name=a", "--role=read", "--expires=soon"], "expires: 'soon' is not a duration; write 10d"),
        (["create", "--name=a", "--role=read", "--expires=0"], "expires: '0' is no time; write 90d, or leave it out"),
        (["create", "--role=read"], "the following arguments are required: --name"),
        (["revoke", "abcdefgh"], "there is no key 'abcdefgh' in "),
        ([], "the following arguments are required: ACTION"),
    ],
    ids=[
        "no name",
        "a line break",
        "unknown role",
        "no duration",
        "no time",
        "no name at all",
        "unknown id",
        "nothing",
    ],
)
def test_mistakes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """A mistake is one line that names the value and what would be allowed, and makes no key."""
    from hansei.cli import main

    monkeypatch.setenv("HANSEI_DATA", str(tmp_path / "data"))
    try:
        code = main(["keys", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    assert refused(Ran(code, out, err)).startswith(said)
    assert not (tmp_path / "data").exists()
