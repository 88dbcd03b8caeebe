"""The SQL of this package."""

from hansei.feedback.sql_blocks import sql_blocks


def statement(name: str) -> str:
    """A block, without its description."""
    return sql_blocks("hansei.feedback.labeling")[name]
