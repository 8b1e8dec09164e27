"""Write the rules of one plan as columns and rows: sites, covered units, elders within the cutoff, elder-minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.errors import InputError, some
from sy_coverage.siting.planning.model.bed_rows import rows_of_beds, tied_by_beds
from sy_coverage.siting.planning.model.minutes import shorter
from sy_coverage.siting.planning.model.reduce import access_rows, cheapest_pools, least_reached
from sy_coverage.siting.planning.rules.bars import heirs, hosts, one_of, too_close, too_far_from_care
from sy_coverage.siting.planning.rules.nursing import conversion_cost
from sy_coverage.siting.planning.rules.stations import barred_stations, services
from sy_coverage.siting.planning.rules.targets import (
    Near,
    Requirement,
    counted_kinds,
    coverage_kinds,
    covered_today,
    near_centres,
    near_enough,
    present_today,
    requirements,
    too_far_today,
)
from sy_coverage.siting.solve.stages import Program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.planning.rules.case import PlanCase, Reach

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class Model:
    """The rules of a case as a program, to which each stage adds what its objective needs."""

    def __init__(
        self,
        case: PlanCase,
        *,
        elastic: bool = False,
        forbidden: tuple[int, ...] = (),
        cheapest: bool = True,
        beside: Model | None = None,
    ) -> None:
        """Write all rules.

        Parameters
        ----------
        elastic
            Targets may be missed, at one shortfall a unit or site that is lacking.
        forbidden
            Positions of candidates that stay closed.
        cheapest
            Cost is minimised first (after shortfalls), so that sites which no cheapest plan opens can be left out.
        beside
            A model of the same columns, whose sites these rules are written over too: what opens keeps the rules of both.
        """
        self.case = case
        self.elastic = elastic
        self.needs: tuple[Requirement, ...] = requirements(case)
        self.x: Integers
        self.program: Program = Program() if beside is None else beside.program
        lower = case.required.astype(float)
        upper = np.ones(len(case.ids))
        upper[list(forbidden)] = 0.0
        upper[case.forbidden] = 0.0
        if case.rules.medical == "bar":
            upper[too_far_from_care(case)] = 0.0
        self.clash = too_close(case)
        upper[self.clash.barred] = 0.0
        upper[barred_stations(case)] = 0.0
        if beside is not None:
            lower = np.maximum(lower, beside.program.lower[beside.x])
            upper = np.minimum(upper, beside.program.upper[beside.x])
        stuck = np.flatnonzero(lower > upper)
        if len(stuck):
            raise InputError(
                f"candidates: required, but barred by spread, by distance to medical care, by floor area, for want of stations, or forbidden: "
                f"{some(case.ids[i] for i in stuck)}; do not require them, or relax the rule"
            )
        self.by_access = {kind: access_rows(case, kind, upper) for kind in coverage_kinds(case)}
        # where a plan may cost more than it must, sites open that no cheapest plan opens
        cheapest = (
            cheapest and case.rules.cost_limit is None and not (case.rules.differ_from or case.rules.adopted)
        )
        # with a budget that falls short, what is cheapest in one place is weighed against another: nothing is beaten
        if cheapest and (not elastic or case.rules.budget is None):
            self.groups, beaten = self._reduce(upper)
            upper[beaten] = 0.0
        else:
            self.groups = []
        if cheapest:
            self.groups += [np.array([j]) for j in np.flatnonzero(lower)]
        if beside is None:
            self.x = self.program.columns(len(case.ids), lower=lower, upper=upper, integer=True)
        else:
            self.x = beside.x
            self.program.lower[self.x], self.program.upper[self.x] = lower, upper
        self.short = np.empty(0, dtype=np.int64)
        self._elders: dict[tuple[str, ...], tuple[Integers, Integers, Floats]] = {}
        self._rows_of_sites()
        self.convert = rows_of_beds(case, self.program, self.x, priced=not cheapest)
        for limit in (case.rules.budget, case.rules.cost_limit):
            if limit is not None:
                self._row_of_cost(limit)
        for need in self.needs:
            self._row_of(need)

    # --- rules ----------------------------------------------------------------------------------------------------

    def _rows_of_sites(self) -> None:
        case, program = self.case, self.program
        for a, b in self.clash.both:
            program.row([a, b], upper=1.0)
        for _, group in one_of(case):
            program.row(group, upper=1.0)
        for dependent, hosts_ in hosts(case):
            program.row(np.r_[dependent, hosts_], np.r_[1.0, -np.ones(len(hosts_))], upper=0.0)
        for facility, instead, may_close in heirs(case):
            for j in instead:
                program.row([facility, j], upper=1.0)
            if not may_close:
                program.row(np.r_[facility, instead], lower=1.0)
        self._rows_for_all()
        for service in services(case):
            group = service.stations
            program.row(np.r_[service.centre, group], np.r_[1.0, -np.ones(len(group))], upper=0.0)

    def _rows_for_all(self) -> None:
        """Keep every village near a centre, and the yearly cost of running the sites within its limit."""
        case, program = self.case, self.program
        for kind, villages in too_far_today(case).items():
            near = near_enough(case, kind).tocsc()
            for village in villages:
                sites = near.indices[near.indptr[village] : near.indptr[village + 1]]
                program.row(sites, lower=1.0)
        if case.rules.running_budget is not None:
            cost = case.running_costs
            program.row(np.flatnonzero(cost), cost[cost > 0], upper=case.rules.running_budget * (1 + 1e-9))

    def _row_of_cost(self, most: float) -> None:
        """Keep the cost within `most`, in steps of the exact unit; the slack is half a step, so rounding cannot decide."""
        case = self.case
        limit = most / float(case.cost.step) - self.fixed_cost
        room = 1e-6 * max(1.0, abs(limit))
        if case.cost.exact:
            limit, room = np.floor(limit + 1e-9 * max(1.0, abs(limit))), 0.5
        cost = self.cost()
        self.program.row(np.flatnonzero(cost), cost[cost != 0], upper=float(limit + room))

    def _row_of(self, need: Requirement) -> None:
        if need.missing == 0:
            return
        program = self.program
        counted = need.members if need.counts == "sites" else self._units(need)
        columns = np.r_[counted, self._unless(need)]
        values = np.ones(len(columns))
        if self.elastic:
            gap = program.columns(1, upper=float(need.missing), integer=True)
            self.short = np.r_[self.short, gap]
            columns, values = np.r_[columns, gap], np.r_[values, 1.0]
        program.row(columns, values, lower=float(need.missing))

    def _unless(self, need: Requirement) -> Integers:
        """Add a column for each facility that counts only while none of those that stand for the same place is open."""
        program = self.program
        v = program.columns(len(need.unless), integer=False)
        for column, (base, others) in zip(v, need.unless, strict=True):
            if base >= 0:
                program.row([column, base], [1.0, -1.0], upper=0.0)
            for other in others:
                program.row([column, other], upper=1.0)
        return v

    def _units(self, need: Requirement) -> Integers:
        """Add a column for each unit of `need` that is not covered yet, and the rows that let it count."""
        case, program = self.case, self.program
        covered = covered_today(case, need.kind)
        members = need.members[~covered[need.members]]
        y = program.columns(len(members), integer=True)
        if case.rules.rule in {"presence", "both"}:
            present = present_today(case, need.kind)
            for column, unit in zip(y, members, strict=True):
                if not present[unit]:
                    sites = self.sites_in(int(unit), need.kind)
                    program.row(np.r_[column, sites], np.r_[1.0, -np.ones(len(sites))], upper=0.0)
        if case.rules.rule in {"access", "both"}:
            self._rows_of_access(need.kind, y, members)
        return y

    def sites_in(self, unit: int, kind: str) -> Integers:
        """Return the positions of the candidates of `kind` in the unit at position `unit`."""
        by_unit: dict[tuple[int, str], list[int]] = self.__dict__.setdefault("_by_unit", {})
        if not by_unit:
            sites = self.case.sites
            for j, key in enumerate(zip(sites.unit.tolist(), sites.kind, strict=True)):
                by_unit.setdefault(key, []).append(j)
        return np.array(by_unit.get((unit, kind), []), dtype=np.int64)

    def _rows_of_access(self, kind: str, y: Integers, members: Integers) -> None:
        """Share · elders of the unit · y ≤ its elders within the cutoff."""
        case, program = self.case, self.program
        members, y = members[self.by_access[kind][members]], y[self.by_access[kind][members]]
        if not len(members):
            return
        unit = case.unit_of_demand
        weight, sure = case.weight, self.surely(kind)
        z, of_group, group_weight = self._cover(kind)
        unit_of_group = np.full(len(group_weight), -1)
        held = of_group >= 0
        unit_of_group[of_group[held]] = unit[held]
        least_of = least_reached(case)
        part = np.bincount(unit, weights=np.where(sure, weight.counts, 0.0), minlength=len(case.units))
        for column, u in zip(y, members, strict=True):
            least = least_of[u]
            mine = np.flatnonzero(unit_of_group == u)
            program.row(
                np.r_[z[mine], column],
                np.r_[group_weight[mine], -max(0.0, least - part[u])],
                lower=0.0,
            )

    # --- what is known before anything is solved ------------------------------------------------------------------

    def _reduce(self, upper: Floats) -> tuple[list[Integers], Integers]:
        """Return groups of sites of which one opens in every cheapest plan, and sites that open in none.

        Holds by exchange: a site that counts for one requirement only, ties nothing and costs more than the
        cheapest that would count just the same can always be exchanged for it; of independent units the cheapest
        are taken first. Sites that cost nothing are left alone: they are free to open for elders' sake.
        """
        case, cost = self.case, self.case.cost.counts
        tied = self._tied()
        times_counted = np.zeros(len(case.ids), dtype=int)
        pools: list[tuple[Requirement, list[Integers]]] = []
        for need in self.needs:
            pools.append((need, self._pool(need, upper)))
            times_counted[self._counted(need)] += 1
        useless = (times_counted == 0) & ~tied & (cost > 0) & ~case.required
        if case.rules.rule != "presence":
            reaching = self._brings_access()
            useless &= ~reaching
            tied = tied | reaching
        bound = tied | (times_counted > 1)
        groups: list[Integers] = []
        beaten = [np.flatnonzero(useless)]
        for need, pool in pools:
            missing = need.missing - self._opened_by_force(need)
            if self.elastic:  # as many as can be had
                missing = min(missing, sum(len(p) > 0 for p in pool))
            loose = [p for p in pool if len(p) and not bound[p].any() and not self._asks_access(need, p)]
            if need.unless:  # what is missing is not known before it is solved
                loose = []
            kept, sure = cheapest_pools(loose, sum(len(p) > 0 for p in pool), cost, missing)
            groups += sure
            out = np.zeros(len(case.ids), dtype=bool)
            for p in loose:
                out[p] = True
            out[kept] = False
            beaten.append(np.flatnonzero(out & (cost > 0) & ~case.required))
        return groups, np.unique(np.concatenate(beaten))

    def _tied(self) -> Flags:
        """Return which columns are tied to others by a rule, so that they cannot be exchanged by themselves."""
        case = self.case
        tied = np.zeros(len(case.ids), dtype=bool)
        tied[self.clash.both.ravel()] = True
        tied |= tied_by_beds(case)
        for service in services(case):
            tied[service.centre] = True
            tied[service.stations] = True
        for kind, villages in too_far_today(case).items():
            tied |= near_enough(case, kind)[:, villages].sum(axis=1) > 0
        if case.rules.running_budget is not None:
            tied[:] = True
        for dependent, others in hosts(case):
            tied[np.r_[dependent, others]] = True
        for _, group in one_of(case):
            tied[group] = True
        for facility, instead, _ in heirs(case):
            tied[np.r_[facility, instead]] = True
        return tied

    def _asks_access(self, need: Requirement, pool: Integers) -> bool:
        """Whether a pool is of a unit that one site in it does not cover for sure."""
        if need.counts == "sites":
            return False
        return bool(self.by_access[need.kind][self.case.sites.unit[pool[0]]])

    def _brings_access(self) -> Flags:
        """Return which sites bring elders into reach on whom the access of a unit depends."""
        case = self.case
        unit = case.unit_of_demand
        brings = np.zeros(len(case.ids), dtype=bool)
        for kind, rows in self.by_access.items():
            reach = case.reach(kind)
            brings |= reach.within @ (rows[unit] & ~reach.today).astype(float) > 0
        return brings

    def _counted(self, need: Requirement) -> Integers:
        """Return the positions of all candidates that count for `need`."""
        if need.counts == "sites":
            more = [np.r_[[base] * (base >= 0), others].astype(np.int64) for base, others in need.unless]
            return np.unique(np.concatenate([need.members, *more]))
        sites = [self.sites_in(int(u), need.kind) for u in need.members]
        return np.concatenate(sites) if sites else np.empty(0, dtype=np.int64)

    def _pool(self, need: Requirement, upper: Floats) -> list[Integers]:
        """Return the sites that can still open, in groups of which any one meets one of what is missing."""
        case = self.case
        if need.counts == "sites":
            return [np.array([j]) for j in need.members if upper[j] > 0 and not case.required[j]]
        covered = covered_today(case, need.kind)
        pools = [self.sites_in(int(u), need.kind) for u in need.members if not covered[u]]
        return [p[upper[p] > 0] for p in pools if not case.required[p].any()]

    def _opened_by_force(self, need: Requirement) -> int:
        """Return how much of what is missing the required sites bring."""
        case = self.case
        if need.counts == "sites":
            return int(case.required[need.members].sum())
        covered = covered_today(case, need.kind)
        return sum(
            bool(case.required[self.sites_in(int(u), need.kind)].any())
            for u in need.members
            if not covered[u]
        )

    def _certain(self) -> list[Integers]:
        """Return groups of sites of which one is open in every answer that is left."""
        open_ = np.flatnonzero(self.program.lower[self.x] > 0.5)
        return self.groups + [np.array([j]) for j in open_]

    def _reach(self, kinds: tuple[str, ...]) -> Reach | Near:
        """Return who is within the cutoff of a site of one of `kinds`: of one kind, or of all centres."""
        return self.case.reach(kinds[0]) if len(kinds) == 1 else near_centres(self.case)

    def surely(self, *kinds: str) -> Flags:
        """Return which demand is within the cutoff whatever is chosen: today, or by every site of a group that must open."""
        reach = self._reach(kinds)
        sure = reach.today.copy()
        of_kind = self.case.sites.of_kind(*kinds)
        for group in self._certain():
            if of_kind[group].all() and not sure.all():
                counts = np.asarray(reach.within[group].sum(axis=0)).ravel()
                sure |= counts >= len(group)
        return sure

    # --- objectives -----------------------------------------------------------------------------------------------

    def cost(self) -> Floats:
        """Return the cost of each column in exact steps."""
        objective = self._over_sites(self.case.cost.counts)
        objective[self.convert] = self.case.bed_price
        return objective

    @property
    def fixed_cost(self) -> float:
        """Return what conversions of beds cost whichever sites open, in the same steps."""
        step, saved = self.case.cost.step, self.case.saved
        if len(self.convert) or not self.case.rules.conversion_cost:
            return -float(saved / step)
        return float((conversion_cost(self.case, ()) - saved) / step)

    def ranks(self) -> Floats:
        """Return the rank of each site in the list of ids."""
        return self._over_sites(self.case.ranks)

    def shortfall(self) -> Floats:
        """Return 1 for each unit or site a target lacks."""
        objective = np.zeros(len(self.program.lower))
        objective[self.short] = 1.0
        return objective

    def changed(self) -> tuple[Floats, float]:
        """Return how many sites differ from the plan that is under way, as an objective, and what no choice changes of it."""
        adopted = np.isin(self.case.ids, self.case.rules.adopted)
        signs = np.where(self.case.stands, 0.0, np.where(adopted, -1.0, 1.0))
        return self._over_sites(signs), float(len(self.case.rules.adopted))

    def differing(self) -> Floats:
        """Return how many sites of the nearest of the plans to differ from are left out, as an objective."""
        program, earlier = self.program, self.case.rules.differ_from
        t = program.columns(1, upper=float(max(map(len, earlier))), integer=True)
        for sites in earlier:
            mine = [self.case.position(s) for s in sites if s in self.case.sites.row_of]
            program.row(np.r_[t, self.x[mine]], upper=float(len(mine)))
        objective = np.zeros(len(program.lower))
        objective[t] = 1.0
        return objective

    def _over_sites(self, values: Floats) -> Floats:
        objective = np.zeros(len(self.program.lower))
        objective[self.x] = values
        return objective

    def elders(self) -> tuple[Floats, float]:
        """Return the objective *elders within the cutoff* in exact steps, and the part that no choice changes."""
        kinds = coverage_kinds(self.case)
        z, of_group, weights = self._cover(*kinds)
        # what has become sure since its column was made is counted by the column, and not twice
        sure = self.surely(*kinds) & (of_group < 0)
        objective = np.zeros(len(self.program.lower))
        objective[z] = weights
        return objective, float(self.case.weight.counts[sure].sum())

    def _cover(self, *kinds: str) -> tuple[Integers, Integers, Floats]:
        """Return columns of groups of demand with the same cover set, the group of each demand point (−1: none), and elders by group."""
        if kinds in self._elders:
            return self._elders[kinds]
        case, program = self.case, self.program
        free = self.program.upper[self.x] > 0
        cover = self._reach(kinds).within.tocsc()
        unit = case.unit_of_demand
        sure = self.surely(*kinds)
        by_unit = self.by_access[kinds[0]][unit] if len(kinds) == 1 else np.zeros(len(unit), dtype=bool)
        group_of = np.full(len(case.demand), -1)
        sets: dict[tuple[bytes, int], int] = {}
        rows: list[Integers] = []
        for i in np.flatnonzero(~sure & (case.weight.counts > 0)):
            sites = cover.indices[cover.indptr[i] : cover.indptr[i + 1]]
            sites = np.sort(sites[free[sites]]).astype(np.int64)
            if not len(sites):
                continue
            key = (sites.tobytes(), int(unit[i]) if by_unit[i] else -1)
            if key not in sets:
                sets[key] = len(rows)
                rows.append(sites)
            group_of[i] = sets[key]
        held = group_of >= 0
        weights = np.bincount(group_of[held], weights=case.weight.counts[held], minlength=len(rows)).astype(
            float
        )
        z = program.columns(len(rows), integer=False)
        at = np.repeat(np.arange(len(rows)), [len(s) for s in rows])
        program.rows(
            np.r_[np.arange(len(rows)), at],
            np.r_[z, self.x[np.concatenate(rows)]] if rows else np.empty(0),
            np.r_[np.ones(len(rows)), -np.ones(len(at))],
            count=len(rows),
            upper=0.0,
        )
        self._elders[kinds] = (z, group_of, weights)
        return z, group_of, weights

    def minutes_to_centres(self) -> tuple[Floats, float]:
        """Return the objective *elder-minutes saved* on the way to the nearest centre, and the minutes if nothing is saved."""
        return self._saved([(kind, None) for kind in coverage_kinds(self.case)])

    def minutes_to_homes(self) -> tuple[Floats, float]:
        """Return the same for the kinds counted by county, each for the elders of its own county."""
        kinds = [k for k in counted_kinds(self.case) if k in self.case.times]
        return self._saved([(kind, county) for kind in kinds for county in self.case.counties])

    def _saved(self, which: list[tuple[str, str | None]]) -> tuple[Floats, float]:
        program, bonus, base = self.program, np.zeros(len(self.x)), 0.0
        certain, free = self._certain(), program.upper[self.x] > program.lower[self.x]
        added: list[tuple[Integers, Floats]] = []
        for kind, county in which:
            pairs = shorter(self.case, kind, county, certain=certain, free=free)
            base += pairs.base
            np.add.at(bonus, pairs.site[pairs.alone], pairs.saved[pairs.alone])
            together = ~pairs.alone
            site, demand, saved = pairs.site[together], pairs.demand[together], pairs.saved[together]
            a = program.columns(len(site), integer=False)
            each = np.arange(len(site))
            program.rows(
                np.r_[each, each],
                np.r_[a, self.x[site]],
                np.r_[np.ones(len(a)), -np.ones(len(a))],
                count=len(a),
                upper=0.0,
            )
            _, point = np.unique(demand, return_inverse=True)
            program.rows(point, a, 1.0, count=int(point.max()) + 1 if len(point) else 0, upper=1.0)
            added.append((a, saved))
        objective = np.zeros(len(program.lower))
        objective[self.x] = bonus
        for a, saved in added:
            objective[a] = saved
        return objective, base
