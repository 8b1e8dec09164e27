"""Say in planning words why targets cannot be met, what would be the smallest change, and what can be had meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.policy.targets import CITY
from sy_coverage.roads.travel_times import shortest
from sy_coverage.siting.plan import Certificate, PlanFigures, SitingPlan
from sy_coverage.siting.planning.certify import finished
from sy_coverage.siting.planning.explain.remarks import to_look_at
from sy_coverage.siting.planning.explain.units import left_out
from sy_coverage.siting.planning.rules.bars import too_close, too_far_from_care
from sy_coverage.siting.planning.rules.beds import bed_table, too_short_of_beds
from sy_coverage.siting.planning.rules.stations import barred_stations, services
from sy_coverage.siting.planning.rules.targets import (
    covered_today,
    near_enough,
    requirements,
    too_far_today,
)
from sy_coverage.siting.planning.stages import solve_stages
from sy_coverage.siting.reasons import reason_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.planning.rules.plan_rules import PlanRules
    from sy_coverage.siting.planning.rules.targets import Requirement
    from sy_coverage.siting.planning.stages import Solved
    from sy_coverage.siting.solve import highs


GIVEN_UP = (
    "beds_per_elder",
    "worst_min",
    "running_budget",
    "cost_limit",
    "spread_min",
    "station_walk_min",
    "budget",
)
"""Rules that may keep every plan from being, in the order in which the plan that can be had meanwhile gives one up."""


def explained(case: PlanCase, solved: Solved, *, watch: highs.Watch) -> SitingPlan:
    """Return the plan of a case that cannot meet its targets: no sites, the reasons, and the best plan meanwhile."""
    asked = case.rules
    rows = [*reasons(case), *_too_few_beds(case)]
    # forced sites that clash can make even the softened problem impossible
    meanwhile = solve_stages(case, watch=watch, elastic=True)
    if meanwhile.status == "infeasible":
        given_up, case, meanwhile = _without_rules(case, meanwhile, watch)
        rows += _in_the_way(
            case, asked, given_up, beds_said=any(r["reason_id"] == "too_few_beds" for r in rows)
        )
    attainable: SitingPlan | None = None
    if meanwhile.figures is not None:
        short = meanwhile.figures.targets
        rows += [
            {
                "reason_id": "smallest_change",
                "subject": row.scope_id,
                "target_id": row.target_id,
                "scope_id": row.scope_id,
                "value": row.reached,
                "other": row.needed,
            }
            for row in short[~short["met"]].itertuples()
        ]
        attainable = finished(case, meanwhile, options=watch.options)
    certificate = Certificate(
        problem="policy_plan",
        rules=(),
        stages=attainable.certificate.stages[:1] if attainable and attainable.certificate else (),
        solver=meanwhile.solver or solved.solver,
        options=asked.written(),
        heuristic_value=None,
        notes=("no choice of candidates meets every target",),
    )
    return SitingPlan(
        (),
        "infeasible",
        None,
        None,
        None,
        certificate,
        findings=reason_frame(rows, policy=case.policy),
        figures=PlanFigures(attainable=attainable, targets_met=False),
    )


def _without_rules(
    case: PlanCase, solved: Solved, watch: highs.Watch
) -> tuple[tuple[str, ...], PlanCase, Solved]:
    """Return the rules that must be given up for any plan to be, and the case and the best plan without them.

    One where one is enough; else all that there are. None where that does not help either.
    """
    there = [name for name in GIVEN_UP if getattr(case.rules, name) is not None]
    for names in [*([name] for name in there), *([there] if len(there) > 1 else [])]:
        changes: dict[str, Any] = dict.fromkeys(names)
        if "beds_per_elder" in changes:
            changes["beds_share"] = 1.0
        other = case.but(**changes)
        meanwhile = solve_stages(other, watch=watch, elastic=True)
        if meanwhile.status != "infeasible":
            return tuple(names), other, meanwhile
    return (), case, solved


def _in_the_way(
    case: PlanCase, asked: PlanRules, given_up: tuple[str, ...], *, beds_said: bool
) -> Iterator[dict[str, object]]:
    """Yield the rules without which there is a plan, of the longest way also the villages that nothing can bring so near."""
    for name in given_up:
        if name == "beds_per_elder" and beds_said:
            continue
        row: dict[str, object] = {"subject": CITY, "value": getattr(asked, name)}
        far = _villages_too_far(case, asked.worst_min) if name == "worst_min" else ()
        if far:
            yield row | {"reason_id": "villages_too_far", "places": far}
        else:
            yield row | {"reason_id": f"rule_in_the_way_{name}"}


def _villages_too_far(case: PlanCase, limit: float | None) -> tuple[str, ...]:
    """Return the villages with elders that nothing which stands or may open brings within `limit` minutes."""
    if limit is None:
        return ()
    strict = case.but(worst_min=limit)
    far: set[int] = set()
    for kind, villages in too_far_today(strict).items():
        near = near_enough(strict, kind)[~strict.forbidden]
        reached = np.asarray(near.sum(axis=0)).ravel() > 0
        far |= {int(v) for v in villages if not reached[v]}
    return tuple(str(case.demand.index[v]) for v in sorted(far))


def within_budget(case: PlanCase, solved: Solved, *, watch: highs.Watch) -> SitingPlan:
    """Return the plan that comes nearest to the targets with a budget that cannot meet them all."""
    meanwhile = solve_stages(case, watch=watch, elastic=True)
    cost = solved.figures.cost if solved.figures is not None else None
    found: list[dict[str, object]] = [
        {"reason_id": "budget_too_small", "subject": CITY, "value": case.rules.budget, "other": cost}
    ]
    if meanwhile.figures is None:
        if meanwhile.status == "infeasible":
            return explained(case, solved, watch=watch)
        return finished(case, meanwhile, options=watch.options)
    short = meanwhile.figures.targets
    found += [
        {
            "reason_id": "target_missed",
            "subject": row.scope_id,
            "target_id": row.target_id,
            "scope_id": row.scope_id,
            "value": row.reached,
            "other": row.needed,
        }
        for row in short[~short["met"]].itertuples()
    ]
    found += [*left_out(case, meanwhile.sites), *to_look_at(case, meanwhile.sites)]
    frame = reason_frame(found, policy=case.policy)
    plan = finished(case, meanwhile, options=watch.options, findings=frame)
    return replace(plan, figures=replace(plan.figures, least_cost=cost))


def _too_few_beds(case: PlanCase) -> list[dict[str, object]]:
    """Return the counties whose elders lack beds in reach even when every candidate opens."""
    there = bed_table(case, case.ids)
    return [
        {
            "reason_id": "too_few_beds",
            "subject": county_id,
            "scope_id": county_id,
            "value": row["needed"] - row["short"],
            "other": row["needed"],
        }
        for county_id, row in there.loc[too_short_of_beds(case, there)].iterrows()
    ]


def _without_stations(case: PlanCase) -> list[dict[str, object]]:
    """Return the units in which no centre can open because a village cluster has no station, standing or possible."""
    by_unit: dict[str, set[str]] = {}
    for service in services(case):
        if not len(service.stations):
            unit_id = str(case.candidates["unit_id"].iloc[service.centre])
            by_unit.setdefault(unit_id, set()).add(service.cluster)
    return [
        {
            "reason_id": "no_station_in_walk",
            "subject": unit_id,
            "value": len(clusters),
            "other": case.rules.station_walk_min,
            "places": tuple(sorted(clusters)),
        }
        for unit_id, clusters in sorted(by_unit.items())
    ]


def reasons(case: PlanCase) -> Iterator[dict[str, object]]:
    """Yield the cheap reasons why targets cannot be met, each naming the place and the numbers."""
    barred = case.forbidden.copy()
    if case.rules.medical == "bar":
        barred[too_far_from_care(case)] = True
    clash = too_close(case)
    barred[clash.barred] = True
    barred[barred_stations(case)] = True
    yield from _without_stations(case)
    apart = {(int(a), int(b)) for a, b in clash.both}
    for need in requirements(case):
        if not need.missing:
            continue
        if need.counts == "units":
            yield from _of_units(case, need, barred)
        else:
            yield from _of_sites(case, need, barred, apart)


def _of_units(case: PlanCase, need: Requirement, barred: np.ndarray) -> Iterator[dict[str, object]]:
    covered = covered_today(case, need.kind)
    usable = case.candidates[(case.candidates["kind"] == need.kind).to_numpy() & ~barred]
    said = {"target_id": need.target_id, "scope_id": need.scope_id, "subject": need.scope_id}
    if case.rules.rule in {"presence", "both"}:
        here = case.facilities[case.facilities["kind"] == need.kind]
        has = case.units.index.isin(here["unit_id"].dropna()) | case.units.index.isin(usable["unit_id"])
        without = [u for u in need.members if not has[u]]
        can = len(need.members) - len(without)
        if can < need.needed:
            yield said | {
                "reason_id": "too_few_units_with_candidate",
                "value": can,
                "other": need.needed,
                "places": tuple(case.units.index[without]),
            }
            return
    if case.rules.rule in {"access", "both"}:
        reach = case.reach(need.kind)
        rows = case.candidates.index.get_indexer(usable.index)
        near = reach.today | (np.asarray(reach.within[rows].sum(axis=0)).ravel() > 0)
        unit = case.units.index.get_indexer(case.demand["unit_id"])
        elders = case.demand[case.elders_column].to_numpy(float)
        part = np.bincount(unit, weights=elders * near, minlength=len(case.units))
        whole = np.bincount(unit, weights=elders, minlength=len(case.units))
        short = [u for u in need.members if not covered[u] and part[u] < case.share * whole[u] - 1e-9]
        can = len(need.members) - len(short)
        if can < need.needed:
            yield said | {
                "reason_id": "too_few_units_in_reach",
                "value": can,
                "other": need.needed,
                "places": tuple(case.units.index[short]),
            }
            for u in short:
                yield said | {
                    "reason_id": "no_candidate_in_reach",
                    "subject": case.units.index[u],
                    "value": part[u] / whole[u] if whole[u] else np.nan,
                    "other": case.share,
                    "places": (case.units.index[u],),
                }
                longer = _cutoff_for(case, need.kind, int(u), rows)
                if longer is not None:
                    yield said | {
                        "reason_id": "smallest_cutoff",
                        "subject": case.units.index[u],
                        "value": longer,
                        "other": case.cutoffs(need.kind)[case.unit_of_demand == u][0],
                        "places": (case.units.index[u],),
                    }


def _of_sites(
    case: PlanCase, need: Requirement, barred: np.ndarray, apart: set[tuple[int, int]]
) -> Iterator[dict[str, object]]:
    usable = [int(j) for j in need.members if not barred[j]]
    said = {
        "target_id": need.target_id,
        "scope_id": need.scope_id,
        "subject": need.scope_id,
        "other": need.needed,
    }
    most = need.have + len(usable) + len(need.unless)
    if most < need.needed:
        out = tuple(case.ids[j] for j in need.members if barred[j])
        reason = "no_upgrade_candidate" if need.upgrades else "too_few_candidates"
        yield said | {"reason_id": reason, "value": most, "places": out}
    elif need.missing >= 2 and not any(
        (a, b) not in apart for i, a in enumerate(usable) for b in usable[i + 1 :]
    ):
        yield said | {
            "reason_id": "no_two_homes_apart",
            "value": case.rules.spread_min,
            "places": tuple(case.ids[j] for j in usable),
        }
        closer = _widest_pair(case, usable)
        if need.missing == 2 and closer is not None:
            yield said | {"reason_id": "smallest_spread", "value": closer, "other": case.rules.spread_min}


def _cutoff_for(case: PlanCase, kind: str, unit: int, rows: NDArray[np.int64]) -> float | None:
    """Return the shortest travel time that would bring the share of a unit's elders into reach; None beyond the times."""
    reach = case.reach(kind)
    inside = np.flatnonzero(case.units.index.get_indexer(case.demand["unit_id"]) == unit)
    near = np.minimum(reach.today_min[inside], shortest(reach.minutes[rows][:, inside]))
    elders = case.demand[case.elders_column].to_numpy(float)[inside]
    order = np.argsort(near, kind="stable")
    enough = np.cumsum(elders[order]) >= case.share * elders.sum() - 1e-9
    longest = near[order][enough]
    return float(longest[0]) if len(longest) and np.isfinite(longest[0]) else None


def _widest_pair(case: PlanCase, usable: list[int]) -> float | None:
    """Return the minutes of the two usable homes that are farthest apart, the shorter direction of each pair."""
    if case.between_homes is None or len(usable) < 2:
        return None
    names = {case.ids[j] for j in usable}
    pairs = case.between_homes.to_frame()
    pairs = pairs[pairs["site_id"].isin(names) & pairs["demand_id"].isin(names)]
    pairs = pairs[pairs["site_id"] != pairs["demand_id"]]
    both = pairs[["site_id", "demand_id"]].apply(lambda p: tuple(sorted(p)), axis=1)
    return float(pairs.groupby(both)["minutes"].min().max()) if len(pairs) else None
