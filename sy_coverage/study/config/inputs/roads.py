"""Look up what `[roads]` of a study file may say."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sy_coverage.roads.travel_modes import travel_mode
from sy_coverage.study.config.section import Mode, Section

LineField = Literal["class", "surface", "maxspeed", "oneway", "bridge", "tunnel", "lanes", "width"]


NEED_ROADS = ("lines", "changes", "elevation", "date", "server")
"""Keys that say something only of roads that are there."""


class Lines(Section):
    """`[roads.lines]`: what the columns of a layer of roads are that is not OpenStreetMap's."""

    fields: dict[LineField, str] = {}
    """Which column says what: ``{ class = "技术等级", surface = "路面类型", maxspeed = "限速", oneway = "单行", bridge = "桥梁" }``; what is
    not here is known by its usual headers."""
    classes: dict[str, str] = {}
    """What the layer's own classes are, beyond the usual ones: ``{ "乡村路" = "unclassified" }``."""
    tolerance_m: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 1.0
    """Gaps between roads up to so many metres are closed, counted and listed."""


class Roads(Section):
    """`[roads]`: how people get there."""

    source: str | None = None
    """An OpenStreetMap extract (``.osm.pbf``, ``.osm``), an OSMnx GraphML file, a network saved as ``.network``, or ``osm``:
    the roads are asked of OpenStreetMap, once; or any layer of lines (GeoPackage, shapefile, PostGIS) with `[roads.lines]`.
    Only with `[times] table` it may be left out: then nothing is known but the pairs of the table."""
    lines: Lines | None = None
    """The columns of a layer of roads that is not OpenStreetMap's; an empty table takes the usual headers."""
    changes: str | None = None
    """A layer of roads that would be new, closed or slower: its column `change` says ``add``, ``close`` or ``slow``."""
    max_snap_m: float = Field(default=1000.0, gt=0, allow_inf_nan=False)
    """A point farther from every road than this is unreachable."""
    walk_m_per_s: Annotated[float, Field(gt=0, le=3, allow_inf_nan=False)] | None = None
    """How fast elders walk, to the road and by mode ``walk``; without, the travel modes' own 0.9."""
    modes: dict[Mode, dict[str, Any]] = {}
    """Changes to the tables of the travel modes: ``[roads.modes.drive.speed_kph]`` with ``track = 8``; the keys are those of
    `sy_coverage.roads.TravelMode`."""
    elevation: str | None = None
    """GeoTIFF of metres above sea level (extra ``raster``): walking and cycling are slower uphill."""
    buffer_m: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """How far around the units roads are read; without, as far as the longest cutoff reaches at the top speed."""
    date: dt.date | None = None
    """With source ``osm``: the roads as they were at the end of that day (UTC), so that a later run gets the same."""
    cache: str = "roads.sqlite"
    """With source ``osm``: where the answer is kept, so that nothing is asked twice."""
    server: str | None = None
    """With source ``osm``: the address of another Overpass server than overpass-api.de."""
    attribution: str | None = None
    """Who is named beside a map for the roads; without, OpenStreetMap where the source is of OpenStreetMap."""

    @model_validator(mode="after")
    def _fitting(self) -> Roads:
        for name, changes in self.modes.items():
            travel_mode(name, changes)
        without = [key for key in NEED_ROADS if getattr(self, key) is not None]
        if self.source is None and without:
            raise ValueError(
                f"'source' is missing: {', '.join(without)} {'are' if len(without) > 1 else 'is'} said of roads"
            )
        if self.date is not None and self.source != "osm":
            raise ValueError('date is for source = "osm"; a file is of the day it was made')
        return self
