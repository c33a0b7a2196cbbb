"""Sources that are no folders, brought all the way into the indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from knowledge.ingest import Ingestion
from knowledge.listing import SourceMissing
from knowledge.sources.crawl_limits import CrawlLimits
from knowledge.sources.opening import ListingOptions, SourceLister
from knowledge.sources.web_address import AllowedHost

if TYPE_CHECKING:
    from tests.knowledge.house import House
    from tests.knowledge.sources.conftest import Site


def test_a_website_is_served_until_its_pages_are_known_to_be_gone(house: House, site: Site) -> None:
    host = AllowedHost("127.0.0.1", site.port, is_private=True)
    options = ListingOptions(allowed_hosts=(host,), limits=CrawlLimits(delay=0))
    lister = SourceLister(house.folder / "checkouts", options)
    ingestion = Ingestion(house.database, house.indexes, lister)
    links = '<a href="/leave">leave</a> <a href="/travel">travel</a>'
    site.page("/", f"<p>What every colleague should read in the first week.</p>{links}")
    site.page("/leave", "<h1>Leave</h1><p>Every parent gets 18 weeks of paid leave.</p>")
    site.page("/travel", "<h1>Travel</h1><p>Flights are booked 14 days ahead.</p>")

    assert ingestion.ingest(f"{site.root}/", "everyone").added == 3
    assert house.found("How long is parental leave?")[0] == "leave.html"
    assert ingestion.ingest(f"{site.root}/", "everyone").unchanged == 3

    site.page("/leave", "down", status=500)
    down = ingestion.ingest(f"{site.root}/", "everyone")
    assert (down.deleted, down.passages) == (0, 3)
    assert house.found("How long is parental leave?")[0] == "leave.html"

    site.page("/leave", "gone", status=410)
    gone = ingestion.ingest(f"{site.root}/", "everyone")
    assert (gone.deleted, gone.passages) == (1, 2)
    assert "leave.html" not in house.found("How long is parental leave?")

    site.page("/", "down", status=503)
    with pytest.raises(SourceMissing):
        ingestion.ingest(f"{site.root}/", "everyone")
    assert house.found("When are flights booked?")[0] == "travel.html"
