"""What can be read from the bytes of a response that the client did not parse."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

MAX_BYTES = 4 << 20
"""A longer body is not read a second time."""


def json_body(headers: Mapping[str, str], content: bytes) -> Any:
    """The value of a JSON body, ``None`` where it is something else, not whole, or too long."""
    if len(content) > MAX_BYTES or "json" not in headers.get("content-type", ""):
        return None
    try:
        return json.loads(content)
    except ValueError:
        return None


def decoded(headers: Mapping[str, str], raw: bytes) -> bytes | None:
    """The body as it was before the server compressed it; ``None`` for what needs more than the standard library."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return raw
    if encoding not in ("gzip", "deflate"):
        return None
    try:
        decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)
        return decoder.decompress(raw, MAX_BYTES + 1)
    except zlib.error:
        return None


def events(text: str) -> list[Any]:
    """The JSON values of a body of server-sent events."""
    found = []
    for line in text.splitlines():
        data = line.removeprefix("data:")
        if data is not line and (data := data.strip()) and data != "[DONE]":
            try:
                found.append(json.loads(data))
            except ValueError:
                continue
    return found
