"""The list as SQL: the statement, and lines for a shell that run it."""

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hansei.collector.extension import Server


def shell_lines(server: "Server", sql: str) -> list[tuple[str, str]]:
    """What each way is called, and its line. Quotes are as a POSIX shell needs them."""
    text = shlex.quote(sql)
    address = server.addresses().get("sql")
    if address is None:
        return [("hansei query", f'hansei query --clickhouse "$HANSEI_CLICKHOUSE" {text}')]
    key = '-H "Authorization: Bearer $HANSEI_API_KEY" ' if server.keys.required else ""
    return [("hansei query", f"hansei query {text}"), ("curl", f"curl {key}http://{address}/ --data-binary {text}")]
