"""Why the desk says no; each text is for the reviewer."""

from collections.abc import Mapping

from hansei.feedback.labeling.errors import InvalidLabel, LabelingConflict, UnknownLabeling


class SlotTaken(LabelingConflict):
    """The lease had run out, and others have the item now. What the reviewer wrote is kept as a draft, and the item
    comes back, before any other, if it becomes free again."""


class SessionClosed(LabelingConflict):
    """The organiser has closed the session: nothing is handed out or taken any more."""


class AlreadyDone(LabelingConflict):
    """The item was handed in; it can be changed, but not skipped or given to another."""


class NotYours(UnknownLabeling):
    """The reviewer never had this item, or it was removed."""


class InvalidAnswers(InvalidLabel):
    """Answers that cannot be taken, and which."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """``problems``: what is wrong, by question."""
        self.problems = dict(problems)
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in self.problems.items()))
