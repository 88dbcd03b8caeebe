"""What can be wrong with labeling, said in one line."""

from hansei.collector.errors import HanseiError


class LabelingError(HanseiError):
    """Something about labeling cannot be done; after no answer from the server it may be done or not."""


class InvalidLabeling(LabelingError, ValueError):
    """An argument cannot be used; the text names it, its value and what would be allowed."""


class InvalidLabel(InvalidLabeling):
    """An answer does not fit its question; the text says what would."""


class LabelingConflict(LabelingError):
    """What is there already forbids it."""


class UnknownLabeling(LabelingError, LookupError):
    """There is no such label schema, session, reviewer or item."""
