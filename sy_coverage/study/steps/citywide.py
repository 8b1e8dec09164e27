"""Plan what belongs to the whole city and no single county: demonstration sites, and the share of nursing beds over all homes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import siting
from sy_coverage.siting.planning.rules.criteria import eligible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.siting import SitingPlan
    from sy_coverage.study.steps.measured import Measured
    from sy_coverage.study.study import Study


def in_one_model(study: Measured) -> bool:
    """Whether one plan decides all of the city, so that what is counted over it belongs to that plan."""
    return study.policy.readings.scope == "city"


def plan_rules(study: Study) -> siting.PlanRules:
    """Return what `[siting]` and `[phases]` ask of every plan besides the policy's targets.

    Demonstration sites are of the whole city: a plan of the whole city chooses them; beside plans of counties `programme` does.
    """
    given = study.config.siting
    return siting.PlanRules(
        spread_min=given.spread_min,
        medical_min=given.medical_min,
        medical=given.medical,
        station_walk_min=given.station_walk_min,
        floor_area=given.floor_area,
        beds_per_elder=given.beds_per_elder,
        conversion_cost=_conversion_cost(study),
        demonstration=_within_reach(study) if in_one_model(study) else {},
        phases={int(year): phase.model_dump() for year, phase in study.config.phases.items()},
        budget=given.budget,
        date=study.config.study.date,
    )


def _conversion_cost(study: Study) -> float | None:
    return study.config.siting.conversion_cost if study.policy.bed_share is not None else None


def criteria(study: Study) -> dict[str, siting.Criteria]:
    """Return what a demonstration site must have, by target: as `[siting.demonstration]` says, else nothing but a place."""
    given = study.config.siting
    if not given.demonstrate:
        return {}
    said = given.demonstration
    return {
        t.id: siting.Criteria(**said[t.id].model_dump()) if t.id in said else siting.Criteria()
        for t in study.policy.marked_targets
    }


def _within_reach(study: Study) -> dict[str, siting.Criteria]:
    """Return the criteria of those targets for which there are sites enough, open or proposed.

    The others no plan can meet, and they must not keep it from all the rest: the scorecard says how many lack.
    """
    found = {}
    for target_id, asked in criteria(study).items():
        target = study.policy.target(target_id)
        may = sum(
            int(eligible(frame, target.measure, asked, policy=study.policy).sum())
            for frame in (study.open_facilities, study.candidates)
        )
        if may >= (target.value or 0):
            found[target_id] = asked
    return found


def kinds(study: Measured) -> set[str]:
    """Return the kinds whose minutes the rules of `[siting]` need besides those of the candidates."""
    given, policy = study.config.siting, study.policy
    needed: set[str] = set()
    if given.station_walk_min is not None:
        needed |= set(policy.station_kinds)
    if given.demonstrate and in_one_model(study):
        needed |= _marked(study)
    if given.beds_per_elder is not None:
        needed |= set(policy.home_kinds if policy.bed_share is None else policy.bed_share.measure.kinds)
    return needed


def _marked(study: Measured) -> set[str]:
    return {kind for t in study.policy.marked_targets for kind in t.measure.kinds}


def clustered(study: Measured) -> GeoDataFrame:
    """Return the demand with the cluster of every village, where centres must have stations."""
    if study.config.siting.station_walk_min is None:
        return study.demand
    clusters = siting.village_clusters(study.demand, study.units, within_m=study.config.siting.cluster_m)
    return study.demand.assign(cluster_id=clusters)


def programme(study: Study) -> SitingPlan | None:
    """Return the plan of what is counted over the whole city, on top of every county's plan; None where there is no such thing.

    The counties' plans are fixed first, each for itself, and their sites are open in it. It chooses demonstration sites, opens
    further stations where those that stand are too few, and converts beds where the city's share asks for more than the
    counties' shares. Where one plan decides all of the city, it decides this too (but for what no choice of sites could
    meet), and is what is returned.
    """
    policy, shown = study.policy, criteria(study)
    if in_one_model(study):
        best = study.propose(None).best
        decides = (best.figures.demonstration, best.figures.conversions)
        return best if any(table is not None for table in decides) else None
    wanted = [t for t in policy.targets if t.id in shown or t is policy.bed_share]
    if not wanted or set(study.plans) != set(study.counties):
        return None
    chosen = list(study.county_sites)
    candidates = study.candidates
    # stations are opened for the sake of example; homes, which the targets of the counties ask for, are not
    marked = candidates["kind"].isin(_marked(study) & set(policy.station_kinds)) & candidates.geometry.notna()
    candidates = candidates[marked | candidates.index.isin(chosen)]
    times = {k: t for k, t in study.times.items() if k in set(candidates["kind"])}
    for kind in sorted((_marked(study) if shown else set()) - set(times)):
        times[kind] = study.minutes_to(kind)
    with study.progress("citywide"):
        plan = siting.policy_plan(
            study.units,
            study.facilities,
            candidates.assign(required=candidates.index.isin(chosen)),
            study.demand,
            policy=policy.model_copy(update={"targets": tuple(wanted)}),
            times=times,
            rules=siting.PlanRules(
                conversion_cost=_conversion_cost(study),
                demonstration=shown,
                date=study.config.study.date,
            ),
            options=siting.SolveOptions(time_limit_s=study.config.siting.time_limit_s),
        )
    return plan.best


def applied(study: Study, facilities: GeoDataFrame) -> GeoDataFrame:
    """Return `facilities` with the beds converted and the demonstration sites marked that the plans decide."""
    plan = study.citywide
    converted = conversions(study)
    if len(converted):
        more = converted["convert"].astype("float64").reindex(facilities.index).fillna(0.0)
        facilities = facilities.assign(nursing_beds=facilities["nursing_beds"] + more)
    shown = None if plan is None else plan.figures.demonstration
    if shown is None or shown.empty:
        return facilities
    for target in study.policy.marked_targets:
        mark = str(getattr(target.measure, "mark", ""))
        ids = shown.index[shown["target_id"] == target.id]
        before = (
            facilities[mark]
            if mark in facilities.columns
            else pd.Series(None, facilities.index, dtype=object)
        )
        facilities = facilities.assign(
            **{mark: before.astype(object).mask(facilities.index.isin(ids), other=True)}
        )
    return facilities


def conversions(study: Study) -> DataFrame:
    """Return the beds of each home that the plans turn into nursing beds, the city's plan before the counties'."""
    plans: Iterable[SitingPlan] = study.proposed_plans if study.citywide is None else [study.citywide]
    tables = [p.figures.conversions for p in plans]
    tables = [t for t in tables if t is not None and len(t)]
    if not tables:
        return pd.DataFrame(columns=["county_id", "beds", "nursing_beds", "convert", "cost", "basis"])
    together = pd.concat(tables)
    return together[~together.index.duplicated()].sort_index()


def tables(study: Study) -> dict[str, DataFrame]:
    """Return what proposals show of this: `conversions` and `demonstration`, each with `county_id`, `name` and `unit`."""
    found: dict[str, DataFrame] = {}
    beds = conversions(study)
    turned = beds["convert"].fillna(0).astype(float) > 0
    # beside homes whose beds are turned, those of which nobody knows
    beds = beds[turned | (beds["convert"].isna() & turned.any())]
    shown = None if study.citywide is None else study.citywide.figures.demonstration
    unit_of = pd.concat([study.facilities["unit_id"], study.candidates["unit_id"]])
    for name, table in (("conversions", beds), ("demonstration", shown)):
        if table is None or table.empty:
            continue
        own = table.rename_axis("site_id").reset_index()
        own["name"] = own["site_id"].map(study.names)
        own["unit"] = own["site_id"].map(unit_of.to_dict()).map(study.units["name"].to_dict())
        found[name] = own.sort_values(["county_id", "site_id"]).reset_index(drop=True)
    return found
