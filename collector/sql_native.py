"""The ``Native`` format as a client of a certain protocol version reads it.

The embedded engine writes ``Native`` for the oldest of clients only, those that say nothing of themselves. A client
that sends ``client_protocol_version`` expects more: a description in front of every block, types with their time
zones, and a byte that tells how a column is laid out (``NativeWriter.cpp``, ``BlockInfo.h``). The data of the columns
is the same; the engine's ``Buffers`` format has it with lengths, so what belongs around it can be put there without a
look inside.
"""

from collections.abc import Generator, Iterator, Sequence
from io import BytesIO
from itertools import islice

from hansei.collector.segment import varint
from hansei.collector.sql_errors import SqlError

BUFFERS = "Buffers"
"""The engine's format that :class:`NativeBlocks` takes."""
_OLDEST = 54405
"""From here on clients know ``LowCardinality`` (``DBMS_MIN_REVISION_WITH_LOW_CARDINALITY_TYPE``)."""
_LAYOUT_BYTE = 54454
"""``DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION``."""
_NEWEST = 54472
"""The last before ``JSON`` and ``Dynamic`` changed (``DBMS_MIN_REVISION_WITH_V2_DYNAMIC_AND_JSON_SERIALIZATION``)."""
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""Field 1: no overflow rows; field 2: bucket -1, which is none; the end."""
_WORD = 8

Columns = Sequence[tuple[bytes, bytes]]
"""Names and types."""


def protocol_version(given: str) -> int:
    """What ``client_protocol_version`` says; 0 stands for none. Raises :class:`SqlError` for one that is not spoken."""
    if given in ("", "0"):
        return 0
    if not (given.isascii() and given.isdigit() and _OLDEST <= int(given[:20]) <= _NEWEST):
        raise SqlError(
            48, "NOT_IMPLEMENTED", f"client_protocol_version={given} is not spoken here; send {_OLDEST} to {_NEWEST}"
        )
    return int(given)


class NativeBlocks:
    """Makes blocks of ``Native`` from a stream of ``Buffers``, whose pieces may end anywhere."""

    def __init__(self, columns: Columns, version: int) -> None:
        """``version``: one that :func:`protocol_version` has let through."""
        layout = b"\x00" if version >= _LAYOUT_BYTE else b""
        self._heads = [_string(name) + _string(kind) + layout for name, kind in columns]
        self._word = bytearray()
        self._data = 0
        self._out = bytearray()
        self._blocks = self._frame_blocks()
        next(self._blocks)

    def frame(self, piece: bytes) -> bytes:
        """What a piece becomes; it may be nothing yet. Raises :class:`SqlError` where the columns are not the told."""
        view = memoryview(piece)
        while view:
            if self._data:
                taken = min(self._data, len(view))
                self._out += view[:taken]
                self._data -= taken
            else:
                taken = min(_WORD - len(self._word), len(view))
                self._word += view[:taken]
                if len(self._word) == _WORD:
                    self._blocks.send(int.from_bytes(self._word, "little"))
                    self._word.clear()
            view = view[taken:]
        framed = bytes(self._out)
        self._out.clear()
        return framed

    def _frame_blocks(self) -> Generator[None, int, None]:
        """Is sent the numbers between the data: columns and rows of a block, and the size of each column."""
        while True:
            columns = yield
            rows = yield
            if columns != len(self._heads):
                raise SqlError(122, "INCOMPATIBLE_COLUMNS", "The table was changed while it was read; ask again")
            self._out += _BLOCK_INFO + varint(columns) + varint(rows)
            for head in self._heads:
                self._data = yield
                self._out += head


def _string(value: bytes) -> bytes:
    return varint(len(value)) + value


def read_columns(described: bytes) -> Columns:
    """The columns of a result by its ``DESCRIBE`` in ``RowBinaryWithNames``."""
    width, strings = _strings(described)
    fields = list(strings)[width:]
    return list(zip(fields[::width], fields[1::width], strict=True))


def read_header(result: bytes) -> Columns:
    """The columns of a result in ``RowBinaryWithNamesAndTypes``."""
    width, strings = _strings(result)
    header = list(islice(strings, 2 * width))
    return list(zip(header[:width], header[width:], strict=True))


def _strings(data: bytes) -> tuple[int, Iterator[bytes]]:
    """A number, and the strings behind it."""
    stream = BytesIO(data)

    def strings() -> Iterator[bytes]:
        while (size := _read_varint(stream)) is not None:
            yield stream.read(size)

    return _read_varint(stream) or 0, strings()


def _read_varint(stream: BytesIO) -> int | None:
    """The next number; None at the end."""
    number = shift = 0
    while byte := stream.read(1):
        number |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return number
        shift += 7
    return None
