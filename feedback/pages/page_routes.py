"""The routes of pages of which some are for looking and some for changing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.feedback.pages.visitor import Handler, guarded

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


class PageRoutes:
    """Makes routes: looking needs the role ``read``, what changes something ``review``."""

    def __init__(self, site: "Site", told: Callable[[Handler], Handler]) -> None:
        """``told``: what tells on a page what a handler raises."""
        self._told = told
        self._reading, self._changing = guarded(site, Role.READ), guarded(site, Role.REVIEW)

    def get(self, path: str, handler: Handler) -> BaseRoute:
        """A page to look at."""
        return Route(path, self._reading(self._told(handler)), methods=["GET"])

    def edit(self, path: str, handler: Handler) -> BaseRoute:
        """A form by which something is changed."""
        return Route(path, self._changing(self._told(handler)), methods=["GET"])

    def post(self, path: str, handler: Handler) -> BaseRoute:
        """A change."""
        return Route(path, self._changing(self._told(handler)), methods=["POST"])
