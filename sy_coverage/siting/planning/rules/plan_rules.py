"""Write down what is asked of a plan besides the policy's targets: every choice a planner has, in one typed object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

import numpy as np

from sy_coverage.errors import InputError, some

if TYPE_CHECKING:
    import datetime as dt

    from sy_coverage.policy import Policy
    from sy_coverage.roads import TravelTimes
    from sy_coverage.siting.planning.rules.criteria import Criteria

P = ParamSpec("P")
T = TypeVar("T")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "scope": ("county", "city"),
    "rule": ("presence", "access", "both"),
    "elders": ("elders", "elders_65", "elders_80"),
    "medical": ("bar", "flag"),
    "floor_area": ("bar", "flag"),
    "prefer": ("elders", "worst_min"),
}
_NUMBERS = (
    "spread_min",
    "medical_min",
    "budget",
    "station_walk_min",
    "beds_per_elder",
    "conversion_cost",
    "slack",
    "worst_min",
    "running_budget",
)
_ALWAYS_WRITTEN = frozenset(
    {*_CHOICES, *_NUMBERS, "share", "demonstration"} - {"slack", "worst_min", "running_budget", "prefer"}
)


@dataclass(frozen=True, kw_only=True)
class PlanRules:
    """What a plan must keep besides the policy's targets; None and empty: not asked, or as the policy's readings say.

    Raises
    ------
    InputError
        If a value is none of the choices, or a number is negative or none.
    """

    scope: Literal["county", "city"] | None = None
    """Whether the coverage rates must hold in every county, or over all units given."""
    rule: Literal["presence", "access", "both"] | None = None
    """What makes a unit count: it has a centre, its elders reach one, or both."""
    share: float | None = None
    """The share of a unit's elders that must be within the cutoff, for access."""
    elders: Literal["elders", "elders_65", "elders_80"] | None = None
    """The column of demand that is counted."""
    spread_min: float | None = None
    """Two homes of one kind and county are at least so many minutes apart by road, the shorter way of the two; None: the cutoff
    of `between_homes` where that is finite."""
    medical_min: float | None = None
    """A home farther than this from medical care is barred, or flagged in the findings, as `medical` says."""
    medical: Literal["bar", "flag"] = "bar"
    station_walk_min: float | None = None
    """A new centre opens only with stations of its unit (of the policy's `station_kinds`), open or opened by the plan, within so
    many minutes of every village cluster of the unit: of one of its villages with elders. A column `cluster_id` of `demand` says
    which villages form a cluster (see `siting.village_clusters`); without it each is one."""
    floor_area: Literal["bar", "flag"] = "flag"
    """A station whose `floor_area_m2` is known to be less than the policy asks for the households it serves (the community its
    `community_id` names, else the nearest demand point of its unit) is barred, or flagged in the findings."""
    beds_per_elder: float | None = None
    """Beds that each elder counts for, such as 0.03: all elders of a county are assigned to homes of the county within the cutoff
    of the home's kind, and no home is given more than its `beds`. A rebuilt home counts what it adds."""
    conversion_cost: float | None = None
    """10⁴ yuan to turn one bed into a nursing bed. Where given, the plan decides how many beds of which home to turn, so that the
    policy's share of nursing beds holds over the area and in each county, and the cost includes it."""
    demonstration: Mapping[str, Criteria] = field(default_factory=dict)
    """What a demonstration site must have, by the id of each target that counts them: as many sites as it asks, standing or
    opened, must meet the criteria (or carry the mark already); of those that do, those for most elders are chosen."""
    budget: float | None = None
    """10⁴ yuan in all. Where it cannot meet the targets, the plan covers the most units and counted facilities it can buy, then
    the most elders; the findings say what all targets would cost."""
    slack: float | None = None
    """The best plan for elders within so much of least cost, such as 0.05: of all plans that meet the targets and cost no more
    than the cheapest one and this share of it, the one with the most elders within the cutoff, then the cheapest."""
    cost_limit: float | None = None
    """10⁴ yuan that a plan which meets all targets may cost at most; where none can, there is no plan (`budget` comes near)."""
    differ_from: tuple[tuple[str, ...], ...] = ()
    """Sites of other plans: of all that keep the rules, the plan that does without the most sites of whichever of them it is
    nearest to."""
    adopted: tuple[str, ...] = ()
    """Sites of a plan that is under way: of all that keep the rules, the plan with the fewest sites that differ from it (left
    out or new), then the cheapest of these."""
    beds_share: float = 1.0
    """With `beds_per_elder`: the share of the beds that a county's elders need which must be in reach of them and free."""
    worst_min: float | None = None
    """Nobody lives farther than so many minutes from an open centre; villages without elders do not count."""
    running_budget: float | None = None
    """10⁴ yuan a year that the sites a plan opens may cost to run (`running_cost` of the candidates; none said: 0)."""
    carry: bool = False
    """Whether what a year of `phases` leaves of its budget may be spent in the years after it."""
    prefer: Literal["elders", "worst_min"] = "elders"
    """What decides among plans of equal cost, before all else: most elders within the cutoff, or the least longest way of
    an elder to a centre (of those whom any centre or candidate reaches within the travel times), then most elders."""
    phases: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """Years with a ``budget``, a number of ``sites`` or ``counties`` (a budget by county) each; none: the plan is one."""
    paid_over: Mapping[str, int] = field(default_factory=dict)
    """Candidates that are paid over several years of `phases`, in equal parts: the last in the year in which they open, the
    others in the years before it; what falls before the first year is paid in the first."""
    require: tuple[str, ...] = ()
    """Ids of candidates that open in any case, besides those that are marked `required`."""
    forbid: tuple[str, ...] = ()
    """Ids of candidates that stay closed, or of facilities in `close` that must close."""
    close: Mapping[str, float] = field(default_factory=dict)
    """Facilities that stand and may close, each with the 10⁴ yuan that closing it saves (below 0: costs); a list of ids saves
    nothing. One that `forbid` names too closes in any case."""
    move: Mapping[str, str] = field(default_factory=dict)
    """Candidates that a standing facility may move to, each with the id of the facility: where it opens, the old place closes,
    and its beds go along unless the candidate says how many it has."""
    date: dt.date | None = None
    """The day that decides what is open."""

    def __post_init__(self) -> None:
        """Refuse what is not among the choices."""
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value not in allowed and not (
                value is None and name not in {"medical", "floor_area", "prefer"}
            ):
                raise InputError(f"{name}={value!r}: must be one of {', '.join(allowed)}")
        for name, share in (("share", self.share), ("beds_share", self.beds_share)):
            if share is not None and not 0 < share <= 1:
                raise InputError(f"{name}={share}: must be above 0 and at most 1")
        for name in _NUMBERS:
            number = getattr(self, name)
            if number is not None and not (np.isfinite(number) and number >= 0):
                raise InputError(f"{name}={number}: must be a finite number, 0 or more")
        self._put_in_order()
        self._require_sense()

    def _require_sense(self) -> None:
        both = sorted({*self.require} & {*self.forbid})
        if both:
            raise InputError(
                f"require, forbid: the same sites stand in both: {some(both)}; take them out of one"
            )
        wrong = [i for i, saved in self.close.items() if not np.isfinite(saved)]
        if wrong:
            raise InputError(f"close: what closing saves must be a finite number: {some(wrong)}")
        if self.cost_limit is not None and not np.isfinite(self.cost_limit):
            raise InputError(f"cost_limit={self.cost_limit}: must be a finite number")
        alone = [n for n in ("differ_from", "adopted") if getattr(self, n)]
        if self.phases and alone:
            raise InputError(
                f"{', '.join(alone)}: not in a plan of several years; plan without `phases`, or without this"
            )
        for name in ("carry", "paid_over"):
            if getattr(self, name) and not self.phases:
                raise InputError(f"{name}: asks of the years of a plan; give `phases`, or leave it out")
        wrong = [i for i, years in self.paid_over.items() if years not in range(1, 11)]
        if wrong:
            raise InputError(f"paid_over: must be a whole number of years from 1 to 10: {some(wrong)}")
        if self.beds_share != 1.0 and self.beds_per_elder is None:
            raise InputError("beds_share: asks how many of the beds; give `beds_per_elder`, or leave it out")

    def _put_in_order(self) -> None:
        for name in ("require", "forbid", "adopted"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise InputError(f"{name}={value!r}: must be a list of ids, not one text")
            object.__setattr__(self, name, tuple(sorted({str(i) for i in value})))
        object.__setattr__(self, "differ_from", tuple(tuple(sorted(s)) for s in self.differ_from))
        if not isinstance(self.close, Mapping):
            object.__setattr__(self, "close", dict.fromkeys(self.close, 0.0))
        for name in ("demonstration", "phases", "close", "move", "paid_over"):
            object.__setattr__(self, name, dict(sorted((getattr(self, name) or {}).items())))

    def as_read(self, policy: Policy, between_homes: TravelTimes | None) -> PlanRules:
        """Return these rules with the policy's readings, and the spread of `between_homes`, where they say nothing."""
        readings, spread = policy.readings, self.spread_min
        if spread is None and between_homes is not None and np.isfinite(between_homes.cutoff_min):
            spread = between_homes.cutoff_min
        return replace(
            self,
            scope=self.scope or readings.scope,
            rule=self.rule or readings.rule,
            share=readings.share if self.share is None else self.share,
            elders=self.elders or readings.elders,
            spread_min=spread,
        )

    def written(self) -> tuple[tuple[str, str], ...]:
        """Return each rule by name as text: those a plan is always asked, and the others where they are asked for."""
        found = []
        for rule in sorted(fields(self), key=lambda f: f.name):
            value = getattr(self, rule.name)
            if value == rule.default and rule.name not in _ALWAYS_WRITTEN:
                continue
            if rule.name in {"phases", "date"} or not (rule.name in _ALWAYS_WRITTEN or value or value == 0):
                continue
            found.append((rule.name, str(tuple(value.items()) if isinstance(value, Mapping) else value)))
        return tuple(found)


def with_rules(rules: PlanRules, **changes: Any) -> PlanRules:
    """Return `rules` with some of them changed.

    Raises
    ------
    InputError
        If there is no such rule.
    """
    unknown = sorted(set(changes) - {f.name for f in fields(rules)})
    if unknown:
        raise InputError(f"rules: no such rule: {some(unknown)}")
    return replace(rules, **changes)


def asked_by_rules(ask: Callable[P, T]) -> Callable[P, T]:
    """Return `ask` as a function that says where the keywords of version 0.1 went, each of them a field of `PlanRules` now."""
    moved = {rule.name for rule in fields(PlanRules)}

    @wraps(ask)
    def asked(*given: P.args, **named: P.kwargs) -> T:
        old = [name for name in named if name in moved]
        if old:
            raise TypeError(
                f"{ask.__name__}: {', '.join(old)} are choices of a planner and have moved into rules=: "
                f"{ask.__name__}(…, rules=siting.PlanRules({', '.join(f'{name}=…' for name in old)}))"
            )
        return ask(*given, **named)

    return asked
