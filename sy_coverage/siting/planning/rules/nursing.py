"""Turn beds into nursing beds beside opening sites: which homes' beds count, what a choice of sites leaves lacking, and its price."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.policy.standards import exact
from sy_coverage.policy.targets import CITY, BedShare
from sy_coverage.siting.planning.rules.conversions import nursing_bed_conversions
from sy_coverage.siting.sites import among

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pandas import DataFrame

    from sy_coverage.siting.planning.rules.case import PlanCase

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


def planned(case: PlanCase) -> bool:
    """Return whether the plan turns beds into nursing beds."""
    return case.rules.conversion_cost is not None and case.policy.bed_share is not None


def base_kinds(case: PlanCase) -> tuple[str, ...]:
    """Return the kinds of homes over which the share is counted."""
    measure = None if case.policy.bed_share is None else case.policy.bed_share.measure
    return case.policy.bed_kinds(measure) if isinstance(measure, BedShare) else ()


def homes(case: PlanCase, sites: Iterable[str]) -> DataFrame:
    """Return the homes whose beds count when `sites` are open: `kind`, `county_id`, `beds`, `nursing_beds`, sorted by id."""
    every = case.once("homes whose beds may count", lambda: _every_home(case))
    opened = set(sites)
    gone = set(case.sites.row_of) - opened
    if case.policy.readings.rebuilt == "leaves":
        gone |= {case.sites.upgrade_of[case.position(s)] for s in opened}
    return every[~among(every.index, gone)]


def _every_home(case: PlanCase) -> DataFrame:
    frames = []
    for frame, own in ((case.facilities, case.standing), (case.candidates, case.sites)):
        rows = np.flatnonzero(own.of_kind(*base_kinds(case)) & among(own.county, case.counties))
        columns = {c: frame[c].to_numpy()[rows] for c in ("kind", "beds", "nursing_beds")}
        frames.append(pd.DataFrame(columns, index=frame.index[rows]).assign(county_id=own.county[rows]))
    # an empty frame has no say in what type the text of the other is
    return pd.concat([frame for frame in frames if len(frame)] or frames).sort_index()


def conversions(case: PlanCase, sites: Iterable[str]) -> DataFrame:
    """Return the beds of each home to turn into nursing beds at the least cost when `sites` are open."""
    if not planned(case):
        columns = ["county_id", "beds", "nursing_beds", "convert", "cost", "basis"]
        return pd.DataFrame(columns=columns, index=pd.Index([], name="facility_id"))
    cost = float(case.rules.conversion_cost or 0.0)
    return nursing_bed_conversions(homes(case, sites), policy=case.policy, cost_per_bed=cost)


def conversion_cost(case: PlanCase, sites: Iterable[str]) -> Fraction:
    """Return what the conversions cost when `sites` are open, exactly, in 10⁴ yuan."""
    if not (planned(case) and case.rules.conversion_cost):
        return Fraction(0)
    if not depend(case):
        return case.once("conversion cost", lambda: _price(case, ()))
    return _price(case, sites)


def _price(case: PlanCase, sites: Iterable[str]) -> Fraction:
    beds = int(conversions(case, sites)["convert"].fillna(0).sum())
    return beds * Fraction(str(case.rules.conversion_cost))


def depend(case: PlanCase) -> bool:
    """Return whether the conversions depend on which sites open: candidates have beds that count."""
    return planned(case) and bool(counting(case).any())


def counting(case: PlanCase) -> Flags:
    """Return which candidates bring beds that count, and say how many of them are nursing beds."""
    return case.once("sites with beds that count", lambda: _counting(case))


def _counting(case: PlanCase) -> Flags:
    beds, nursing = (case.candidates[c].to_numpy(float) for c in ("beds", "nursing_beds"))
    # a number that is missing compares as false
    return np.asarray(case.sites.of_kind(*base_kinds(case)) & (nursing <= beds) & (beds > 0), dtype=bool)


def places(case: PlanCase) -> Iterator[str]:
    """Yield the `scope_id` of each place in which the share must hold."""
    target = case.policy.bed_share
    if target is None:
        return
    if target.scope != "city":
        yield from case.counties
    if target.scope in {"city", "city_and_county"}:
        yield CITY


def lacking(case: PlanCase, sites: Iterable[str], converted: Any) -> list[str]:
    """Return the places in which the share does not hold, counted from the homes' rows and `converted` beds by id."""
    target = case.policy.bed_share
    if target is None or not planned(case):
        return []
    there = homes(case, sites)
    beds, nursing = (there[c].to_numpy(float) for c in ("beds", "nursing_beds"))
    more = pd.Series(converted).reindex(there.index).fillna(0).to_numpy(float)
    known = nursing <= beds  # a number that is missing compares as false
    beds, then, county = beds[known], (nursing + more)[known], there["county_id"].to_numpy()[known]
    found = ["beyond the beds"] if (then > beds).any() else []
    for place in places(case):
        here = (county == place) | (place == CITY)
        all_, skilled = (sum(map(Fraction, of[here].tolist()), start=Fraction(0)) for of in (beds, then))
        if skilled < exact(target.value or 0.0) * all_:
            found.append(place)
    return found
