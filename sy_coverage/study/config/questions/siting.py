"""Look up what `[siting]` of a study file may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sy_coverage.study.config.section import Minutes, Money, Section


class Shown(Section):
    """`[siting.demonstration.<target>]`: what a demonstration site must have; what a list does not say, a site does not have."""

    floor_area_m2: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """At least so much floor area."""
    all_functions: bool = False
    """Every function that its kind is meant to have."""
    has_medical: bool = False
    """Medical care in the house."""


class Siting(Section):
    """`[siting]`: what a plan must keep."""

    scope: Literal["county", "city"] | None = None
    """Whether the two coverage rates must hold in every county, or over the whole city."""
    rule: Literal["presence", "access", "both"] | None = None
    """What makes a unit count as covered."""
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    """The share of a unit's elders that must be within the cutoff, for the rule ``access``."""
    elders: Literal["elders", "elders_65", "elders_80"] | None = None
    """Whose coverage is counted: 60 and over, 65 and over, or 80 and over."""
    nursing_bed_base: str | None = None
    """Which homes' beds the nursing-bed share is counted over, one of the bases the policy names."""
    spread_min: Minutes | None = None
    """Two regional homes of a county are at least this far apart by road."""
    medical_min: Minutes | None = None
    """A regional home is at most this far from a medical institution by road."""
    medical: Literal["bar", "flag"] = "bar"
    """Whether a site that is farther is barred, or only flagged."""
    station_walk_min: Minutes | None = None
    """A new centre has a station of its unit, open or opened by the plan, within so many minutes of every village cluster."""
    cluster_m: float = Field(default=1000.0, ge=0, allow_inf_nan=False)
    """Villages of a unit that a chain of villages this far apart links form one cluster."""
    floor_area: Literal["bar", "flag"] = "flag"
    """Whether a station with too little floor area for its households is barred, or only flagged."""
    beds_per_elder: Annotated[float, Field(gt=0, le=1)] | None = None
    """Beds that each elder counts for, such as 0.03: elders must find them in homes of their county within the cutoff."""
    conversion_cost: Money = 0.0
    """10⁴ yuan to turn one bed into a nursing bed; 0: a plan says how many, and counts no cost for them."""
    demonstrate: bool = True
    """Whether demonstration sites are chosen, as many as the policy asks over the whole city: with scope ``county`` on top of
    the counties' plans, which are fixed first; with scope ``city`` in the one plan of the city."""
    demonstration: dict[str, Shown] = {}
    """What such a site must have, by target: ``[siting.demonstration.urban_demo_sites]``."""
    require: tuple[str, ...] = ()
    """Candidates that every plan opens, by id or name."""
    forbid: tuple[str, ...] = ()
    """Candidates that no plan opens, by id or name."""
    budget: Money | None = None
    """The most a county's plan may cost, in 10⁴ yuan; with scope ``city`` the most that the one plan of the city may cost."""
    slack: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] | None = None
    """The best plan for elders within so much of least cost, such as 0.05, instead of the best of the cheapest."""
    prefer: Literal["elders", "worst_min"] = "elders"
    """Of plans of equal cost: the one with the most elders within the cutoff, or the one whose longest way is shortest."""
    worst_min: Minutes | None = None
    """Nobody lives farther than so many minutes from a centre."""
    running_budget: Money | None = None
    """The most that the sites of a county's plan may cost to run a year, in 10⁴ yuan, by the running costs of the lists."""
    beds_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """With ``beds_per_elder``: the share of the beds needed that must be in reach; villages left without are named."""
    may_close: dict[str, Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]] = {}
    """Facilities that stand and may close, by id or name, each with the 10⁴ yuan that closing it saves (below 0: costs)."""
    move: dict[str, str] = {}
    """Candidates that a standing facility may move to, each with the facility, by id or name; its beds go along."""
    carry: bool = False
    """Whether what a year of ``[phases]`` leaves of its budget may be spent in the years after it."""
    paid_over: dict[str, Annotated[int, Field(ge=1, le=10)]] = {}
    """Candidates, by id or name, that are paid over so many years of ``[phases]``, the last of them the year of opening."""
    time_limit_s: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    """Seconds a county's plan may take; an answer cut short says so and gives its gap."""
