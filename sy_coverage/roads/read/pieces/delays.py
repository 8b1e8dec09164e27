"""Charge what a driver meets where roads meet: lights, a main road, roads of one's own kind; nothing for driveways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.travel_modes import junction_ranks

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array
    from sy_coverage.roads.travel_modes import TravelMode

MEETING = 3
"""So many ends of roads make a node a junction."""
ONE_JUNCTION_M = 40.0
"""Who has waited at lights does not wait again within so many metres: they are the same junction's."""


@dataclass(frozen=True, eq=False)
class Ends:
    """The two ends of road pieces and what matters where they meet others; nodes are numbered from 0."""

    tail: Array
    head: Array
    length_m: Array
    highway: Array
    """Text, one a piece."""
    is_circle: Array
    """bool: part of a roundabout, which has the right of way over what joins it."""
    nodes: int
    has_lights: Array
    """bool by node."""
    is_ford: Array
    """bool by node."""


def delays_min(ends: Ends, mode: TravelMode, is_open: Array, is_through: Array) -> Array:
    """Return the minutes that the end of each piece costs, shape (pieces, 2): at its head, and at its tail.

    Parameters
    ----------
    is_open
        bool: `mode` may use the piece in one direction at least.
    is_through
        bool: it may pass through; a private drive counts as a driveway, whatever its class.

    At a node, ends of rank r meet those of rank r − 1 and more, if three or more such ends come together there. Who
    meets two others of at least its own rank pays the seconds of its class, who is on the main road its share of them.
    """
    ranks = junction_ranks()
    names, code = np.unique(ends.highway, return_inverse=True)
    rank = np.array([ranks.get(str(name), 0) for name in names], np.int64)[code]
    rank = np.where(is_through, rank, 0)
    seconds = np.array([mode.junction_s.get(str(name), 0.0) for name in names])[code]
    # how many ends of each rank and more there are at each node
    top = int(rank.max(initial=0)) + 1
    used = np.flatnonzero(is_open)
    cell = np.concatenate([ends.tail[used], ends.head[used]]) * top + np.tile(rank[used], 2)
    counts = np.bincount(cell, minlength=ends.nodes * top).reshape(ends.nodes, top)
    at_least = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    meeting = at_least[:, 0] >= MEETING
    delay = np.zeros((rank.size, 2))
    for column, here, before in ((0, ends.head, ends.tail), (1, ends.tail, ends.head)):
        comparable = at_least[here, np.where(rank > 0, np.maximum(rank - 1, 1), 0).clip(max=top - 1)]
        alike = at_least[here, rank]
        share = np.where(alike == MEETING - 1, mode.main_junction_share, 1.0)
        charged = np.where((comparable >= MEETING) & ~ends.is_circle, seconds * share, 0.0)
        short = ends.length_m < ONE_JUNCTION_M
        waited = short & ends.has_lights[before]
        charged = np.where(waited, 0.0, charged)
        again = waited | (short & meeting[before])
        charged = np.where(ends.has_lights[here], np.where(again, 0.0, mode.signal_s), charged)
        delay[:, column] = charged + np.where(ends.is_ford[here], mode.ford_s, 0.0)
    return delay / 60
