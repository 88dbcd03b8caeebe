"""The compressed blocks of ClickHouse's native protocol; over HTTP they are asked for as ``compress=1``.

A block is a checksum, the method, both sizes and the data (``CompressedReadBufferBase.cpp``, ``CompressionInfo.h``).
"""

import struct
import sys
from collections.abc import Iterator

import lz4.block
from clickhouse_cityhash.cityhash import CityHash128

from hansei.collector.sql_errors import SqlError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_CHECKSUM = struct.Struct("<QQ")
_HEAD = struct.Struct("<BII")
"""The method, the size of head and compressed data, the size of the data."""
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
_BLOCK = 1 << 20
"""Bytes of data in a block of ours (``max_compress_block_size``)."""
_LARGEST = 64 << 20
"""Bytes of data in a block of others'."""
_LARGEST_COMPRESSED = _LARGEST + (_LARGEST >> 7)


class BlockPacker:
    """Makes blocks, compressed with LZ4, which every client knows."""

    def pack(self, data: bytes) -> bytes:
        """The blocks of some data."""
        return b"".join(_block(data[start : start + _BLOCK]) for start in range(0, len(data), _BLOCK))

    def finish(self) -> bytes:
        """Nothing: the stream of blocks has no end of its own."""
        return b""


def _block(data: bytes) -> bytes:
    compressed = lz4.block.compress(data, store_size=False)
    sealed = _HEAD.pack(_LZ4, _HEAD.size + len(compressed), len(data)) + bytes(compressed)
    return _checksum(sealed) + sealed


def _checksum(sealed: bytes) -> bytes:
    """CityHash 1.0.2, as ClickHouse keeps it: the upper half stands first."""
    checksum: int = CityHash128(sealed)
    return _CHECKSUM.pack(checksum >> 64, checksum & (1 << 64) - 1)


class BlockUnpacker:
    """Reads blocks from pieces that may end anywhere. Raises :class:`SqlError` for what is none."""

    def __init__(self) -> None:
        self._held = bytearray()

    def unpack(self, piece: bytes) -> Iterator[bytes]:
        """The data of every block that is whole."""
        self._held += piece
        while len(self._held) >= _CHECKSUM.size + _HEAD.size:
            method, compressed, size = _HEAD.unpack_from(self._held, _CHECKSUM.size)
            if not (_HEAD.size <= compressed <= _LARGEST_COMPRESSED and size <= _LARGEST):
                raise _bad(f"a block is larger than {_LARGEST >> 20} MiB, or these are no blocks")
            end = _CHECKSUM.size + compressed
            if len(self._held) < end:
                return
            block = bytes(self._held[:end])
            del self._held[:end]
            if _checksum(block[_CHECKSUM.size :]) != block[: _CHECKSUM.size]:
                raise SqlError(40, "CHECKSUM_DOESNT_MATCH", "The checksum of a compressed block in the body is wrong")
            yield _data(method, block[_CHECKSUM.size + _HEAD.size :], size)

    def finish(self) -> None:
        """Raise where the stream ended in the middle of a block."""
        if self._held:
            raise _bad("it is cut short")


def _data(method: int, compressed: bytes, size: int) -> bytes:
    try:
        if method == _LZ4:
            data = bytes(lz4.block.decompress(compressed, uncompressed_size=size))
        elif method == _ZSTD:
            data = zstd.ZstdDecompressor().decompress(compressed, size)
        elif method == _NONE:
            data = compressed
        else:
            raise SqlError(
                89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method {method:#04x}; send LZ4 or ZSTD"
            )
    except (lz4.block.LZ4BlockError, zstd.ZstdError) as error:
        raise _bad(str(error)) from error
    if len(data) != size:
        raise _bad("a block has another size than it says")
    return data


def _bad(reason: str) -> SqlError:
    return SqlError(271, "CANNOT_DECOMPRESS", f"The body is not in compressed blocks, as decompress=1 says: {reason}")
