"""The SQL of this package."""

from hansei.feedback.sql_blocks import sql_blocks


def statement(package: str, name: str) -> str:
    """A block of a subpackage (``runs``, ``datasets``, ``batch`` …), without its description."""
    return sql_blocks(f"hansei.evaluation.{package}")[name]
