"""Decide which sites cover most by branching on sites, every node bounded by prices and made smaller by them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.siting.classic import kernels
from sy_coverage.siting.classic.search.most_search import covered_weight
from sy_coverage.siting.classic.search.reduce import ROUNDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.classic.search.most_rest import Rest
    from sy_coverage.siting.solve.watch import Watch

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

STEPS, TIMES = 50, 16
"""Primal-dual steps at a node, and how often as many more where they promise to be enough."""
WORK = 3e10
"""Pairs looked at, in all nodes, after which the tree is left to a solver: some twenty seconds."""
SMALLER = 0.8
"""Of its free sites, what a node must come down to for its bound to be sought once more before it is parted."""


@dataclass(frozen=True)
class Node:
    """A part of all choices: sites that are in it (`low` 1) or out (`high` 0), what it covers at most, where its relaxation stands."""

    bound: float
    low: Floats
    high: Floats
    price: Floats
    cut_price: Floats
    x: Floats
    z: Floats

    def copy(self) -> Node:
        """Return a node that can be moved on without moving this one."""
        parts = (self.low, self.high, self.price, self.cut_price, self.x, self.z)
        return Node(self.bound, *(part.copy() for part in parts))

    @property
    def free(self) -> Integers:
        """Return the sites that are neither in nor out."""
        return np.flatnonzero((self.low < 0.5) & (self.high > 0.5))


class Tree:
    """The parts still to be looked at, and the best choice so far."""

    def __init__(self, rest: Rest, columns: Integers, step: float, gap: float = 0.0) -> None:
        """Begin with a choice; only what covers `step` more than the best, and `gap` more in parts of it, is sought."""
        self.rest, self.step, self.gap, self.p = rest, step, gap, len(columns)
        self.columns, self.reached = columns, covered_weight(rest.cover, columns)
        sets_ptr, sets, ptr, demand = rest.cover.table
        self._table = (ptr, demand, sets_ptr, sets)
        self._cuts = rest.cuts
        self._let_go = 0.0
        self.work = 0.0

    def search(self, bound: float, watch: Watch) -> float:
        """Look at all parts, most promising first to the end, while time and work are left; return what no choice covers more than."""
        n, rest = len(self.rest.cover.sites), self.rest
        start = (rest.price, rest.cut_price, rest.x, rest.z)
        waiting = [Node(bound, np.zeros(n), np.ones(n), *start)]
        while waiting and not watch.over and self.work < WORK:
            waiting.extend(self._parts(waiting.pop()))
            watch.say(
                self._total(self.reached), self._total(max([self.reached, *(w.bound for w in waiting)]))
            )
        most = max([self._let_go, *(node.bound for node in waiting)]) + self._margin(bound)
        return min(bound, most) if most >= self.reached + self.step else self.reached

    def _total(self, value: float) -> float:
        return value + self.rest.cover.settled

    def _margin(self, bound: float) -> float:
        return ROUNDING * max(1.0, bound)

    def _hopeless(self, bound: float) -> bool:
        """Whether a part that covers at most `bound` can be let go."""
        if bound >= self._need(bound):
            return False
        self._let_go = max(self._let_go, bound)
        return True

    def _need(self, bound: float) -> float:
        """Return what a choice must cover to be sought: so little more that a bound, with its rounding, ends within step or gap."""
        return self.reached + max(self.step, self.gap * self._total(self.reached)) - 2.0 * self._margin(bound)

    def _offer(self, columns: Integers) -> None:
        value = covered_weight(self.rest.cover, columns)
        if value > self.reached:
            self.columns, self.reached = columns, value

    def _parts(self, node: Node) -> list[Node]:
        """Return the two parts of a node that may hold something better, the more promising one last; none if it is done."""
        if self._hopeless(node.bound):
            return []
        node, free, count = node.copy(), node.free, 0
        while not count or len(free) < SMALLER * count:
            count = len(free)
            node = self._bounded(node)
            if self._hopeless(node.bound):
                return []
            free = node.free
            if not len(free):
                self._offer(np.flatnonzero(node.low))
                return []
        self._round(node)
        site = free[np.argmax(np.minimum(node.x[free], 1.0 - node.x[free]))]
        with_it, without = node.low.copy(), node.high.copy()
        with_it[site], without[site] = 1.0, 0.0
        both = [replace(node, high=without), replace(node, low=with_it)]
        return both if node.x[site] >= 0.5 else both[::-1]

    def _bounded(self, node: Node) -> Node:
        """Move the relaxation of a node on, and decide what its prices decide."""
        weights, bound = self.rest.cover.weights, node.bound
        ptr, demand, sets_ptr, sets = self._table
        prices, relaxed, limits = (node.price, node.cut_price), (node.x, node.z), (node.low, node.high)
        need = self._need(bound)
        state = (*self._cuts, *prices, *relaxed, *limits, self.p, STEPS, need)
        for left in range(TIMES - 1, -1, -1):
            before = bound
            bound = min(bound, kernels.prices.most_bound(ptr, demand, sets_ptr, sets, weights, *state))
            self.work += 2.0 * STEPS * (len(demand) + len(self._cuts[1]) + len(self._cuts[3]) + len(weights))
            # steps win less and less: where as much as last time would not do, they will not come below the need
            if bound < need or (left < TIMES - 1 and (before - bound) * left < bound - need):
                break
        if bound >= need:
            told = (*self._cuts, *prices, *limits, self.p, need)
            count = len(node.free)
            bound = min(bound, kernels.prices.decided_by_prices(ptr, demand, weights, *told))
            # what is decided is let go: worth less than the need, but within a gap maybe more than the best
            if self.gap and len(node.free) < count:
                self._let_go = max(self._let_go, need)
        return replace(node, bound=bound)

    def _round(self, node: Node) -> None:
        """Try the choice that the relaxation of a node points at."""
        rounded = np.sort(np.argsort(-node.x, kind="stable")[: self.p])
        self._offer(kernels.most.exchanged(*self._table, self.rest.cover.weights, rounded))
