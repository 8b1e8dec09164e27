"""Prove a plan's least cost a second time, in exact arithmetic that trusts no solver."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.errors import CertificateError, InputError
from sy_coverage.siting.planning.explain.sites import case_of
from sy_coverage.siting.planning.model.program import Model
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.case import PlanCase

    Floats = NDArray[np.float64]

FINE = (2**20, 2**44)
"""Prices are rounded to these parts of one, the finer where the coarser prove too little."""


@dataclass(frozen=True)
class ExactProof:
    """A tree of cases whose leaves bound the cost from below, each by prices of the rules that anybody can add up."""

    cost: float
    """10⁴ yuan: what the plan costs."""
    bound: float
    """10⁴ yuan: no plan that keeps the rules and meets the targets costs less."""
    proved: bool
    """Whether the two are the same."""
    nodes: int
    leaves: tuple[dict[str, Any], ...] = field(repr=False)
    """Of each leaf `open` and `closed` (the columns that are decided there) and `prices` (row: price, as text of a fraction)."""


@dataclass(frozen=True)
class _Rows:
    """The rules as whole numbers and fractions: row · x between two limits."""

    columns: tuple[tuple[tuple[int, Fraction], ...], ...]
    """By column the rows it stands in, and with which number."""
    lower: tuple[Fraction | None, ...]
    upper: tuple[Fraction | None, ...]
    cost: tuple[Fraction, ...]
    least: tuple[Fraction, ...]
    most: tuple[Fraction, ...]

    def bound(self, prices: dict[int, Fraction], low: dict[int, int], high: dict[int, int]) -> Fraction:
        """Return what no choice costs less than when rules have these prices (Lagrange), exactly; `low` and `high` decide columns."""
        total = Fraction(0)
        for row, price in prices.items():
            limit = self.lower[row] if price > 0 else self.upper[row]
            if limit is None:
                raise CertificateError("a price of a rule that has no such limit proves nothing")
            total += price * limit
        for j, entries in enumerate(self.columns):
            left = self.cost[j] - sum(
                (prices[row] * number for row, number in entries if row in prices), start=Fraction(0)
            )
            total += left * (low.get(j, self.least[j]) if left > 0 else high.get(j, self.most[j]))
        return total


def second_proof(plan: SitingPlan, *, time_limit_s: float = 60.0, most_nodes: int = 20_000) -> ExactProof:
    """Return a proof of the least cost of a plan that does not depend on a solver's word.

    A tree of cases (a site open or not) is made whose every leaf is bounded from below by prices of the rules: whatever the prices
    are, the bound they give holds (weak duality). Prices come from a solver and are rounded to fractions; the bounds are then
    added up in exact arithmetic, from all rules and sites, nothing left out beforehand. A leaf is closed where its bound, rounded
    up to the next possible cost, reaches the plan's.

    Parameters
    ----------
    plan
        A plan of `policy_plan` for least cost that meets its targets, without years.
    time_limit_s, most_nodes
        Where these are used up the proof is not complete, and `bound` is what it reached.

    Returns
    -------
    proof
        With every leaf, so that it can be added up again by others.

    Raises
    ------
    InputError
        If `plan` is no such plan, or costs have too many decimals to be counted exactly.
    CertificateError
        If a cheaper choice is found.
    """
    case, value = _asked(plan)
    model = Model(case, cheapest=False)
    program = model.program
    matrix, row_lower, row_upper = program._matrix()  # noqa: SLF001  a program says its rows to nobody else
    cost = np.zeros(len(program.lower))
    whole = model.cost()
    cost[: len(whole)] = whole
    rows = _exactly(matrix, row_lower, row_upper, cost, program)
    step, constant = case.cost.step, Fraction(model.fixed_cost)
    goal = Fraction(str(value)) / step - constant
    tree = _Tree(matrix, row_lower, row_upper, cost, program, rows, int(goal))
    with highs.Watch(highs.SolveOptions(time_limit_s=time_limit_s)) as watch:
        least = tree.close(watch, most_nodes)
    bound = (Fraction(least) + constant) * step
    return ExactProof(value, float(bound), bound == Fraction(str(value)), tree.nodes, tuple(tree.leaves))


def _asked(plan: SitingPlan) -> tuple[PlanCase, float]:
    figures = plan.figures
    if plan.phase or figures.years is not None or not figures.targets_met or figures.cost is None:
        raise InputError(
            "second_proof: needs a plan of policy_plan that meets its targets, not spread over years"
        )
    case, rules = case_of(plan), case_of(plan).rules
    if rules.slack is not None or rules.cost_limit is not None or rules.differ_from or rules.adopted:
        raise InputError(
            "second_proof: needs a plan for least cost, not one within a slack, an alternative or a repair"
        )
    if not case.cost.exact:
        raise InputError(
            "second_proof: costs have more than six decimals; round them, so that they can be counted exactly"
        )
    return case.but(budget=None), figures.cost


def _exactly(matrix: Any, lower: Floats, upper: Floats, cost: Floats, program: Any) -> _Rows:
    columns = matrix.tocsc()
    entries = [
        tuple(
            (int(columns.indices[k]), Fraction(float(columns.data[k])))
            for k in range(columns.indptr[j], columns.indptr[j + 1])
        )
        for j in range(matrix.shape[1])
    ]

    def limits(values: Floats) -> tuple[Fraction | None, ...]:
        return tuple(None if np.isinf(v) else Fraction(float(v)) for v in values)

    return _Rows(
        tuple(entries),
        limits(lower),
        limits(upper),
        tuple(Fraction(float(c)) for c in cost),
        tuple(Fraction(float(v)) for v in program.lower),
        tuple(Fraction(float(v)) for v in program.upper),
    )


class _Tree:
    """Close case after case, the deepest first."""

    def __init__(
        self,
        matrix: Any,
        row_lower: Floats,
        row_upper: Floats,
        cost: Floats,
        program: Any,
        rows: _Rows,
        goal: int,
    ) -> None:
        self.matrix, self.row_lower, self.row_upper, self.cost = matrix, row_lower, row_upper, cost
        self.program, self.rows, self.goal = program, rows, goal
        self.nodes = 0
        self.leaves: list[dict[str, Any]] = []

    def close(self, watch: highs.Watch, most_nodes: int) -> int:
        """Return the least that every choice costs, as far as leaves prove it."""
        least, waiting = self.goal, [dict[int, int]()]
        while waiting:
            decided = waiting.pop()
            self.nodes += 1
            duals, x = self._relaxed(decided, watch)
            prices, bound = self._best_bound(duals, decided)
            if ceil(bound) >= self.goal:
                self._keep(decided, prices)
                continue
            branch = self._undecided(x, decided)
            if branch is None:
                raise CertificateError(
                    "a cheaper choice than the plan keeps every rule; the plan is not the cheapest"
                )
            if watch.over or self.nodes >= most_nodes:
                least = min(least, ceil(bound), *(self._quick(d) for d in waiting))
                break
            first = int(x[branch] > 0.5)
            waiting += [decided | {branch: 1 - first}, decided | {branch: first}]
        return least

    def _quick(self, decided: dict[int, int]) -> int:
        return ceil(self.rows.bound({}, decided, decided))

    def _relaxed(self, decided: dict[int, int], watch: highs.Watch) -> tuple[Floats, Floats]:
        """Return prices of the rows and an answer with fractions, where a rule may be missed at a price that none is worth."""
        low, high = self.program.lower.copy(), self.program.upper.copy()
        for j, v in decided.items():
            low[j] = high[j] = v
        count, width = self.matrix.shape
        penalty = float(np.abs(self.cost).sum() + 1.0)
        model = highs.Model("min")
        model.add_columns(self.cost, lower=low, upper=high, integer=False)
        model.add_columns(
            np.full(2 * count, penalty),
            lower=np.zeros(2 * count),
            upper=np.full(2 * count, np.inf),
            integer=False,
        )
        coo = self.matrix.tocoo()
        each = np.arange(count)
        triplets = (
            np.r_[coo.row, each, each],
            np.r_[coo.col, width + each, width + count + each],
            np.r_[coo.data, np.ones(count), -np.ones(count)],
        )
        model.add_rows(triplets, lower=self.row_lower, upper=self.row_upper)
        answer = highs.solve(model, watch=watch)
        if answer.status != "optimal":
            return np.zeros(count), np.full(width, 0.5)
        return answer.row_duals, answer.x[:width]

    def _best_bound(self, duals: Floats, decided: dict[int, int]) -> tuple[dict[int, Fraction], Fraction]:
        best: tuple[dict[int, Fraction], Fraction] = ({}, self.rows.bound({}, decided, decided))
        for parts in FINE:
            prices = {}
            for row in np.flatnonzero(np.abs(duals) > 0.5 / parts):
                price = Fraction(round(float(duals[row]) * parts), parts)
                limit = self.rows.lower[row] if price > 0 else self.rows.upper[row]
                if price and limit is not None:
                    prices[int(row)] = price
            bound = self.rows.bound(prices, decided, decided)
            if bound > best[1]:
                best = (prices, bound)
            if ceil(best[1]) >= self.goal:
                break
        return best

    def _undecided(self, x: Floats, decided: dict[int, int]) -> int | None:
        """Return the whole column to decide next, that which is most in doubt; None where all are decided."""
        free = self.program.integer & (self.program.upper > self.program.lower)
        free[list(decided)] = False
        at = np.flatnonzero(free & (self.program.upper == 1.0))
        if not len(at):
            return None
        return int(at[np.argmin(np.abs(x[at] - 0.5))])

    def _keep(self, decided: dict[int, int], prices: dict[int, Fraction]) -> None:
        self.leaves.append(
            {
                "open": [j for j, v in decided.items() if v],
                "closed": [j for j, v in decided.items() if not v],
                "prices": {row: str(price) for row, price in prices.items()},
            }
        )
