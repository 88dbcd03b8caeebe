"""The pages' port, put together: API, browser feedback, pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from starlette.routing import BaseRoute

from hansei.collector.extension import Server
from hansei.feedback.api.described import Description
from hansei.feedback.labeling.desks import Desks
from hansei.feedback.labeling.filler import Filler
from hansei.feedback.recorder import Recorder
from hansei.feedback.search.moment import Moment
from hansei.feedback.search.summaries import SummaryPage, list_traces
from hansei.feedback.web.ledger import ledger
from hansei.feedback.web.reader import Reader
from hansei.feedback.web.tables import Tables, tables_of


@dataclass(frozen=True)
class Site:
    """What every route may use."""

    server: Server
    reader: Reader
    ledger: Recorder
    tables: Tables

    @cached_property
    def desks(self) -> Desks:
        """Of the labeling sessions; one for all routes, since it holds who works on what."""
        return Desks(self)

    def traces(
        self,
        *,
        filter_string: str | None = None,
        start_time: Moment | None = None,
        end_time: Moment | None = None,
        max_results: int = 50,
        page_token: str | None = None,
        patience: float | None = None,
    ) -> SummaryPage:
        """As ``list_traces``, by what this store has and this reader can do. Raises ``SearchError``."""
        return list_traces(
            self.reader.query,
            filter_string=filter_string,
            start_time=start_time,
            end_time=end_time,
            max_results=max_results,
            page_token=page_token,
            patience=patience,
            words_indexed=self.server.settings.text_index,
            together=self.reader.together,
        )


def site_of(server: Server) -> Site:
    """What routes over this collector use; what works beside them begins when the store is there."""
    reader = Reader(server.store)
    site = Site(server, reader, ledger(server.ingest), tables_of(server.store, reader.query))
    # Made before a request can ask for it: two of them would give away an item twice.
    _ = site.desks
    server.background.append(Filler(site.tables, server.stopping))
    return site


def routes(site: Site, described: Sequence[Description] = ()) -> Sequence[BaseRoute]:
    """All routes of this package; what comes before them may take an address from below theirs, and is ``described``
    for the description of the API."""
    from hansei.feedback.api.app import api_routes
    from hansei.feedback.browser.app import browser_routes
    from hansei.feedback.export.app import export_routes
    from hansei.feedback.labeling.api import labeling_api_routes
    from hansei.feedback.pages.app import page_routes
    from hansei.feedback.review.app import review_routes

    return [
        *browser_routes(site),
        *labeling_api_routes(site),
        *api_routes(site, described),
        *export_routes(site),
        *review_routes(site),
        *page_routes(site),
    ]
