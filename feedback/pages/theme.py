"""Light, dark, or as the system has it: a cookie, so that the first paint is right without a script."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

COOKIE: Final = "hansei_theme"
THEMES: Final = ("auto", "light", "dark")
_YEAR: Final = 365 * 24 * 3600


def theme_of(request: Request) -> str:
    """What the visitor chose."""
    chosen = request.cookies.get(COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


async def set_theme(request: Request) -> Response:
    """The next of the themes; back to where the visitor was."""
    chosen = THEMES[(THEMES.index(theme_of(request)) + 1) % len(THEMES)]
    back = request.query_params.get("back", "/")
    # A path of ours alone: "//host" would be another's.
    answer = RedirectResponse(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/", 303)
    answer.set_cookie(COOKIE, chosen, max_age=_YEAR, samesite="lax", httponly=True)
    return answer
