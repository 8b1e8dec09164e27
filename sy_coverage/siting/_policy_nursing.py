"""Turn beds into nursing beds beside opening sites: which homes' beds count, what a choice of sites leaves lacking, and its price."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.policy.standards import exact
from sy_coverage.policy.targets import BedShare
from sy_coverage.siting._policy_case import CITY
from sy_coverage.siting.beds import nursing_bed_conversions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pandas import DataFrame

    from sy_coverage.siting._policy_case import Case

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


def planned(case: Case) -> bool:
    """Return whether the plan turns beds into nursing beds."""
    return case.setting.conversion_cost is not None and case.policy.bed_share is not None


def base_kinds(case: Case) -> tuple[str, ...]:
    """Return the kinds of homes over which the share is counted."""
    measure = None if case.policy.bed_share is None else case.policy.bed_share.measure
    return case.policy.bed_kinds(measure) if isinstance(measure, BedShare) else ()


def homes(case: Case, sites: Iterable[str]) -> DataFrame:
    """Return the homes whose beds count when `sites` are open: `kind`, `county_id`, `beds`, `nursing_beds`, sorted by id."""
    columns = ["kind", "beds", "nursing_beds"]
    frames = [
        frame.loc[keep, columns].assign(county_id=county[keep])
        for frame, county, keep in (
            (case.facilities, case.county_of_facility, np.ones(len(case.facilities), dtype=bool)),
            (case.candidates, case.county_of_site, case.candidates.index.isin(list(sites))),
        )
    ]
    together = pd.concat([pd.DataFrame(f) for f in frames])
    ours = together["kind"].isin(base_kinds(case)) & together["county_id"].isin(list(case.counties))
    return together[ours].sort_index()


def conversions(case: Case, sites: Iterable[str]) -> DataFrame:
    """Return the beds of each home to turn into nursing beds at the least cost when `sites` are open."""
    if not planned(case):
        columns = ["county_id", "beds", "nursing_beds", "convert", "cost", "basis"]
        return pd.DataFrame(columns=columns, index=pd.Index([], name="facility_id"))
    cost = float(case.setting.conversion_cost or 0.0)
    return nursing_bed_conversions(homes(case, sites), policy=case.policy, cost_per_bed=cost)


def conversion_cost(case: Case, sites: Iterable[str]) -> Fraction:
    """Return what the conversions cost when `sites` are open, exactly, in 10⁴ yuan."""
    if not planned(case):
        return Fraction(0)
    if not depend(case):
        return case.once("conversion cost", lambda: _price(case, ()))
    return _price(case, sites)


def _price(case: Case, sites: Iterable[str]) -> Fraction:
    beds = int(conversions(case, sites)["convert"].fillna(0).sum())
    return beds * Fraction(str(case.setting.conversion_cost))


def depend(case: Case) -> bool:
    """Return whether the conversions depend on which sites open: candidates have beds that count."""
    return planned(case) and bool(counting(case).any())


def counting(case: Case) -> Flags:
    """Return which candidates bring beds that count, and say how many of them are nursing beds."""
    frame = case.candidates
    known = frame["beds"].notna() & frame["nursing_beds"].notna() & (frame["nursing_beds"] <= frame["beds"])
    return np.asarray(frame["kind"].isin(base_kinds(case)) & known & (frame["beds"] > 0), dtype=bool)


def places(case: Case) -> Iterator[str]:
    """Yield the `scope_id` of each place in which the share must hold."""
    target = case.policy.bed_share
    if target is None:
        return
    if target.scope != "city":
        yield from case.counties
    if target.scope in {"city", "city_and_county"}:
        yield CITY


def lacking(case: Case, sites: Iterable[str], converted: Any) -> list[str]:
    """Return the places in which the share does not hold, counted from the homes' rows and `converted` beds by id."""
    target = case.policy.bed_share
    if target is None or not planned(case):
        return []
    there = homes(case, sites)
    known = there["beds"].notna() & there["nursing_beds"].notna() & (there["nursing_beds"] <= there["beds"])
    there = there[known]
    then = there["nursing_beds"] + pd.Series(converted).reindex(there.index).fillna(0).astype(float)
    found = ["beyond the beds" for _ in range(int((then > there["beds"]).any()))]
    for place in places(case):
        here = (there["county_id"] == place) | (place == CITY)
        beds, nursing = (
            sum((Fraction(float(v)) for v in f[here]), start=Fraction(0)) for f in (there["beds"], then)
        )
        if nursing < exact(target.value or 0.0) * beds:
            found.append(place)
    return found
