"""Decide which facilities count towards a target, and in which county each of them lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from sy_coverage.policy.targets import FacilityCount, UpgradeCount

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
    """Return the `county_id` of every facility: as its row says, else that of its unit; missing where neither is known."""
    nothing = pd.Series(None, index=facilities.index, dtype=object)
    named = facilities["county_id"] if "county_id" in facilities.columns else nothing
    unit = facilities["unit_id"] if "unit_id" in facilities.columns else nothing
    by_unit = units["county_id"][~units.index.duplicated()]
    return named.astype(object).where(named.notna(), unit.map(by_unit.to_dict())).rename("county_id")


def counting(facilities: DataFrame, measure: FacilityCount) -> Series:
    """Return which facilities count towards a target that counts facilities (True or False, same index).

    A facility of another kind whose `also_flag` says yes counts too, but not when a row of the counted kind stands for the
    same place: a dementia ward and its home may be one row or two, and count as one dementia unit either way. Two rows are
    the same place when the one names the other in `host_id`, or they share their point or their address within a county.
    """
    counted = facilities["kind"].isin(measure.facility_kinds)
    if measure.mark is not None:
        counted &= flag(facilities, measure.mark).eq(True)
    if measure.also_flag is None:
        return counted
    flagged = ~facilities["kind"].isin(measure.facility_kinds)
    flagged &= flag(facilities, measure.also_flag).eq(True)
    own = facilities[counted]
    hosts = set(own["host_id"].dropna()) if "host_id" in facilities.columns else set()
    places = {place for row in _places(own) for place in row}
    same = [
        facility_id in hosts or bool(places & set(row))
        for facility_id, row in zip(facilities.index, _places(facilities), strict=True)
    ]
    return counted | (flagged & ~pd.Series(same, index=facilities.index, dtype=bool))


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
