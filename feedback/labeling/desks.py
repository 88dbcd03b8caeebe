"""The desks of a server: one a session."""

from typing import TYPE_CHECKING

from hansei.feedback.labeling.desk import Desk

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


class Desks:
    """Make one a site: ``Desks(site)``."""

    def __init__(self, site: "Site") -> None: ...

    def of(self, session_id: str) -> Desk:
        """The desk of a session; the first time it is read from the tables. Blocks. Raises ``UnknownLabeling`` or
        ``StoreAway``."""
        raise NotImplementedError
