"""Decide which facilities count towards a target, and in which county each of them lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pandas as pd

from sy_coverage.policy.targets import CITY, FacilityCount

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    from sy_coverage.policy.targets import Kind, Policy, UpgradeCount

    Flags = NDArray[np.bool_]
    F = TypeVar("F", bound=DataFrame)

_YES = frozenset({"是", "有", "√", "yes", "y", "true", "1"})
_NO = frozenset({"否", "无", "×", "no", "n", "false", "0"})


def flag(facilities: DataFrame, column: str) -> Series:
    """Return a yes/no column as True, False or None where nothing (or nothing that can be read) is said."""
    if column not in facilities.columns:
        return pd.Series(None, index=facilities.index, dtype=object, name=column)

    def read(value: object) -> bool | None:
        if isinstance(value, bool | np.bool_):
            return bool(value)
        word = "" if value is None or value is pd.NA else str(value).strip().casefold().removesuffix(".0")
        return True if word in _YES else False if word in _NO else None

    said = [read(value) for value in facilities[column]]
    return pd.Series(said, index=facilities.index, dtype=object, name=column)


def number(facilities: DataFrame, column: str) -> Series:
    """Return a column of numbers as float, missing where nothing is said or the column is not there."""
    if column not in facilities.columns:
        return pd.Series(np.nan, index=facilities.index, name=column)
    return pd.to_numeric(facilities[column], errors="coerce").astype("float64")


def county_of(facilities: DataFrame, units: DataFrame) -> Series:
    """Return the `county_id` of every row: the one it names, else that of its unit; missing where neither is known."""
    nothing = pd.Series(None, index=facilities.index, dtype=object)
    named = facilities["county_id"] if "county_id" in facilities.columns else nothing
    unit = facilities["unit_id"] if "unit_id" in facilities.columns else nothing
    by_unit = units["county_id"][~units.index.duplicated()]
    of_unit = unit.map(by_unit.to_dict()).astype(object)
    said = named.astype(object).where(named.notna(), of_unit)
    return said.where(said.notna(), None).rename("county_id")


def lies_in(county: NDArray[Any], scope_id: str, counties: Collection[str]) -> Flags:
    """Return which rows of these counties count in a place: a county, or ``city``, where rows of no known county count too."""
    if scope_id != CITY:
        return np.asarray(county == scope_id, dtype=bool)
    return np.fromiter(
        (c is None or pd.isna(c) or c in counties for c in county), dtype=bool, count=len(county)
    )


def without_rebuilt(facilities: F, policy: Policy) -> F:
    """Return `facilities` without those that another of them was rebuilt from, where the policy reads that these leave.

    What these had that targets count besides a kind, such as a dementia ward, their successors have, unless they say no.
    """
    if policy.readings.rebuilt != "leaves" or "upgrade_of" not in facilities.columns:
        return facilities
    heirs = with_inherited(facilities, facilities, policy)
    return cast("F", heirs[~heirs.index.isin(heirs["upgrade_of"].dropna())])


def with_inherited(rows: F, originals: DataFrame, policy: Policy) -> F:
    """Return `rows` with the flags that targets count taken from the `originals` they are rebuilt from, where they say nothing."""
    if (
        policy.readings.rebuilt != "leaves"
        or "upgrade_of" not in rows.columns
        or not rows["upgrade_of"].notna().any()
    ):
        return rows
    measures = [t.measure for t in policy.targets]
    names = {
        m.also_flag for m in measures if isinstance(m, FacilityCount) and m.also_flag in originals.columns
    }
    for name in sorted(str(n) for n in names):
        had = rows["upgrade_of"].map(flag(originals, name).to_dict())
        own = flag(rows, name)
        rows = rows.assign(**{name: own.where(own.notna(), had)})
    return rows


@dataclass(frozen=True)
class Claims:
    """Which rows of a frame may count towards a target that counts facilities, and which stand for the same place."""

    own: Flags
    """Rows of the kinds that are counted, with the mark where one is asked for."""
    flagged: Flags
    """Rows of another kind whose flag says yes."""
    same: NDArray[np.int64]
    """n × 2: a flagged row, and an own one that stands for the same place."""

    def counted(self, opened: Flags) -> Flags:
        """Return which rows count when these are open."""
        taken = np.zeros(len(opened), dtype=bool)
        taken[self.same[opened[self.same[:, 1]], 0]] = True
        return opened & (self.own | (self.flagged & ~taken))


def claims(facilities: DataFrame, measure: FacilityCount) -> Claims:
    """Return which facilities may count towards a target that counts facilities.

    A facility of another kind whose `also_flag` says yes counts too, but not when a row of the counted kind stands for the
    same place: a dementia ward and its home may be one row or two, and count as one dementia unit either way. Two rows are
    the same place when the one names the other in `host_id`, or they share their point or their address within a county.
    """
    own = facilities["kind"].isin(measure.facility_kinds)
    flagged = pd.Series(False, index=facilities.index)
    if measure.also_flag is not None:
        flagged = ~own & flag(facilities, measure.also_flag).eq(True)
    if measure.mark is not None:
        own &= flag(facilities, measure.mark).eq(True)
    of_own, of_flagged = own.to_numpy(dtype=bool), flagged.to_numpy(dtype=bool)
    same = _same_places(facilities, of_own, of_flagged) if of_own.any() and of_flagged.any() else []
    return Claims(of_own, of_flagged, np.array(same, dtype=np.int64).reshape(-1, 2))


def _same_places(facilities: DataFrame, own: Flags, flagged: Flags) -> list[tuple[int, int]]:
    marks = _places(facilities)
    at: dict[tuple[Any, ...], list[int]] = {}
    for row in np.flatnonzero(own):
        for mark in marks[row]:
            at.setdefault(mark, []).append(int(row))
    if "host_id" in facilities.columns:
        for row, host in zip(np.flatnonzero(own), facilities["host_id"].to_numpy()[own], strict=True):
            at.setdefault(("host", host), []).append(int(row))
    found = {
        (int(row), other)
        for row in np.flatnonzero(flagged)
        for mark in [*marks[row], ("host", facilities.index[row])]
        for other in at.get(mark, ())
    }
    return sorted(found)


def counting(facilities: DataFrame, measure: FacilityCount) -> Series:
    """Return which facilities count towards a target that counts facilities (True or False, same index): see `claims`."""
    every = np.ones(len(facilities), dtype=bool)
    return pd.Series(claims(facilities, measure).counted(every), index=facilities.index)


def _places(facilities: DataFrame) -> list[list[tuple[Any, ...]]]:
    """Return by which marks each row's place can be told: its point (to a metre), its address within its county."""
    marks: list[list[tuple[Any, ...]]] = [[] for _ in range(len(facilities))]
    if "geometry" in facilities.columns:
        for row, point in zip(marks, facilities["geometry"], strict=True):
            if point is not None and not point.is_empty:
                row.append(("point", round(point.x, 5), round(point.y, 5)))
    if {"address", "county_id"} <= set(facilities.columns):
        for row, address, county in zip(marks, facilities["address"], facilities["county_id"], strict=True):
            if isinstance(address, str) and address.strip():
                row.append(("address", county if isinstance(county, str) else "", address.strip()))
    return marks


def upgraded(facilities: DataFrame, measure: UpgradeCount) -> Series:
    """Return which facilities of the measure's kind came from an upgrade: True, False, or None where no row says."""
    mine = facilities["kind"] == measure.facility_kind
    nothing = pd.Series(None, index=facilities.index, dtype=object)
    premises = facilities["premises"] if "premises" in facilities.columns else nothing
    replaced = facilities["upgrade_of"] if "upgrade_of" in facilities.columns else nothing
    yes = (premises == measure.premises) | replaced.notna()
    said = [None if blank else bool(y) for y, blank in zip(yes, premises.isna() & ~yes, strict=True)]
    return pd.Series(said, index=facilities.index, dtype=object)[mine]


def served_by(demand: DataFrame, kind: Kind, *, elders: str) -> Series:
    """Return how many people of each demand point a kind of facility is for: those its `serves` counts, else the elders.

    Where no row of `demand` says how many these are, they are the elders too; in a row that alone does not say it, nobody.
    """
    some = serves_some(demand, kind)
    people = pd.to_numeric(demand[kind.serves if some else elders], errors="coerce").astype("float64")
    return people.fillna(0.0) if some else people


def serves_some(demand: DataFrame, kind: Kind) -> bool:
    """Return whether a kind is for some of the elders only, and `demand` says how many these are."""
    return (
        kind.serves is not None and kind.serves in demand.columns and bool(demand[kind.serves].notna().any())
    )
