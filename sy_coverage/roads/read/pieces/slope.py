"""Slow travel down where the ground rises: the speed on a road by its slope, from elevations along it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.roads.graph.links import ranges

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage._files import Raster
    from sy_coverage.roads.graph.links import Array
    from sy_coverage.roads.travel_modes import TravelMode

LOWEST_M, HIGHEST_M = -500.0, 8900.0
COARSE_M = 200.0
"""A cell wider than this evens out most hills that a road climbs."""
STEP_M = 100.0
"""A road is looked at in parts of about this length: shorter ones show the errors of the elevations more than the slope."""
METRES_A_DEGREE = 111_000.0


def elevations_m(raster: Raster, lonlat: Array) -> Array:
    """Return the metres above sea level at places in degrees, between the centres of four cells by straight lines.

    Missing where the raster does not reach, or one of the four is not known.
    """
    to = pyproj.Transformer.from_crs(GEOGRAPHIC, raster.crs, always_xy=True)
    x, y = to.transform(*lonlat.T)
    column = (np.asarray(x) - raster.west) / raster.width - 0.5
    row = (raster.north - np.asarray(y)) / raster.height - 0.5
    rows, columns = raster.values.shape
    with np.errstate(invalid="ignore"):
        known = (row >= 0) & (row <= rows - 1) & (column >= 0) & (column <= columns - 1)
    top = np.minimum(np.where(known, row, 0).astype(np.int64), max(rows - 2, 0))
    left = np.minimum(np.where(known, column, 0).astype(np.int64), max(columns - 2, 0))
    below, beside = np.minimum(top + 1, rows - 1), np.minimum(left + 1, columns - 1)
    down, across = row - top, column - left
    cells = raster.values
    upper = cells[top, left] * (1 - across) + cells[top, beside] * across
    lower = cells[below, left] * (1 - across) + cells[below, beside] * across
    metres: Array = np.where(known, upper * (1 - down) + lower * down, np.nan)
    return metres


def cell_m(raster: Raster) -> float:
    """Return about how many metres a cell is wide: a rise over less than that is not in the elevations."""
    unit = METRES_A_DEGREE if pyproj.CRS.from_user_input(raster.crs).is_geographic else 1.0
    return max(raster.width, raster.height) * unit


def slowness(
    raster: Raster, lonlat: Array, start: Array, length_m: Array, modes: tuple[TravelMode, ...]
) -> tuple[Mapping[str, Array], Mapping[str, int]]:
    """Return by mode how many times longer each road piece takes than on the level, both ways; and what to say of the elevations.

    Parameters
    ----------
    lonlat, start
        Vertices in degrees; piece i owns rows ``start[i]`` to ``start[i + 1]``.
    length_m
        Metres of each piece, along the road.

    Returns
    -------
    slowness
        By mode, float64 of shape (pieces, 2), along the piece and against it; 1 for a mode without slopes, and where an
        elevation is not known. And counts for the network's notes.
    """
    raster, remarks = plausible(raster)
    place, piece, step_m = _looked_at(lonlat, start, length_m)
    same = piece[1:] == piece[:-1]
    owner = piece[:-1][same]
    run = step_m[owner]
    grade = _grades(raster, place[:-1][same], place[1:][same], run)
    count = np.bincount(owner, minlength=length_m.size)
    blind = np.bincount(owner, np.isnan(grade), minlength=length_m.size) > 0
    answer: dict[str, Any] = {}
    for mode in modes:
        times = np.ones((length_m.size, 2))
        if mode.slope_grade:
            for way, sign in ((0, 1.0), (1, -1.0)):
                slower = 1 / np.interp(np.nan_to_num(sign * grade), mode.slope_grade, mode.slope_factor)
                total = np.bincount(owner, slower, minlength=length_m.size)
                times[:, way] = np.where(blind, 1.0, total / np.maximum(count, 1))
        answer[mode.name] = times
    return answer, {**remarks, "road_pieces_without_elevation_taken_as_level": int(blind.sum())}


def plausible(raster: Raster) -> tuple[Raster, dict[str, int]]:
    """Return the elevations with those that cannot be metres made unknown, and what to say of them.

    What lies lower than the Dead Sea's shore or higher than Mount Everest is no place: the mark of a void that the file
    does not declare, or a file in feet.
    """
    cells = raster.values
    with np.errstate(invalid="ignore"):
        wrong = (cells < LOWEST_M) | (cells > HIGHEST_M)
    wide = cell_m(raster)
    remarks = {"elevations_that_cannot_be_metres_left_out": int(wrong.sum())}
    if np.nanmax(np.where(cells > LOWEST_M, cells, np.nan), initial=0.0) > HIGHEST_M:
        remarks["elevations_higher_than_any_mountain_feet_perhaps"] = int((cells > HIGHEST_M).sum())
    if wide > COARSE_M:
        remarks["elevation_cells_too_wide_for_slopes_of_roads_m"] = round(wide)
    return replace(raster, values=np.where(wrong, np.nan, cells)), remarks


def _grades(raster: Raster, begin: Array, end: Array, run: Array) -> Array:
    """Return the rise over run of steps in degrees; one shorter than a cell is looked at over a cell around its middle."""
    wide = cell_m(raster)
    middle, half = (begin + end) / 2, (end - begin) / 2
    north = half[:, 1] * METRES_A_DEGREE
    east = half[:, 0] * METRES_A_DEGREE * np.cos(np.radians(middle[:, 1]))
    straight = 2 * np.hypot(north, east)
    # along a bend, a step is longer than the straight line between its ends
    stretch = np.where(straight > 0, np.maximum(wide / np.maximum(straight, 1e-9), 1.0), 1.0)
    over = straight * stretch
    a, b = middle - half * stretch[:, None], middle + half * stretch[:, None]
    rise = elevations_m(raster, b) - elevations_m(raster, a)
    short = stretch > 1
    grade = rise / np.where(short, over, np.maximum(run, 1e-9))
    # at the edge of what is known, what lies within
    lost = np.isnan(grade) & short
    if lost.any():
        own = elevations_m(raster, end[lost]) - elevations_m(raster, begin[lost])
        grade[lost] = own / np.maximum(run[lost], wide)
    known: Array = np.where(straight > 0, grade, 0.0)
    return known


def _looked_at(lonlat: Array, start: Array, length_m: Array) -> tuple[Array, Array, Array]:
    """Return places at equal steps along each piece, from end to end, whose each is, and the metres of a step by piece."""
    first, last = start[:-1], start[1:]
    east = np.diff(lonlat[:, 0]) * np.cos(np.radians(lonlat[:-1, 1]))
    steps = np.hypot(east, np.diff(lonlat[:, 1]))
    along = np.r_[0.0, np.cumsum(steps)]
    parts = np.maximum(np.rint(length_m / STEP_M), 1).astype(np.int64)
    rows, piece = ranges(np.zeros_like(parts), parts + 1)
    total = along[last - 1] - along[first]
    at = along[first][piece] + rows / parts[piece] * total[piece]
    # the last place of a piece is its end, whatever rounding has made of it, and not the next piece's beginning
    at = np.clip(at, along[first][piece], along[last - 1][piece])
    segment = np.clip(np.searchsorted(along, at, side="right") - 1, first[piece], last[piece] - 2)
    width = along[segment + 1] - along[segment]
    share = np.where(width > 0, (at - along[segment]) / np.where(width > 0, width, 1.0), 0.0)
    place = lonlat[segment] + share[:, None] * (lonlat[segment + 1] - lonlat[segment])
    return place, piece, length_m / parts
