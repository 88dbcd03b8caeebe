"""Standard output, which may be a file on a full disk or a pipe that nobody reads any more."""

import sys

from hansei.collector.errors import HanseiError


class OutputError(HanseiError):
    """Standard output cannot be written."""


def write(data: bytes) -> None:
    """Write and flush. Raises :class:`OutputError`, or ``BrokenPipeError`` where the reader has left."""
    if sys.stdout is None:
        # Closed by whoever started the program, who wants to hear nothing.
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"the output cannot be written: {error.strerror}") from error


def say(line: str) -> None:
    """Write a line. Raises as :func:`write` does."""
    write(f"{line}\n".encode())
