"""Find the cheapest sites that meet a policy's targets, of those the best for elders, and prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sy_coverage.siting.planning import shortfall
from sy_coverage.siting.planning.certify import finished
from sy_coverage.siting.planning.phases import phased_plan
from sy_coverage.siting.planning.rules.case import Case, Setting, read_case
from sy_coverage.siting.planning.stages import solve_stages
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.highs import SolveOptions
from sy_coverage.siting.solve.memory import require_room, within_memory

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.policy import Policy
    from sy_coverage.roads import TravelTimes
    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.criteria import Criteria


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
