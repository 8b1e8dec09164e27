"""Read rivers and lakes of an OpenStreetMap extract, to draw them beneath a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from sy_coverage import _osm
from sy_coverage._frames import GEOGRAPHIC

if TYPE_CHECKING:
    import os

    from geopandas import GeoDataFrame

AREAS = (("natural", "water"), ("waterway", "riverbank"), ("landuse", "reservoir"))
LINES = frozenset({"river", "canal"})
"""Smaller streams would cover a county with lines."""


def read_water(path: str | os.PathLike[str], *, area: Any = None) -> GeoDataFrame:
    """Return the water of an extract: lakes, reservoirs and wide rivers as areas, other rivers as lines.

    Parameters
    ----------
    path
        OpenStreetMap extract (``.osm``, ``.osm.pbf``).
    area
        A frame in any CRS whose extent, a tenth wider, bounds what is read; None reads all.

    Returns
    -------
    water
        Indexed by `osm_id`, sorted: `water` (``"area"`` or ``"line"``), geometry in EPSG:4326. What the extract cuts open or
        holds in no valid shape is not in it: it is for drawing only.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        If the file is not there, is damaged, or is no local OpenStreetMap file.
    """
    box = None
    if area is not None:
        west, south, east, north = (float(v) for v in area.to_crs(GEOGRAPHIC).total_bounds)
        margin = max(east - west, north - south) / 10
        box = (west - margin, south - margin, east + margin, north + margin)
    shapes = _osm.read_shapes(path, tags=AREAS)
    if box is not None:
        shapes = shapes[shapely.intersects(np.asarray(shapes.geometry), shapely.box(*box))]
    shapes = shapes.assign(water="area")[["water", "geometry"]]
    ways = _osm.read_ways(path, keys=("waterway",), wanted=frozenset({"waterway"}), box=box)
    ids, lines = [], []
    for i, tags in enumerate(ways.tags):
        lonlat = ways.lonlat[ways.start[i] : ways.start[i + 1]]
        lonlat = lonlat[np.isfinite(lonlat).all(axis=1)]
        if tags["waterway"] in LINES and len(lonlat) > 1:
            ids.append(f"w{ways.ids[i]}")
            lines.append(shapely.LineString(lonlat))
    rivers = gpd.GeoDataFrame(
        {"water": ["line"] * len(ids)},
        geometry=lines,
        index=pd.Index(ids, name="osm_id", dtype=object),
        crs=GEOGRAPHIC,
    )
    return gpd.GeoDataFrame(pd.concat([shapes, rivers]).sort_index(), geometry="geometry", crs=GEOGRAPHIC)
