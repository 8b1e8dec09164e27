"""Recompute a plan from the frames and travel times alone: every rule, every figure, without the solver's model."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.coverage import lies_in
from sy_coverage.policy import reaches_share, units_needed
from sy_coverage.roads.travel_times import shortest, within_cutoff
from sy_coverage.siting.planning.rules import nursing
from sy_coverage.siting.planning.rules.beds import bed_table, too_short_of_beds
from sy_coverage.siting.planning.rules.stations import premises
from sy_coverage.siting.planning.rules.targets import (
    claims_of,
    counted_kinds,
    coverage_kinds,
    medical_kinds,
    places,
    reachable,
    served_kinds,
)
from sy_coverage.siting.sites import among

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.sites import Sites

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Count:
    """Whom a set of open facilities reaches, and which targets it meets."""

    elders_covered: float
    """Elders within the cutoff of an open centre, of whichever kind: a person counts once."""
    targets: DataFrame
    """`target_id`, `scope_id`, `needed`, `reached`, `met`."""

    @property
    def met(self) -> bool:
        """Whether every target is met."""
        return bool(self.targets["met"].all())


@dataclass(frozen=True)
class Figures(Count):
    """What a set of sites comes to."""

    cost: float
    elder_minutes: float
    """Elder-minutes to the nearest centre; elders beyond the times count their longest minutes."""
    home_minutes: float
    """The same for the kinds counted by county, each for those it serves, to the nearest of one's own county."""
    served: DataFrame
    """By kind that is for some of the elders only: `serves`, `people`, `within` the cutoff of one of their own county, `mean_min`."""
    towards_targets: int
    """Units and facilities that count, each target's surplus not counted."""
    broken: tuple[str, ...]
    """Rules that do not hold: ``rule_id:subject``."""
    longest_way_min: float
    """Minutes to the nearest centre of the elder whose way is longest, of those whose way a plan can decide; 0 where there are none."""
    nearest: Series
    """Minutes to the nearest open centre by demand id; missing beyond the times."""
    assignment: Series
    """The open centre that is nearest, by demand id."""
    conversions: DataFrame
    """Beds of each home turned into nursing beds, as `siting.nursing_bed_conversions` gives them; empty where not planned."""
    beds: DataFrame
    """By county, beds `needed`, `beds` there are, `short`; empty where not asked for."""


def opened_with(case: PlanCase, sites: Iterable[str]) -> Sites:
    """Return the facilities of today and the `sites` opened besides, behind them and sorted by id."""
    rows = [case.position(site_id) for site_id in sorted(sites)]
    return case.standing.with_more(case.sites.some(np.array(rows, dtype=np.int64)))


def count(case: PlanCase, opened: Sites) -> Count:
    """Return whom `opened`, or some of its rows, reaches and which targets it meets; no other rule is looked at."""
    near = np.zeros(len(case.demand), dtype=bool)
    for kind in coverage_kinds(case):
        minutes, _ = _nearest(case, kind, opened.ids[opened.of_kind(kind)])
        near |= within_cutoff(minutes, case.cutoffs(kind))
    return Count(elders_covered=float(_exact_sum(case.elders[near])), targets=_targets(case, opened))


def spent_on(case: PlanCase, sites: Iterable[str]) -> Fraction:
    """Return what it costs when these columns are open, less what closing the others saves, with the beds to convert; exactly, in 10⁴ yuan."""
    chosen = sorted(sites)
    costs = case.candidates["cost"].to_numpy()[[case.position(site_id) for site_id in chosen]]
    spent = sum((Fraction(str(cost)) for cost in costs.tolist()), start=Fraction(0))
    return spent - case.saved + nursing.conversion_cost(case, chosen)


def _exact_sum(numbers: Floats) -> Fraction:
    # whole numbers of people add up exactly as they are
    if (numbers == np.floor(numbers)).all() and numbers.sum() < 2**53:
        return Fraction(int(numbers.sum()))
    return sum((Fraction(n) for n in numbers.tolist()), start=Fraction(0))


def figures(case: PlanCase, sites: Iterable[str]) -> Figures:
    """Return what opening `sites` besides today's facilities comes to, recomputed from the frames."""
    chosen = sorted(sites)
    opened = opened_with(case, chosen)
    longest = 0.0
    reached, minutes, nearest, by_site = np.zeros(len(case.demand), dtype=bool), 0.0, None, None
    for kind in coverage_kinds(case):
        near, who = _nearest(case, kind, opened.ids[opened.of_kind(kind)])
        reached |= within_cutoff(near, case.cutoffs(kind))
        counted = _capped(case, kind, near)
        minutes += float((case.elders * counted).sum())
        longest = max(longest, float(counted[reachable(case, kind)].max(initial=0.0)))
        nearest, by_site = (near, who) if nearest is None else (nearest, by_site)
    targets, homes = _targets(case, opened), _homes(case, opened)
    converted, there = nursing.conversions(case, chosen), bed_table(case, chosen)
    spent = spent_on(case, chosen)
    index, nobody = case.demand.index, np.full(len(case.demand), np.nan)
    return Figures(
        cost=float(spent),
        elders_covered=float(_exact_sum(case.elders[reached])),
        elder_minutes=minutes,
        home_minutes=float(homes["minutes"].sum()),
        served=homes.loc[list(served_kinds(case)), ["serves", "people", "within", "mean_min"]],
        towards_targets=int(np.minimum(targets["needed"], targets["reached"]).sum()),
        targets=targets,
        broken=(*_broken(case, chosen, opened, spent), *_of_beds(case, chosen, converted, there)),
        longest_way_min=longest,
        nearest=pd.Series(nobody if nearest is None else _known(nearest), index=index),
        assignment=pd.Series(nobody if by_site is None else by_site, index=index, dtype=object),
        conversions=converted,
        beds=there,
    )


def nearest_of(case: PlanCase, kind: str, sites: Iterable[str]) -> tuple[Series, Series]:
    """Return minutes to the nearest of `sites`, and which that is (of equals the first id), by demand id; missing beyond the times."""
    minutes, who = _nearest(case, kind, sites)
    index = case.demand.index
    return pd.Series(_known(minutes), index=index), pd.Series(who, index=index, dtype=object)


def _nearest(case: PlanCase, kind: str, sites: Iterable[str]) -> tuple[Floats, NDArray[Any]]:
    """Return the same as arrays, by position of the demand; inf and None beyond the times."""
    count = len(case.demand)
    if kind not in case.times:
        return np.full(count, np.inf), np.full(count, None, dtype=object)
    times = case.own_times(kind)
    there = sorted(i for i in set(sites) if i in times.site_at)
    pairs = times.minutes[[times.site_at[i] for i in there]].tocoo()
    best = shortest(pairs)
    first = np.full(count, len(there))
    at_best = pairs.data == best[pairs.col]
    np.minimum.at(first, pairs.col[at_best], pairs.row[at_best])
    return best, np.array([*there, None], dtype=object)[first]


def _known(minutes: Floats) -> Floats:
    return np.where(np.isinf(minutes), np.nan, minutes)


def _capped(case: PlanCase, kind: str, minutes: Floats) -> Floats:
    """Return the minutes as they count: beyond the times, as long as these are."""
    cap, times = 0.0, case.times.get(kind)
    if times is not None and np.isfinite(times.cutoff_min):
        cap = float(times.cutoff_min)
    elif times is not None and times.minutes.nnz:
        cap = float(times.minutes.data.max())
    return np.where(np.isinf(minutes), cap, minutes)


def _homes(case: PlanCase, opened: Sites) -> DataFrame:
    """Return by kind that is counted by county whom it serves, how many of them live within the cutoff of one of their own county, and their minutes."""
    rows = {}
    for kind in (k for k in counted_kinds(case) if k in case.times):
        of_kind, people, minutes = opened.of_kind(kind), case.people(kind), np.zeros(len(case.demand))
        within = np.zeros(len(case.demand), dtype=bool)
        for county in case.counties:
            near, _ = _nearest(case, kind, opened.ids[of_kind & (opened.county == county)])
            here = case.county_of_demand == county
            minutes[here] = _capped(case, kind, near)[here]
            within[here] = within_cutoff(near, case.cutoffs(kind))[here]
        total, whole = float((people * minutes).sum()), float(people.sum())
        reached = float(_exact_sum(people[within]))
        mean = total / whole if whole else np.nan
        rows[kind] = [case.policy.kind(kind).serves or case.elders_column, whole, reached, total, mean]
    columns = ["serves", "people", "within", "minutes", "mean_min"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("kind")


def covered_units(case: PlanCase, kind: str, opened: Sites) -> Flags:
    """Return which units are covered by the open facilities of `kind`, by the rule of the plan."""
    of_kind = opened.of_kind(kind)
    present = np.bincount(opened.unit[of_kind & (opened.unit >= 0)], minlength=len(case.units)) > 0
    if case.rules.rule == "presence":
        return present
    near, _ = _nearest(case, kind, opened.ids[of_kind])
    unit, share = case.unit_of_demand, case.share
    reached = np.where(within_cutoff(near, case.cutoffs(kind)), case.elders, 0.0)
    whole, part = (np.bincount(unit, weights=w, minlength=len(case.units)) for w in (case.elders, reached))
    access = np.array([reaches_share(p, w, share) for p, w in zip(part, whole, strict=True)], dtype=bool)
    return access if case.rules.rule == "access" else access & present


def _targets(case: PlanCase, opened: Sites) -> DataFrame:
    rows = []
    open_rows = np.zeros(len(case.every), dtype=bool)
    open_rows[[case.row_of_every[i] for i in opened.ids]] = True
    county = case.every["county_id"].to_numpy(dtype=object)
    for target in case.policy.targets:
        measure = target.measure
        if measure.of == "unit_coverage":
            covered = covered_units(case, measure.facility_kind, opened)
            for scope_id in places(case, target):
                inside = case.counted(measure.unit_kind, scope_id)
                needed = units_needed(target.value or 0.0, int(inside.sum()))
                rows.append((target.id, scope_id, needed, int((covered & inside).sum())))
            continue
        claims = claims_of(case, target)
        if claims is None:
            continue
        for scope_id in places(case, target):
            here = open_rows & lies_in(county, scope_id, case.counties)
            rows.append((target.id, scope_id, int(target.value or 0), int(claims.counted(here).sum())))
    frame = pd.DataFrame(rows, columns=["target_id", "scope_id", "needed", "reached"])
    frame["met"] = frame["reached"] >= frame["needed"]
    return frame


def _of_beds(case: PlanCase, chosen: list[str], converted: DataFrame, there: DataFrame) -> list[str]:
    """Return the counties whose elders lack beds in reach, and the places whose share of nursing beds does not hold."""
    found = [f"beds:{county}" for county in too_short_of_beds(case, there)]
    kept = converted["convert"] if len(converted) else pd.Series(dtype=float)
    return found + [f"nursing_beds:{place}" for place in nursing.lacking(case, chosen, kept)]


def _stations(case: PlanCase, opened: Sites, new: Sites) -> list[str]:
    """Return the new centres one of whose village clusters has no open station of the unit within the walk."""
    limit = case.rules.station_walk_min
    if limit is None:
        return []
    people = case.demand[case.elders > 0]
    unit_of = dict(zip(case.demand.index, case.unit_of_demand, strict=True))
    name = pd.Series(people.index, index=people.index, dtype=object)
    if "cluster_id" in people.columns:
        name = people["cluster_id"].where(people["cluster_id"].notna(), name)
    reached: dict[int, set[str]] = {}
    is_station = opened.of_kind(*case.policy.station_kinds)
    for kind, times in case.times.items():
        here = [i for i in opened.ids[is_station & opened.of_kind(kind)] if i in times.site_at]
        if here:
            pairs = times.select(sites=sorted(here), demand=case.demand.index).to_frame()
            near = pairs[within_cutoff(pairs["minutes"], limit)]
            for site_id, village in zip(near["site_id"], near["demand_id"], strict=True):
                reached.setdefault(int(opened.unit[opened.row_of[site_id]]), set()).add(village)
    found = []
    for j in np.flatnonzero(new.of_kind(*coverage_kinds(case))):
        inside = [v for v in people.index if unit_of[v] == new.unit[j]]
        served = {name[v] for v in inside if v in reached.get(int(new.unit[j]), ())}
        found += [f"stations:{new.ids[j]},{c}" for c in sorted({name[v] for v in inside} - served)]
    return found


def _broken(case: PlanCase, chosen: list[str], opened: Sites, spent: Fraction) -> list[str]:
    new = opened.some(~among(opened.ids, {*case.standing.row_of, *case.movable}))
    found = [f"required:{i}" for i in case.sites.ids[case.required & ~case.stands] if i not in new.row_of]
    found += [f"forbidden:{i}" for i in new.ids if i in case.rules.forbid]
    for site_id, host in zip(new.ids, new.host_id, strict=True):
        if host is not None and not {host, *case.movable.get(host, ())} & {*opened.row_of}:
            found.append(f"host:{site_id}")
    found += _taken_twice(new) + _replaced(case, opened)
    budget = case.rules.budget
    if budget is not None and spent > Fraction(str(budget)):
        found.append("budget:")
    limit = case.rules.cost_limit
    if limit is not None and spent > Fraction(str(limit)):
        found.append("cost_limit:")
    if case.rules.floor_area == "bar":
        small = {p.site for p in premises(case) if p.area < p.asked}
        found += [f"floor_area:{i}" for i in chosen if case.position(i) in small]
    found += _stations(case, opened, new) + _too_far(case, opened) + _running(case, new)
    return found + _spread(case, new, opened) + _medical(case, new)


def _taken_twice(new: Sites) -> list[str]:
    """Return the sites that rebuild a home, or take a place, which another of the same kind or group takes already."""
    taken: set[tuple[str, ...]] = set()
    found = []
    for site_id, home, kind, group in zip(new.ids, new.upgrade_of, new.kind, new.group_id, strict=True):
        for key in (("one_upgrade", home, kind) if home else (), ("group", group) if group else ()):
            found += [f"{key[0]}:{site_id}"] if key and key in taken else []
            taken.add(key)
    return found


def _replaced(case: PlanCase, opened: Sites) -> list[str]:
    """Return the facilities that stand beside what takes their place, or close though nothing lets them."""
    found = []
    for facility_id, heirs in case.movable.items():
        stays, replaced = facility_id in opened.row_of, any(j in opened.row_of for j in heirs)
        twice = sum(case.rules.move.get(j) == facility_id and j in opened.row_of for j in heirs) > 1
        if twice or (stays == replaced and (stays or facility_id not in case.rules.close)):
            found.append(f"replaced:{facility_id}")
    found += [f"required:{i}" for i in case.rules.require if i in case.movable and i not in opened.row_of]
    return found + [f"forbidden:{i}" for i in case.rules.forbid if i in case.movable and i in opened.row_of]


def _too_far(case: PlanCase, opened: Sites) -> list[str]:
    """Return the villages with elders that are farther from every open centre than any may be."""
    limit = case.rules.worst_min
    if limit is None:
        return []
    found: list[str] = []
    for kind in coverage_kinds(case):
        minutes, _ = _nearest(case, kind, opened.ids[opened.of_kind(kind)])
        found += [f"worst:{i}" for i in case.demand.index[(case.elders > 0) & ~within_cutoff(minutes, limit)]]
    return found


def _running(case: PlanCase, new: Sites) -> list[str]:
    limit = case.rules.running_budget
    if limit is None or "running_cost" not in case.candidates.columns:
        return []
    costs = case.candidates["running_cost"].loc[list(new.ids)].dropna()
    spent = sum((Fraction(str(cost)) for cost in costs.tolist()), start=Fraction(0))
    return ["running_budget:"] if spent > Fraction(str(limit)) * (1 + Fraction(1, 10**8)) else []


def _spread(case: PlanCase, new: Sites, opened: Sites) -> list[str]:
    limit, times = case.rules.spread_min, case.between_homes
    if limit is None or times is None:
        return []
    pairs = times.minutes.tocoo()
    rebuilt = dict(zip(new.ids, new.upgrade_of, strict=True))
    found = []
    for row, column in zip(*(at[~within_cutoff(limit, pairs.data)] for at in pairs.coords), strict=True):
        a, b = times.site_ids[row], times.demand_ids[column]
        if (
            a == b
            or a not in opened.row_of
            or b not in opened.row_of
            or not (a in new.row_of or b in new.row_of)
        ):
            continue
        one, other = opened.row_of[a], opened.row_of[b]
        if a in case.movable.get(b, ()) or b in case.movable.get(a, ()):
            continue
        alike = opened.kind[one] == opened.kind[other] and opened.county[one] == opened.county[other]
        if alike and rebuilt.get(a) != b and rebuilt.get(b) != a:
            found.append(f"spread:{a},{b}")
    return found


def _medical(case: PlanCase, new: Sites) -> list[str]:
    limit, times = case.rules.medical_min, case.to_medical
    if limit is None or times is None or case.rules.medical != "bar":
        return []
    found = []
    for home in new.ids[new.of_kind(*medical_kinds(case))]:
        minutes = np.empty(0)
        if home in times.site_at:
            minutes = times.minutes[[times.site_at[home]]].data
        elif home in times.demand_at:
            minutes = times.minutes[:, [times.demand_at[home]]].data
        if not within_cutoff(minutes.min(initial=np.inf), limit):
            found.append(f"medical:{home}")
    return found
