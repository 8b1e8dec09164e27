"""Hold every target of a policy against what is there: met or not, how many more, or why it cannot be known."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from sy_coverage import labels
from sy_coverage._frames import require_ids
from sy_coverage.coverage._verdict import Verdict, not_applicable, unknown
from sy_coverage.coverage.counting import (
    counting,
    county_of,
    flag,
    lies_in,
    number,
    upgraded,
    without_rebuilt,
)
from sy_coverage.coverage.reported import reported_numbers, reported_verdict
from sy_coverage.coverage.units import open_on
from sy_coverage.errors import InputError, some
from sy_coverage.policy import targets as policies
from sy_coverage.policy.standards import exact, exact_sum
from sy_coverage.policy.targets import CITY

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.labels import Language
    from sy_coverage.policy.targets import Policy, Target


@dataclass(frozen=True)
class _Case:
    """All that a target is held against, within one scope."""

    policy: Policy
    units: DataFrame
    facilities: GeoDataFrame
    """Open on the date; with `county_id` filled from the unit where the row does not say."""
    by_unit: Mapping[str, DataFrame]
    counties: Mapping[str, str]
    reported: Mapping[str, Mapping[str, float]]
    demand: DataFrame | None
    language: Language
    unit_ids: frozenset[str]
    """Every unit of the study, whatever the scope."""
    astray: GeoDataFrame
    """Open facilities that lie in none of the counties, as far as their rows say."""
    scope_id: str = CITY

    def within(self, scope_id: str) -> _Case:
        """Return the case of one county, or of the whole city."""
        if scope_id == CITY:
            return self
        demand = self.demand
        if demand is not None:
            county = demand["unit_id"].map(self.units["county_id"].to_dict())
            demand = demand[county == scope_id]
        return replace(
            self,
            units=self.units[self.units["county_id"] == scope_id],
            facilities=self.facilities[self.facilities["county_id"] == scope_id],
            demand=demand,
            scope_id=scope_id,
        )

    def of_kinds(self, kinds: tuple[str, ...]) -> GeoDataFrame:
        """Return the open facilities of `kinds`, ordered by id."""
        return self.facilities[self.facilities["kind"].isin(kinds)].sort_index()

    def word(self, key: str) -> str:
        """Return the label `key` of this room in the language of the scorecard; a word of the user's stays as it is."""
        entry = labels.catalogue().get(f"coverage.{key}")
        return labels.pick(entry, self.language) if entry else key.partition("_")[2]


def scorecard(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    by_unit: DataFrame | Mapping[str, DataFrame],
    *,
    policy: Policy,
    counties: Mapping[str, str] | DataFrame,
    scope: str | None = None,
    date: dt.date | str | None = None,
    reported: Mapping[str, Any] | None = None,
    demand: DataFrame | None = None,
    language: Language = "zh",
    scope_ids: Collection[str] | None = None,
) -> DataFrame:
    """Return where every target of `policy` stands, for each county or the city as the target says.

    Parameters
    ----------
    units
        Indexed by `unit_id`, with `kind`, `county_id`; a unit that stands there twice counts once, one without a
        centre stays in the denominator.
    facilities
        As in the column contract; only those open on `date` count. A column `demonstration` (yes/no) marks
        demonstration sites, `community_id` names the community (`demand_id`) a station serves.
    by_unit
        What `coverage_by_unit` returned for the kind the coverage rates count; a mapping from kind to frame
        where they count several.
    policy
        The targets and readings.
    counties
        Names by `county_id`, or a frame indexed by it with `county`.
    scope
        ``county`` or ``city``: over what the coverage rates are counted. None: the policy's reading.
    date
        The day that decides what is open.
    reported
        Numbers that no map can compute, by `target_id`: one for the city, or a mapping from county to number.
    demand
        Communities with `households`, for targets of floor area.
    language
        Of `reason`.
    scope_ids
        Only the rows of these places, counties or ``city``; None: all.

    Returns
    -------
    scorecard
        Index (`target_id`, `scope_id`), in the order of the policy, the city before its counties; `scope_id` is a
        `county_id` or ``city``. Columns: `scope` (name), `value` (a count, or a share in 0..1; missing when unknown),
        `target`, `met` (nullable), `needed` (how many more units, facilities or beds; missing when unknown),
        `access_share` (beside a coverage rate, the share of the elders of its units who are within the cutoff; missing for other
        targets), `basis` (``computed``, ``reported``, ``not_applicable``, ``unknown``), `reason` (a sentence, empty when there is
        nothing to add), `citation`.

    Raises
    ------
    ConfigError
        If `reported` names no target or county that is there, or a share beyond 0..1.
    InputError
        If `scope` is neither ``county`` nor ``city``.
    UnknownIdError
        If `by_unit` lacks a unit.
    """
    scope = policy.readings.scope if scope is None else scope
    if scope not in {"county", CITY}:
        raise InputError(f"scope '{scope}': must be county or city")
    named = counties["county"].to_dict() if isinstance(counties, pd.DataFrame) else dict(counties)
    distinct = units[~units.index.duplicated()]
    there = without_rebuilt(open_on(facilities, date), policy)
    there = there.assign(county_id=county_of(there, distinct))
    case = _Case(
        policy=policy,
        units=distinct,
        facilities=there[lies_in(there["county_id"].to_numpy(), CITY, {str(key) for key in named})],
        by_unit=_by_kind(by_unit, policy, distinct),
        counties={str(key): str(name) for key, name in sorted(named.items())},
        reported=reported_numbers(reported or {}, policy, named),
        demand=demand,
        language=language,
        unit_ids=frozenset(distinct.index),
        astray=there[~there["county_id"].isin([str(key) for key in named])],
    )
    asked = [s for s in (CITY, *case.counties) if scope_ids is None or s in scope_ids]
    cases = {scope_id: case.within(scope_id) for scope_id in asked}
    rows = {
        (target.id, scope_id): _row(cases[scope_id], target)
        for target in policy.targets
        for scope_id in _scopes(case, target, scope)
        if scope_id in cases
    }
    return _frame(rows)


_FIGURES = ["scope", "value", "target", "met", "needed", "access_share", "basis", "reason", "citation"]


def _frame(rows: Mapping[tuple[str, str], Mapping[str, Any]]) -> DataFrame:
    names = ["target_id", "scope_id"]
    index = (
        pd.MultiIndex.from_tuples(list(rows), names=names)
        if rows
        else pd.MultiIndex.from_arrays([[], []], names=names)
    )
    frame = pd.DataFrame(list(rows.values()), index=index, columns=_FIGURES)
    types = {
        "value": "float64",
        "access_share": "float64",
        "target": "float64",
        "met": "boolean",
        "needed": "Int64",
    }
    return frame.astype(types)


def _by_kind(
    by_unit: DataFrame | Mapping[str, DataFrame], policy: Policy, units: DataFrame
) -> dict[str, DataFrame]:
    counted = {
        t.measure.facility_kind for t in policy.targets if isinstance(t.measure, policies.UnitCoverage)
    }
    if isinstance(by_unit, pd.DataFrame):
        if len(counted) > 1:
            raise InputError(
                f"by_unit: the rates of {policy.id} count several kinds ({', '.join(sorted(counted))}); "
                "give a mapping from kind to coverage"
            )
        frames = dict.fromkeys(counted, by_unit)
    else:
        frames = dict(by_unit)
        require_ids(counted, frames, "by_unit lacks the coverage of a kind")
    for kind in counted:
        require_ids(units.index, frames[kind].index, f"by_unit ({kind}) lacks units")
    return frames


def _scopes(case: _Case, target: Target, scope: str) -> list[str]:
    """Return over what a target is counted here: ``city``, counties, or both."""
    counties = list(case.counties)
    match target.scope:
        case "county":
            scopes = counties
        case "city_and_county":
            scopes = [CITY, *counties]
        case "county_or_city":
            scopes = counties if scope == "county" else [CITY]
        case "named_counties":
            # none of them is part of this study: one line says so, rather than none
            scopes = [i for i in counties if {i, case.counties[i]} & set(target.counties)] or [CITY]
        case _:
            scopes = [CITY]
    given = case.reported.get(target.id, {})
    return scopes + sorted(set(given) - set(scopes))


def _row(case: _Case, target: Target) -> dict[str, Any]:
    """Return one line of the scorecard; what cannot be computed is taken from what was reported."""
    measure = target.measure
    if target.scope == "named_counties" and case.scope_id == CITY:
        verdict = not_applicable("not_named")
    else:
        verdict = _MEASURES[type(measure)](case, target)
    if verdict.basis == "unknown":
        given = case.reported.get(target.id, {})
        verdict = reported_verdict(target, given, case.scope_id, case.counties) or verdict
    city = labels.pick(case.policy.area, case.language)
    scope = case.counties.get(case.scope_id, city)
    words = {"scope": scope, **verdict.words}
    reason = (
        labels.text(f"coverage.reason_{verdict.reason}", case.language, **words) if verdict.reason else ""
    )
    return {
        "scope": scope,
        "value": verdict.value,
        "target": 1.0 if target.value is None else target.value,
        "met": verdict.met,
        "needed": verdict.needed,
        "access_share": _access_share(case, target),
        "basis": verdict.basis,
        "reason": reason,
        "citation": case.policy.citation(target),
    }


def _share(target: Target, part: Fraction | int, whole: Fraction | int, **more: Any) -> Verdict:
    """Return the verdict of a share: `part` of `whole` against the target, in exact arithmetic."""
    goal = exact(target.value or 0.0)
    met = part == goal * whole if target.rule == "share_equals" else part >= goal * whole
    needed = max(0, math.ceil(goal * whole - part))
    return Verdict(value=float(Fraction(part) / whole), met=met, needed=needed, **more)


def _count(target: Target, count: int, **more: Any) -> Verdict:
    goal = int(target.value or 0)
    return Verdict(value=float(count), met=count >= goal, needed=max(0, goal - count), **more)


def _unit_coverage(case: _Case, target: Target) -> Verdict:
    measure = cast("policies.UnitCoverage", target.measure)
    mine = case.units.index[case.units["kind"] == measure.unit_kind]
    if mine.empty:
        return not_applicable(
            "no_such_unit", kind=labels.text(f"policy.unit_{measure.unit_kind}", case.language)
        )
    figures = case.by_unit[measure.facility_kind].loc[mine]
    covered = int(figures["covered"].sum())
    verdict = _share(target, covered, len(mine))
    most = int(figures["covered_at_most"].sum()) if "covered_at_most" in figures.columns else covered
    there = case.of_kinds((measure.facility_kind,))
    named = there["unit_id"] if "unit_id" in there.columns else pd.Series(None, there.index, dtype=object)
    vague = int((~named.isin(case.unit_ids)).sum())
    if vague:
        return replace(verdict, reason="no_unit", words={"count": vague})
    if most > covered:
        return replace(verdict, reason="at_most", words={"covered": covered, "most": most})
    return verdict


def _access_share(case: _Case, target: Target) -> float:
    """Return the share of elders within the cutoff in the units a rate counts: presence says nothing of it."""
    measure = target.measure
    if not isinstance(measure, policies.UnitCoverage):
        return float("nan")
    mine = case.units.index[case.units["kind"] == measure.unit_kind]
    figures = case.by_unit[measure.facility_kind].loc[mine].sort_index()
    elders = float(figures["elders"].sum())
    return float(figures["elders_covered"].sum()) / elders if elders > 0 else float("nan")


def _facility_count(case: _Case, target: Target) -> Verdict:
    measure = cast("policies.FacilityCount", target.measure)
    if measure.mark is not None:
        said = flag(case.of_kinds(measure.facility_kinds), measure.mark)
        if measure.mark not in case.facilities.columns or (len(said) and said.isna().all()):
            return unknown("no_column", column=case.word(f"column_{measure.mark}"))
    verdict = _count(target, int(counting(case.facilities, measure).sum()))
    lost = 0 if case.scope_id == CITY else int(counting(case.astray, measure).sum())
    return replace(verdict, reason="no_county", words={"count": lost}) if lost else verdict


def _bed_share(case: _Case, target: Target) -> Verdict:
    measure = cast("policies.BedShare", target.measure)
    homes = case.of_kinds(case.policy.bed_kinds(measure))
    beds, nursing = number(homes, "beds"), number(homes, "nursing_beds")
    known = beds.notna() & nursing.notna() & (nursing <= beds)
    if homes.empty:
        return not_applicable("no_such_home")
    if not known.all():
        names = some(homes.index[~known] if "name" not in homes.columns else homes["name"][~known])
        return unknown(
            "beds_unknown",
            count=int((~known).sum()),
            names=names,
            nursing=f"{nursing[known].sum():g}",
            beds=f"{beds[known].sum():g}",
        )
    if not beds.sum():
        return not_applicable("no_beds")
    return _share(target, exact_sum(nursing), exact_sum(beds))


def _flag_share(case: _Case, target: Target) -> Verdict:
    measure = cast("policies.FlagShare", target.measure)
    homes = case.of_kinds(measure.facility_kinds)
    if homes.empty:
        return not_applicable("no_such_home")
    said = flag(homes, measure.flag)
    if said.isna().any():
        lacking = said.isna()
        names = some(homes.index[lacking] if "name" not in homes.columns else homes["name"][lacking])
        return unknown(
            "flag_unknown",
            column=case.word(f"column_{measure.flag}"),
            count=int(lacking.sum()),
            names=names,
            yes=int(said.eq(True).sum()),
            homes=len(homes),
        )
    return _share(target, int(said.eq(True).sum()), len(homes))


def _upgrade_count(case: _Case, target: Target) -> Verdict:
    measure = cast("policies.UpgradeCount", target.measure)
    said = upgraded(case.facilities, measure)
    done = int(said.eq(True).sum())
    if done < (target.value or 0) and said.isna().any():
        kind = labels.pick(case.policy.kind(measure.facility_kind).name, case.language)
        return unknown("upgrade_unknown", count=int(said.isna().sum()), kind=kind)
    return _count(target, done)


def _floor_area(case: _Case, target: Target) -> Verdict:
    measure = cast("policies.FloorArea", target.measure)
    demand = case.demand
    if demand is None or not {"households", "name"} <= set(demand.columns):
        return unknown("no_households")
    if "community_id" not in case.facilities.columns:
        return unknown("no_column", column=case.word("column_community_id"))
    names = demand["name"].fillna("").astype(str)
    communities = demand[names.str.endswith(measure.community_names_end)]
    if communities.empty:
        return not_applicable("no_community")
    if communities["households"].isna().any():
        return unknown("no_households")
    stations = case.of_kinds(measure.facility_kinds)
    stations = stations[stations["community_id"].isin(communities.index)]
    area = number(stations, "floor_area_m2")
    if area.isna().any():
        return unknown("no_floor_area", names=some(stations.index[area.isna()]))
    have = area.groupby(stations["community_id"]).agg(exact_sum).reindex(communities.index, fill_value=0)
    a_household, least = (exact_sum([number]) for number in (measure.m2_per_100_households, measure.least_m2))
    asked = [
        max(exact_sum([households]) * a_household / 100, least) for households in communities["households"]
    ]
    enough = sum(there >= least_there for there, least_there in zip(have, asked, strict=True))
    return Verdict(
        value=enough / len(communities), met=enough == len(communities), needed=len(communities) - enough
    )


def _not_computed(case: _Case, target: Target) -> Verdict:  # noqa: ARG001  every measure is asked the same way
    return unknown("not_reported")


_MEASURES: Mapping[type, Callable[[_Case, Target], Verdict]] = {
    policies.UnitCoverage: _unit_coverage,
    policies.FacilityCount: _facility_count,
    policies.BedShare: _bed_share,
    policies.FlagShare: _flag_share,
    policies.UpgradeCount: _upgrade_count,
    policies.FloorArea: _floor_area,
    policies.Reported: _not_computed,
}
