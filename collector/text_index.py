"""The index of the words in span attributes: full-text search in milliseconds, for about 140 bytes a span on disk."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_WORDS = "lower(arrayStringConcat(mapValues(SpanAttributes), '\\n'))"
"""What is indexed; a search must name the same expression. ASCII letters and digits make words, and so does what is not
ASCII."""


def apply_text_index(client: "Client", wanted: bool) -> None:
    """Make the index or drop it, where it is not so yet. What is stored already is indexed in the background.

    It is built when parts are merged, not by inserts: until then the newest parts are read.
    """
    present = client.command(
        "SELECT count() FROM system.data_skipping_indices "
        "WHERE database = currentDatabase() AND table = 'otel_traces' AND name = 'idx_words'"
    )
    if wanted and not present:
        client.command(
            f"ALTER TABLE otel_traces ADD INDEX idx_words {_WORDS} "
            "TYPE text(tokenizer = splitByNonAlpha, posting_list_codec = 'bitpacking')"
        )
        client.command("ALTER TABLE otel_traces MATERIALIZE INDEX idx_words SETTINGS mutations_sync = 0")
    elif present and not wanted:
        client.command("ALTER TABLE otel_traces DROP INDEX idx_words SETTINGS mutations_sync = 0")
