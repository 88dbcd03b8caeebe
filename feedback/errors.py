"""What can be wrong with an assessment."""

from hansei.collector.errors import HanseiError


class InvalidAssessment(HanseiError, ValueError):
    """An assessment cannot be recorded as asked; the text names the argument, its value and what would be allowed."""
