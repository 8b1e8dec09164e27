"""Look up what `[geocoding]` of a study file may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sy_coverage.study.config.section import Section, Service


class Geocoding(Section):
    """`[geocoding]`: how rows that have only an address are located."""

    sources: tuple[Service | Literal["gazetteer"], ...] = ("gazetteer",)
    """Tried in this order; ``gazetteer`` is offline and knows the units and villages of the study, the others are map
    services, whose keys come from the environment: TIANDITU_KEY, AMAP_KEY, BAIDU_KEY."""
    accept: tuple[Literal["village", "town"], ...] = ("village",)
    """How precise a found point must be to be used; ``["village", "town"]`` takes a town's middle for what lies in it."""
    choose: dict[str, str] = {}
    """Of rows that could be several places, by id, the one that is meant, as the list to verify calls it:
    ``choose = { "机构-12" = "隆回县桃花坪街道" }``. All others stay without a point."""
    contact: str = ""
    """An address of mail or a web page, told to map services with every request, as Nominatim asks of whoever sends many."""
    cache: str = "geocoding.sqlite"
    """Where the answers of map services are kept, so that nothing is asked twice."""
    daily_quota: dict[Service, Annotated[int, Field(gt=0)]] = {}
    """How many requests a day each service grants: said before a batch starts."""
