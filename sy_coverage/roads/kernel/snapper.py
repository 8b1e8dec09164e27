"""Bring points to the nearest road that a travel mode may use, at the exact place along it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.graph.snap import Snapped, along

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array, Links


class Snapper:
    """Links of one travel mode, ready to be asked for the nearest one to many points at once."""

    def __init__(self, links: Links, mode: str) -> None:
        """Index the links that `mode` may use in at least one direction."""
        import shapely  # noqa: PLC0415

        self.links = links
        self.usable = np.flatnonzero(np.isfinite(links.minutes[mode]).any(axis=1))
        self.tree = shapely.STRtree(links.lines(self.usable))

    def snap(
        self, ids: tuple[str, ...], points: Array, *, access_m_per_s: float, max_snap_m: float
    ) -> Snapped:
        """Return the nearest place of every point; of links equally near the first."""
        import shapely  # noqa: PLC0415

        link = np.full(len(ids), -1, np.int64)
        if self.usable.size and len(ids):
            # ties are found at a little more than the nearest distance, then decided by the link's position
            which, near = self.tree.query_nearest(
                shapely.points(points), max_distance=max_snap_m * (1 + 1e-9) + 1e-6, all_matches=True
            )
            best = np.full(len(ids), np.iinfo(np.int64).max)
            np.minimum.at(best, which, self.usable[near])
            link = np.where(best < np.iinfo(np.int64).max, best, -1)
        fraction = np.full(len(ids), np.nan)
        snap_m = np.full(len(ids), np.nan)
        found = np.flatnonzero(link >= 0)
        fraction[found], snap_m[found] = along(self.links.xy, self.links.start, link[found], points[found])
        far = snap_m > max_snap_m
        link[far], fraction[far], snap_m[far] = -1, np.nan, np.nan
        return Snapped(ids, link, fraction, snap_m, snap_m / access_m_per_s / 60)
