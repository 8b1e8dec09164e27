"""Tell whether a county's elders find beds: in homes of their own county within the cutoff, each bed taken once."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage import coverage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from pandas import DataFrame

    from sy_coverage.siting.planning.rules.case import PlanCase

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


BEDS_ROOM = 1e-6
"""Needs and beds may differ by this relative to the need: the rounding of a solver, far below one bed."""


@dataclass(frozen=True)
class Group:
    """Elders of one county who can reach the same homes."""

    county_id: str
    homes: tuple[str, ...]
    """Ids of the open homes and candidates in reach, in order."""
    need: Fraction
    """Beds."""
    villages: tuple[str, ...]
    """Ids of the demand points they live in."""


@dataclass(frozen=True)
class Beds:
    """The beds of every home that counts, and who needs them."""

    groups: tuple[Group, ...]
    beds: dict[str, Fraction]
    """By open facility or candidate."""
    site: dict[str, int]
    """Position of each home that is a candidate."""


def bed_kinds(case: PlanCase) -> tuple[str, ...]:
    """Return the kinds of homes that have beds: all that the policy's nursing-bed share speaks of, in any reading."""
    target = case.policy.bed_share
    return target.measure.kinds if target is not None else case.policy.home_kinds


def beds(case: PlanCase) -> Beds | None:
    """Return who needs beds and where they are; None where the rules do not ask for them."""
    return case.once("beds", lambda: _beds(case))


def _beds(case: PlanCase) -> Beds | None:
    if case.rules.beds_per_elder is None:
        return None
    rate, kinds = Fraction(str(case.rules.beds_per_elder)), bed_kinds(case)
    standing = case.facilities[case.facilities["kind"].isin(kinds)]
    county = dict(zip(case.facilities.index, case.county_of_facility, strict=True))
    county |= dict(zip(case.ids, case.county_of_site, strict=True))
    room = {str(i): _number(b) for i, b in standing["beds"].items()}
    proposed = case.candidates[case.candidates["kind"].isin(kinds)]
    room |= {str(i): _number(b) for i, b in proposed["beds"].items()}
    near: list[list[str]] = [[] for _ in range(len(case.demand))]
    own = case.demand["unit_id"].map(case.units["county_id"]).to_numpy()
    for kind in kinds:
        times = case.times.get(kind)
        if times is None:
            continue
        there = [i for i in times.site_ids if i in room]
        mine = times.select(sites=there, demand=case.demand.index)
        pairs = coverage.reached(case.demand, case.units, mine, kind=case.policy.kind(kind)).tocoo()
        for r, c in zip(pairs.row, pairs.col, strict=True):
            if county[mine.site_ids[r]] == own[c]:
                near[c].append(mine.site_ids[r])
    merged: dict[tuple[str, tuple[str, ...]], Fraction] = {}
    villages: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    elders = _who_needs_beds(case, kinds)
    for i in np.flatnonzero(elders > 0):
        key = (str(own[i]), tuple(sorted(near[i])))
        merged[key] = merged.get(key, Fraction(0)) + Fraction(elders[i]) * rate
        villages.setdefault(key, []).append(str(case.demand.index[i]))
    groups = tuple(Group(*key, need, tuple(villages[key])) for key, need in sorted(merged.items()))
    return Beds(groups, room, {str(i): case.position(str(i)) for i in proposed.index})


def _who_needs_beds(case: PlanCase, kinds: tuple[str, ...]) -> Floats:
    """Return of each village those whom all these kinds of homes are for; where they are not for the same, its elders."""
    served = {case.policy.kind(k).serves for k in kinds}
    return case.people(kinds[0]) if len(served) == 1 else case.elders


def _number(value: Any) -> Fraction:
    return Fraction(float(value)) if value is not None and not pd.isna(value) else Fraction(0)


def bed_table(case: PlanCase, sites: Iterable[str]) -> DataFrame:
    """Return by county how many beds its elders need, how many there are, and how many needed ones have no home in reach.

    The last is exact: what a greatest flow from elders to the open homes leaves over (Ford and Fulkerson 1956).
    """
    asked = beds(case)
    columns = ["needed", "beds", "short"]
    if asked is None:
        return pd.DataFrame(columns=columns, index=pd.Index([], name="county_id"), dtype=float)
    open_ = {i for i in asked.beds if i not in asked.site} | (set(sites) & set(asked.site))
    county = dict(zip(case.facilities.index, case.county_of_facility, strict=True))
    county |= dict(zip(case.ids, case.county_of_site, strict=True))
    rows = {}
    for county_id in case.counties:
        groups = [g for g in asked.groups if g.county_id == county_id]
        need = sum((g.need for g in groups), start=Fraction(0))
        have = sum(
            (b for i, b in asked.beds.items() if i in open_ and county[i] == county_id), start=Fraction(0)
        )
        rows[county_id] = [float(need), float(have), float(need - _housed(groups, asked.beds, open_))]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("county_id")


def too_short_of_beds(case: PlanCase, there: DataFrame) -> list[str]:
    """Return the counties of a `bed_table` whose elders find fewer beds than the share of their need that is asked."""
    allowed = (1.0 - case.rules.beds_share) * there["needed"] + BEDS_ROOM * there["needed"]
    return [str(county) for county in there.index[there["short"] > allowed]]


def out_of_reach_of_beds(case: PlanCase, sites: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return by county the villages with elders from which no open home with beds is in reach when `sites` are open."""
    asked = beds(case)
    if asked is None:
        return {}
    open_ = {i for i in asked.beds if i not in asked.site} | (set(sites) & set(asked.site))
    open_ = {i for i in open_ if asked.beds[i] > 0}
    found: dict[str, list[str]] = {}
    for group in asked.groups:
        if not open_ & set(group.homes):
            found.setdefault(group.county_id, []).extend(group.villages)
    return {county: tuple(sorted(names)) for county, names in sorted(found.items())}


def _housed(groups: list[Group], room: dict[str, Fraction], open_: set[str]) -> Fraction:
    """Return how many beds' worth of elders find room, by a greatest flow in whole numbers."""
    import networkx as nx  # noqa: PLC0415  only where beds are asked for

    homes = sorted({h for g in groups for h in g.homes} & open_)
    if not homes:
        return Fraction(0)
    step = lcm(*(f.denominator for f in [*(g.need for g in groups), *(room[h] for h in homes)]))
    graph = nx.DiGraph()
    for n, group in enumerate(groups):
        graph.add_edge("elders", n, capacity=int(group.need * step))
        graph.add_edges_from((n, h) for h in group.homes if h in open_)
    graph.add_edges_from((h, "beds", {"capacity": int(room[h] * step)}) for h in homes)
    return Fraction(int(nx.maximum_flow_value(graph, "elders", "beds")), step)
