"""Look up what `[boundaries]` of a study file may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sy_coverage.study.config.section import CoordinateSystem, Section


class Boundaries(Section):
    """`[boundaries]`: the streets and townships."""

    units: str
    """Any vector file (``file.gpkg#layer`` for one layer of several), a table of a PostGIS database
    (``postgresql://user@host:5432/name#schema.table``), or an OpenStreetMap extract with `admin_level`."""
    admin_level: Annotated[int, Field(ge=1, le=12)] | None = None
    """Of an OpenStreetMap extract: the level of its areas that are units (8 or 9 for townships in China)."""
    county_level: Annotated[int, Field(ge=1, le=12)] | None = None
    """Of an OpenStreetMap extract: the level of the areas that are their counties (6 in China)."""
    coordinate_system: CoordinateSystem | Annotated[str, Field(pattern=r"^(?i:epsg):\d{4,6}$")] | None = None
    """What the coordinates are in, where the file does not say, or says it wrongly (Amap's GeoJSON is gcj02); of
    metres without a zone number the projection, such as EPSG:4546."""
    invalid: Literal["stop", "repair", "skip"] = "stop"
    """What to do with an invalid or overlapping boundary."""
    columns: dict[str, str] = {}
    """Which column of the file holds which of ours: ``{ unit_id = "行政代码" }``."""
    former: dict[str, tuple[str, ...]] = {}
    """Names and codes that units had, or that were merged into them, so that old lists are understood:
    ``former = { "430524001" = ["桃洪镇", "430524100"] }``."""
