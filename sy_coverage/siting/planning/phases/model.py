"""Write a plan of several years as one program: a copy of the sites for each year, with its money and number."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from sy_coverage.siting.planning.model.program import Model
from sy_coverage.siting.planning.model.worst import least_longest_way
from sy_coverage.siting.planning.phases.money import Schedule, parts_in
from sy_coverage.siting.planning.rules.bars import heirs, hosts
from sy_coverage.siting.planning.rules.stations import services
from sy_coverage.siting.planning.rules.targets import near_centres
from sy_coverage.siting.sites import among

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.planning.phases.money import Year
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.planning.rules.targets import Near
    from sy_coverage.siting.solve import highs
    from sy_coverage.siting.solve.stages import Reached

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """How far the stages came, and when each site opens and each facility closes."""

    status: Literal["optimal", "feasible", "infeasible", "no_answer"]
    answers: tuple[tuple[str, Literal["min", "max"], Reached, float], ...]
    """Stage, sense, what was reached, and the constant (or, for shortfalls, what is needed in all)."""
    schedule: Schedule
    solver: str


class Phased:
    """The rules of a case at the last year, and a copy of the sites for each year before."""

    def __init__(self, case: PlanCase, years: tuple[Year, ...], *, elastic: bool) -> None:
        """Write all rules; `elastic`: targets may be missed."""
        self.case, self.years, self.elastic = case, years, elastic
        self.model = Model(case, elastic=elastic, cheapest=False)
        program, last = self.model.program, self.model.x
        count = len(last)
        # what must close by the end stands until it does
        upper = np.where(case.stands, 1.0, program.upper[last])
        self.x = [program.columns(count, upper=upper, integer=True) for _ in years[:-1]] + [last]
        each = np.arange(count)
        later = np.where(case.stands, -1.0, 1.0)  # what stands may only go, what is opened may only come
        for before, after in pairwise(self.x):
            program.rows(
                np.r_[each, each], np.r_[before, after], np.r_[later, -later], count=count, upper=0.0
            )
        for x in self.x[:-1]:
            self._rows_before_the_last(x)
        # beds converted by the end of each year; those of the last year are the model's own
        total = self.model.convert
        most = program.upper[total]
        self.convert = [program.columns(len(total), upper=most, integer=True) for _ in years[:-1]] + [total]
        for early, late in pairwise(self.convert):
            for one, other in zip(early, late, strict=True):
                program.row([one, other], [1.0, -1.0], upper=0.0)
        for t, year in enumerate(years):
            self._limit_money(t)
            if year.sites is not None:
                columns, signs = self.x[t], np.where(case.stands, 0.0, 1.0)
                if t > 0:
                    columns, signs = np.r_[columns, self.x[t - 1]], np.r_[signs, -signs]
                program.row(columns, signs, upper=float(year.sites))

    def _rows_before_the_last(self, x: Integers) -> None:
        """Write what must hold in a year before the last too: hosts, what takes another's place, stations, distances to what stands."""
        program, case = self.model.program, self.case
        for dependent, others in hosts(case):
            program.row(np.r_[x[dependent], x[others]], np.r_[1.0, -np.ones(len(others))], upper=0.0)
        for facility, instead, may_close in heirs(case):
            for j in instead:
                program.row([x[facility], x[j]], upper=1.0)
            if not may_close:
                program.row(np.r_[x[facility], x[instead]], lower=1.0)
        for a, b in self.model.clash.both:  # of two sites that open the last year's row says enough
            if case.stands[a] or case.stands[b]:
                program.row([x[a], x[b]], upper=1.0)
        for service in services(case):
            group = service.stations
            program.row(np.r_[x[service.centre], x[group]], np.r_[1.0, -np.ones(len(group))], upper=0.0)

    def _limit_money(self, t: int) -> None:
        """Keep what a year spends, or all years until it where money is carried over, within the budget, and likewise in each county."""
        case = self.case
        since = range(t + 1) if case.rules.carry else range(t, t + 1)
        for county in (None, *sorted({c for y in self.years for c, _ in y.counties})):
            here = [self.years[s] for s in since]
            budgets = [y.budget if county is None else dict(y.counties).get(county) for y in here]
            if any(budget is None for budget in budgets):
                continue
            mine = np.ones(len(case.ids)) if county is None else (case.county_of_site == county).astype(float)
            total, before, whole = np.zeros(len(self.model.program.lower)), 0.0, 1
            for s in since:
                row, constant, whole = self._paid(s, mine)
                total, before = total + row, before + constant
            limit = float(sum(Fraction(str(b)) for b in budgets) / case.cost.step) * whole - before
            if case.cost.exact:
                limit = float(np.floor(limit + 1e-9 * max(1.0, abs(limit)))) + 0.5
            used = np.flatnonzero(total)
            self.model.program.row(used, total[used], upper=limit)

    def _paid(self, t: int, mine: Floats) -> tuple[Floats, float, int]:
        """Return what year `t` spends as an objective over all columns, in parts of a step of cost, its constant, and how many parts a step has."""
        case, last = self.case, len(self.years) - 1
        counts = np.array([case.rules.paid_over.get(i, 1) for i in case.ids])
        whole = lcm(*np.unique(counts).tolist()) if len(counts) else 1
        row = np.zeros(len(self.model.program.lower))
        share = case.cost.counts * mine * whole / np.where(case.stands, 1, counts)
        for opens in range(len(self.years)):
            now, then = (
                np.array([parts_in(0, o, int(n)).get(t, 0) if o <= last else 0 for n in counts])
                for o in (opens, opens + 1)
            )
            row[self.x[opens]] += np.where(case.stands, 0.0, share * (now - then))
        stands = np.where(case.stands, share, 0.0)
        row[self.x[t]] += stands
        price = case.bed_price * whole
        row[self.convert[t]] += price
        if t == 0:
            return row, -float(stands.sum()), whole
        row[self.x[t - 1]] -= stands
        row[self.convert[t - 1]] -= price
        return row, 0.0, whole

    def solve(self, watch: highs.Watch, *, cheapest: bool = False) -> Run:
        """Optimise one objective after the other; `cheapest`: the cost alone."""
        program, _case = self.model.program, self.case
        answers: list[tuple[str, Literal["min", "max"], Reached, float]] = []
        status: Literal["optimal", "feasible", "infeasible", "no_answer"] = "optimal"
        for name, sense, objective, whole in self._stages(cheapest=cheapest):
            if name == "worst_min":
                answer, constant = least_longest_way(self.model, watch=watch), 0.0
            else:
                answer, constant = program.attempt(objective, sense, whole=whole, watch=watch)
            if answer.indistinct:
                status = "feasible"
                continue
            if answer.value is None:
                if not answers:
                    return Run(answer.status, (), Schedule({}), answer.solver)
                status = "feasible"
                break
            answers.append((name, sense, answer, constant))
            if answer.status != "optimal":
                status = "feasible"
        x = answers[-1][2].x
        solver = next((a[2].solver for a in reversed(answers) if a[2].solver), "")
        return Run(status, tuple(answers), self._schedule(x), solver)

    def _stages(self, *, cheapest: bool) -> list[tuple[str, Literal["min", "max"], Any, bool]]:
        case, model = self.case, self.model
        cost: tuple[str, Literal["min", "max"], Any, bool] = (
            "cost",
            "min",
            lambda: (model.cost(), model.fixed_cost),
            case.cost.exact,
        )
        stages: list[tuple[str, Literal["min", "max"], Any, bool]] = [
            ("elder_years", "max", self._elder_years, case.weight.exact),
            cost,
            ("open_years", "max", self._open_years, True),
            ("site_ranks", "min", lambda: (self._every(case.ranks), 0.0), True),
        ]
        if cheapest:
            return [cost]
        if case.rules.prefer == "worst_min":
            stages.insert(0, ("worst_min", "min", None, False))
        if self.elastic:
            needed = float(sum(n.needed for n in model.needs))
            stages.insert(0, ("towards_targets", "min", lambda: (model.shortfall(), needed), True))
        return stages

    def _open_years(self) -> tuple[Floats, float]:
        """Return in how many years sites are open, less those in which facilities that may close no longer are, and its constant."""
        may_close = self.case.stands & among(self.case.sites.ids, self.case.rules.close)
        values = np.where(self.case.stands & ~may_close, 0.0, 1.0)
        return self._every(values), -float(may_close.sum() * len(self.years))

    def _schedule(self, x: Floats) -> Schedule:
        """Return when sites open and facilities close."""
        case = self.case
        opens: dict[str, int] = {}
        closes: dict[str, int] = {}
        for j, site_id in enumerate(case.ids):
            is_open = [bool(x[columns[j]] > 0.5) for columns in self.x]
            when = [y.year for y, now in zip(self.years, is_open, strict=True) if now != case.stands[j]]
            if when:
                (closes if case.stands[j] else opens)[site_id] = when[0]
        return Schedule(opens, closes)

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
