"""Say why each site is in a plan: what it brings, what would do as well, what its absence costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage._frames import metric_crs
from sy_coverage.errors import InputError
from sy_coverage.siting.cells import PlanFrames
from sy_coverage.siting.planning.check.beat import Tally
from sy_coverage.siting.planning.check.figures import nearest_of
from sy_coverage.siting.planning.explain.units import about
from sy_coverage.siting.planning.rules.bars import medical_minutes
from sy_coverage.siting.planning.rules.stations import services
from sy_coverage.siting.planning.rules.targets import (
    coverage_kinds,
    medical_kinds,
    near_centres,
    present_today,
)
from sy_coverage.siting.planning.stages import without
from sy_coverage.siting.reasons import reason_frame
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray
    from pandas import DataFrame

    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.planning.stages import Solved
    from sy_coverage.siting.reasons import Row
    from sy_coverage.siting.solve.highs import SolveOptions


def shown(case: PlanCase) -> PlanFrames:
    """Return of a case what is shown of a plan."""
    return PlanFrames(case.units, case.open_facilities, case.listed, case.policy)


@dataclass(frozen=True)
class Reasons:
    """The answer to `plan.why()`, worked out when it is asked for."""

    case: PlanCase
    solved: Solved
    options: SolveOptions
    phase: Mapping[str, int] = field(default_factory=dict)
    """Year in which each site opens, in a plan of several years."""

    def frames(self) -> PlanFrames:
        """Return what the plan was made from, to show it."""
        return shown(self.case)

    def __call__(self) -> DataFrame:
        """Return the reasons for each site of the plan, indexed by `site_id`, ordered by id."""
        rows: list[Row] = []
        context = _Context.of(self.case, self.solved)
        with highs.Watch(self.options) as watch:
            for site_id in self.case.opened_in(self.solved.sites):
                found = list(_of_site(context, site_id))
                if self.phase:
                    opens = {"reason_id": "opens_in", "subject": site_id, "value": self.phase[site_id]}
                    found = [opens, *found]
                else:
                    found += [
                        *_alternative(context, context.case.position(site_id)),
                        *_without(context, site_id, watch),
                    ]
                rows += [{"site_id": site_id, **row} for row in found]
        return reason_frame(rows, policy=self.case.policy, index="site_id")


@dataclass(frozen=True)
class Told:
    """The answer to `plan.why()` as it was worked out elsewhere."""

    frame: DataFrame
    again: Callable[[], PlanCase] | None = field(default=None, compare=False, repr=False)
    """Reads once more what the plan was made from; it does not travel to other processes."""

    def frames(self) -> PlanFrames | None:
        """Return what the plan was made from, to show it; None where nobody knows it here."""
        return None if self.again is None else shown(self.again())

    def __call__(self) -> DataFrame:
        """Return the reasons for each site of the plan."""
        return self.frame

    def __reduce__(self) -> tuple[type[Told], tuple[DataFrame]]:
        """Leave behind the way to the case: it leads to all that a study holds."""
        return Told, (self.frame,)


def case_of(plan: SitingPlan) -> PlanCase:
    """Return what a plan of `policy_plan` was made from.

    Raises
    ------
    InputError
        If it is no such plan, has no sites, or was read from a file.
    """
    if isinstance(plan.reasons, Reasons):
        return plan.reasons.case
    if isinstance(plan.reasons, Told) and plan.reasons.again is not None:
        return as_kept(plan, plan.reasons.again())
    raise InputError(
        "this needs a plan of policy_plan that has sites, with what it was made from; an infeasible one has "
        "figures.attainable, and one that was read again needs its study"
    )


def as_kept(plan: SitingPlan, case: PlanCase) -> PlanCase:
    """Return `case` without the rules that a plan of it gave up: those that its certificate does not name."""
    asked = dict(plan.certificate.options) if plan.certificate else {}
    gone = [n for n in ("beds_per_elder", "budget") if asked.get(n) == "None"]
    return case.but(**{n: None for n in gone if getattr(case.rules, n) is not None})


@dataclass(frozen=True)
class _Context:
    """What the reasons of all sites of one plan share."""

    case: PlanCase
    solved: Solved
    tally: Tally
    x: NDArray[np.bool_]
    metres: NDArray[np.float64]
    """x and y of each candidate in metres."""
    medical_min: NDArray[np.float64]

    @classmethod
    def of(cls, case: PlanCase, solved: Solved) -> _Context:
        x = np.zeros(len(case.ids), dtype=bool)
        x[[case.position(s) for s in solved.sites]] = True
        points = case.candidates.geometry.to_crs(metric_crs(case.units))
        metres = np.column_stack([points.x, points.y])
        return cls(case, solved, Tally(case), x, metres, medical_minutes(case))


def _of_site(context: _Context, site_id: str) -> Iterator[Row]:
    """Yield what one site brings: what it alone covers, whom it brings into reach, minutes, cost, the nearest alternative."""
    case, j = context.case, context.case.position(site_id)
    site = case.candidates.loc[site_id]
    if case.required[j]:
        yield {"reason_id": "required", "subject": site_id}
    home = site["upgrade_of"]
    if isinstance(home, str) and home:
        leaves = case.policy.readings.rebuilt == "leaves"
        yield {"reason_id": "rebuilds" if leaves else "rebuilds_beside", "subject": home}
    closed = context.x.copy()
    closed[j] = False
    yield from _alone(context, closed, j)
    yield from _served(context, site_id, j)
    if site["kind"] in coverage_kinds(case):
        yield from _elders(context, site_id, j, float(site["cost"]))
    elif site["kind"] in case.times:
        yield from _own_elders(context, site_id, str(site["kind"]))
    if site["kind"] in medical_kinds(case) and np.isfinite(context.medical_min[j]):
        yield {"reason_id": "medical_min", "subject": site_id, "value": context.medical_min[j]}


def _served(context: _Context, site_id: str, j: int) -> Iterator[Row]:
    """Yield the village clusters that the new centre of its unit serves through this station."""
    mine = [s for s in services(context.case) if context.x[s.centre] and j in s.stations]
    clusters = tuple(sorted({s.cluster for s in mine}))
    if clusters:
        unit_id = str(context.case.candidates.loc[site_id, "unit_id"])
        walk = context.case.rules.station_walk_min
        row = {"reason_id": "station_serves", "subject": unit_id, "value": len(clusters), "other": walk}
        yield row | {"places": clusters}


def _alone(context: _Context, closed: NDArray[np.bool_], j: int) -> Iterator[Row]:
    """Yield the units only this site covers, and the targets that fail without it."""
    case, tally = context.case, context.tally
    kind = tally.kinds[j]
    if kind in coverage_kinds(case):
        lost = tally.covered(kind, context.x[:, None])[:, 0] & ~tally.covered(kind, closed[:, None])[:, 0]
        for unit_id in case.units.index[lost]:
            yield {"reason_id": "covers_alone", "subject": unit_id, "places": (unit_id,)}
    for need in tally.needs:
        left = int(tally.reached(need, closed[:, None])[0])
        if left < need.needed <= int(tally.reached(need, context.x[:, None])[0]):
            yield about(need, "target_fails_without", left)


def _elders(context: _Context, site_id: str, j: int, cost: float) -> Iterator[Row]:
    """Yield elders brought within the cutoff (each counted for the nearest new centre), reached by no other, and minutes saved."""
    case = context.case
    reach, kind = near_centres(case), str(case.candidates.loc[site_id, "kind"])
    near, who = nearest_of(case, kind, [*case.standing.ids, *context.solved.sites])
    elders = case.demand[case.elders_column].to_numpy(float)
    counts = reach.within.T @ context.x.astype(float) + reach.today
    today = reach.today | (reach.within.T @ case.stands.astype(float) > 0)
    mine = np.zeros(len(elders), dtype=bool)
    mine[reach.within.indices[reach.within.indptr[j] : reach.within.indptr[j + 1]]] = True
    nearest_here = (who == site_id).to_numpy()
    gained = float(elders[mine & nearest_here & ~today].sum())
    only = float(elders[mine & (counts == 1)].sum())
    before, after = _minutes_today(case, kind), near.to_numpy(float)
    # where no way of today is known nobody can say what is saved
    knew, first = nearest_here & np.isfinite(before), nearest_here & np.isinf(before)
    saved = float((elders[knew] * (before[knew] - after[knew])).sum())
    row: Row = {"reason_id": "elders_gained", "subject": site_id, "value": gained, "other": saved}
    yield row | {"places": _first_in(case, j)}
    if only:
        yield {"reason_id": "elders_only_here", "subject": site_id, "value": only}
    if elders[knew].any():
        served = float(elders[knew].sum())
        yield {"reason_id": "minutes_saved", "subject": site_id, "value": saved / served, "other": served}
    if elders[first].any():
        served, taken = float(elders[first].sum()), float((elders[first] * after[first]).sum())
        yield {"reason_id": "reached_first", "subject": site_id, "value": served, "other": taken / served}
    if gained:
        yield {"reason_id": "cost_per_elder", "subject": site_id, "value": cost * 10_000 / gained}


def _minutes_today(case: PlanCase, kind: str) -> NDArray[np.float64]:
    """Return minutes to the nearest facility of `kind` that stands; inf beyond the times."""
    near, _ = nearest_of(case, kind, [*case.facilities.index, *case.movable])
    return np.asarray(near.fillna(np.inf), dtype=np.float64)


def _first_in(case: PlanCase, j: int) -> tuple[str, ...]:
    """Return the unit of a candidate where it has no open facility of the kind today."""
    unit_id, kind = case.candidates["unit_id"].iloc[j], case.candidates["kind"].iloc[j]
    has = pd.Series(present_today(case, kind), index=case.units.index)
    return (unit_id,) if unit_id in has.index and not has[unit_id] else ()


def _own_elders(context: _Context, site_id: str, kind: str) -> Iterator[Row]:
    """Yield for how many elders of its county a home is the nearest, and their mean minutes."""
    case = context.case
    county = case.county_of_site[case.position(site_id)]
    mine = [s for s in context.solved.sites if case.candidates.loc[s, "kind"] == kind]
    standing = case.standing.ids[case.standing.of_kind(kind) & (case.county_of_facility == county)]
    own = [s for s in mine if case.county_of_site[case.position(s)] == county]
    near, who = nearest_of(case, kind, [*standing, *own])
    elders = pd.Series(case.people(kind), index=case.demand.index)
    here = (who == site_id) & (case.demand["unit_id"].map(case.units["county_id"]) == county)
    served = float(elders[here].sum())
    if served:
        mean = float((elders * near)[here].sum()) / served
        yield {"reason_id": "nearest_home_of", "subject": site_id, "value": served, "other": mean}


def _alternative(context: _Context, j: int) -> Iterator[Row]:
    """Yield the nearest other site of the kind that would keep every rule, and what choosing it would cost."""
    case, tally = context.case, context.tally
    others = (tally.kinds == tally.kinds[j]) & ~context.x & tally.open & ~case.stands
    others &= case.county_of_site == case.county_of_site[j]
    at = np.flatnonzero(others)
    # to the decimetre: places equally far are told apart by id, not by rounding
    away = np.round(np.hypot(*(context.metres[at] - context.metres[j]).T), 1)
    at, away = at[np.lexsort((at, away))], np.sort(away)
    sets = np.repeat(context.x[:, None], len(at), axis=1)
    sets[j] = False
    sets[at, np.arange(len(at))] = True
    good = tally.allowed(sets) if context.solved.elastic else tally.best(sets)
    if not good.any():
        yield {"reason_id": "no_alternative", "subject": case.ids[j]}
        return
    first = int(np.flatnonzero(good)[0])
    k = int(at[first])
    more = float((tally.cost[k] - tally.cost[j]) * case.cost.step)
    reason = (
        "alternative_dearer" if more > 0 else "alternative_cheaper" if more < 0 else "alternative_same_cost"
    )
    row = {"reason_id": reason, "subject": case.ids[k], "value": abs(more), "other": away[first] / 1000}
    if more <= 0 and tally.kinds[j] in coverage_kinds(case):
        now, then = (_within(case, s) for s in (context.x, sets[:, first]))
        if then < now:
            row |= {"reason_id": "alternative_fewer_elders", "value": now - then}
    yield row


def _within(case: PlanCase, x: NDArray[np.bool_]) -> float:
    reach = near_centres(case)
    near = reach.today | (reach.within.T @ x.astype(float) > 0)
    return float(case.demand[case.elders_column].to_numpy(float)[near].sum())


def _without(context: _Context, site_id: str, watch: highs.Watch) -> Iterator[Row]:
    """Yield whether the site is in every optimum: forbid it, solve cost and elders again, and compare."""
    case, solved = context.case, context.solved
    j = case.position(site_id)
    if case.required[j] or case.rules.differ_from or case.rules.adopted:
        return
    status, values = without(case, j, watch=watch, elastic=solved.elastic)
    if status == "infeasible":
        yield {"reason_id": "cannot_do_without", "subject": site_id}
        return
    if status != "optimal" or solved.status != "optimal":
        return  # nothing is proved, so nothing is said
    for before in solved.stages:
        after = values.get(before.objective_id, before.value)
        if not highs.same(before.value, after):
            worse = abs(after - before.value)
            yield {"reason_id": f"in_every_optimum_{before.objective_id}", "subject": site_id, "value": worse}
            return
    yield {"reason_id": "exchangeable", "subject": site_id}
