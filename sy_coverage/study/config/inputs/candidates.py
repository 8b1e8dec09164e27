"""Look up what `[candidates]` of a study file may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sy_coverage.study.config.inputs.list_file import ListFile
from sy_coverage.study.config.section import CoordinateSystem, Money, Section

Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Added(Section):
    """A site that no list names: where it is, what it would be, and what it costs."""

    lon: Degrees
    """Degrees east, in WGS 84."""
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    """Degrees north, in WGS 84."""
    kind: str
    """One of the policy's kinds."""
    cost: Money
    """10⁴ yuan."""
    name: str = ""
    """What it is called; empty: by its kind and its unit."""
    premises: str = "new"
    """What it is made of: new, idle_school, village_office, public_building or upgrade."""
    candidate_id: str = ""
    """Its id; empty: ``added-1``, ``added-2``, …."""


class NoGoLayer(Section):
    """One layer of `[candidates] exclude`: where nothing may be built, or where building must be looked at."""

    path: str
    """Any vector file of areas, a layer after ``#``: 生态保护红线, 永久基本农田, areas of floods or landslides."""
    action: Literal["bar", "flag"] = "bar"
    """Whether a site in it is barred, or only flagged."""
    name: str = ""
    """The reason that is given; without, the file's name."""
    coordinate_system: CoordinateSystem | None = None
    """What the coordinates are in, where the file does not say."""


class Candidates(Section):
    """`[candidates]`: where something could be opened."""

    files: tuple[str | ListFile, ...] = ()
    """Lists of premises with costs; what is special about one stands beside it, as under `[facilities]`."""
    strict: bool = False
    """Whether a row that cannot be used stops the run; else it is kept, listed and asked about."""
    generate: int = Field(default=0, ge=0, le=50)
    """How many sites to suggest for each unit that has neither a centre nor a listed candidate for one. Where `[siting] station_walk_min` asks for stations,
    one is generated too for every village cluster that no station of its unit, open or listed, is within the walk of."""
    generate_beside_listed: bool = False
    """Whether units with listed candidates get suggested ones too."""
    generate_apart_m: float = Field(default=500.0, ge=0, allow_inf_nan=False)
    """No site is suggested nearer than this to a listed one of its kind, in metres."""
    one_place_m: float = Field(default=45.0, ge=0, allow_inf_nan=False)
    """Candidates of one kind so near to each other are one place: at most one of them opens, as of one `group_id`."""
    exclude: tuple[NoGoLayer, ...] = ()
    """Layers in which sites are barred or flagged: ``exclude = [{ path = "生态保护红线.gpkg", action = "bar" }]``."""
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
    add: tuple[Added, ...] = ()
    """Sites that no list names: ``add = [{ lon = 111.0, lat = 27.1, kind = "service_centre", cost = 60 }]``."""
