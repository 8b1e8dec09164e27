"""Come near the most weight that so many sites can cover: from below by annealing, from above by prices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.siting.classic import kernels
from sy_coverage.siting.classic.proof.settle import whole_objective
from sy_coverage.siting.classic.search.odd_cuts import Cuts, joined
from sy_coverage.siting.classic.search.reduce import ROUNDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.classic.asked.terms import Terms
    from sy_coverage.siting.classic.search.reduce import Cover
    from sy_coverage.siting.solve.highs import Watch

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

SMALL = 50_000
"""Pairs up to which the solver alone is quickest to prove which sites cover most."""
SOLVER_GAP = 0.002
"""What may lie between the two sides of a small table, in parts of them, for the solver to take over after a few rounds."""
SEARCH_SHARE = 0.9
"""Of the time, what annealing and prices may take where a gap was allowed; the rest is the solver's."""
STALLED = 3
"""How often in a row prices may win next to nothing, or annealing nothing, before they are left as they are."""
NEXT_TO_NOTHING = 0.02
"""What prices must win in a round, in parts of what lies between the two sides."""
PLAIN_ROUNDS = 3
"""Rounds in which prices come near the plain relaxation, before cuts are added to it."""
STEPS = 100
"""Primal-dual steps in the first round."""
HOT, COLD = 0.05, 0.004
"""Temperatures between which choices are annealed, in parts of the weight that a chosen site covers on average."""


@dataclass
class Search:
    """The two sides of one problem of covering most, and what has been tried to bring them together."""

    cover: Cover
    columns: Integers
    """The best choice so far."""
    bound: float
    """What no choice can pass."""
    price: Floats
    """Of each row, between 0 and its weight: the dual of its being covered."""
    x: Floats
    """How much each site is open in the linear relaxation, as far as it is known."""
    z: Floats
    """How much each row is covered in it."""
    cuts: Cuts = field(default_factory=Cuts)
    stalls: int = 0
    rounds: int = 0
    idle: int = 0
    """Annealings in a row that found nothing better."""
    reached: float = field(init=False)

    def __post_init__(self) -> None:
        """Count what the first choice covers."""
        self.reached = covered_weight(self.cover, self.columns)

    @property
    def longer(self) -> int:
        """Return how many times longer than in the first round prices and annealing go on in this one."""
        return int(2 ** min(self.rounds, 5))

    def offer(self, columns: Integers) -> None:
        """Take `columns` for the best choice if they cover more."""
        value = covered_weight(self.cover, columns)
        if value > self.reached:
            self.columns, self.reached, self.idle = columns, value, -1

    def lower_bound_by_prices(self, enough: float = 0.0, watch: Watch | None = None) -> None:
        """Move the prices on until the bound is below `enough` or time is over, and try the choice that they point at."""
        if self.rounds >= PLAIN_ROUNDS:
            self.cuts = joined(self.cover, self.cuts, self.x, self.z)
        sets_ptr, sets, ptr, demand = self.cover.table
        weights, p = self.cover.weights, len(self.columns)
        free = (np.zeros(len(self.x)), np.ones(len(self.x)))
        state = (*self.cuts.table, self.price, self.cuts.price, self.x, self.z, *free)
        found, rounding = np.inf, ROUNDING * max(1.0, self.bound)
        steps = (p, STEPS, enough - rounding)
        for _ in range(self.longer):
            now = kernels.prices.most_bound(ptr, demand, sets_ptr, sets, weights, *state, *steps)
            found = min(found, now + rounding)
            # on ten million pairs a hundred steps take seconds
            if found < enough or (watch is not None and watch.over):
                break
        little = found > self.bound - NEXT_TO_NOTHING * (self.bound - self.reached)
        self.stalls = self.stalls + 1 if little else 0
        self.bound = min(self.bound, found)
        if self.rounds in {1, 2} or self.rounds % 3 == 2 or self.stalls >= STALLED:
            rounded = np.sort(np.argsort(-self.x, kind="stable")[:p])
            self.offer(kernels.most.exchanged(ptr, demand, sets_ptr, sets, weights, rounded))

    def anneal(self) -> None:
        """Anneal the best choice, each time longer than the last."""
        sets_ptr, sets, ptr, demand = self.cover.table
        # the work of a step grows with the rows of a site, and with the sites of a row
        met = max(1.0, self.cover.rows.nnz**2 / (self.cover.rows.shape[0] * self.cover.rows.shape[1]))
        steps = int(min(60.0 * len(self.cover.sites), 5e8 / met)) * self.longer
        heat = self.reached / len(self.columns)
        found = kernels.most.annealed(
            ptr,
            demand,
            sets_ptr,
            sets,
            self.cover.weights,
            self.columns,
            HOT * heat,
            COLD * heat,
            steps,
            self.rounds,
        )
        self.offer(found)
        self.idle += 1


def near_proof(cover: Cover, columns: Integers, asked: Terms, watch: Watch) -> Search:
    """Return a better choice than `columns`, and an upper bound by prices on the weight that can be covered."""
    most, n, p = float(cover.weights.sum()), len(cover.sites), len(columns)
    x = np.full(n, p / max(n, 1))
    search = Search(cover, columns, most, 0.5 * cover.weights, x, np.minimum(1.0, cover.rows @ x))
    if asked.p is None or (cover.need > 1).any() or not len(columns) or not cover.rows.shape[0]:
        return search
    small, gap = cover.rows.nnz < SMALL, watch.options.gap

    def enough() -> float:
        return max(gap * (search.reached + cover.settled), least_step(asked, search.reached))

    # a small table the solver proves sooner; a large one it may never, so that both sides come nearer while time is left
    while not watch.over:
        if search.stalls < STALLED:
            search.lower_bound_by_prices(search.reached + enough(), watch)
        if search.bound > (1 + gap) * search.reached and (gap > 0 or search.idle < STALLED):
            search.anneal()
        search.rounds += 1
        watch.say(search.reached + cover.settled, search.bound + cover.settled)
        if search.bound - search.reached <= enough():
            break
        near = search.rounds >= PLAIN_ROUNDS and search.bound < (1 + SOLVER_GAP) * search.reached
        if small and (near or search.stalls >= STALLED):
            break
        if search.stalls >= STALLED and gap == 0:
            break
        if watch.seconds > SEARCH_SHARE * watch.options.time_limit_s:
            break
    return search


def least_step(asked: Terms, reached: float) -> float:
    """Return by how much a better plan is better at least: a whole unit of whole weights, else what rounding hides."""
    return 1.0 - 1e-6 if whole_objective(asked) else 1e-9 * max(1.0, reached)


def covered_weight(cover: Cover, columns: Integers) -> float:
    """Return the weight of the groups that have as many of `columns` as they need."""
    hits = np.asarray(cover.rows[:, columns].sum(axis=1)).ravel()
    return float(cover.weights[hits >= cover.need].sum())
