"""Draw from where each site can be reached within given minutes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.errors import CutoffError, InputError, MissingCRSError
from sy_coverage.roads.catchments.draw import SITES_AT_ONCE, Drawer, Pen, as_frame, reaches
from sy_coverage.roads.catchments.field import Field
from sy_coverage.roads.graph.connected import ARRIVES, LEAVES
from sy_coverage.roads.questions.joining import NO_MAP, require_cutoff, require_to_site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geopandas import GeoDataFrame

    from sy_coverage.roads.questions.joining import Direction, Joining

CELLS = 16
"""Cells of the grid that a mode's drawn width is wide."""
CELL_M_A_MINUTE = 2.5
"""Cells are not wider than so many metres for each minute of the longest cutoff."""
NARROW_CELLS = 4
"""Cells that a narrower width, which a caller asks for, is wide."""
LEAST_CELL_M = 5.0


def catchments(
    by: Joining,
    sites: GeoDataFrame,
    *,
    cutoffs_min: Sequence[float],
    direction: Direction,
    buffer_m: float | None,
    within: GeoDataFrame | None,
    without: GeoDataFrame | None,
) -> GeoDataFrame:
    """Return the polygon of each site and cutoff; see `RoadNetwork.catchments`."""
    to_site, cutoffs = require_to_site(direction), _cutoffs(cutoffs_min)
    ready, mode, parts = by.prepared, by.mode, by.prepared.parts
    width = ready.drawn_m(mode) if buffer_m is None else buffer_m
    if not (np.isfinite(width) and width > 0):
        raise InputError(f"buffer_m={width}: must be a positive number of metres")
    if parts.crs is None:
        raise MissingCRSError(NO_MAP)
    here = by.snapped(sites, "sites", ARRIVES if to_site else LEAVES)
    grids = _grids(by, cutoffs, width, LEAVES if to_site else ARRIVES)
    drawer: Drawer = ready.keep(
        ("drawer", mode, to_site),
        lambda: Drawer(parts.links, len(parts.node_ids), mode, ready.turning(mode), to_site=to_site),
    )
    pen = Pen(min(width, by.max_snap_m), 1 / by.walk_m_per_s / 60)
    arcs, legs = ready.runs(mode, reverse=to_site), ready.legs(here, mode, outgoing=not to_site)
    shapes = [
        shape
        for first in range(0, len(here.ids), SITES_AT_ONCE)
        for shape in drawer.catchments(
            reaches(arcs, legs, here, range(first, first + SITES_AT_ONCE), cutoffs[-1]), grids, pen
        )
    ]
    joined = [here.ids[i] for i in np.flatnonzero(here.link >= 0)]
    frame = as_frame(joined, cutoffs, shapes, parts.crs, within=within, without=without)
    frame.attrs["unreachable"] = here.too_far
    return frame


def _cutoffs(cutoffs_min: Sequence[float]) -> list[float]:
    cutoffs = sorted({float(c) for c in cutoffs_min})
    if not cutoffs:
        raise CutoffError("cutoffs_min: give at least one cutoff")
    for cutoff in cutoffs:
        require_cutoff(cutoff)
    return cutoffs


def _grids(by: Joining, cutoffs: list[float], width: float, wanted: int) -> dict[float, Field]:
    """Return, by cutoff, the grid that says to which road with the `wanted` bits each place belongs."""
    ready, mode = by.prepared, by.mode
    usual = min(ready.drawn_m(mode) / CELLS, width / NARROW_CELLS)
    bits = ready.connected(mode).bits
    grids: dict[float, Field] = {}
    for cutoff in cutoffs:
        cell = max(min(usual, CELL_M_A_MINUTE * cutoff), LEAST_CELL_M)
        grids[cutoff] = ready.keep(
            ("field", mode, wanted, by.max_snap_m, cell),
            partial(Field, ready.snapper, bits, wanted, by.max_snap_m, cell),
        )
    return grids
