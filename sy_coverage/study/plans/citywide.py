"""Plan what belongs to the whole city and no single county: demonstration sites, and the share of nursing beds over all homes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from sy_coverage import siting
from sy_coverage.siting.planning.rules.criteria import eligible
from sy_coverage.study.steps.places import ids_named
from sy_coverage.study.steps.rules import criteria, in_one_model

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.policy import Policy
    from sy_coverage.roads import TravelTimes
    from sy_coverage.siting import SitingPlan
    from sy_coverage.study.config.file import StudyConfig
    from sy_coverage.study.config.questions.siting import Siting


T = TypeVar("T")


def conversion_cost(asked: Siting, policy: Policy) -> float | None:
    """Return what it costs to turn a bed into a nursing bed, where the policy counts such beds."""
    return asked.conversion_cost if policy.bed_share is not None else None


def plan_rules(
    config: StudyConfig, policy: Policy, *, facilities: GeoDataFrame, candidates: GeoDataFrame
) -> siting.PlanRules:
    """Return what `[siting]` and `[phases]` ask of every plan besides the policy's targets; `facilities` are open.

    Demonstration sites are of the whole city: a plan of the whole city chooses them; beside plans of counties `programme` does.
    """
    asked = config.siting
    shown = criteria(asked, policy) if in_one_model(policy) else {}
    return siting.PlanRules(
        spread_min=asked.spread_min if policy.home_kinds else None,
        medical_min=asked.medical_min if policy.home_kinds else None,
        medical=asked.medical,
        station_walk_min=asked.station_walk_min,
        floor_area=asked.floor_area,
        beds_per_elder=asked.beds_per_elder,
        conversion_cost=conversion_cost(asked, policy),
        demonstration=within_reach(shown, (facilities, candidates), policy),
        slack=asked.slack,
        prefer=asked.prefer,
        worst_min=asked.worst_min if policy.covered_kinds else None,
        running_budget=asked.running_budget,
        beds_share=asked.beds_share,
        close=_named(asked.may_close, facilities, "[siting] may_close"),
        move={
            site: ids_named([asked.move[given]], facilities, "[siting] move")[0]
            for given, site in _ids(asked.move, candidates, "[siting] move").items()
        },
        phases={int(year): phase.model_dump() for year, phase in config.phases.items()},
        carry=asked.carry,
        paid_over=_named(asked.paid_over, candidates, "[siting] paid_over"),
        require=ids_named(asked.require, candidates, "[siting] require"),
        forbid=(*ids_named(asked.forbid, candidates, "[siting] forbid"), *barred(candidates)),
        budget=asked.budget,
        date=config.study.date,
    )


def _ids(given: Iterable[str], frame: GeoDataFrame, what: str) -> dict[str, str]:
    """Return the id of each row that is given by id or name."""
    return {one: ids_named([one], frame, what)[0] for one in given}


def _named(given: Mapping[str, T], frame: GeoDataFrame, what: str) -> dict[str, T]:
    """Return what is said of rows by their ids, where they are given by id or name."""
    return {row_id: given[one] for one, row_id in _ids(given, frame, what).items()}


def barred(candidates: GeoDataFrame) -> list[str]:
    """Return the candidates that a layer of `[candidates] exclude` bars."""
    if "barred_by" not in candidates.columns:
        return []
    return [str(i) for i in candidates.index[candidates["barred_by"].notna()]]


def within_reach(
    shown: Mapping[str, siting.Criteria], frames: Iterable[GeoDataFrame], policy: Policy
) -> dict[str, siting.Criteria]:
    """Return the criteria of those targets for which there are sites enough in `frames`, open or proposed.

    The others no plan can meet, and they must not keep it from all the rest: the scorecard says how many lack.
    """
    every = list(frames)
    found = {}
    for target_id, asked in shown.items():
        target = policy.target(target_id)
        may = sum(int(eligible(frame, target.measure, asked, policy=policy).sum()) for frame in every)
        if may >= (target.value or 0):
            found[target_id] = asked
    return found


def targets_of_city(policy: Policy, shown: Collection[str]) -> list[Any]:
    """Return the targets that are counted over the whole city: those `shown`, and the share of nursing beds."""
    return [t for t in policy.targets if t.id in shown or t is policy.bed_share]


def eligible_candidates(candidates: GeoDataFrame, chosen: list[str], kinds: set[str]) -> GeoDataFrame:
    """Return the candidates that the city's plan may open: stations of `kinds`, and those `chosen`, which it must."""
    # stations are opened for the sake of example; homes, which the targets of the counties ask for, are not
    marked = candidates["kind"].isin(kinds) & candidates.geometry.notna()
    own = candidates[marked | candidates.index.isin(chosen)]
    return own.assign(required=own.index.isin(chosen))


def programme(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    candidates: GeoDataFrame,
    demand: GeoDataFrame,
    *,
    policy: Policy,
    asked: Siting,
    times: Mapping[str, TravelTimes],
    shown: Mapping[str, siting.Criteria],
    date: dt.date,
) -> SitingPlan:
    """Return the plan of what is counted over the whole city, on top of every county's plan.

    The counties' plans are fixed first, each for itself, and their sites are required in `candidates`. It chooses
    demonstration sites, opens further stations where those that stand are too few, and converts beds where the city's share
    asks for more than the counties' shares.
    """
    return siting.policy_plan(
        units,
        facilities,
        candidates,
        demand,
        policy=policy.model_copy(update={"targets": tuple(targets_of_city(policy, shown))}),
        times=dict(times),
        rules=siting.PlanRules(
            conversion_cost=conversion_cost(asked, policy), demonstration=dict(shown), date=date
        ),
        options=siting.SolveOptions(time_limit_s=asked.time_limit_s),
    ).best


def conversions(plans: Iterable[SitingPlan]) -> DataFrame:
    """Return the beds of each home that `plans` turn into nursing beds."""
    tables = [plan.figures.conversions for plan in plans]
    tables = [t for t in tables if t is not None and len(t)]
    if not tables:
        return pd.DataFrame(columns=["county_id", "beds", "nursing_beds", "convert", "cost", "basis"])
    together = pd.concat(tables)
    return together[~together.index.duplicated()].sort_index()


def opened(
    facilities: GeoDataFrame, candidates: GeoDataFrame, chosen: tuple[str, ...], policy: Policy
) -> GeoDataFrame:
    """Return the facilities with the candidates `chosen` opened.

    A home that is opened or rebuilt brings medical care in the house, as the policy asks, unless its row says no.
    """
    added = candidates.loc[list(chosen)].rename_axis(facilities.index.name)
    added = added.assign(status="open", opens_on=pd.NaT)
    homes = added["kind"].isin(policy.home_kinds) & added["has_medical"].isna()
    added["has_medical"] = added["has_medical"].astype(object).mask(homes, other=True)
    keep = added.columns.intersection([*facilities.columns, "upgrade_of"])
    return pd.concat([facilities, added[keep]]).sort_index()


def applied(
    facilities: GeoDataFrame, *, converted: DataFrame, shown: DataFrame | None, policy: Policy
) -> GeoDataFrame:
    """Return `facilities` with the beds converted and the demonstration sites marked that the plans decide."""
    if len(converted):
        more = converted["convert"].astype("float64").reindex(facilities.index).fillna(0.0)
        facilities = facilities.assign(nursing_beds=facilities["nursing_beds"] + more)
    if shown is None or shown.empty:
        return facilities
    for target in policy.marked_targets:
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
