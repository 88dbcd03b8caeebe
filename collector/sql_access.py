"""Who is asking at the SQL endpoint: a stranger, who may read, or an administrator."""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from hansei.collector.sql_errors import SqlError

ADMIN = "admin"
"""The user name that is never a reader's."""


class Role(Enum):
    """What a caller may do."""

    READER = "reader"
    ADMIN = "admin"


@dataclass(frozen=True)
class Access:
    """The keys of the endpoint, and how ClickHouse's clients present them.

    A user and a password come as HTTP Basic, as ``X-ClickHouse-User`` and ``X-ClickHouse-Key``, or as ``user`` and
    ``password`` in the URL (ClickHouse's HTTP interface); a key alone also as ``Authorization: Bearer KEY``.
    """

    api_key: str | None
    admin_key: str | None

    def role(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Role:
        """The caller's role. Raises :class:`SqlError` 516 for a wrong password, or for none where one is needed."""
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            # The browser would add the password that its user has given it.
            raise SqlError(497, "ACCESS_DENIED", "Not enough privileges: this address does not answer to other sites")
        user, password = _credentials(headers, query)
        if self.admin_key and _same(password, self.admin_key):
            return Role.ADMIN
        expected = self.api_key or ""
        if user == ADMIN or not _same(password, expected):
            raise SqlError(
                516,
                "AUTHENTICATION_FAILED",
                f"{user}: Authentication failed: password is incorrect, or there is no user with such name",
            )
        if self.api_key is None:
            _require_direct(headers.get("host", ""))
        return Role.READER


def _credentials(headers: Mapping[str, str], query: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise SqlError(516, "AUTHENTICATION_FAILED", "The Authorization header is not HTTP Basic") from error
        return user or "default", password
    if scheme.lower() == "bearer":
        return "default", value.strip()
    user = headers.get("x-clickhouse-user") or query.get("user") or "default"
    return user, headers.get("x-clickhouse-key") or query.get("password") or ""


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _require_direct(host: str) -> None:
    """Refuse a request for a name that is not this machine's own.

    Where no key protects the data, a web page could else reach it from the reader's own browser, by a name of
    the page's that answers with 127.0.0.1 (DNS rebinding).
    """
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    name = name.strip("[]")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if name and name != "localhost" and not name.endswith(".localhost"):
            raise SqlError(
                497,
                "ACCESS_DENIED",
                f"Not enough privileges: without HANSEI_API_KEY this address answers to localhost, not to {name!r}",
            ) from None
