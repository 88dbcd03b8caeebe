"""What a key looks like, and what is derived from it.

Nothing but the standard library: services compute with it too.
"""

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final

ENVIRONMENT_KEY: Final = "env"
"""The id of a key that ``hansei keys create`` did not make: that of ``HANSEI_API_KEY``."""
ENVIRONMENT_ADMIN_KEY: Final = "env-admin"
"""The id of ``HANSEI_ADMIN_KEY``."""
FEEDBACK_TOKEN: Final = b"feedback-token"
"""The label of the secret that signs feedback tokens."""
SESSION: Final = b"session"
"""The label of the secret that signs the pages' sessions."""

_ID_BYTES: Final = 5
_SECRET_BYTES: Final = 32
_KEY: Final = re.compile(r"hansei_([a-z2-7]{8})_[A-Za-z0-9_-]{43}")


def new_key() -> tuple[str, str]:
    """The id of a key that nobody has, and the key: ``hansei_<id>_<256 random bits>``.

    Secret scanners know it by its beginning.
    """
    key_id = base64.b32encode(secrets.token_bytes(_ID_BYTES)).decode().lower()
    return key_id, f"hansei_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def key_id_in(key: str) -> str | None:
    """The id that a key carries; None for one that ``hansei keys create`` did not make."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def digest_of(key: str) -> bytes:
    """What is stored of a key: its SHA-256.

    A slow or salted hash protects what people choose and others can guess. Of 256 random bits nothing can be guessed,
    and a key is checked with every request.
    """
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()


def derived(digest: bytes, label: bytes) -> bytes:
    """A secret for one purpose, from a key's digest. It ends with the key, and no server needs a secret of its own."""
    return hmac.digest(digest, label, "sha256")


def token_secret_of(key: str) -> tuple[str, bytes]:
    """The id of a key and the secret that signs its feedback tokens, as a service computes them without the server."""
    return key_id_in(key) or ENVIRONMENT_KEY, derived(digest_of(key), FEEDBACK_TOKEN)


def bearer(authorization: str | None) -> str | None:
    """The key in an ``Authorization: Bearer KEY`` header; None where there is none."""
    scheme, _, key = (authorization or "").partition(" ")
    return (key.strip() or None) if scheme.lower() == "bearer" else None
