"""Make the longest way of an elder to a centre as short as it can be: by halving the minutes that it may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.siting.planning.rules.targets import coverage_kinds, reachable
from sy_coverage.siting.solve.stages import Reached

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.planning.model.program import Model
    from sy_coverage.siting.solve import highs
    from sy_coverage.siting.solve.stages import Program

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class _Ways:
    """The ways of elders to the centres of one kind."""

    minutes: Any
    """CSC, columns × villages whose way a plan can decide."""
    today_min: Floats
    cap_min: float

    def lacking(self, limit: float) -> Integers:
        """Return the villages from which no centre that stays is within `limit`."""
        return np.flatnonzero(~(self.today_min <= limit)) if self.cap_min > limit else np.empty(0, np.int64)

    def near(self, village: int, limit: float) -> Integers:
        """Return the columns within `limit` of a village."""
        at = slice(self.minutes.indptr[village], self.minutes.indptr[village + 1])
        return np.asarray(self.minutes.indices[at][self.minutes.data[at] <= limit], dtype=np.int64)

    def longest(self, opened: NDArray[np.bool_]) -> float:
        """Return the longest way when these columns are open."""
        part = np.where(opened[self.minutes.indices], self.minutes.data, np.inf)
        ends = np.repeat(np.arange(len(self.today_min)), np.diff(self.minutes.indptr))
        best = self.today_min.copy()
        np.minimum.at(best, ends, part)
        return float(np.minimum(best, self.cap_min).max(initial=0.0))


def least_longest_way(model: Model, *, watch: highs.Watch) -> Reached:
    """Return the answer with the least longest way, and keep it for the stages that come after.

    Halves the list of all minutes that the longest way could take: for each, one more program says whether every village can
    have a centre so near.
    """
    ways, program = _ways(model), model.program
    values = [w.minutes.data for w in ways] + [w.today_min[np.isfinite(w.today_min)] for w in ways]
    levels = np.unique(np.concatenate([*values, [w.cap_min for w in ways], [0.0]]))
    low, high, x, name = 0, len(levels) - 1, np.empty(0), ""
    if program.solved:
        x = program.start
        high = _level(levels, ways, x, model)
    while low < high or not len(x):
        middle = (low + high) // 2
        answer = _within(model, ways, float(levels[middle]), watch)
        name = answer.solver or name
        if answer.value == 0:
            x = answer.x[:-1]
            high = min(middle, _level(levels, ways, x, model))
        elif answer.status == "infeasible" or (answer.bound or 0) >= 1:
            if middle == len(levels) - 1:
                return Reached("infeasible", np.empty(0), None, None, name)
            low = middle + 1
            high = max(low, high)
        else:
            break
    if not len(x):
        return Reached("no_answer", np.empty(0), None, None, name)
    _require_near(program, model.x, ways, float(levels[high]))
    program.take(x)
    return Reached("optimal" if low == high else "feasible", x, float(levels[high]), float(levels[low]), name)


def _ways(model: Model) -> list[_Ways]:
    case, found = model.case, []
    for kind in coverage_kinds(case):
        reach, mine = case.reach(kind), reachable(case, kind)
        if mine.any():
            found.append(_Ways(reach.minutes.tocsc()[:, mine], reach.today_min[mine], reach.cap_min))
    return found


def _level(levels: Floats, ways: list[_Ways], x: Floats, model: Model) -> int:
    longest = max((w.longest(x[model.x] > 0.5) for w in ways), default=0.0)
    return int(np.searchsorted(levels, longest))


def _within(model: Model, ways: list[_Ways], limit: float, watch: highs.Watch) -> Reached:
    """Return the answer of 0 where every village can have a centre within `limit`, 1 where not."""
    program = model.program.fork()
    lacks = program.columns(1, integer=True, start=1.0)
    _require_near(program, model.x, ways, limit, lacks=lacks)
    cost = np.zeros(len(program.lower))
    cost[lacks] = 1.0
    return program.optimise(cost, "min", whole=True, watch=watch)


def _require_near(
    program: Program, x: Integers, ways: list[_Ways], limit: float, *, lacks: Integers | None = None
) -> None:
    more = np.empty(0, dtype=np.int64) if lacks is None else lacks
    for way in ways:
        for village in way.lacking(limit):
            program.row(np.r_[x[way.near(int(village), limit)], more], lower=1.0)
