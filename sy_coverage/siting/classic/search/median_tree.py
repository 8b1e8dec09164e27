"""Decide a p-median problem by branching on sites, every node bounded by prices and made smaller by reduced costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.siting.classic import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.classic.search.pairs import Pairs
    from sy_coverage.siting.solve.watch import Watch

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]

STEPS, PATIENCE = 150, 10
"""Subgradient steps at a node, and how many without gain before they get shorter."""


@dataclass(frozen=True)
class Node:
    """A part of all choices: sites that are open in it, sites that are closed, and what it costs at least."""

    bound: float
    opened: Flags
    closed: Flags
    price: Floats


class Tree:
    """The parts still to be looked at, and the best choice so far."""

    def __init__(self, pairs: Pairs, p: int, best: tuple[Integers, float], better: float) -> None:
        """Begin with a choice and its worth; only what is `better` by so much is sought."""
        self.pairs, self.p, self.better = pairs, p, better
        self.chosen, self.upper = best
        self.waiting: list[Node] = []

    def search(self, root: Node, watch: Watch) -> float:
        """Look at all parts, most promising first to the end, while time is left; return what no choice costs less than."""
        self.waiting = [root]
        while self.waiting:
            if watch.over:
                return min(node.bound for node in self.waiting)
            node = self.waiting.pop()
            if node.bound < self.upper - self.better:
                self.waiting.extend(self._parts(node))
            if len(self.waiting) % 64 == 0:
                watch.say(self.upper, min([self.upper, *(n.bound for n in self.waiting)]))
        return self.upper

    def _offer(self, sites: Integers) -> None:
        value = kernels.median.worth(*self.pairs.by_demand, sites, len(self.pairs.sites), self.pairs.penalty)
        if value < self.upper - 1e-12 * self.upper:
            self.chosen, self.upper = sites, value

    def _parts(self, node: Node) -> list[Node]:
        """Return the two parts of a node that may hold something better, the more promising one last; none if it is done."""
        pairs, p = self.pairs, self.p
        n = len(pairs.sites)
        if int(node.opened.sum()) == p:
            self._offer(np.flatnonzero(node.opened))
            return []
        if n - int(node.closed.sum()) <= p:
            if n - int(node.closed.sum()) == p:
                self._offer(np.flatnonzero(~node.closed))
            return []
        often = np.zeros(n)
        flags = (node.opened, node.closed, often)
        now, price, picked = kernels.median.bound_by_prices(
            *pairs.by_demand, node.price.copy(), *flags, n, p, self.upper, STEPS, PATIENCE, self.better
        )
        fixed = pairs.fixed
        self._offer(
            kernels.median.interchange(*pairs.by_site, *pairs.by_demand, picked, fixed, pairs.penalty)
        )
        bound = max(now, node.bound)
        if bound >= self.upper - self.better:
            return []
        rho = kernels.median.reduced_costs(*pairs.by_demand, price, n)
        opened, closed = decided(rho, node.opened, node.closed, p, self.upper - self.better - now)
        free = ~opened & ~closed
        if int(opened.sum()) > p or not free.any():
            return [] if int(opened.sum()) != p else [Node(bound, opened, ~opened, price)]
        doubt = np.where(free, np.minimum(often, 1.0 - often), -1.0)
        site = int(np.argmax(doubt))
        with_it, without = opened.copy(), closed.copy()
        with_it[site], without[site] = True, True
        both = [Node(bound, opened, without, price), Node(bound, with_it, closed, price)]
        return both if often[site] >= 0.5 else both[::-1]


def decided(rho: Floats, opened: Flags, closed: Flags, p: int, room: float) -> tuple[Flags, Flags]:
    """Return which sites every plan opens, and which none opens, that costs at most `room` more than the bound of the prices.

    To open a site that the bound does not choose puts out the worst that it does; to close one lets the best other in.
    """
    key: Any = np.where(opened, -np.inf, np.where(closed, np.inf, rho))
    order = np.argsort(key, kind="stable")
    inside = np.zeros(len(rho), dtype=bool)
    inside[order[:p]] = True
    worst_in = key[order[p - 1]]
    best_out = key[order[p]] if p < len(rho) else np.inf
    free = ~opened & ~closed
    return opened | (free & inside & (best_out - rho > room)), closed | (
        free & ~inside & (rho - worst_in > room)
    )
