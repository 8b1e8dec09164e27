"""Look up what `[demand]` of a study file may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sy_coverage.study.config.inputs.list_file import ListFile
from sy_coverage.study.config.section import CoordinateSystem, Growth, Section


class Demand(Section):
    """`[demand]`: where the elders live, and how many there are."""

    villages: str | list[str | ListFile] = ""
    """Villages with elders: a table with coordinates, a vector file or a table of a PostGIS database, or several as in `[facilities]
    files`. With a census their
    own numbers of elders (or else persons, or households) are only the weights by which it is spread."""
    raster: str = ""
    """People by raster cell, such as WorldPop (GeoTIFF): instead of villages."""
    settled: str = ""
    """Settled areas as polygons, over which a census is spread by area: instead of villages."""
    census: str = ""
    """Elders by unit or by county, spread over villages, raster cells or settled areas so that every sum is exact; a
    census by unit may stand alone, each unit one point."""
    shares: dict[Literal["elders", "elders_65", "elders_80"], Annotated[float, Field(gt=0, le=1)]] = {}
    """What share of the people of a raster is 60 and over (``elders``), 65 and over, 80 and over; 1 where it counts them."""
    cell_m: Annotated[float, Field(ge=50, le=50_000, allow_inf_nan=False)] = 1000.0
    """The cells of a raster are gathered into points of a mesh so wide, in metres."""
    year: Annotated[int, Field(ge=1950, le=2100)] | None = None
    """The year the numbers are of, to carry them to the year of the study's date."""
    growth: Growth | dict[Literal["elders", "elders_65", "elders_80"], Growth] | None = None
    """Yearly growth from `year` on, as a share (0.03 is 3 %): one for all ages, or by column."""
    cohorts: str = ""
    """A cohort table (age groups, persons, survival ratios, perhaps by county) instead of a growth."""
    positions: str = ""
    """A layer or table of villages with points, by whose names villages without points are placed; without it (or where a name is not
    in it) they are spread over their unit, and marked as estimated."""
    band: Annotated[int, Field(ge=1)] = 1
    """Which band of the raster counts people."""
    nodata: Annotated[float, Field(allow_inf_nan=True)] | None = None
    """The value of the raster that means that nothing is known, where the file does not say it."""
    strict: bool = False
    """Whether a row that cannot be used stops the run; else it is kept, listed and asked about."""
    coordinate_system: CoordinateSystem | None = None
    """What the coordinates are in, where the file does not say."""
    columns: dict[str, str] = {}
    """Which column of the file holds which of ours."""
    census_columns: dict[str, str] = {}
    """Which column of the census holds which of ours: ``{ elders = "60岁及以上合计" }``."""

    @property
    def village_files(self) -> list[str | ListFile]:
        """The files of `villages`, one or several."""
        return [self.villages] if isinstance(self.villages, str) and self.villages else list(self.villages)

    @model_validator(mode="after")
    def _one_source(self) -> Demand:
        where = [key for key in ("villages", "raster", "settled") if getattr(self, key)]
        if len(where) > 1:
            raise ValueError(f"give one of villages, raster and settled, not {' and '.join(where)}")
        if not where and not self.census:
            raise ValueError("give villages, a raster, settled areas or a census")
        if self.settled and not self.census:
            raise ValueError("settled areas say how people are spread, not how many: give a census besides")
        if self.raster and not self.census and "elders" not in self.shares:
            raise ValueError(
                "give the share of the raster's people who are 60 and over, shares = { elders = 0.2 }, or a census"
            )
        if self.shares and (self.census or not self.raster):
            raise ValueError("shares belong to a raster without a census")
        if self.growth is not None and self.cohorts:
            raise ValueError("give a growth or a cohort table, not both")
        if (self.growth is not None or self.cohorts) and self.year is None:
            raise ValueError("say the year that the numbers are of: year = 2020")
        return self
