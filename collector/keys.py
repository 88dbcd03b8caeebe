"""Who may do what: keys, their roles, and whether one is asked for."""

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from hansei.collector.errors import HanseiError
from hansei.collector.key_format import (
    ENVIRONMENT_ADMIN_KEY,
    ENVIRONMENT_KEY,
    FEEDBACK_TOKEN,
    derived,
    digest_of,
    key_id_in,
)


class Role:
    """What a key may be good for."""

    INGEST: Final = "ingest"
    """Send OTLP."""
    FEEDBACK: Final = "feedback"
    """Record, correct and retract assessments, and make tokens for browsers."""
    READ: Final = "read"
    """Read pages, API and SQL."""
    REVIEW: Final = "review"
    """Organise labeling."""
    ADMIN: Final = "admin"
    """All of it, and what changes the store itself."""


ROLES: Final = (Role.INGEST, Role.FEEDBACK, Role.READ, Role.REVIEW, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks."""

    key_id: str
    name: str
    roles: frozenset[str]

    def may(self, role: str) -> bool:
        """Whether it has a role; an administrator has all."""
        return role in self.roles or Role.ADMIN in self.roles


ANYONE: Final = Principal("", "anyone", frozenset(ROLES))
"""Whoever reaches a collector that asks for no key."""


class KeyRefused(HanseiError):
    """A request without a key that is known (status 401), or with one that lacks a role (403)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key that ``hansei keys create`` made, as it is kept: without its secret. Times are seconds of the epoch."""

    principal: Principal
    digest: bytes
    created: int
    expires: int | None = None
    revoked: int | None = None

    @property
    def key_id(self) -> str:
        """Its id."""
        return self.principal.key_id

    def is_live(self, now: float) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked is None and (self.expires is None or now < self.expires)


class KeySource(Protocol):
    """Where created keys are kept."""

    def current(self) -> Mapping[str, StoredKey]:
        """Every key ever created, by id, as it was known at most a moment ago. Cheap; from any thread."""

    def exist(self) -> bool:
        """Whether any was ever created, or may have been. As cheap."""


class NoKeys:
    """None was ever created."""

    def current(self) -> Mapping[str, StoredKey]:
        """See :class:`KeySource`."""
        return {}

    def exist(self) -> bool:
        """See :class:`KeySource`."""
        return False


class Keys:
    """The keys of a collector: those of its environment, and those that were created.

    Thread-safe. To check one costs a SHA-256 and a look-up.
    """

    def __init__(
        self, api_key: str | None, admin_key: str | None, created: KeySource | None = None, *, exposed: bool = False
    ) -> None:
        """``exposed``: whether other machines reach a listener, so that a key is asked for in any case."""
        self._created = created or NoKeys()
        self._environment = [
            StoredKey(Principal(key_id, name, frozenset(roles)), digest_of(key), 0)
            for key, key_id, name, roles in (
                (admin_key, ENVIRONMENT_ADMIN_KEY, "HANSEI_ADMIN_KEY", ROLES),
                (api_key, key_id_in(api_key or "") or ENVIRONMENT_KEY, "HANSEI_API_KEY", ROLES[:-1]),
            )
            if key
        ]
        self._required = exposed or api_key is not None

    @property
    def required(self) -> bool:
        """Whether a key is asked for. Once it is, it stays so: not even without its file does a collector fall open."""
        if not self._required and self._created.exist():
            self._required = True
        return self._required

    def principal(self, secret: str | None) -> Principal | None:
        """Whose key this is: :data:`ANYONE` where none is asked for, None where it is not known."""
        return self.holder(secret) if self.required else ANYONE

    def holder(self, secret: str | None) -> Principal | None:
        """Whose key this is, whether or not one is asked for; None where it is not known, expired or revoked."""
        if not secret:
            return None
        digest = digest_of(secret)
        # A created key that is also in the environment stays what it was created as, and ends when it is revoked.
        created = self._created.current().get(key_id_in(secret) or "")
        if created is not None and hmac.compare_digest(created.digest, digest):
            return created.principal if created.is_live(time.time()) else None
        return next((key.principal for key in self._environment if hmac.compare_digest(key.digest, digest)), None)

    def require(self, secret: str | None, role: str) -> Principal:
        """Whose key this is, which has a role. Raises :class:`KeyRefused`."""
        found = self.principal(secret)
        if found is None:
            problem = "the key is not known here, or has expired or been revoked; " if secret else ""
            raise KeyRefused(401, f"{problem}send a key as a header: Authorization: Bearer KEY")
        if not found.may(role):
            raise KeyRefused(403, lacks(found, role))
        return found

    def describe(self, key_id: str) -> Principal | None:
        """Who has the key of this id; None where there is none, or it has expired or been revoked."""
        key = self._live(key_id)
        return key.principal if key is not None else None

    def secret(self, key_id: str, label: bytes) -> bytes | None:
        """What is derived from a key for one purpose (:mod:`hansei.collector.key_format`); None where it has ended."""
        key = self._live(key_id)
        return derived(key.digest, label) if key is not None else None

    def token_secret(self, key_id: str) -> bytes | None:
        """What signs the feedback tokens of a key; None where it has ended."""
        return self.secret(key_id, FEEDBACK_TOKEN)

    def _live(self, key_id: str) -> StoredKey | None:
        key = self._created.current().get(key_id)
        if key is None:
            return next((known for known in self._environment if known.key_id == key_id), None)
        return key if key.is_live(time.time()) else None


def lacks(principal: Principal, role: str) -> str:
    """The one line for a key without a role."""
    roles = ", ".join(known for known in ROLES if known in principal.roles)
    return f"the key {principal.name!r} lacks the role {role}; it has {roles}"
