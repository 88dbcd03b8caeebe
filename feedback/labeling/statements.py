"""The SQL of this package."""

from hansei.feedback.sql_blocks import fill, sql_blocks

__all__ = ["fill", "statement"]


def statement(name: str) -> str:
    """A block, without its description; ``/*places*/`` in it are filled by :func:`fill`."""
    return sql_blocks("hansei.feedback.labeling")[name]
