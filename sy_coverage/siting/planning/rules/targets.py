"""Read from a policy's targets, by what each measures, what a plan has to reach in which place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from sy_coverage import coverage
from sy_coverage.policy import reaches_share, units_needed
from sy_coverage.policy.targets import CITY
from sy_coverage.roads.travel_times import within_cutoff
from sy_coverage.siting.planning.rules.criteria import eligible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sy_coverage.policy import Target
    from sy_coverage.siting.planning.rules.case import PlanCase

    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Requirement:
    """One target in one place: so many units covered, or so many sites open."""

    target_id: str
    scope_id: str
    """A `county_id`, or ``city``."""
    counts: str
    """``units`` or ``sites``."""
    kind: str
    """The (first) kind of facility that is counted."""
    needed: int
    have: int
    """Met by the facilities that are open, before anything is opened."""
    members: Integers
    """Positions of the units (all that are counted over) or of the candidates that would count."""
    unit_kind: str = ""
    upgrades: bool = False
    """Only rebuilt homes count."""

    unless: tuple[tuple[int, Integers], ...] = ()
    """A column (−1: a facility that stays) that counts when it is open and none of some others, which stand for the same place."""

    @property
    def missing(self) -> int:
        """Return how many are lacking today."""
        return max(0, self.needed - self.have)


def requirements(case: PlanCase) -> tuple[Requirement, ...]:
    """Return what the policy's targets ask of a plan, in the order of the targets, then of the places.

    Targets that count something a site cannot change (reported figures, beds, marks) ask for nothing here.
    """
    return case.once(
        "requirements", lambda: tuple(r for t in case.policy.targets for r in _of_target(case, t))
    )


def coverage_kinds(case: PlanCase) -> tuple[str, ...]:
    """Return the kinds of facility by which units are covered: those whose elders a plan counts."""
    kinds = [t.measure.facility_kind for t in case.policy.targets if t.measure.of == "unit_coverage"]
    return tuple(dict.fromkeys(kinds))


@dataclass(frozen=True)
class Near:
    """Whom the centres have within the cutoff, of whichever kind: a person is counted once."""

    within: Any
    """CSR of ones, columns × demand: the column is a centre and has the demand within its cutoff."""
    today: NDArray[np.bool_]
    """Whether a centre that stays is within the cutoff."""


def near_centres(case: PlanCase) -> Near:
    """Return who is within the cutoff of a centre of any kind by which units are covered."""
    return case.once("near centres", lambda: _near_centres(case))


def _near_centres(case: PlanCase) -> Near:
    reaches = [case.reach(kind) for kind in coverage_kinds(case)]
    if not reaches:
        shape = (len(case.ids), len(case.demand))
        return Near(sparse.csr_array(shape), np.zeros(shape[1], dtype=bool))
    within, today = reaches[0].within, reaches[0].today
    for other in reaches[1:]:  # a column is of one kind, so that no pair is there twice
        within, today = sparse.csr_array(within + other.within), today | other.today
    return Near(within, today)


def counted_kinds(case: PlanCase) -> tuple[str, ...]:
    """Return the kinds that are counted county by county: of equal plans, the one nearer to the county's elders is taken."""
    kinds: list[str] = []
    for target in case.policy.targets:
        if target.measure.of == "facility_count" and target.measure.mark is None:
            kinds += target.measure.facility_kinds
    return tuple(k for k in dict.fromkeys(kinds) if k not in coverage_kinds(case))


def served_kinds(case: PlanCase) -> tuple[str, ...]:
    """Return those of the kinds counted county by county that are for some of the elders only: how many of these they reach is weighed."""
    return tuple(
        k
        for k in counted_kinds(case)
        if k in case.times and coverage.serves_some(case.demand, case.policy.kind(k))
    )


def medical_kinds(case: PlanCase) -> tuple[str, ...]:
    """Return the kinds that must lie near medical care: the homes that the policy names."""
    return case.policy.home_kinds


def too_far_today(case: PlanCase) -> dict[str, Integers]:
    """Return by kind of centre the positions of villages with elders that no facility which stays brings within `worst_min`."""
    limit = case.rules.worst_min
    if limit is None:
        return {}
    for kind in coverage_kinds(case):
        if kind in case.times:
            case.times[kind].require_cutoff(limit)
    return {
        kind: np.flatnonzero((case.elders > 0) & ~within_cutoff(case.reach(kind).today_min, limit))
        for kind in coverage_kinds(case)
    }


def reachable(case: PlanCase, kind: str) -> NDArray[np.bool_]:
    """Return which villages have elders and a facility or candidate of `kind` within the travel times: whose way a plan can decide."""
    reach = case.reach(kind)
    some_way = np.isfinite(reach.today_min)
    some_way[reach.minutes[~case.forbidden].indices] = True
    return np.asarray((case.elders > 0) & some_way)


def near_enough(case: PlanCase, kind: str) -> Any:
    """Return which columns are within `worst_min` of which villages, as a sparse array."""
    return case.once(f"near enough {kind}", lambda: _near_enough(case, kind))


def _near_enough(case: PlanCase, kind: str) -> Any:
    minutes, limit = case.reach(kind).minutes, case.rules.worst_min
    coo = minutes.tocoo()
    keep = within_cutoff(coo.data, np.inf if limit is None else limit)
    ones = (np.ones(int(keep.sum())), (coo.row[keep], coo.col[keep]))
    return sparse.csr_array(sparse.coo_array(ones, shape=minutes.shape))


def covered_today(case: PlanCase, kind: str) -> NDArray[np.bool_]:
    """Return for each unit whether it is covered by the open facilities of `kind`, by the rule of the plan."""
    return case.once(f"covered today by {kind}", lambda: _covered_today(case, kind))


def present_today(case: PlanCase, kind: str) -> NDArray[np.bool_]:
    """Return for each unit whether an open facility of `kind` is there."""
    return case.once(f"present today of {kind}", lambda: _present_today(case, kind))


def _present_today(case: PlanCase, kind: str) -> NDArray[np.bool_]:
    units = case.standing.unit[case.standing.of_kind(kind)]
    present = np.zeros(len(case.units), dtype=bool)
    present[units[units >= 0]] = True
    return present


def _covered_today(case: PlanCase, kind: str) -> NDArray[np.bool_]:
    rule = case.rules.rule
    present = present_today(case, kind)
    if rule == "presence":
        return present
    reach = case.reach(kind)
    elders, unit = case.elders, case.unit_of_demand
    whole = np.bincount(unit, weights=elders, minlength=len(case.units))
    part = np.bincount(unit, weights=np.where(reach.today, elders, 0.0), minlength=len(case.units))
    near = np.array([reaches_share(p, w, case.share) for p, w in zip(part, whole, strict=True)], dtype=bool)
    return near if rule == "access" else near & present


def places(case: PlanCase, target: Target) -> Iterator[str]:
    """Yield the `scope_id` of each place in which `target` must hold."""
    scope: str | None = target.scope
    if scope == "county_or_city":
        scope = case.rules.scope
    if scope in {"city", "city_and_county"}:
        yield CITY
    if scope in {"county", "city_and_county"}:
        yield from case.counties
    if scope == "named_counties":
        yield from (c for c, name in case.counties.items() if name in target.counties or c in target.counties)


def _of_target(case: PlanCase, target: Target) -> Iterator[Requirement]:
    measure = target.measure
    if measure.of == "facility_count" and measure.mark is not None:
        yield from _of_marks(case, target)
    elif measure.of == "unit_coverage":
        covered = covered_today(case, measure.facility_kind)
        for scope_id in places(case, target):
            members = np.flatnonzero(case.counted(measure.unit_kind, scope_id))
            needed = units_needed(target.value or 0.0, len(members))
            yield Requirement(
                target.id,
                scope_id,
                "units",
                measure.facility_kind,
                needed,
                int(covered[members].sum()),
                members,
                unit_kind=measure.unit_kind,
            )
    elif measure.of == "facility_count":
        yield from _of_claims(case, target, measures_claims(case, target))
    elif measure.of == "upgrade_count":
        yield from _of_claims(case, target, rebuilt_claims(case, target), upgrades=True)


def _of_marks(case: PlanCase, target: Target) -> Iterator[Requirement]:
    """Yield how many sites that may be demonstration sites must be open, where the rules ask for them."""
    if target.id in case.rules.demonstration:
        yield from _of_claims(case, target, marked_claims(case, target))


def claims_of(case: PlanCase, target: Target) -> coverage.Claims | None:
    """Return which facilities that stay and which columns (behind them) may count towards a target; None: it counts no sites."""
    measure = target.measure
    if measure.of == "upgrade_count":
        return rebuilt_claims(case, target)
    if measure.of != "facility_count":
        return None
    if measure.mark is None:
        return measures_claims(case, target)
    return marked_claims(case, target) if target.id in case.rules.demonstration else None


def measures_claims(case: PlanCase, target: Target) -> coverage.Claims:
    """Return the claims of facilities that a target counts by kind and flag."""
    measure: Any = target.measure
    return case.once(f"claims of {target.id}", lambda: coverage.claims(case.every, measure))


def rebuilt_claims(case: PlanCase, target: Target) -> coverage.Claims:
    """Return the claims of homes that came, or would come, from rebuilding another."""
    measure: Any = target.measure

    def work() -> coverage.Claims:
        every = case.every.assign(row=np.arange(len(case.every)))
        own = np.zeros(len(every), dtype=bool)
        own[
            every["row"][coverage.upgraded(every, measure).eq(True).reindex(every.index, fill_value=False)]
        ] = True
        return _plain_claims(own)

    return case.once(f"claims of {target.id}", work)


def marked_claims(case: PlanCase, target: Target) -> coverage.Claims:
    """Return the claims of sites that are marked already, or meet the criteria that the rules state."""
    criteria, measure = case.rules.demonstration[target.id], target.measure
    parts = [eligible(f, measure, criteria, policy=case.policy) for f in (case.facilities, case.candidates)]
    return _plain_claims(np.concatenate(parts))


def _plain_claims(own: NDArray[np.bool_]) -> coverage.Claims:
    return coverage.Claims(own, np.zeros(len(own), dtype=bool), np.empty((0, 2), dtype=np.int64))


def _of_claims(
    case: PlanCase, target: Target, claims: coverage.Claims, *, upgrades: bool = False
) -> Iterator[Requirement]:
    """Yield what a target asks of sites in each of its places; of places told twice the facility that is counted once."""
    county, first = case.every["county_id"].to_numpy(dtype=object), len(case.facilities)
    for scope_id in places(case, target):
        here = coverage.lies_in(county, scope_id, case.counties)
        own, flagged = claims.own & here, claims.flagged & here
        pairs = claims.same[own[claims.same[:, 1]] & flagged[claims.same[:, 0]]]
        taken = set(pairs[pairs[:, 1] < first, 0].tolist())  # one of the counted kind stands there for good
        rivals: dict[int, list[int]] = {}
        for row, other in pairs[pairs[:, 1] >= first].tolist():
            if row not in taken:
                rivals.setdefault(row, []).append(other - first)
        sure = own.copy()
        sure[[r for r in np.flatnonzero(flagged) if r not in taken and r not in rivals]] = True
        yield Requirement(
            target.id,
            scope_id,
            "sites",
            target.measure.kinds[0],
            int(target.value or 0),
            int(sure[:first].sum()),
            np.flatnonzero(sure[first:]),
            upgrades=upgrades,
            unless=tuple(
                (row - first if row >= first else -1, np.array(sorted(js), dtype=np.int64))
                for row, js in sorted(rivals.items())
            ),
        )
