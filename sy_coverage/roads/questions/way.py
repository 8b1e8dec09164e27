"""Find the quickest way from one point to another, and what its minutes are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.errors import InputError
from sy_coverage.roads.graph import describe
from sy_coverage.roads.graph.connected import ARRIVES, LEAVES
from sy_coverage.roads.graph.snap import coordinates
from sy_coverage.roads.kernel import sweep
from sy_coverage.roads.kernel.trace import Ground, Step, followed

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.roads.graph.describe import Route
    from sy_coverage.roads.questions.joining import Joining


def quickest(by: Joining, a: GeoDataFrame, b: GeoDataFrame) -> Route | None:
    """Return the quickest way between two points; see `RoadNetwork.route`."""
    if len(a) != 1 or len(b) != 1:
        raise InputError(f"route: give one point each, not {len(a)} and {len(b)}")
    ready, mode = by.prepared, by.mode
    start, end = by.snapped(a, "a", LEAVES), by.snapped(b, "b", ARRIVES)
    if start.link[0] < 0 or end.link[0] < 0:
        return None
    out, into = ready.legs(start, mode, outgoing=True), ready.legs(end, mode, outgoing=False)
    direct = float(ready.direct(start, end, mode, to_site=False).minutes.min(initial=np.inf))
    at = np.full(ready.kernel_nodes(mode), np.inf)
    reached = sweep.reached(
        *(ready.runs(mode, reverse=False), out, None, sweep.no_legs(1)), points=0, cutoff_min=np.inf
    )
    at[reached.indices] = reached.data
    minutes = float((at[into.node] + into.minutes).min(initial=direct))
    if np.isinf(minutes):
        return None
    if direct <= minutes:
        steps = [Step(int(start.link[0]), float(start.fraction[0]), float(end.fraction[0]))]
    else:
        ground = Ground(
            *(ready.parts.links, mode, ready.turning(mode), ready.graph(mode, reverse=True)),
            ready.order(mode, reverse=True),
        )
        steps = followed(ground, start, end, (out, into), at)
    xy = [coordinates(frame, ready.parts.crs, name)[1][0] for frame, name in ((a, "a"), (b, "b"))]
    return describe.route(ready.parts, steps, (start, end), (xy[0], xy[1]), mode=mode, minutes=minutes)
