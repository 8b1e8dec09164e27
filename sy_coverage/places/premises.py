"""Read where something could be opened, or may not be: places of an OpenStreetMap extract, areas of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from sy_coverage import _osm
from sy_coverage._files import USUAL, Limits
from sy_coverage.errors import InputError
from sy_coverage.places.ground.shapes import valid_areas
from sy_coverage.places.locating.geocode import assign_units
from sy_coverage.places.sheets.tables import Report, read_table
from sy_coverage.places.sheets.words import table

if TYPE_CHECKING:
    import os

    from geopandas import GeoDataFrame


def read_osm_premises(path: str | os.PathLike[str], *, units: GeoDataFrame) -> GeoDataFrame:
    """Return the schools and public buildings of an extract that lie in `units`.

    Parameters
    ----------
    path
        ``.osm`` or ``.osm.pbf``, such as the one roads are read from.
    units
        Units frame.

    Returns
    -------
    premises
        Indexed by `osm_id` (``n123`` or ``w123``), sorted, EPSG:4326: `name`, `premises` (``idle_school`` where the map
        says that a school is disused or abandoned, ``public_building`` where it says so of another public building, else ``unknown``: a
        school or town hall in use is no unused premises), `unit_id`, `county_id`, a point each.
        Whether a place can be had, the map does not know.

    Raises
    ------
    InputError, MissingFileError, UnreadableFileError
        If the file is no extract, is not there, or is damaged.
    """
    if not _osm.is_osm(path):
        raise InputError(
            f"{path}: schools and public buildings come from an OpenStreetMap extract (.osm.pbf)"
        )
    known: dict[str, dict[str, list[str]]] = table()["osm_premises"]
    tags: dict[str, Any] = {}
    for wanted in known.values():
        for key, values in wanted.items():
            tags[key] = tuple(dict.fromkeys((*tags.get(key, ()), *values)))
    found = _osm.read_points(path, tags=tags)
    found["premises"] = [_premises(row, known) for row in found.to_dict("records")]
    unnamed = found["name"].isna()
    found.loc[unnamed, "name"] = [f"OpenStreetMap {i}" for i in found.index[unnamed]]
    found = assign_units(found[["name", "premises", "geometry"]], units)
    inside = found[found["unit_id"].notna()]
    return inside[["name", "premises", "unit_id", "county_id", "geometry"]]


def read_areas(
    path: str | os.PathLike[str], *, coordinate_system: str | None = None, limits: Limits = USUAL
) -> GeoDataFrame:
    """Return the areas of a vector file, made valid, EPSG:4326: where something holds, such as that nothing may be built.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, shapefile or any other layer of areas; a layer after ``#``.
    coordinate_system
        What the coordinates are in, where the file does not say.
    limits
        How much is read.

    Raises
    ------
    GeometryError
        If there are no areas in it.
    MissingFileError, UnreadableFileError, MissingCRSError
        If the file cannot be read.
    """
    report = Report()
    areas = valid_areas(read_table(path, "units", report, limits=limits), report, coordinate_system)
    return gpd.GeoDataFrame(geometry=areas.to_numpy(), crs=areas.crs)


def _premises(row: dict[Any, Any], known: dict[str, dict[str, list[str]]]) -> str | None:
    """Return the first kind of premises whose tags a place carries."""
    for premises, wanted in known.items():
        if any(not pd.isna(row[key]) and row[key] in values for key, values in wanted.items()):
            return premises
    return None
