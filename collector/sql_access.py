"""Who is asking at the SQL endpoint: a stranger, who may read, or an administrator."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from hansei.collector import keys as key_roles
from hansei.collector.direct import host_name, is_direct, is_of_own_site
from hansei.collector.keys import Keys, lacks
from hansei.collector.sql_errors import SqlError

ADMIN = "admin"
"""The user name that is never a reader's."""


class Role(Enum):
    """What a caller may do."""

    READER = "reader"
    ADMIN = "admin"


@dataclass(frozen=True)
class Access:
    """Who is let in, and how ClickHouse's clients present their keys.

    A user and a password come as HTTP Basic, as ``X-ClickHouse-User`` and ``X-ClickHouse-Key``, or as ``user`` and
    ``password`` in the URL (ClickHouse's HTTP interface); a key alone also as ``Authorization: Bearer KEY``.
    """

    keys: Keys

    def role(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Role:
        """The caller's role.

        Raises :class:`SqlError` 516 for a wrong password, or for none where one is needed, and 497 for a key that is
        not for reading.
        """
        if not is_of_own_site(headers.get("sec-fetch-site")):
            # The browser would add the password that its user has given it.
            raise SqlError(497, "ACCESS_DENIED", "Not enough privileges: this address does not answer to other sites")
        user, password = _credentials(headers, query)
        holder = self.keys.holder(password)
        if holder is not None and holder.may(key_roles.Role.ADMIN):
            return Role.ADMIN
        if user == ADMIN or (holder is None and (password or self.keys.required)):
            raise SqlError(
                516,
                "AUTHENTICATION_FAILED",
                f"{user}: Authentication failed: password is incorrect, or there is no user with such name",
            )
        if holder is None:
            _require_direct(headers.get("host", ""))
        elif not holder.may(key_roles.Role.READ):
            raise SqlError(497, "ACCESS_DENIED", f"Not enough privileges: {lacks(holder, key_roles.Role.READ)}")
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


def _require_direct(host: str) -> None:
    """Where no key protects the data, refuse a request for a name that is not this machine's own."""
    if not is_direct(host):
        raise SqlError(
            497,
            "ACCESS_DENIED",
            f"Not enough privileges: without keys this address answers to localhost, not to {host_name(host)!r}",
        )
