"""Bring points to the nearest road from which the way can be gone, at the exact place along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.graph.connected import USABLE
from sy_coverage.roads.graph.snap import Note, Snapped
from sy_coverage.roads.kernel.cells import PER_METRE, along, grid_of, in_order, nearest_links

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array, Links


@dataclass(frozen=True, eq=False)
class Places:
    """Where points join roads: the columns of `Snapped` that do not depend on who walks."""

    link: Array
    fraction: Array
    snap_m: Array
    note: Array


class Snapper:
    """The links of a network sorted into cells, ready to be asked for the nearest ones of many points at once."""

    def __init__(self, links: Links) -> None:
        """Sort the pieces of all links into cells."""
        self.links = links
        counts = np.diff(links.start)
        self.owner = np.repeat(np.arange(len(links)), counts - 1)
        # the last vertex of a link begins no piece
        begins = np.ones(len(links.xy), dtype=bool)
        begins[links.start[1:] - 1] = False
        self.first = np.flatnonzero(begins)
        self.grid = grid_of(links.xy, self.first) if self.first.size else None

    def snap(
        self,
        ids: tuple[str, ...],
        points: Array,
        bits: Array,
        *,
        wanted: int,
        access_m_per_s: float,
        max_snap_m: float,
    ) -> Snapped:
        """Return where points join the roads, and how long they walk there; see `places`."""
        at = self.places(points, bits, wanted=wanted, max_snap_m=max_snap_m)
        return Snapped(ids, at.link, at.fraction, at.snap_m, at.snap_m / access_m_per_s / 60, at.note)

    def places(self, points: Array, bits: Array, *, wanted: int, max_snap_m: float) -> Places:
        """Return the nearest place of every point on a link with all `bits` that are `wanted`, else on one that is usable at all.

        Of links equally near the first is taken.
        """
        wanting, usable = np.full((2, len(points)), -1, np.int64)
        fraction, snap_m = np.full((2, len(points)), np.nan)
        if self.grid is not None and len(points):
            order = in_order(points, self.grid)
            wanting[order], usable[order] = nearest_links(
                *(points[order], self.grid, self.links.xy, self.first, self.owner),
                # a point at the very limit is within it, whatever the last digit
                *(bits, np.uint8(USABLE), np.uint8(wanted | USABLE), max_snap_m + 1 / PER_METRE),
            )
        link = np.where(wanting < 0, usable, wanting)
        at = np.flatnonzero(link >= 0)
        if at.size:
            fraction[at], snap_m[at] = along(self.links.xy, self.links.start, points[at], link[at]).T
        note = np.where(wanting == usable, Note.NONE, Note.PASSED_OVER)
        note[wanting < 0] = Note.STUB
        far = ~(snap_m <= max_snap_m)
        link[far], fraction[far], snap_m[far], note[far] = -1, np.nan, np.nan, Note.TOO_FAR
        return Places(link, fraction, snap_m, note.astype(np.int8))
