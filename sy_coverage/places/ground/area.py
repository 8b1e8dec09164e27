"""Say where a study's area is, with a margin, and which points lie in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.errors import CoordinateSystemError
from sy_coverage.places.ground.coordinates import are_metres, to_wgs84

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

AREA_MARGIN_M = 20_000.0
"""A point farther than this outside the bounds of all units is no place of the study."""
_DEGREE_M = 111_320.0


def area_box(units: GeoDataFrame, margin_m: float = AREA_MARGIN_M) -> tuple[float, float, float, float]:
    """Return west, south, east, north (degrees) of all `units` with a margin in metres around them."""
    west, south, east, north = units.to_crs(GEOGRAPHIC).total_bounds
    up = margin_m / _DEGREE_M
    aside = up / max(np.cos(np.radians((south + north) / 2)), 0.01)
    return float(west - aside), float(south - up), float(east + aside), float(north + up)


def inside_box(
    lon: NDArray[np.float64], lat: NDArray[np.float64], box: tuple[float, float, float, float]
) -> NDArray[np.bool_]:
    """Return which points lie in a box of west, south, east and north."""
    west, south, east, north = box
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def central_meridian(
    x: NDArray[np.float64], y: NDArray[np.float64], units: GeoDataFrame | None
) -> float | None:
    """Return the 3-degree meridian that puts metres without a zone number into the units' area, if one does."""
    metres = are_metres(x, y) & (np.abs(x) < 1e7) & (np.abs(y) < 1e7)
    if units is None or not metres.any():
        return None
    box = area_box(units)
    fitting = []
    for meridian in range(75, 136, 3):
        try:
            lon, lat = to_wgs84(x[metres], y[metres], "cgcs2000", central_meridian=meridian)
        except CoordinateSystemError:
            continue
        fitting.append(
            (int(inside_box(lon, lat, box).sum()), -abs((box[0] + box[2]) / 2 - meridian), meridian)
        )
    best = max(fitting, default=(0, 0.0, 0))
    return float(best[2]) if best[0] * 2 > metres.sum() else None
