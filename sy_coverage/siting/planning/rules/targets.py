"""Read from a policy's targets, by what each measures, what a plan has to reach in which place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.policy import reaches_share, units_needed
from sy_coverage.policy.targets import CITY
from sy_coverage.siting.planning.rules.criteria import eligible
from sy_coverage.siting.sites import among

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sy_coverage.policy import Target
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.sites import Sites

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


def counted_kinds(case: PlanCase) -> tuple[str, ...]:
    """Return the kinds that are counted county by county: of equal plans, the one nearer to the county's elders is taken."""
    kinds: list[str] = []
    for target in case.policy.targets:
        if target.measure.of == "facility_count" and target.measure.mark is None:
            kinds += target.measure.facility_kinds
    return tuple(k for k in dict.fromkeys(kinds) if k not in coverage_kinds(case))


def medical_kinds(case: PlanCase) -> tuple[str, ...]:
    """Return the kinds that must lie near medical care: homes that the policy wants rebuilt or with medical care in the house."""
    kinds: list[str] = []
    for target in case.policy.targets:
        if target.measure.of == "upgrade_count" or (
            target.measure.of == "flag_share" and target.measure.flag == "has_medical"
        ):
            kinds += target.measure.kinds
    return tuple(dict.fromkeys(kinds))


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
    elif measure.of in {"facility_count", "upgrade_count"}:
        standing = _counts(case.standing, measure)
        proposed = _counts(case.sites, measure)
        if measure.of == "facility_count":  # rebuilding a home that counts already adds none
            proposed &= ~among(case.sites.upgrade_of, case.standing.ids[standing])
        standing &= among(case.standing.county, case.counties)
        for scope_id in places(case, target):
            now = standing if scope_id == CITY else standing & (case.standing.county == scope_id)
            then = proposed if scope_id == CITY else proposed & (case.sites.county == scope_id)
            yield Requirement(
                target.id,
                scope_id,
                "sites",
                measure.kinds[0],
                int(target.value or 0),
                int(now.sum()),
                np.flatnonzero(then),
                upgrades=measure.of == "upgrade_count",
            )


def _of_marks(case: PlanCase, target: Target) -> Iterator[Requirement]:
    """Yield how many sites that may be demonstration sites must be open, where the rules ask for them."""
    criteria = case.rules.demonstration.get(target.id)
    if criteria is None:
        return
    standing, proposed = (
        eligible(frame, target.measure, criteria, policy=case.policy)
        for frame in (case.facilities, case.candidates)
    )
    standing &= among(case.standing.county, case.counties)
    for scope_id in places(case, target):
        now = standing if scope_id == CITY else standing & (case.standing.county == scope_id)
        then = proposed if scope_id == CITY else proposed & (case.sites.county == scope_id)
        needed, kind = int(target.value or 0), target.measure.kinds[0]
        yield Requirement(target.id, scope_id, "sites", kind, needed, int(now.sum()), np.flatnonzero(then))


def _counts(sites: Sites, measure: Any) -> NDArray[np.bool_]:
    """Return which sites a count measures; one of the kind with the flag too counts once."""
    of_kind = sites.of_kind(*measure.kinds)
    if measure.of == "upgrade_count":
        return of_kind & (among(sites.premises, [measure.premises]) | sites.rebuilds)
    return of_kind if measure.also_flag is None else of_kind | sites.flags[measure.also_flag]
