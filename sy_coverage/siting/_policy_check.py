"""Recompute a plan from the frames and travel times alone: every rule, every figure, without the solver's model."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.policy import reaches_share, units_needed
from sy_coverage.policy.targets import FacilityCount, UpgradeCount
from sy_coverage.siting import _policy_nursing as nursing
from sy_coverage.siting._policy_beds import bed_table
from sy_coverage.siting._policy_case import CITY, Case, counties_of
from sy_coverage.siting._policy_marks import eligible
from sy_coverage.siting._policy_rules import counted_kinds, coverage_kinds, medical_kinds, places
from sy_coverage.siting._policy_stations import premises

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas import DataFrame, Series

    from sy_coverage.policy import Target

BEDS_ROOM = 1e-6
"""Needs and beds may differ by this relative to the need: the rounding of a solver, far below one bed."""


@dataclass(frozen=True)
class Count:
    """Whom a set of open facilities reaches, and which targets it meets."""

    elders_covered: float
    """Elders within the cutoff of an open centre."""
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
    """The same for the kinds counted by county, to the nearest of one's own county."""
    towards_targets: int
    """Units and facilities that count, each target's surplus not counted."""
    broken: tuple[str, ...]
    """Rules that do not hold: ``rule_id:subject``."""
    nearest: Series
    """Minutes to the nearest open centre by demand id; missing beyond the times."""
    assignment: Series
    """The open centre that is nearest, by demand id."""
    conversions: DataFrame
    """Beds of each home turned into nursing beds, as `siting.nursing_bed_conversions` gives them; empty where not planned."""
    beds: DataFrame
    """By county, beds `needed`, `beds` there are, `short`; empty where not asked for."""


def opened_with(case: Case, sites: Iterable[str]) -> DataFrame:
    """Return the facilities of today and the `sites` opened besides, by id: what rules ask of them, and their `county`."""
    opened = pd.concat([_plain(case, case.facilities), _plain(case, case.candidates.loc[sorted(sites)])])
    return opened.assign(county=counties_of(opened, case.units))


def count(case: Case, opened: DataFrame) -> Count:
    """Return whom `opened`, or some of its rows, reaches and which targets it meets; no other rule is looked at."""
    reached = Fraction(0)
    for kind in coverage_kinds(case):
        near, _ = nearest_of(case, kind, opened.index[opened["kind"] == kind])
        reached += _reached(case, kind, near)
    return Count(elders_covered=float(reached), targets=_targets(case, opened))


def spent_on(case: Case, sites: Iterable[str]) -> Fraction:
    """Return what opening `sites` costs with the beds to convert, exactly, in 10⁴ yuan."""
    chosen = sorted(sites)
    costs = case.candidates["cost"].loc[chosen]
    spent = sum((Fraction(str(cost)) for cost in costs), start=Fraction(0))
    return spent + nursing.conversion_cost(case, chosen)


def _reached(case: Case, kind: str, near: Series) -> Fraction:
    elders = case.demand[case.setting.elders]
    return sum((Fraction(e) for e in elders[near <= _cutoffs(case, kind)]), start=Fraction(0))


def figures(case: Case, sites: Iterable[str]) -> Figures:
    """Return what opening `sites` besides today's facilities comes to, recomputed from the frames."""
    chosen = case.candidates.loc[sorted(sites)]
    opened = opened_with(case, chosen.index)
    elders = case.demand[case.setting.elders]
    reached, minutes, nearest, by_site = Fraction(0), 0.0, None, None
    for kind in coverage_kinds(case):
        near, who = nearest_of(case, kind, opened.index[opened["kind"] == kind])
        reached += _reached(case, kind, near)
        minutes += float((elders * near.fillna(_cap(case, kind))).sum())
        nearest, by_site = (near, who) if nearest is None else (nearest, by_site)
    targets = _targets(case, opened)
    converted, there = nursing.conversions(case, chosen.index), bed_table(case, chosen.index)
    spent = spent_on(case, chosen.index)
    blank = pd.Series(np.nan, index=case.demand.index)
    return Figures(
        cost=float(spent),
        elders_covered=float(reached),
        elder_minutes=minutes,
        home_minutes=_home_minutes(case, opened),
        towards_targets=int(np.minimum(targets["needed"], targets["reached"]).sum()),
        targets=targets,
        broken=(*_broken(case, chosen, opened, spent), *_of_beds(case, chosen, converted, there)),
        nearest=blank if nearest is None else nearest,
        assignment=blank.astype(object) if by_site is None else by_site,
        conversions=converted,
        beds=there,
    )


def _plain(case: Case, frame: Any) -> DataFrame:
    """Return the columns that rules ask for, without geometry."""
    wanted = ["kind", "unit_id", "county_id", "premises", "upgrade_of", "host_id", "cost"]
    measures = [t.measure for t in case.policy.targets if t.measure.of == "facility_count"]
    wanted += sorted({m.also_flag for m in measures if m.also_flag is not None})
    return (
        pd.DataFrame(frame[[c for c in wanted if c in frame.columns]]).astype(object).reindex(columns=wanted)
    )


def nearest_of(case: Case, kind: str, sites: Any) -> tuple[Series, Series]:
    """Return minutes to the nearest of `sites`, and which that is (of equals the first id), by demand id; missing beyond the times."""
    index = case.demand.index
    times = case.times.get(kind)
    if times is None:
        return pd.Series(np.nan, index=index), pd.Series(None, index=index, dtype=object)
    there = sorted(set(sites) & set(times.site_ids))
    some = times.select(sites=there, demand=index)
    pairs = some.minutes.tocoo()
    best = np.full(len(index), np.inf)
    np.minimum.at(best, pairs.col, pairs.data)
    first = np.full(len(index), len(there))
    at_best = pairs.data == best[pairs.col]
    np.minimum.at(first, pairs.col[at_best], pairs.row[at_best])
    names = np.array([*there, None], dtype=object)
    return pd.Series(np.where(np.isinf(best), np.nan, best), index=index), pd.Series(
        names[first], index=index, dtype=object
    )


def _cap(case: Case, kind: str) -> float:
    times = case.times.get(kind)
    if times is None:
        return 0.0
    if np.isfinite(times.cutoff_min):
        return float(times.cutoff_min)
    return float(times.minutes.data.max()) if times.minutes.nnz else 0.0


def _cutoffs(case: Case, kind: str) -> Series:
    """Return the cutoff of each demand point, by the class of the unit its elders live in."""
    limits = case.policy.kind(kind).cutoff_min
    return (
        case.demand["unit_id"]
        .map(case.units["kind"])
        .map({k: limits[k] for k in ("street", "township", "other")})
    )


def _home_minutes(case: Case, opened: DataFrame) -> float:
    elders = case.demand[case.setting.elders]
    home_county = case.demand["unit_id"].map(case.units["county_id"])
    total = 0.0
    for kind in (k for k in counted_kinds(case) if k in case.times):
        for county in case.counties:
            own = opened.index[(opened["kind"] == kind) & (opened["county"] == county)]
            near, _ = nearest_of(case, kind, own)
            total += float((elders * near.fillna(_cap(case, kind)))[home_county == county].sum())
    return total


def covered_units(case: Case, kind: str, opened: DataFrame) -> Series:
    """Return which units are covered by the open facilities of `kind`, by the rule of the setting."""
    of_kind = opened[opened["kind"] == kind]
    present = pd.Series(case.units.index.isin(of_kind["unit_id"].dropna()), index=case.units.index)
    if case.setting.rule == "presence":
        return present
    near, _ = nearest_of(case, kind, of_kind.index)
    elders = case.demand[case.setting.elders]
    by_unit = (
        pd.DataFrame({"all": elders, "in": elders.where(near <= _cutoffs(case, kind), 0.0)})
        .groupby(case.demand["unit_id"])
        .sum()
    )
    by_unit = by_unit.reindex(case.units.index, fill_value=0.0)
    access = pd.Series(
        [reaches_share(i, a, case.setting.share) for i, a in zip(by_unit["in"], by_unit["all"], strict=True)],
        index=case.units.index,
        dtype=bool,
    )
    return access if case.setting.rule == "access" else access & present


def _targets(case: Case, opened: DataFrame) -> DataFrame:
    rows = []
    for target in case.policy.targets:
        measure = target.measure
        if measure.of == "unit_coverage":
            covered = covered_units(case, measure.facility_kind, opened)
            for scope_id in places(case, target):
                inside = case.units["kind"] == measure.unit_kind
                if scope_id != CITY:
                    inside &= case.units["county_id"] == scope_id
                needed = units_needed(target.value or 0.0, int(inside.sum()))
                rows.append((target.id, scope_id, needed, int((covered & inside).sum())))
        elif measure.of == "upgrade_count" or (measure.of == "facility_count" and measure.mark is None):
            counted = _counted(case, target, opened)
            for scope_id in places(case, target):
                here = counted if scope_id == CITY else counted & (opened["county"] == scope_id)
                rows.append((target.id, scope_id, int(target.value or 0), int(here.sum())))
        elif target.id in dict(case.setting.demonstration):
            counted = _may_be_shown(case, target, opened)
            for scope_id in places(case, target):
                here = counted if scope_id == CITY else counted & (opened["county"] == scope_id)
                rows.append((target.id, scope_id, int(target.value or 0), int(here.sum())))
    frame = pd.DataFrame(rows, columns=["target_id", "scope_id", "needed", "reached"])
    frame["met"] = frame["reached"] >= frame["needed"]
    return frame


def _counted(case: Case, target: Target, opened: DataFrame) -> Series:
    measure = target.measure
    ours = opened["county"].isin(list(case.counties))
    of_kind = opened["kind"].isin(measure.kinds)
    if isinstance(measure, UpgradeCount):
        return ours & of_kind & ((opened["premises"] == measure.premises) | opened["upgrade_of"].notna())
    yes = of_kind
    if (
        isinstance(measure, FacilityCount)
        and measure.also_flag is not None
        and measure.also_flag in opened.columns
    ):
        yes = of_kind | opened[measure.also_flag].eq(True)
    # a rebuilt home that counted before it was rebuilt counts once
    before = opened.index[yes & opened.index.isin(case.facilities.index)]
    return ours & yes & ~opened["upgrade_of"].isin(before)


def _may_be_shown(case: Case, target: Target, opened: DataFrame) -> Series:
    """Return which open sites of these counties are marked already, or meet the stated criteria."""
    criteria = dict(case.setting.demonstration)[target.id]
    found = {
        i
        for frame in (case.facilities, case.candidates)
        for i in frame.index[eligible(frame, target.measure, criteria, policy=case.policy)]
    }
    return opened.index.isin(list(found)) & opened["county"].isin(list(case.counties))


def _of_beds(case: Case, chosen: DataFrame, converted: DataFrame, there: DataFrame) -> list[str]:
    """Return the counties whose elders lack beds in reach, and the places whose share of nursing beds does not hold."""
    found = [f"beds:{county}" for county in there.index[there["short"] > BEDS_ROOM * there["needed"]]]
    kept = converted["convert"] if len(converted) else pd.Series(dtype=float)
    return found + [f"nursing_beds:{place}" for place in nursing.lacking(case, chosen.index, kept)]


def _stations(case: Case, opened: DataFrame, chosen: DataFrame) -> list[str]:
    """Return the new centres one of whose village clusters has no open station of the unit within the walk."""
    limit = case.setting.station_walk_min
    if limit is None:
        return []
    stations = opened[opened["kind"].isin(case.policy.station_kinds)]
    people = case.demand[case.demand[case.setting.elders] > 0]
    name = pd.Series(people.index, index=people.index, dtype=object)
    if "cluster_id" in people.columns:
        name = people["cluster_id"].where(people["cluster_id"].notna(), name)
    reached: dict[str, set[str]] = {}
    for kind, times in case.times.items():
        here = stations.index[(stations["kind"] == kind) & stations.index.isin(times.site_ids)]
        if len(here):
            pairs = times.select(sites=sorted(here), demand=case.demand.index).to_frame()
            near = pairs[pairs["minutes"] <= limit]
            units_of = stations["unit_id"].reindex(near["site_id"]).to_numpy()
            for village, unit_id in zip(near["demand_id"], units_of, strict=True):
                reached.setdefault(unit_id, set()).add(village)
    found = []
    for site_id, site in chosen[chosen["kind"].isin(coverage_kinds(case))].iterrows():
        inside = people.index[people["unit_id"] == site["unit_id"]]
        served = {name[v] for v in inside if v in reached.get(site["unit_id"], ())}
        found += [f"stations:{site_id},{c}" for c in sorted({name[v] for v in inside} - served)]
    return found


def _broken(case: Case, chosen: DataFrame, opened: DataFrame, spent: Fraction) -> list[str]:
    found = [
        f"required:{i}"
        for i in case.candidates.index[case.candidates["required"].astype(bool)]
        if i not in chosen.index
    ]
    for site_id, host in chosen["host_id"].dropna().items():
        if host not in opened.index:
            found.append(f"host:{site_id}")
    rebuilt = chosen.loc[chosen["upgrade_of"].notna(), ["upgrade_of", "kind"]]
    found += [f"one_upgrade:{i}" for i in rebuilt.index[rebuilt.duplicated()]]
    budget = case.setting.budget
    if budget is not None and spent > Fraction(str(budget)):
        found.append("budget:")
    if case.setting.floor_area == "bar":
        small = {p.site for p in premises(case) if p.area < p.asked}
        found += [f"floor_area:{i}" for i in chosen.index if case.position(str(i)) in small]
    found += _stations(case, opened, chosen)
    return found + _spread(case, chosen, opened) + _medical(case, chosen)


def _spread(case: Case, chosen: DataFrame, opened: DataFrame) -> list[str]:
    limit, times = case.setting.spread_min, case.between_homes
    if limit is None or times is None:
        return []
    pairs = times.to_frame()
    pairs = pairs[(pairs["minutes"] < limit) & (pairs["site_id"] != pairs["demand_id"])]
    pairs = pairs[pairs["site_id"].isin(opened.index) & pairs["demand_id"].isin(opened.index)]
    pairs = pairs[pairs["site_id"].isin(chosen.index) | pairs["demand_id"].isin(chosen.index)]
    rebuilt = chosen["upgrade_of"]
    found = []
    for a, b in zip(pairs["site_id"], pairs["demand_id"], strict=True):
        alike = (
            opened.loc[a, "kind"] == opened.loc[b, "kind"]
            and opened.loc[a, "county"] == opened.loc[b, "county"]
        )
        if alike and rebuilt.get(a) != b and rebuilt.get(b) != a:
            found.append(f"spread:{a},{b}")
    return found


def _medical(case: Case, chosen: DataFrame) -> list[str]:
    limit, times = case.setting.medical_min, case.to_medical
    if limit is None or times is None or case.setting.medical != "bar":
        return []
    homes = chosen.index[chosen["kind"].isin(medical_kinds(case))]
    pairs = times.to_frame()
    by_site = pairs.groupby("site_id")["minutes"].min()
    by_point = pairs.groupby("demand_id")["minutes"].min()
    own = [by_site.get(h, np.inf) if h in times.site_ids else by_point.get(h, np.inf) for h in homes]
    return [f"medical:{h}" for h, m in zip(homes, own, strict=True) if not m <= limit]
