"""Who comes in by a link, and what those see who do not."""

import math
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from hansei.collector.ingest import Refused
from hansei.collector.setting_values import Rate
from hansei.feedback.browser.rate_limit import RateLimit
from hansei.feedback.labeling.desk import Desk
from hansei.feedback.labeling.desk_errors import NotYours, SessionClosed, SlotTaken
from hansei.feedback.labeling.errors import UnknownLabeling
from hansei.feedback.labeling.model import ARBITER, CLOSED, LabelingSessionRecord, ReviewerRecord
from hansei.feedback.labeling.reviewers import EXPIRED, reviewer_by_link
from hansei.feedback.review.deciding import DecidingDesk, Skipped
from hansei.feedback.review.frame import HEADERS, message_page, review_json
from hansei.feedback.review.language import Language, language_of
from hansei.feedback.search.errors import SearchError

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,100}")
_WRONG_LINKS: Final = Rate(30, 60)
"""How many links that are not good an address may try in so many seconds."""
_FRESH: Final = 1.0
"""Seconds for which a link that was good is not read again."""
_MOST_KEPT: Final = 1_000
_RETRY: Final = 5
"""Seconds after which it is worth asking a store again that is away."""


@dataclass(frozen=True)
class Visit:
    """A request of a reviewer whose link is good."""

    request: Request
    reviewer: ReviewerRecord
    desk: Desk | DecidingDesk
    language: Language

    @property
    def name(self) -> str:
        """Who it is, as the desk knows them."""
        return self.reviewer.reviewer

    @property
    def decides(self) -> bool:
        """Whether it is an arbiter."""
        return self.reviewer.role == ARBITER

    @property
    def session(self) -> LabelingSessionRecord:
        """What is worked on."""
        return self.desk.session

    @property
    def base(self) -> str:
        """The path of the link, with which all others begin."""
        return f"/review/{self.request.path_params['token']}"

    @property
    def item_id(self) -> str:
        """The item that the address names."""
        return str(self.request.path_params["item_id"])

    @property
    def by_script(self) -> bool:
        """Whether the page's script asks, else its form does."""
        return "form" not in self.request.headers.get("content-type", "")

    def go(self, path: str) -> Response:
        """Lead the browser to another page of the link."""
        return RedirectResponse(f"{self.base}{path}", 303, HEADERS)


class LinkRefused(Exception):
    """Nobody comes in by this link; what is told is the same whatever was asked for."""

    def __init__(self, kind: str, status: int, retry_after: int = 0) -> None:
        super().__init__(kind)
        self.kind, self.status, self.retry_after = kind, status, retry_after


Handler = Callable[[Visit], Awaitable[Response]]
Route = Callable[[Request], Awaitable[Response]]


class Entry:
    """Checks the link of every request, so that one that was taken back is good no more."""

    def __init__(self, site: "Site") -> None:
        self._site = site
        self._wrong_links = RateLimit(_WRONG_LINKS)
        self._skipped = Skipped()
        self._good: OrderedDict[str, tuple[ReviewerRecord, float]] = OrderedDict()
        """Whose link it is, and when that was read."""

    def read(self, handler: Handler) -> Route:
        """A page for whoever has a good link."""

        async def answer(request: Request) -> Response:
            return await self._answered(request, handler, script=request.url.path.endswith("/progress"))

        return answer

    def write(self, handler: Handler) -> Route:
        """What whoever has a good link sends, from a page of this site."""

        async def answer(request: Request) -> Response:
            script = "form" not in request.headers.get("content-type", "")
            if not _of_own_page(request):
                return _told(request, LinkRefused("elsewhere", 403), script)
            return await self._answered(request, handler, script=script)

        return answer

    async def _answered(self, request: Request, handler: Handler, *, script: bool) -> Response:
        try:
            visit = await self._visit(request)
            return await handler(visit)
        except LinkRefused as refused:
            return _told(request, refused, script)
        except SessionClosed:
            return _told(request, LinkRefused("closed", 410), script)
        except SlotTaken:
            return _told(request, LinkRefused("taken", 409), script)
        except NotYours:
            return _told(request, LinkRefused("not_yours", 404), script)
        except UnknownLabeling:
            return _told(request, LinkRefused("unknown", 403), script)
        except Refused as refused:
            return _told(request, LinkRefused("away", 503, math.ceil(refused.retry_after)), script)
        except SearchError:
            return _told(request, LinkRefused("away", 503, _RETRY), script)
        except ClientDisconnect:
            return Response(status_code=400)

    async def _visit(self, request: Request) -> Visit:
        reviewer, why = await self._reviewer(request.path_params["token"])
        if reviewer is None:
            if why == EXPIRED:
                raise LinkRefused("expired", 410)
            wait = self._wrong_links.seconds_to_wait(request.client.host if request.client else "")
            raise LinkRefused("too_many", 429, math.ceil(wait)) if wait else LinkRefused("unknown", 403)
        desk = await run_in_threadpool(self._site.desks.of, reviewer.session_id)
        if desk.session.status == CLOSED:
            raise LinkRefused("closed", 410)
        own = DecidingDesk(self._site, desk, self._skipped) if reviewer.role == ARBITER else desk
        return Visit(request, reviewer, own, language_of(request))

    async def _reviewer(self, token: str) -> tuple[ReviewerRecord | None, str]:
        now = time.monotonic()
        found, since = self._good.get(token, (None, -math.inf))
        if found is not None and now - since < _FRESH and time.time() * 1000 < found.expires_ms:
            return found, ""
        if not _TOKEN.fullmatch(token):
            return None, ""
        found, why = await self._site.reader.run(reviewer_by_link, self._site.reader.query, token)
        self._good.pop(token, None)
        if found is not None:
            self._good[token] = found, now
            while len(self._good) > _MOST_KEPT:
                self._good.popitem(last=False)
        return found, why


def _told(request: Request, refused: LinkRefused, script: bool) -> Response:
    headers = {"Retry-After": str(refused.retry_after)} if refused.retry_after else {}
    if not script:
        return message_page(request, refused.kind, refused.status, **headers)
    language = language_of(request)
    told = {"error": refused.kind, "title": language(f"{refused.kind}.title"), "text": language(f"{refused.kind}.text")}
    return review_json(told, refused.status, **headers)


def _of_own_page(request: Request) -> bool:
    """Whether no other site's page sends this. No cookie lets anybody in, and who has the link needs no trick: this is
    a second lock. Browsers send ``Origin: null`` with a form of a page that tells nobody where it is."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    origin = request.headers.get("origin", "null")
    return origin == "null" or urlsplit(origin).netloc == request.headers.get("host")
