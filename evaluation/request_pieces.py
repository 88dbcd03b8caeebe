"""Rows in requests that are not too large."""

import json
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

_BYTES: Final = 4 * 1024**2
"""Of a request; a row that is larger goes alone."""


def request_pieces(rows: Iterable[T], most: int) -> Iterator[list[T]]:
    """The rows, as JSON has them, in lists of at most so many."""
    piece: list[T] = []
    size = 0
    for row in rows:
        # As it is sent: what is not ASCII takes six bytes or more.
        length = len(json.dumps(row))
        if piece and (len(piece) >= most or size + length > _BYTES):
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += length
    if piece:
        yield piece
