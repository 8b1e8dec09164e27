"""Hold points that were brought to roads, at the exact place along them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer

from sy_coverage._frames import require_crs
from sy_coverage.errors import CoordinateSystemError, CRSMismatchError, FrameError, GeometryError, some

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pyproj import CRS

    from sy_coverage.roads.graph.links import Array

MAX_SNAP_M = 1000.0
"""A point farther than this from every road it may use is unreachable; it is counted, never moved."""


class Note(IntEnum):
    """What is to be said of the way from a point to its road."""

    NONE = 0
    PASSED_OVER = 1
    """A nearer road leads nowhere, so that the next one was taken."""
    STUB = 2
    """Every road within the limit leads nowhere: the nearest was taken."""
    TOO_FAR = 3
    """There is no road within the limit."""


@dataclass(frozen=True, eq=False)
class Snapped:
    """Points brought to links: which link, how far along it (0 at its tail, 1 at its head), and the way there."""

    ids: tuple[str, ...]
    link: Array
    """int64, −1 where the point is farther than the limit from every road."""
    fraction: Array
    snap_m: Array
    access_min: Array
    note: Array
    """int8, a `Note` each."""

    @property
    def too_far(self) -> tuple[str, ...]:
        """The ids of the points that lie too far from every road."""
        return tuple(self.ids[i] for i in np.flatnonzero(self.link < 0))

    def cut_off(self, reached: Array) -> tuple[str, ...]:
        """Return the ids of the points that no road joins, and of those on a stub that are not `reached` there."""
        lost = (self.link < 0) | ((self.note == Note.STUB) & ~reached)
        return tuple(self.ids[i] for i in np.flatnonzero(lost))


@lru_cache(maxsize=8)
def _change(given: CRS, metric: str) -> Transformer:
    return Transformer.from_crs(given, metric, always_xy=True)


def coordinates(points: GeoDataFrame, crs: str | None, what: str) -> tuple[tuple[str, ...], Array]:
    """Return ids as text and x, y in `crs` of a frame of points called `what`.

    Raises
    ------
    MissingCRSError, FrameError, GeometryError, CoordinateSystemError
        If the frame has no CRS, ids repeat, a row has no point, or a point cannot be projected.
    """
    require_crs(points, what)
    ids = tuple(map(str, points.index.tolist()))
    if len(set(ids)) != len(ids):
        twice = points.index[points.index.astype(str).duplicated()].unique()
        raise FrameError(what, [f"ids are given more than once: {some(twice)}"])
    geometry = points.geometry
    empty = geometry.isna() | geometry.is_empty
    if empty.any():
        raise GeometryError(
            f"{what}: rows without a point cannot be routed: {some(points.index[empty])}; "
            "locate them or leave them out"
        )
    wrong = geometry.geom_type != "Point"
    if wrong.any():
        raise GeometryError(f"{what}: geometry must be a point in rows {some(points.index[wrong])}")
    xy = np.asarray(shapely.get_coordinates(geometry), np.float64)
    if crs is None:
        if points.crs.is_geographic:
            raise CRSMismatchError(
                f"{what}: the network has no declared CRS, so points must be in its metres, not in degrees; "
                "give crs= to from_edges"
            )
    elif points.crs != crs:
        xy = np.column_stack(_change(points.crs, crs).transform(*xy.T))
    lost = ~np.isfinite(xy).all(axis=1)
    if lost.any():
        raise CoordinateSystemError(
            f"{what}: coordinates cannot be projected in rows {some(points.index[lost])}; "
            "are longitude and latitude swapped?"
        )
    return ids, xy
