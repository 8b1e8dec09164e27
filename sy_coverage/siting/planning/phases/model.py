"""Write a plan of several years as one program: a copy of the sites for each year, with its money and number."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from sy_coverage.siting.planning.model.program import Model
from sy_coverage.siting.planning.rules.bars import heirs, hosts
from sy_coverage.siting.planning.rules.stations import services
from sy_coverage.siting.planning.rules.targets import near_centres

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.planning.rules.targets import Near
    from sy_coverage.siting.solve import highs
    from sy_coverage.siting.solve.stages import Reached

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Year:
    """What one year may open; None: no limit."""

    year: int
    budget: float | None = None
    """10⁴ yuan; what is left over is carried to the next year only where the rules say so."""
    sites: int | None = None


@dataclass(frozen=True)
class Run:
    """How far the stages came, and when each site opens."""

    status: Literal["optimal", "feasible", "infeasible", "no_answer"]
    answers: tuple[tuple[str, Literal["min", "max"], Reached, float], ...]
    """Stage, sense, what was reached, and the constant (or, for shortfalls, what is needed in all)."""
    opens: dict[str, int]
    solver: str


class Phased:
    """The rules of a case at the last year, and a copy of the sites for each year before."""

    def __init__(self, case: PlanCase, years: tuple[Year, ...], *, elastic: bool) -> None:
        """Write all rules; `elastic`: targets may be missed."""
        self.case, self.years, self.elastic = case, years, elastic
        self.model = Model(case, elastic=elastic, cheapest=False)
        program, last = self.model.program, self.model.x
        count = len(last)
        upper = program.upper[last]
        self.x = [program.columns(count, upper=upper, integer=True) for _ in years[:-1]] + [last]
        each = np.arange(count)
        later = np.where(case.stands, -1.0, 1.0)  # what stands may only go, what is opened may only come
        for before, after in zip(self.x, self.x[1:], strict=False):
            program.rows(
                np.r_[each, each],
                np.r_[before, after],
                np.r_[later, -later],
                count=count,
                upper=0.0,
            )
        for x in self.x[:-1]:
            for dependent, others in hosts(case):
                program.row(np.r_[x[dependent], x[others]], np.r_[1.0, -np.ones(len(others))], upper=0.0)
            for facility, instead, _ in heirs(case):
                for j in instead:
                    program.row([x[facility], x[j]], upper=1.0)
                program.row(np.r_[x[facility], x[instead]], lower=1.0)
            for service in services(case):
                group = service.stations
                program.row(np.r_[x[service.centre], x[group]], np.r_[1.0, -np.ones(len(group))], upper=0.0)
        # beds converted by the end of each year; those of the last year are the model's own
        total = self.model.convert
        most = program.upper[total]
        self.convert = [program.columns(len(total), upper=most, integer=True) for _ in years[:-1]] + [total]
        for before, after in zip(self.convert, self.convert[1:], strict=False):
            for one, other in zip(before, after, strict=True):
                program.row([one, other], [1.0, -1.0], upper=0.0)
        for t, year in enumerate(years):
            self._limit(year, t)

    def _limit(self, year: Year, t: int) -> None:
        """Keep the new sites of a year within its budget and number."""
        program, case = self.model.program, self.case
        columns, signs = self.x[t], np.where(case.stands, 0.0, 1.0)
        costs = case.cost.counts
        if t > 0:
            columns = np.r_[columns, self.x[t - 1]]
            signs, costs = np.r_[signs, -signs], np.r_[costs, -costs]
        if year.budget is not None and case.rules.carry:
            self._limit_all_until(t)
        elif year.budget is not None:
            beds = self.convert[t]
            before = self.convert[t - 1] if t > 0 else beds[:0]
            price = np.r_[np.full(len(beds), case.bed_price), np.full(len(before), -case.bed_price)]
            limit = year.budget / float(case.cost.step)
            if case.cost.exact:
                limit = float(np.floor(limit + 1e-9 * max(1.0, limit))) + 0.5
            program.row(np.r_[columns, beds, before], np.r_[costs, price], upper=limit)
        if year.sites is not None:
            program.row(columns, signs, upper=float(year.sites))

    def _limit_all_until(self, t: int) -> None:
        """Keep what all years until `t` spend within what all of them have; one without a budget has no limit."""
        budgets = [year.budget for year in self.years[: t + 1]]
        if any(budget is None for budget in budgets):
            return
        case, beds = self.case, self.convert[t]
        limit = float(sum(Fraction(str(budget)) for budget in budgets) / case.cost.step)
        if case.cost.exact:
            limit = float(np.floor(limit + 1e-9 * max(1.0, limit))) + 0.5
        costs = np.where(case.stands, 0.0, case.cost.counts)
        price = np.full(len(beds), case.bed_price)
        self.model.program.row(np.r_[self.x[t], beds], np.r_[costs, price], upper=limit)

    def solve(self, watch: highs.Watch) -> Run:
        """Optimise one objective after the other."""
        program, case = self.model.program, self.case
        answers: list[tuple[str, Literal["min", "max"], Reached, float]] = []
        status: Literal["optimal", "feasible", "infeasible", "no_answer"] = "optimal"
        stages: list[tuple[str, Literal["min", "max"], Any, bool]] = [
            ("elder_years", "max", self._elder_years, case.weight.exact),
            ("cost", "min", lambda: (self.model.cost(), 0.0), case.cost.exact),
            ("open_years", "max", lambda: (self._every(np.where(case.stands, 0.0, 1.0)), 0.0), True),
            ("site_ranks", "min", lambda: (self._every(case.ranks), 0.0), True),
        ]
        if self.elastic:
            needed = float(sum(n.needed for n in self.model.needs))
            stages.insert(0, ("towards_targets", "min", lambda: (self.model.shortfall(), needed), True))
        for name, sense, objective, whole in stages:
            answer, constant = program.attempt(objective, sense, whole=whole, watch=watch)
            if answer.indistinct:
                status = "feasible"
                continue
            if answer.value is None:
                if not answers:
                    return Run(answer.status, (), {}, answer.solver)
                status = "feasible"
                break
            answers.append((name, sense, answer, constant))
            if answer.status != "optimal":
                status = "feasible"
        x = answers[-1][2].x
        opens = {}
        for j, site_id in enumerate(case.ids):
            when = [
                year.year for year, columns in zip(self.years, self.x, strict=True) if x[columns[j]] > 0.5
            ]
            if when and site_id not in case.movable:
                opens[site_id] = when[0]
        return Run(status, tuple(answers), opens, next(a[2].solver for a in reversed(answers)))

    def _every(self, values: Floats) -> Floats:
        objective = np.zeros(len(self.model.program.lower))
        for x in self.x:
            objective[x] = values
        return objective

    def _elder_years(self) -> tuple[Floats, float]:
        """Return elders within the cutoff, summed over years, in exact steps, and the part that no choice changes."""
        program, weight = self.model.program, self.case.weight.counts
        parts: list[tuple[Integers, Floats]] = []
        reach = near_centres(self.case)
        constant = float(weight[reach.today].sum()) * len(self.years)
        cover, elders = _merged(reach, weight)
        coo = cover.tocoo()
        for x in self.x:
            z = program.columns(len(elders), integer=False)
            program.rows(
                np.r_[np.arange(len(z)), coo.row],
                np.r_[z, x[coo.col]],
                np.r_[np.ones(len(z)), -np.ones(len(coo.row))],
                count=len(z),
                upper=0.0,
            )
            parts.append((z, elders))
        objective = np.zeros(len(program.lower))
        for z, elders in parts:
            objective[z] = elders
        return objective, constant


def _merged(reach: Near, weight: Floats) -> tuple[Any, Floats]:
    """Return (groups × sites, elders by group) of the demand not reached today, merged where cover sets are equal."""
    cover = reach.within.tocsc()
    groups: dict[bytes, int] = {}
    rows: list[Integers] = []
    elders: list[float] = []
    for i in np.flatnonzero(~reach.today & (weight > 0) & (np.diff(cover.indptr) > 0)):
        sites = np.sort(cover.indices[cover.indptr[i] : cover.indptr[i + 1]]).astype(np.int64)
        at = groups.setdefault(sites.tobytes(), len(rows))
        if at == len(rows):
            rows.append(sites)
            elders.append(0.0)
        elders[at] += weight[i]
    indptr = np.r_[0, np.cumsum([len(r) for r in rows])].astype(np.int64)
    columns = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
    matrix = sparse.csr_array(
        (np.ones(len(columns)), columns, indptr), shape=(len(rows), reach.within.shape[0])
    )
    return matrix, np.array(elders)
