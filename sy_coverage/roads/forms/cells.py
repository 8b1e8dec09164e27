"""Say in the cell of a notebook what a road network and its travel times hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage import _cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sy_coverage.roads.graph.links import Links

MOST_LINKS = 2_500
"""So many links are drawn, the longest: main roads and country roads, no driveways."""
BARS = 12


def network_cell(links: Links, facts: Mapping[str, object]) -> str:
    """Return what is in a network, and a small map of its longest links."""
    which = np.sort(np.argsort(-links.length_m, kind="stable")[:MOST_LINKS])
    km = float(links.length_m.sum()) / 1000
    rows = [*facts.items(), ("length", f"{km:,.0f} km")]
    drawn = _cells.small_map(lines=links.lines(which) if len(which) else None, degrees=False, name="roads")
    return f"<div>{_cells.table(rows)}{drawn}</div>"


def times_cell(facts: Mapping[str, object], nearest: NDArray[Any]) -> str:
    """Return what is in travel times, and how many demand points are how many minutes from the nearest site."""
    reached = nearest[np.isfinite(nearest)]
    rows = [*facts.items(), ("demand without a site in reach", f"{len(nearest) - len(reached):,}")]
    if not len(reached):
        return f"<div>{_cells.table(rows)}</div>"
    middle, worst = np.median(reached), reached.max()
    rows += [("minutes to the nearest", f"median {middle:.1f}, longest {worst:.1f}")]
    counts, edges = np.histogram(reached, bins=BARS, range=(0.0, max(worst, 1e-9)))
    bars = [
        (f"{low:.1f}–{high:.1f} min", count, "▇" * round(20 * count / counts.max()))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    return f"<div>{_cells.table(rows)}{_cells.table(bars, head=('nearest', 'demand', ''))}</div>"
