"""Who may look at pages: sessions that begin with a key, and what other sites can do with them."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

from hansei.collector.key_file import KEYS, KeyFile
from hansei.collector.key_format import digest_of, new_key
from hansei.collector.keys import Principal, StoredKey
from hansei.feedback.pages.attempts import WrongAttempts
from hansei.feedback.pages.sign_in import local_path

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .conftest import Visit, no_sideways_scroll, until

OWN = {"Sec-Fetch-Site": "same-origin"}
NAME = "ana <b>of</b> the shop, who has a name of eighty characters, which is a long one"


class Doors:
    """A collector that asks for keys, and its keys."""

    def __init__(self, data: Path) -> None:
        self._file = KeyFile(data / KEYS)
        self.reading = self.create("read")
        self.sending = self.create("ingest")
        self.ending = self.create("read")
        self.serving = Serving(data, HANSEI_API_KEY="friend")

    def create(self, *roles: str) -> str:
        """A new key."""
        key_id, key = new_key()
        self._file.put(StoredKey(Principal(key_id, NAME, frozenset(roles)), digest_of(key), int(time.time())))
        return key

    def revoke(self, key: str) -> None:
        """End a key."""
        kept = self._file.read()[key.split("_")[1]]
        self._file.put(StoredKey(kept.principal, kept.digest, kept.created, revoked=int(time.time())))


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """That collector; one test ends one of them."""
    made = Doors(tmp_path_factory.mktemp("doors") / "data")
    yield made
    said = made.serving.errors()
    made.serving.close()
    assert said == ""


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def cookie(self) -> str:
        """The session, as a browser sends it back."""
        return self.headers["set-cookie"].partition(";")[0]


def ask(serving: Serving, method: str, path: str, headers: dict[str, str], body: str | None = None) -> Reply:
    """One request to the pages' port."""
    with closing(http.client.HTTPConnection(serving.ui.removeprefix("http://"), timeout=60)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        got = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, got, answer.read().decode())


def sign_in(doors: Doors, key: str, next_page: str = "/traces", **headers: str) -> Reply:
    """What the form's button sends."""
    path = "/sign-in?" + urlencode({"next": next_page})
    return ask(doors.serving, "POST", path, OWN | headers, urlencode({"key": key}))


# --- a browser ---


def test_in_and_out(visit: Visit, axe: Callable[[Page], None], doors: Doors) -> None:
    """A visitor is asked for a key, comes where they wanted to go, sees who they are, and signs out."""
    page = visit("/traces?since=7d", base=doors.serving.ui)
    assert page.url == f"{doors.serving.ui}/sign-in?next=/traces%3Fsince%3D7d"
    assert page.evaluate("document.activeElement.id") == "key"
    axe(page)
    page.keyboard.type(doors.reading + "x")
    page.keyboard.press("Enter")
    assert page.get_by_role("alert").inner_text().startswith("This key is not known here")
    axe(page)
    page.get_by_label("Key").fill(doors.sending)
    page.keyboard.press("Enter")
    page.get_by_text(f"The key {NAME} has the role ingest. Pages need a key with read or review.").wait_for()
    page.get_by_label("Key").fill(doors.reading)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{doors.serving.ui}/traces?since=7d")
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["secure"]) == (
        "hansei_session", True, "Lax", False,
    )  # fmt: skip
    assert 43_000 < cookie["expires"] - time.time() <= 43_200
    page.get_by_text(NAME).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{doors.serving.ui}/sign-in")
    assert page.context.cookies() == []
    page.goto("/traces")
    assert "/sign-in" in page.url


@pytest.mark.parametrize("script", [True, False])
def test_on_a_phone(visit: Visit, axe: Callable[[Page], None], doors: Doors, script: bool) -> None:
    """The form fits a phone, and shuts nobody out in either theme; it works without scripts."""
    page = visit("/sign-in", base=doors.serving.ui, phone=True, script=script)
    assert page.get_by_role("button", name="Sign in").is_visible()
    assert no_sideways_scroll(page)
    page.get_by_label("Key").fill(doors.reading)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/sign-in")
    assert page.get_by_text(NAME).is_visible()
    assert no_sideways_scroll(page)
    if script:
        axe(page)


# --- sessions ---


def test_who_is_sent_to_sign_in(doors: Doors) -> None:
    """Without a session, pages lead to the form and back; what changes something, and scripts, get 401."""
    answer = ask(doors.serving, "GET", "/traces?a=1&b=%C3%BC", {})
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in?next=/traces%3Fa%3D1%26b%3D%25C3%25BC")
    for headers in ({"Accept": "application/json"}, {"X-Requested-With": "fetch"}):
        answer = ask(doors.serving, "GET", "/traces", headers)
        assert (answer.status, answer.body) == (
            401, '{"error":"sign in first: the session has ended, or none was begun"}',
        )  # fmt: skip


@pytest.mark.parametrize("key", ["friend", "a key of its own"])
def test_a_session(doors: Doors, key: str) -> None:
    """A session reads pages; changed by a letter, or for another key, it is none."""
    secret = doors.reading if key != "friend" else key
    begun = sign_in(doors, secret)
    assert (begun.status, begun.headers["location"]) == (303, "/traces")
    assert secret not in begun.headers["set-cookie"]
    assert ask(doors.serving, "GET", "/traces", {"Cookie": begun.cookie}).status == 200
    name, _, value = begun.cookie.partition("=")
    key_id, end, signature = value.split(".")
    other = new_key()[0]
    forged = [
        "", "..", value[:-1], value[:-1] + ("0" if value[-1] != "0" else "1"), f"{key_id}.{int(end) + 1}.{signature}",
        f"{other}.{end}.{signature}", f"{key_id}.{signature}", f"env-admin.{end}.{signature}", f"{key_id}.{end}.",
    ]  # fmt: skip
    assert {ask(doors.serving, "GET", "/traces", {"Cookie": f"{name}={value}"}).status for value in forged} == {303}


def test_a_session_ends_with_its_key(doors: Doors) -> None:
    """Once the key is revoked, its sessions lead to the form again."""
    session = {"Cookie": sign_in(doors, doors.ending).cookie}
    assert ask(doors.serving, "GET", "/traces", session).status == 200
    doors.revoke(doors.ending)
    until(lambda: ask(doors.serving, "GET", "/traces", session).status == 303, "the session to end")


def test_behind_https(doors: Doors) -> None:
    """Behind a proxy that speaks https, the cookie is for https alone."""
    cookie = sign_in(doors, "friend", **{"X-Forwarded-Proto": "https"}).headers["set-cookie"]
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))


def test_a_script_with_a_bearer_token(doors: Doors) -> None:
    """Pages answer to a key in the header too, by its roles."""
    headers = {"Authorization": f"Bearer {doors.reading}"}
    assert ask(doors.serving, "GET", "/traces", headers).status == 200
    headers = {"Authorization": f"Bearer {doors.sending}", "Accept": "application/json"}
    answer = ask(doors.serving, "GET", "/traces", headers)
    assert (answer.status, answer.body) == (
        403, f'{{"error":"the key \'{NAME}\' lacks the role read; it has ingest"}}',
    )  # fmt: skip
    refused = ask(doors.serving, "GET", "/traces", {"Authorization": f"Bearer {doors.sending}"})
    assert (refused.status, "Not allowed" in refused.body, "<b>of" in refused.body) == (403, True, False)


def test_the_api(doors: Doors, serving: Serving) -> None:
    """The API answers to keys with the role, not to sessions; without keys, to this machine alone."""
    path, session = "/api/v1/traces", sign_in(doors, "friend").cookie
    sent = {
        "nobody": {}, "session": {"Cookie": session}, "wrong": {"Authorization": "Bearer wrong"},
        "role": {"Authorization": f"Bearer {doors.sending}"}, "key": {"Authorization": f"Bearer {doors.reading}"},
        "cross-site": {"Authorization": "Bearer friend", "Sec-Fetch-Site": "cross-site"},
    }  # fmt: skip
    assert {name: ask(doors.serving, "GET", path, headers).status for name, headers in sent.items()} == {
        "nobody": 401, "session": 401, "wrong": 401, "role": 403, "key": 200, "cross-site": 200,
    }  # fmt: skip
    for headers in ({"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert ask(serving, "GET", path, headers).status == 403
    assert ask(serving, "GET", path, {"Host": "localhost:8600", "Sec-Fetch-Site": "none"}).status == 200


# --- other sites ---


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://HOST"},
        {},
    ],
    ids=str,
)
def test_forms_of_other_sites(doors: Doors, headers: dict[str, str]) -> None:
    """What no page of this site has sent neither signs in nor out."""
    host = doors.serving.ui.removeprefix("http://")
    sent = {name: value.replace("HOST", host) for name, value in headers.items()}
    for path in ("/sign-in", "/sign-out"):
        answer = ask(doors.serving, "POST", path, sent, urlencode({"key": "friend"}))
        assert (answer.status, answer.headers.get("set-cookie")) == (403, None)
        assert "was not sent by a page of this site" in answer.body


def test_an_old_browser(doors: Doors) -> None:
    """A browser without Sec-Fetch-Site is known by its Origin."""
    answer = ask(doors.serving, "POST", "/sign-in", {"Origin": doors.serving.ui}, urlencode({"key": "friend"}))
    assert (answer.status, answer.headers["location"]) == (303, "/")


def test_without_keys_this_machine_alone(serving: Serving) -> None:
    """A collector without keys shows pages to localhost and addresses, by links but to no script of another site."""
    for host in ("localhost:1", "127.0.0.1", "[::1]:8600"):
        assert ask(serving, "GET", "/traces", {"Host": host}).status == 200
    for host in ("evil.example", "127.0.0.1.evil.example:8600"):
        answer = ask(serving, "GET", "/traces", {"Host": host})
        assert (answer.status, "localhost is answered" in answer.body) == (403, True)
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert ask(serving, "GET", "/traces", link).status == 200
    assert ask(serving, "GET", "/traces", {**link, "Sec-Fetch-Mode": "no-cors"}).status == 403
    answer = ask(serving, "GET", "/sign-in?next=/traces", {})
    assert (answer.status, answer.headers["location"]) == (303, "/traces")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/traces?a=1#b", "/traces?a=1#b"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example", "/"),
        ("evil.example", "/"),
        ("", "/"),
    ],
)
def test_next_is_a_page_of_ours(doors: Doors, address: str, path: str) -> None:
    """After signing in a visitor is led to a page of this site, whatever the link to the form said."""
    assert local_path(address) == path
    assert sign_in(doors, "friend", address).headers["location"] == path


def test_too_many_wrong_keys(doors: Doors) -> None:
    """After ten wrong keys in a minute an address has to wait, right key or not; others need not."""
    elsewhere = {"X-Forwarded-For": "192.0.2.1"}
    statuses = [sign_in(doors, "wrong", **elsewhere).status for _ in range(11)]
    assert statuses == [403] * 10 + [429]
    answer = sign_in(doors, "friend", **elsewhere)
    assert (answer.status, 50 <= int(answer.headers["retry-after"]) <= 60) == (429, True)
    assert sign_in(doors, "friend").status == 303


def test_attempts_are_forgotten() -> None:
    """Attempts count for a minute."""
    attempts = WrongAttempts()
    for second in range(10):
        assert attempts.seconds_to_wait("a", second) == 0
        attempts.note("a", second)
    assert [attempts.seconds_to_wait("a", now) for now in (9, 30.5, 59, 60, 61)] == [51, 30, 1, 0, 0]
    attempts.note("a", 60)
    assert [attempts.seconds_to_wait(address, 60) for address in ("a", "b")] == [1, 0]
