"""HTTP compression at the SQL endpoint, as ClickHouse's clients ask for it."""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import lz4.frame

from hansei.collector.sql_errors import SqlError
from hansei.collector.sql_native_compression import BlockPacker

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENCODINGS = ("lz4", "zstd", "gzip", "deflate")
"""Every ``Content-Encoding`` that is taken and given, the cheapest first."""

_PIECE = 1 << 20
_ZSTD_LEVEL = 1
_GZIP_LEVEL = 1


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Zlib:
    """zlib's decompressor with the interface of the others. It knows gzip and zlib apart by itself."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=47)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": zstd.ZstdDecompressor,
    "gzip": _Zlib,
    "deflate": _Zlib,
}


def unpacker(encoding: str) -> "Unpacker | None":
    """What unpacks a body of this ``Content-Encoding``; None for ``identity``. Raises :class:`SqlError`."""
    if encoding in ("identity", ""):
        return None
    make = _DECOMPRESSORS.get(encoding)
    if make is None:
        raise SqlError(48, "NOT_IMPLEMENTED", f"Unknown HTTP compression {encoding!r}; send {', '.join(ENCODINGS)}")
    return Unpacker(encoding, make)


class Unpacker:
    """Unpacks a body, which may be several frames one after another."""

    def __init__(self, encoding: str, make: Callable[[], _Decompressor]) -> None:
        self._encoding, self._make, self._frame = encoding, make, make()

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        """The bytes of a piece of the body, at most 1 MiB at a time. Raises :class:`SqlError`."""
        while True:
            if self._frame.eof:
                chunk = (self._frame.unused_data or b"") + chunk
                if not chunk:
                    return
                self._frame = self._make()
            try:
                piece = self._frame.decompress(chunk, _PIECE)
            except (zlib.error, zstd.ZstdError, RuntimeError, EOFError) as error:
                raise self._bad(str(error)) from error
            chunk = b""
            if piece:
                yield piece
            if not self._frame.eof and self._frame.needs_input:
                return

    def finish(self) -> None:
        """Raise :class:`SqlError` where the body ended in the middle of a frame."""
        if not self._frame.eof:
            raise self._bad("it is cut short")

    def _bad(self, reason: str) -> SqlError:
        return SqlError(
            271, "CANNOT_DECOMPRESS", f"The body is not {self._encoding}, as Content-Encoding says: {reason}"
        )


class Packer(Protocol):
    """Compresses a stream piece by piece; what it gives for each piece can be decompressed at once."""

    def pack(self, data: bytes) -> bytes: ...
    def finish(self) -> bytes: ...


class _Lz4:
    def __init__(self) -> None:
        self._inner = lz4.frame.LZ4FrameCompressor(auto_flush=True)
        self._begun = False

    def pack(self, data: bytes) -> bytes:
        head = b"" if self._begun else self._inner.begin()
        self._begun = True
        return bytes(head + self._inner.compress(data))

    def finish(self) -> bytes:
        return bytes(self._inner.flush()) if self._begun else b""


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstd.ZstdCompressor(level=_ZSTD_LEVEL)

    def pack(self, data: bytes) -> bytes:
        return self._inner.compress(data, zstd.ZstdCompressor.FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._inner.flush()


class _Gzip:
    def __init__(self, wbits: int) -> None:
        self._inner = zlib.compressobj(_GZIP_LEVEL, wbits=wbits)

    def pack(self, data: bytes) -> bytes:
        return self._inner.compress(data) + self._inner.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._inner.flush()


_PACKERS: dict[str, Callable[[], Packer]] = {
    "lz4": _Lz4,
    "zstd": _Zstd,
    "gzip": lambda: _Gzip(31),
    "deflate": lambda: _Gzip(15),
}


class _Chain:
    """Packs what another has packed."""

    def __init__(self, inner: Packer, outer: Packer) -> None:
        self._inner, self._outer = inner, outer

    def pack(self, data: bytes) -> bytes:
        return self._outer.pack(self._inner.pack(data))

    def finish(self) -> bytes:
        rest = self._inner.finish()
        return (self._outer.pack(rest) if rest else b"") + self._outer.finish()


def packer(encoding: str | None, *, native: bool = False) -> Packer | None:
    """What compresses an answer; None where it goes out as it is.

    ``encoding``: the ``Content-Encoding``; ``native``: whether what it carries is in the native protocol's blocks.
    """
    outer = None if encoding is None else _PACKERS[encoding]()
    if native:
        return _Chain(BlockPacker(), outer) if outer is not None else BlockPacker()
    return outer
