"""Look up what each section of a study file may say: frozen models, every key documented, unknown keys refused."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sy_coverage import _files
from sy_coverage.roads.travel_modes import travel_mode

CoordinateSystem = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
Minutes = Annotated[float, Field(gt=0, le=24 * 60, allow_inf_nan=False)]
Growth = Annotated[float, Field(ge=-0.2, le=0.2, allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Mode = Literal["drive", "walk", "bike", "ebike"]
UnitKind = Literal["street", "township", "other"]
Service = Literal["tianditu", "amap", "baidu", "nominatim"]


class Section(BaseModel):
    """One section: it cannot be changed, and knows every key that it may have."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Return what a representation shows: everything but the passwords of databases."""
        return [(name, _unsaid(value)) for name, value in super().__repr_args__()]

    def shown(self) -> dict[str, Any]:
        """Return all options as plain values without the passwords of databases."""
        return {name: _unsaid(value) for name, value in self.model_dump(mode="json").items()}


def _unsaid(value: Any) -> Any:
    """Return an option as it may be shown: text without the password of a database address."""
    if isinstance(value, str):
        return _files.without_password(value)
    if isinstance(value, dict):
        return {key: _unsaid(item) for key, item in value.items()}
    return [_unsaid(item) for item in value] if isinstance(value, list | tuple) else value


class About(Section):
    """`[study]`: what it is called and which policy it answers to."""

    name: str
    """The title that stands on every output."""
    name_en: str = ""
    """The title of outputs in English; empty takes `name`."""
    policy: str = "shaoyang_2025"
    """A policy that is shipped, or the path of another policy file."""
    language: Literal["zh", "en"] = "zh"
    """The language of tables, maps and reports."""
    output: str = "out"
    """The folder results are written to."""
    database: str = ""
    """A PostGIS database that results are written to besides, and the schema: ``postgresql://user@host:5432/name#schema``.
    The password is better kept in the environment (PGPASSWORD) or in ``~/.pgpass``."""
    date: dt.date
    """The day that decides what counts as open."""
    office: str = ""
    """Who signs the proposals; without it a blank is left for the name."""
    issued: dt.date | None = None
    """The date under the proposals; without it a blank is left for the date."""
    notice: dict[Literal["zh", "en"], str] = {}
    """A sentence that every output must carry."""

    @property
    def title(self) -> str:
        """The study's name in its language."""
        return (self.language == "en" and self.name_en) or self.name

    @field_validator("database")
    @classmethod
    def _address(cls, database: str) -> str:
        if database and not _files.is_database(database):
            raise ValueError("say the address of a database: postgresql://user@host:5432/name#schema")
        return database


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


class Facilities(Section):
    """`[facilities]`: what there is."""

    files: tuple[str, ...] = Field(min_length=1)
    """Tables, vector files or tables of a PostGIS database, any number of them."""
    coordinate_system: CoordinateSystem | None = None
    """What the coordinates are in; a column of the file may say it row by row instead."""
    columns: dict[str, str] = {}
    """Which column of the files holds which of ours."""


class Candidates(Section):
    """`[candidates]`: where something could be opened."""

    files: tuple[str, ...] = ()
    """Lists of premises with costs."""
    generate: int = Field(default=0, ge=0, le=50)
    """How many sites to generate besides for each unit without a centre. Where `[siting] station_walk_min` asks for stations,
    one is generated too for every village cluster that no station of its unit, open or listed, is within the walk of."""
    floor_area_m2: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}
    """What generated stations are taken to have, by kind; where it is not given nobody knows, and a plan flags it:
    ``floor_area_m2 = { station = 300 }``."""
    osm: int = Field(default=0, ge=0, le=50)
    """How many schools and public buildings of the OpenStreetMap extract that roads come from to add for each unit without
    a centre. Whether they can be had, the map does not know: their names say so."""
    costs: dict[
        str, dict[Literal["idle_school", "village_office", "public_building", "upgrade", "new"], Money]
    ] = {}
    """What a generated or added site costs, 10⁴ yuan, by kind and premises; kinds that are not here cost the usual figures:
    ``costs = { service_centre = { village_office = 80, new = 160 } }``."""
    coordinate_system: CoordinateSystem | None = None
    """What the coordinates are in; a column of the file may say it row by row instead."""
    columns: dict[str, str] = {}
    """Which column of the files holds which of ours."""


class Demand(Section):
    """`[demand]`: where the elders live, and how many there are."""

    villages: str = ""
    """Villages with elders: a table with coordinates, a vector file or a table of a PostGIS database. With a census their
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
    coordinate_system: CoordinateSystem | None = None
    """What the coordinates are in, where the file does not say."""
    columns: dict[str, str] = {}
    """Which column of the file holds which of ours."""
    census_columns: dict[str, str] = {}
    """Which column of the census holds which of ours: ``{ elders = "60岁及以上合计" }``."""

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


class Roads(Section):
    """`[roads]`: how people get there."""

    source: str
    """An OpenStreetMap extract (``.osm.pbf``, ``.osm``), an OSMnx GraphML file, a network saved as ``.network``, or ``osm``:
    the roads are asked of OpenStreetMap, once."""
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
        if self.date is not None and self.source != "osm":
            raise ValueError('date is for source = "osm"; a file is of the day it was made')
        return self


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
    cache: str = "geocoding.sqlite"
    """Where the answers of map services are kept, so that nothing is asked twice."""
    daily_quota: dict[Service, Annotated[int, Field(gt=0)]] = {}
    """How many requests a day each service grants: said before a batch starts."""


class Reach(Section):
    """How elders travel to a kind of facility, and how far."""

    mode: Mode | None = None
    """How elders travel."""
    cutoff_min: dict[UnitKind, Minutes] = {}
    """Minutes within which a facility counts as in reach, by the class of the elder's unit."""


class Access(Reach):
    """`[access]`: overrides what the policy says of how far service centres reach, and (`kinds`) other kinds."""

    kinds: dict[str, Reach] = {}
    """The same for other kinds of facilities: ``[access.kinds.meal_point]``."""


class Shown(Section):
    """`[siting.demonstration.<target>]`: what a demonstration site must have; what a list does not say, a site does not have."""

    floor_area_m2: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """At least so much floor area."""
    all_functions: bool = False
    """Every function that its kind is meant to have."""
    has_medical: bool = False
    """Medical care in the house."""


class Siting(Section):
    """`[siting]`: what a plan must keep."""

    scope: Literal["county", "city"] | None = None
    """Whether the two coverage rates must hold in every county, or over the whole city."""
    rule: Literal["presence", "access", "both"] | None = None
    """What makes a unit count as covered."""
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    """The share of a unit's elders that must be within the cutoff, for the rule ``access``."""
    elders: Literal["elders", "elders_65", "elders_80"] | None = None
    """Whose coverage is counted: 60 and over, 65 and over, or 80 and over."""
    nursing_bed_base: str | None = None
    """Which homes' beds the nursing-bed share is counted over, one of the bases the policy names."""
    spread_min: Minutes | None = None
    """Two regional homes of a county are at least this far apart by road."""
    medical_min: Minutes | None = None
    """A regional home is at most this far from a medical institution by road."""
    medical: Literal["bar", "flag"] = "bar"
    """Whether a site that is farther is barred, or only flagged."""
    station_walk_min: Minutes | None = None
    """A new centre has a station of its unit, open or opened by the plan, within so many minutes of every village cluster."""
    cluster_m: float = Field(default=1000.0, ge=0, allow_inf_nan=False)
    """Villages of a unit that a chain of villages this far apart links form one cluster."""
    floor_area: Literal["bar", "flag"] = "flag"
    """Whether a station with too little floor area for its households is barred, or only flagged."""
    beds_per_elder: Annotated[float, Field(gt=0, le=1)] | None = None
    """Beds that each elder counts for, such as 0.03: elders must find them in homes of their county within the cutoff."""
    conversion_cost: Money = 0.0
    """10⁴ yuan to turn one bed into a nursing bed; 0: a plan says how many, and counts no cost for them."""
    demonstrate: bool = True
    """Whether demonstration sites are chosen, as many as the policy asks over the whole city: with scope ``county`` on top of
    the counties' plans, which are fixed first; with scope ``city`` in the one plan of the city."""
    demonstration: dict[str, Shown] = {}
    """What such a site must have, by target: ``[siting.demonstration.urban_demo_sites]``."""
    budget: Money | None = None
    """The most a county's plan may cost, in 10⁴ yuan."""
    time_limit_s: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    """Seconds a county's plan may take; an answer cut short says so and gives its gap."""


class Phase(Section):
    """`[phases]`: what one year may spend or open."""

    budget: Money | None = None
    """10⁴ yuan in this year."""
    sites: int | None = Field(default=None, ge=0)
    """New sites in this year."""

    @model_validator(mode="after")
    def _bounded(self) -> Phase:
        if self.budget is None and self.sites is None:
            raise ValueError("give a budget or a number of sites")
        return self


class Compare(Section):
    """`[compare]`: what stands beside each proposal, for those who must choose."""

    trade_off_points: int = Field(default=12, ge=0, le=60)
    """How many points the curve of cost against coverage has, at most; 0: no curve."""
    cutoff_factors: tuple[Annotated[float, Field(gt=0, le=2)], ...] = (0.8, 1.2)
    """The plan is solved again with travel-time limits this many times as long."""
    rule: bool = True
    """Whether it is solved again with the other rule: access for presence, or presence."""
    scope: bool = True
    """Whether the whole city is solved again with the other scope of the coverage rates; not where money is limited."""
    closures: bool = True
    """Whether each centre in turn is taken to close."""
    time_limit_s: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    """Seconds a county's curve may take; one cut short has fewer points."""


class MapOptions(Section):
    """`[map]`: what a map must carry."""

    approval_number: str = ""
    """审图号, printed on every map."""
    base_map: Literal["tianditu", "osm", "gaode"] | None = None
    """An online base map; without one a map asks nobody for anything. Servers of OpenStreetMap may refuse a page that is opened from
    a disk and not from a web site."""
    key_in_page: bool = False
    """Whether a map over Tianditu carries the key (of type browser, from TIANDITU_BROWSER_KEY) where everybody can read it; without,
    the page asks its reader for one."""


Count = Annotated[int, Field(ge=1, le=_files.HIGHEST)]


class Limits(Section):
    """`[limits]`: how much of one file is read, so that a damaged or malicious one does not fill the memory."""

    megabytes: Count = _files.USUAL.megabytes
    """Of a table, boundary file or GraphML, and of what a workbook unpacks to; road extracts and rasters know no such limit."""
    ratio: Count = _files.USUAL.ratio
    """How many times its packed size a workbook above 1 MB may unpack to."""
    rows: Count = _files.USUAL.rows
    """Of a table, sheet or layer."""
    cells: Count = _files.USUAL.cells
    """Rows times columns of a table."""
    vertices: Count = _files.USUAL.vertices
    """Of all boundaries or settled areas of a layer together."""

    def of_files(self) -> _files.Limits:
        """Return these limits as the readers take them."""
        return _files.Limits(**dict(self))
