"""Follow the quickest way from one point to another link by link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sy_coverage.roads.graph.arcs import ArcOrder, Graph
    from sy_coverage.roads.graph.legs import Legs
    from sy_coverage.roads.graph.links import Array, Links
    from sy_coverage.roads.graph.snap import Snapped
    from sy_coverage.roads.graph.states import Turning

SAME_MIN = 1e-9
"""Minutes that differ by no more are the same sum."""


@dataclass(frozen=True)
class Step:
    """A link, or part of one, from one fraction of it to another."""

    link: int
    begin: float
    end: float


@dataclass(frozen=True, eq=False)
class Ground:
    """What a way is followed on: links, the arcs of one mode turned round, and where each of them comes from."""

    links: Links
    mode: str
    turns: Turning
    back: Graph
    order: ArcOrder

    def arc(self, place: int) -> tuple[int, int]:
        """Return link and direction of an arc of the graph, of parallel ones the quickest."""
        last = self.order.first[place + 1] if place + 1 < self.order.first.size else self.order.row.size
        rows = self.order.row[self.order.first[place] : last]
        count = len(self.links)
        steps = [
            (int(r), 0)
            if r < count
            else (int(r) - count, 1)
            if r < 2 * count
            else self._leaf(int(r) - 2 * count)
            for r in rows
        ]
        return min(steps, key=lambda step: float(self.links.minutes[self.mode][step]))

    def _leaf(self, row: int) -> tuple[int, int]:
        _, link, way, _ = self.turns.leaves[row].tolist()
        return link, way

    def whole(self, node: int) -> int:
        """Return the node that a node of the kernel is, or is a copy of."""
        return node if node < self.turns.first else int(self.turns.origin[node - self.turns.first])


def followed(ground: Ground, start: Snapped, end: Snapped, legs: tuple[Legs, Legs], at: Array) -> list[Step]:
    """Return the steps of the quickest way between two points over nodes, `at` the minutes from the first to every node.

    Parameters
    ----------
    legs
        From the first point to nodes, and from nodes to the second.
    """
    out, into = legs
    totals = at[into.node] + into.minutes
    last = int(np.argmin(totals))
    node, steps = int(into.node[last]), []
    begins = {int(n): float(m) for n, m in zip(out.node[::-1], out.minutes[::-1], strict=True)}
    for n, m in zip(out.node, out.minutes, strict=True):
        begins[int(n)] = min(begins[int(n)], float(m))
    first = node
    while not (node in begins and abs(begins[node] - at[node]) <= SAME_MIN):
        arcs = np.arange(ground.back.indptr[node], ground.back.indptr[node + 1])
        before = ground.back.heads[arcs]
        best = int(np.argmin(np.abs(at[before] + ground.back.minutes[arcs] - at[node])))
        link, way = ground.arc(int(arcs[best]))
        steps.append(Step(link, float(way), 1.0 - way))
        node = int(before[best])
    steps.reverse()
    head = _partial(ground, start, node, begins[node], outgoing=True)
    tail = _partial(ground, end, first, float(into.minutes[last]), outgoing=False)
    return [*head, *steps, *tail]


def _partial(ground: Ground, point: Snapped, node: int, minutes: float, *, outgoing: bool) -> list[Step]:
    """Return the part of the point's own link between it and the node, none where it stands on the node."""
    link, fraction = int(point.link[0]), float(point.fraction[0])
    if fraction in (0.0, 1.0):
        return []
    forward, backward = ground.links.minutes[ground.mode][link].tolist()
    tail, head = int(ground.links.tail[link]), int(ground.links.head[link])
    to_head = (1 - fraction) * (forward if outgoing else backward)
    to_tail = fraction * (backward if outgoing else forward)
    walked = float(point.access_min[0])
    ends = [
        (abs(walked + m - minutes), f)
        for m, f, n in ((to_head, 1.0, head), (to_tail, 0.0, tail))
        if n == ground.whole(node)
    ]
    _, far = min(ends)
    return [Step(link, fraction, far)] if outgoing else [Step(link, far, fraction)]
