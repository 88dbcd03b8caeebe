"""The script that a page includes: ``/hansei-feedback.js``."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_FILE: Final = Path(__file__).parent / "static" / "hansei-feedback.js"
_HEADERS: Final = {
    # Any page may load it: what it may send is said where it sends it.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=3600",
    "X-Content-Type-Options": "nosniff",
}


async def feedback_script(request: Request) -> Response:
    """The script; 304 for who has it."""
    compressed = "gzip" in request.headers.get("accept-encoding", "")
    content, tag = _script(compressed)
    headers = {**_HEADERS, "ETag": tag, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return Response(content, headers=headers, media_type="text/javascript")


@cache
def _script(compressed: bool) -> tuple[bytes, str]:
    content = _FILE.read_bytes()
    if compressed:
        content = gzip.compress(content, mtime=0)
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'
