"""The address of a session's page, whatever its id is made of."""

from urllib.parse import quote, urlencode


def session_address(session_id: str, **query: str) -> str:
    """``/sessions/<id>``; an id that a browser would take for steps between folders is a value of the query."""
    if {".", ".."} & set(session_id.split("/")):
        return f"/sessions/?{urlencode({'id': session_id, **query})}"
    return f"/sessions/{quote(session_id, safe='')}{f'?{urlencode(query)}' if query else ''}"
