"""Results as a DataFrame."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from hansei.feedback.search.connection import MISSING
from hansei.feedback.search.errors import InvalidSearch, SearchError

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]

    DataFrame: TypeAlias = pandas.DataFrame


def data_frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> "DataFrame":
    """A DataFrame with these columns, also when there is no row. Raises ``SearchError``."""
    return _pandas().DataFrame(list(rows), columns=list(columns))


def check_return_type(return_type: str) -> None:
    """Raises before anything is read: ``InvalidSearch``, or ``SearchError`` where pandas is missing."""
    if return_type not in ("pandas", "list"):
        raise InvalidSearch(f"return_type: {return_type!r} is not one of 'pandas', 'list'")
    if return_type == "pandas":
        _pandas()


def _pandas() -> Any:
    try:
        return import_module("pandas")
    except ImportError as error:
        raise SearchError(MISSING) from error
