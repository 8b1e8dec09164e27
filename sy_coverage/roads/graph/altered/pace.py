"""Change the speeds of roads that are read already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.roads.graph.parts import RoadParts


def paced(parts: RoadParts, mode: str, pace: Mapping[str, float], delay: float) -> RoadParts:
    """Return `parts` with the minutes of `mode` driven `pace` times as fast by class of road, and junctions taking `delay` times as long.

    The tables say the new speeds; a limit that bound a road before is scaled as the road is.
    """
    links = parts.links
    by_class = np.array([pace.get(name, 1.0) for name in links.classes])[links.highway][:, None]
    waited = links.delay_min.get(mode)
    minutes = links.minutes[mode]
    after = minutes / by_class if waited is None else (minutes - waited) / by_class + waited * delay
    waits = links.delay_min if waited is None else {**links.delay_min, mode: waited * delay}
    tables = dict(parts.tables)
    if mode in tables:
        table = tables[mode]
        changes = {
            "speed_kph": {name: kph * pace.get(name, 1.0) for name, kph in table.speed_kph.items()},
            "junction_s": {name: seconds * delay for name, seconds in table.junction_s.items()},
            "signal_s": table.signal_s * delay,
            "ford_s": table.ford_s * delay,
            "most_kph": table.most_kph * max(1.0, *pace.values()) if pace else table.most_kph,
        }
        tables[mode] = table.model_copy(update=changes)
    links = replace(links, minutes={**links.minutes, mode: np.ascontiguousarray(after)}, delay_min=waits)
    return replace(parts, links=links, tables=tables)
