"""Find the cheapest sites that meet a policy's targets, of those the best for elders, and prove it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from sy_coverage.errors import CertificateError, some
from sy_coverage.siting.plan import Certificate, SitingPlan
from sy_coverage.siting.planning.check.beat import require_unbeaten
from sy_coverage.siting.planning.model.objectives import TIE_BREAK, Solved, solve_stages
from sy_coverage.siting.planning.rules.case import Case, Setting, read_case
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.highs import SolveOptions
from sy_coverage.siting.solve.memory import require_room, within_memory

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.policy import Policy
    from sy_coverage.roads import TravelTimes
    from sy_coverage.siting.planning.check.figures import Figures
    from sy_coverage.siting.planning.rules.criteria import Criteria

RULES = (
    "coverage_targets",
    "counts",
    "upgrades",
    "required",
    "host",
    "one_upgrade",
    "spread",
    "medical",
    "budget",
    "stations",
    "floor_area",
    "beds",
    "nursing_beds",
    "demonstration",
)
"""Ids of the rules that a plan's certificate has recomputed, as far as the setting asks for them."""
TARGET_RULES = frozenset({"coverage_targets", "counts", "upgrades", "demonstration"})
"""Those that a plan which only comes near to the targets does not keep."""


@within_memory
def policy_plan(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    candidates: GeoDataFrame,
    demand: GeoDataFrame,
    *,
    policy: Policy,
    times: Mapping[str, TravelTimes],
    between_homes: TravelTimes | None = None,
    to_medical: TravelTimes | None = None,
    scope: Literal["county", "city"] | None = None,
    rule: Literal["presence", "access", "both"] | None = None,
    share: float | None = None,
    spread_min: float | None = None,
    medical_min: float | None = None,
    medical: Literal["bar", "flag"] = "bar",
    station_walk_min: float | None = None,
    floor_area: Literal["bar", "flag"] = "flag",
    beds_per_elder: float | None = None,
    conversion_cost: float | None = None,
    demonstration: Mapping[str, Criteria] | None = None,
    phases: Mapping[int, Mapping[str, float | None]] | None = None,
    budget: float | None = None,
    date: dt.date | None = None,
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return which candidates to open so that every target of `policy` is met in the counties of `units`, with proof.

    Of all plans that keep the rules: the cheapest; of those, one with the most elders within the cutoff of a centre; of
    those, the least elder-minutes to the nearest centre; then the least elder-minutes to the nearest of the kinds that
    are counted by county (dementia units, regional homes), each for the elders of its own county; then the least sum of
    the ranks of the ids in the list of candidates. Each stage is proved and fixed before the next. An elder whom no
    centre reaches within the travel times counts as many minutes as these hold.

    Parameters
    ----------
    units
        Streets and townships for which the targets must hold, indexed by `unit_id`.
    facilities
        What there is, also beyond the border; what is open on `date` stays open and costs nothing.
    candidates
        What could be opened, with `cost` in 10⁴ yuan; those marked `required` open in any case. Candidates of other
        counties, or without a point, are left out and listed in the plan's findings.
    demand
        Villages with elders; only those in `units` are counted.
    policy
        Says by `measure` what is counted; its kinds give the cutoffs.
    times
        Minutes by kind, from demand to the located open facilities and candidates of that kind.
    between_homes
        Minutes between homes (sites × sites); of a pair the shorter direction counts.
    to_medical
        Minutes between homes and medical institutions, the homes on either side.
    scope, rule, share
        How the coverage rates are read; None: as the policy's readings say.
    spread_min
        Two homes of one kind and county are at least this far apart by road; None: the cutoff of `between_homes` where
        that is finite.
    medical_min, medical
        A home farther than this from medical care is barred, or only flagged in the findings.
    station_walk_min
        A new centre opens only with stations of its unit (of the policy's `station_kinds`), open or opened by the plan,
        within so many minutes of every village cluster of the unit: of one of its villages with elders. A column
        `cluster_id` of `demand` says which villages form a cluster (see `siting.village_clusters`); without it each is one.
    floor_area
        A station whose `floor_area_m2` is known to be less than the policy asks for the households it serves (the
        community its `community_id` names, else the nearest demand point of its unit) is barred, or flagged in the findings.
    beds_per_elder
        Beds that each elder counts for, such as 0.03: all elders of a county are assigned to homes of the county within
        the cutoff of the home's kind, and no home is given more than its `beds`. A rebuilt home counts what it adds.
    conversion_cost
        10⁴ yuan to turn one bed into a nursing bed. Where given, the plan decides how many beds of which home to turn, so
        that the policy's share of nursing beds holds over the area and in each county, and the cost includes it.
    demonstration
        What a demonstration site must have, by the id of each target that counts them: as many sites as it asks, standing
        or opened, must meet the criteria (or carry the mark already); of those that do, those for most elders are chosen.
    phases
        Years with a ``budget`` or a number of ``sites``; see `siting.phases`.
    budget
        10⁴ yuan in all. Where it cannot meet the targets, the plan covers the most units and counted facilities it can
        buy, then the most elders; the findings say what all targets would cost.
    date
        The day that decides what is open.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        `objective` is the cost (with a budget that is too small, what counts towards the targets). An ``infeasible``
        plan has no sites; its `findings` say why, and `details["attainable"]` holds the best plan meanwhile.

    Raises
    ------
    InputError
        If an argument or frame cannot be used.
    UnknownIdError
        If `times` lack a site or demand point.
    CertificateError
        If the answer does not stand up to our own arithmetic.
    """
    case = case_asked(
        units,
        facilities,
        candidates,
        demand,
        policy=policy,
        times=times,
        between_homes=between_homes,
        to_medical=to_medical,
        scope=scope,
        rule=rule,
        share=share,
        spread_min=spread_min,
        demonstration=demonstration,
        date=date,
        medical_min=medical_min,
        medical=medical,
        station_walk_min=station_walk_min,
        floor_area=floor_area,
        beds_per_elder=beds_per_elder,
        conversion_cost=conversion_cost,
        budget=budget,
    )
    options = options or SolveOptions()
    if phases:
        from sy_coverage.siting.planning.phases import phased_plan  # noqa: PLC0415  it builds on this module

        return phased_plan(case, phases, options=options)
    return plan_of(case, options=options)


def case_asked(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    candidates: GeoDataFrame,
    demand: GeoDataFrame,
    *,
    policy: Policy,
    times: Mapping[str, TravelTimes],
    between_homes: TravelTimes | None = None,
    to_medical: TravelTimes | None = None,
    scope: Literal["county", "city"] | None = None,
    rule: Literal["presence", "access", "both"] | None = None,
    share: float | None = None,
    spread_min: float | None = None,
    demonstration: Mapping[str, Criteria] | None = None,
    date: dt.date | None = None,
    **setting: Any,
) -> Case:
    """Return the case that `policy_plan` plans when it is asked the same; what else `setting` holds goes as it is."""
    if spread_min is None and between_homes is not None and between_homes.cutoff_min < float("inf"):
        spread_min = between_homes.cutoff_min
    pairs = sum(table.minutes.nnz for table in times.values())
    require_room("policy_plan", len(candidates), len(demand), pairs)
    return read_case(
        units,
        facilities,
        candidates,
        demand,
        policy=policy,
        times=times,
        setting=Setting(
            scope=scope or policy.readings.scope,
            rule=rule or policy.readings.rule,
            share=policy.readings.share if share is None else share,
            spread_min=spread_min,
            elders=policy.readings.elders,
            demonstration=tuple(sorted((demonstration or {}).items())),
            **setting,
        ),
        between_homes=between_homes,
        to_medical=to_medical,
        date=date,
    )


def plan_of(case: Case, *, options: SolveOptions) -> SitingPlan:
    """Return the plan of a case that has been read."""
    from sy_coverage.siting.planning import shortfall  # noqa: PLC0415  it builds on this module

    with highs.Watch(options) as watch:
        budget = case.setting.budget
        free = case if budget is None else case.but(budget=None)
        # with a budget the cheapest plan is asked for first: does it fit?
        solved = solve_stages(free, watch=watch, most=None if budget is None else 1)
        if solved.status == "infeasible":
            return shortfall.explained(case, solved, watch=watch)
        if budget is not None and solved.figures is not None:
            if solved.figures.cost > budget:
                return shortfall.within_budget(case, solved, watch=watch)
            solved = solve_stages(free, watch=watch)
        return finished(case, solved, options=options)


def finished(
    case: Case, solved: Solved, *, options: SolveOptions, findings: DataFrame | None = None
) -> SitingPlan:
    """Return the certified plan of what the stages came to.

    Raises
    ------
    CertificateError
        If a rule does not hold, or our own search finds something better.
    """
    from sy_coverage.siting.planning import demonstration, explain, shortfall  # noqa: PLC0415

    if solved.figures is None:
        return SitingPlan(
            (), "no_answer", None, None, None, None, findings=shortfall.no_answer(case, solved.stopped)
        )
    checked = solved.figures
    if checked.broken:
        raise CertificateError(f"the plan breaks rules: {some(checked.broken)}; it is not shown")
    if not solved.elastic and not checked.met:
        missed = checked.targets[~checked.targets["met"]]
        named = (f"{t} in {s}" for t, s in zip(missed["target_id"], missed["scope_id"], strict=True))
        raise CertificateError(f"the plan misses targets: {some(named)}; it is not shown")
    heuristic = require_unbeaten(
        case, solved.sites, checked, elastic=solved.elastic, proved=solved.status == "optimal"
    )
    first = solved.stages[0]
    shown = demonstration.shown(case, solved.sites, options=options)
    stages = (*solved.stages, *shown.stages)
    proved = solved.status == "optimal" and all(s.proved for s in stages)
    certificate = Certificate(
        problem="policy_plan",
        rules=rules_of(case, elastic=solved.elastic),
        stages=stages,
        solver=solved.solver or "no solver was needed",
        options=(
            *((k, str(v)) for k, v in sorted(vars(case.setting).items())),
            ("gap", str(options.gap)),
            ("time_limit_s", str(options.time_limit_s)),
        ),
        heuristic_value=heuristic,
        notes=(*shortfall.notes(case), *solved.stopped, *_unsettled(solved)),
    )
    gap = 0.0 if first.proved else highs.relative_gap(first.value, first.bound)
    return SitingPlan(
        sites=solved.sites,
        status="optimal" if proved else "feasible",
        objective=first.value,
        bound=first.bound,
        gap=gap,
        certificate=certificate,
        assignment=checked.assignment.rename("site_id"),
        reasons=explain.Reasons(case, solved, replace(options, progress=None)),
        findings=shortfall.with_more(
            shortfall.remarks(case, solved.sites) if findings is None else findings, shown.findings
        ),
        details={
            "cost": checked.cost,
            "elders_covered": checked.elders_covered,
            "elder_minutes": checked.elder_minutes,
            "home_minutes": checked.home_minutes,
            "targets": checked.targets,
            "targets_met": checked.met,
            "new_sites": len(solved.sites),
            **of_beds(case, checked),
            **shown.details,
        },
    )


def of_beds(case: Case, checked: Figures) -> dict[str, Any]:
    """Return what a plan says of beds: `conversions`, `conversion_cost` and `beds`, where the setting asks for them."""
    details: dict[str, Any] = {}
    if case.setting.conversion_cost is not None:
        details["conversions"] = checked.conversions
        details["conversion_cost"] = float(checked.conversions["cost"].sum())
    if case.setting.beds_per_elder is not None:
        details["beds"] = checked.beds
    return details


def rules_of(case: Case, *, elastic: bool) -> tuple[str, ...]:
    """Return the rules that a plan of `case` has kept: those that the setting asks for."""
    setting = case.setting
    chosen = {
        "stations": setting.station_walk_min is not None,
        "floor_area": setting.floor_area == "bar",
        "beds": setting.beds_per_elder is not None,
        "nursing_beds": setting.conversion_cost is not None,
        "demonstration": bool(setting.demonstration),
    }
    return tuple(r for r in RULES if chosen.get(r, True) and not (elastic and r in TARGET_RULES))


def _unsettled(solved: Solved) -> tuple[str, ...]:
    """Return the note that equal plans may exist besides, where the last stage ran out of time."""
    settled = solved.status != "optimal" or any(stage.objective_id == TIE_BREAK for stage in solved.stages)
    return () if settled else ("ties_not_settled",)


def with_details(plan: SitingPlan, **details: Any) -> SitingPlan:
    """Return `plan` with more figures."""
    return replace(plan, details={**plan.details, **details})
