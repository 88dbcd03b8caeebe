"""Parquet, written by the ClickHouse engine in a process of its own.

There its memory is not the store's, whether that is in this process or a server; and whoever leaves takes it along.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from typing import IO, Final

from hansei.feedback.export.columns import Column
from hansei.feedback.search.errors import SearchError

_MEMORY: Final = 512 * 1024**2
"""Bytes that the engine may use."""
_PIECE: Final = 1 << 18
_SQL: Final = """
SELECT * FROM file('/dev/fd/0', JSONEachRow, {structure:String})
INTO OUTFILE '/dev/fd/1' TRUNCATE FORMAT Parquet
SETTINGS date_time_input_format = 'best_effort', max_threads = 1, max_block_size = 8192,
    input_format_parallel_parsing = 0,
    output_format_parquet_row_group_size = 50000, output_format_parquet_parallel_encoding = 0
"""


async def parquet(columns: Sequence[Column], lines: IO[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a Parquet file with the rows of a file of JSON lines. Raises ``SearchError``."""
    structure = ", ".join(f"`{column.name}` {column.type}" for column in columns)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, structure,
        stdin=lines, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    try:
        while piece := await process.stdout.read(_PIECE):
            yield piece
        said = (await process.stderr.read()).decode(errors="replace").strip()
        if await process.wait() != 0:
            raise SearchError(
                f"the Parquet file could not be written: {said.splitlines()[-1][:300] if said else 'ended'}"
            )
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def write(structure: str) -> None:
    """Write standard input as Parquet to standard output."""
    import chdb

    connection = chdb.connect(f":memory:?max_server_memory_usage={_MEMORY}")
    try:
        connection.query(_SQL, "Null", params={"structure": structure})
    except Exception as error:
        sys.exit(str(error).splitlines()[0][:300])
    finally:
        connection.close()


if __name__ == "__main__":
    write(sys.argv[1])
