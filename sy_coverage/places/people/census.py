"""Read a census by unit or by county, and give its totals to the places where people live, to the last person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage._files import USUAL, Limits
from sy_coverage.errors import FrameError, some
from sy_coverage.places.ground.names import UnitNames
from sy_coverage.places.people.spread import COUNTS, spread
from sy_coverage.places.sheets import cells
from sy_coverage.places.sheets.cells import Breaches
from sy_coverage.places.sheets.tables import Report, Table, read_table

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame, Series

WEIGHTS = ("elders", "persons", "households", "settled_m2")
"""By what a census is spread over places: the first of these columns that every place has; else evenly."""


@dataclass(frozen=True)
class Census:
    """Whole persons by unit or by county."""

    totals: DataFrame
    """Indexed by unit or county id, sorted: those of `population.COUNTS` that the table gives."""
    by: str
    """``"unit_id"`` or ``"county_id"``: what the index is."""
    report: DataFrame
    """What was read, assumed and left out."""


def read_census(
    path: str | os.PathLike[str],
    *,
    units: GeoDataFrame,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
) -> Census:
    """Return the persons of a census table, by unit where its rows name units, else by county.

    Parameters
    ----------
    path
        Any table: a column of units (names or codes; old ones are understood) or of counties, and `elders` (60+), and
        perhaps `elders_65`, `elders_80`, `households`.
    units
        Units frame. Rows of units that were merged are added up. In a table of units, rows that name a county only are
        its totals: compared with the sum of its units, not added.
    layer, columns, encoding, limits
        As in `read_facilities`.

    Raises
    ------
    FrameError
        With every breach: rows that name no unit or county of the study, or one twice; numbers that are none, not whole, or
        missing; units without a row.
    MissingFileError, UnreadableFileError
        If the file cannot be read.
    """
    report, breaches = Report(), Breaches()
    table = read_table(path, "census", report, layer=layer, columns=columns, encoding=encoding, limits=limits)
    if table.rows.empty:
        raise FrameError("census", [f"there is no row in {table.file}"])
    given = [column for column in COUNTS if column in table.headers]
    if "elders" not in given:
        breaches.add(
            "column 'elders' is missing", f"{table.file} (there are: {', '.join(table.rows.columns)})"
        )
    frame = pd.DataFrame({column: cells.numbers(table, column, breaches, report) for column in given})
    for column in given:
        wrong = frame[column].isna() | (frame[column] != np.floor(frame[column]))
        for row in frame.index[wrong & frame[column].notna()]:
            breaches.add(f"column '{table.headers[column]}' must be whole persons", table.where(row))
        for row in frame.index[frame[column].isna() & (cells.column(table, column) == "")]:
            breaches.add(f"column '{table.headers[column]}' is empty", table.where(row))
    cells.ask_about_formulas(table, breaches)
    named = _named(table, units, breaches)
    breaches.stop("census")
    by = "unit_id" if named["unit_id"].notna().any() else "county_id"
    totals = frame[named[by].notna()].groupby(named[by]).sum().sort_index()
    if by == "unit_id":
        _compare_counties(table, frame, named, units, report)
    known = set(units.index if by == "unit_id" else units["county_id"])
    lacking = sorted(known - set(totals.index))
    report.say(table.file, "", "census_read", by, len(totals))
    if lacking:
        ids, called = (
            (units.index, units["name"]) if by == "unit_id" else (units["county_id"], units["county"])
        )
        names = dict(zip(ids, called, strict=True))
        raise FrameError(
            "census", [f"{table.file} has no row for {some(f'{names[i]} ({i})' for i in lacking)}; add them"]
        )
    return Census(totals, by, report.frame())


def _named(table: Table, units: GeoDataFrame, breaches: Breaches) -> DataFrame:
    """Return the unit or the county that each row names; a row that names neither, or one again, is a breach."""
    names = UnitNames.of(units)
    said = {field: cells.text(table, field) for field in ("unit", "county")}
    if not {"unit", "county"} & set(table.headers):
        breaches.add("a column of units or counties is missing", table.file)
    rows = []
    seen: dict[str, str] = {}
    for row in table.rows.index:
        unit, county = said["unit"][row], said["county"][row]
        county_id = names.county(county) if county else None
        found = names.units(unit, county_id) if unit else set()
        unit_id = next(iter(found)) if len(found) == 1 else None
        if unit and not found and county_id is None:
            # a sheet of "地区" lists counties and units in one column
            county_id, unit = names.county(unit), None
        if (unit and unit_id is None) or (unit is None and county_id is None):
            several = f", one of {some(sorted(found))}" if found else ""
            breaches.add(
                "no unit or county of the study is called so",
                f"{table.where(row)} '{unit or county or said['unit'][row]}'{several}",
            )
        key = f"{unit_id or county_id} {unit or county or said['unit'][row]}"
        if key in seen:
            breaches.add("a unit or county stands more than once", f"{seen[key]} and {table.where(row)}")
        seen[key] = table.where(row)
        rows.append((unit_id, None if unit_id else county_id))
    return pd.DataFrame(rows, index=table.rows.index, columns=["unit_id", "county_id"], dtype=object)


def _compare_counties(
    table: Table, frame: DataFrame, named: DataFrame, units: GeoDataFrame, report: Report
) -> None:
    """Report rows of counties that are not the sum of the rows of their units."""
    of_unit = named["unit_id"].map(units["county_id"].to_dict())
    sums = frame.groupby(of_unit).sum()
    names = units.drop_duplicates("county_id").set_index("county_id")["county"]
    for row in named.index[named["county_id"].notna()]:
        county_id = named.loc[row, "county_id"]
        if county_id not in sums.index:
            continue
        off = [
            f"{c} {frame.loc[row, c]:,.0f} ≠ {sums.loc[county_id, c]:,.0f}"
            for c in frame.columns
            if frame.loc[row, c] != sums.loc[county_id, c]
        ]
        report.say(
            table.file, row, "census_differs" if off else "census_total", names[county_id], "、".join(off)
        )


def by_census(places: GeoDataFrame, census: Census) -> tuple[GeoDataFrame, str]:
    """Return `places` with the totals of a census spread over them, and the column they were spread by (``"even"``: none).

    Parameters
    ----------
    places
        Demand points, or people of a raster or settled areas, with `unit_id` and `county_id`.
    census
        Its totals come out again, exactly: every column is whole persons (largest remainder), and no place has more of 65 and
        over than of 60 and over.

    Raises
    ------
    FrameError
        If a unit or county with persons has no place at all.
    UnknownIdError
        As `spread`.
    """
    weights, column = _weights(places)
    found = places.drop(columns=[c for c in COUNTS if c in places.columns])
    lacking = sorted(set(census.totals.index) - set(places[census.by].dropna()))
    if lacking:
        raise FrameError("census", [f"no village or settled place lies in {some(lacking)}; add one"])
    for count in census.totals.columns:
        found = spread(
            found,
            census.totals[count],
            column=count,
            by=census.by,
            weights=_usable(weights, found, census.by),
            at_most=_older_than(count, found),
        )
        check_sums(found, census.totals[count], count, census.by)
    return found, column


def _older_than(count: str, places: GeoDataFrame) -> Series | None:
    """Return the persons of the next younger age that have been spread: of a village's elders of 60, some are 65."""
    ages = ("elders", "elders_65", "elders_80")
    younger = [c for c in ages[: ages.index(count)] if c in places.columns] if count in ages else []
    return places[younger[-1]].fillna(0.0) if younger else None


def _weights(places: GeoDataFrame) -> tuple[Series, str]:
    for column in WEIGHTS:
        if column in places.columns:
            values = pd.to_numeric(places[column], errors="coerce").astype("float64")
            if values.notna().all() and (values > 0).any():
                return values, column
    return pd.Series(1.0, index=places.index), "even"


def _usable(weights: Series, places: GeoDataFrame, by: str) -> Series:
    """Return weights with 1 for every place of a group whose weights are all 0."""
    sums = weights.groupby(places[by]).transform("sum")
    return weights.where(~(sums == 0), 1.0)


def check_sums(places: GeoDataFrame, totals: Series, column: str, by: str) -> None:
    """Raise if the persons of `places` are not, group by group, those of `totals`.

    Raises
    ------
    FrameError
        Naming the groups that differ.
    """
    sums = places.groupby(by)[column].sum().reindex(totals.index, fill_value=0.0)
    wrong = sums.index[sums != totals]
    if len(wrong):
        raise FrameError("demand", [f"{column} do not add up to the source in {some(wrong)}"])
