"""Who may do what: keys, their roles, and whether one is asked for."""

import hmac
from dataclasses import dataclass
from typing import Final


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


class Keys:
    """The keys of a collector: those of its environment."""

    def __init__(self, api_key: str | None, admin_key: str | None) -> None:
        self._known = [
            (secret, Principal(name, name, frozenset(roles)))
            for secret, name, roles in (
                (api_key, "HANSEI_API_KEY", ROLES[:-1]),
                (admin_key, "HANSEI_ADMIN_KEY", ROLES),
            )
            if secret
        ]
        self.required = api_key is not None
        """Whether a key is asked for."""

    def principal(self, secret: str | None) -> Principal | None:
        """Whose key this is: :data:`ANYONE` where none is asked for, None where it is not known."""
        if not self.required:
            return ANYONE
        given = (secret or "").encode()
        return next((found for known, found in self._known if hmac.compare_digest(known.encode(), given)), None)
