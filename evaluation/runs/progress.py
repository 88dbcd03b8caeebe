"""A bar that shows how far an evaluation is."""

import sys
from types import TracebackType
from typing import Any


class Progress:
    """A bar of so many rows, or nothing at all."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def update(self, count: int = 1) -> None:
        """So many more are done."""
        if self._bar is not None:
            self._bar.update(count)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()


def progress_bar(total: int | None, shown: bool | None = None, *, unit: str = "row") -> Progress:
    """A bar on standard error; ``shown`` None: on a terminal and in a notebook."""
    if shown is None:
        shown = sys.stderr.isatty() or _in_notebook()
    if not shown:
        return Progress(None)
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return Progress(None)
    return Progress(tqdm(total=total, unit=unit, desc="evaluating", dynamic_ncols=True))


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None and hasattr(shell, "get_ipython") else None
    return found is not None and type(found).__name__ == "ZMQInteractiveShell"
