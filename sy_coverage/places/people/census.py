"""Read a census by unit or by county, and give its totals to the places where people live, to the last person."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage._files import USUAL, Limits
from sy_coverage.errors import FrameError, some
from sy_coverage.places.ground.likely import LikelyUnits, Row
from sy_coverage.places.people.spread import COUNTS, spread
from sy_coverage.places.sheets import cells, words
from sy_coverage.places.sheets.cells import Breaches
from sy_coverage.places.sheets.doubts.answered import SET_ASIDE, answered
from sy_coverage.places.sheets.doubts.doubtful import Doubt
from sy_coverage.places.sheets.tables import Report, Table, read_table, read_tables

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame, Series

WEIGHTS = ("elders", "persons", "households", "settled_m2")
"""By what a census is spread over places: the first of these columns that every place has; else evenly."""
_WHOLE = 1e-6
"""A number so near a whole one is it: 1.1万人 is 11,000."""


@dataclass(frozen=True)
class Census:
    """Whole persons by unit or by county."""

    totals: DataFrame
    """Indexed by unit or county id, sorted: those of `population.COUNTS` that the table gives; missing where a row does not say it."""
    by: str
    """``"unit_id"`` or ``"county_id"``: what the index is."""
    report: DataFrame
    """What was read, assumed and left out."""
    doubts: DataFrame = field(default_factory=pd.DataFrame)
    """What somebody should settle, contract `DOUBTS`: rows that name no unit, units without a row, numbers that are none."""


def read_census(
    path: str | os.PathLike[str],
    *,
    units: GeoDataFrame,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
    answers: DataFrame | None = None,
    strict: bool = False,
) -> Census:
    """Return the persons of a census table, by unit where its rows name units, else by county.

    Parameters
    ----------
    path
        Any table: a column of units (names or codes; old ones are understood) or of counties, and `elders` (60+), and
        perhaps `elders_65`, `elders_80`, `households`; every sheet that holds one.
    units
        Units frame. Rows of units that were merged are added up. In a table of units, rows that name a county only are
        its totals: compared with the sum of its units, not added.
    layer, columns, encoding, limits, answers
        As in `read_facilities`.
    strict
        Refuse the table, naming every row, where the default takes what it can and asks: a row that names no unit is not
        counted, of a unit given twice the first row counts, a unit without a row has no total.

    Raises
    ------
    FrameError
        If there is no row, or no column of elders or of units; with `strict`, with every breach: rows that name no unit or county of
        the study, or one twice; numbers that are none, not whole, or missing; units without a row.
    MissingFileError, UnreadableFileError
        If the file cannot be read.
    """
    report, breaches = Report(), Breaches("census", strict=strict)
    tables = _tables(path, report, layer, columns, encoding, limits, strict=strict)
    known = LikelyUnits.of(units)
    of_tables = [
        (table, _typed(table, known, breaches, report)) for table in (answered(t, answers) for t in tables)
    ]
    breaches.stop("census")
    rows = pd.concat([rows for _, rows in of_tables])
    if answers is not None and len(answers):
        aside = answers[(answers["list"] == "census") & (answers["decision"] == SET_ASIDE)]["row_id"]
        rows = rows[~rows.index.isin(aside)]
    by = "unit_id" if rows["unit_id"].notna().any() else "county_id"
    counts = [column for column in COUNTS if column in rows.columns]
    counted = rows[rows[by].notna() & rows["elders"].notna()]
    totals = counted.groupby(by)[counts].sum(min_count=1).sort_index()
    for table, of_table in of_tables:
        if by == "unit_id":
            _compare_counties(table, of_table, counts, units, report)
        _ask_about_unnamed(table, of_table, totals, known, breaches, report)
    file = tables[0].file
    report.say(file, "", "census_read", by, len(totals))
    _ask_about_lacking(file, totals, by, units, breaches)
    frame = breaches.frame(rows, answers)
    return Census(totals, by, report.frame(), frame)


def _tables(
    path: str | os.PathLike[str],
    report: Report,
    layer: str | None,
    columns: Mapping[str, str] | None,
    encoding: str | None,
    limits: Limits,
    *,
    strict: bool,
) -> list[Table]:
    """Return the tables of a file that count elders by unit or county."""
    reading: dict[str, Any] = {"layer": layer, "columns": columns, "encoding": encoding, "limits": limits}
    every = (
        [read_table(path, "census", report, **reading)]
        if strict
        else read_tables(path, "census", report, **reading)
    )
    tables = [one for one in every if "elders" in one.headers and {"unit", "county"} & set(one.headers)]
    for left in every if tables else ():
        if all(left is not one for one in tables):
            report.say(left.file, "", "sheet_left_out", "", left.sheet)
    tables = [table for table in tables if len(table.rows)]
    if tables:
        return tables
    first = next((one for one in every if len(one.rows)), None)
    if first is None:
        raise FrameError("census", [f"there is no row in {PurePath(path).name}"])
    problems = []
    if "elders" not in first.headers:
        problems.append(f"column 'elders' is missing: {first.file} ({cells.missing_column(first, 'elders')})")
    if not {"unit", "county"} & set(first.headers):
        problems.append(
            f"a column of units or counties is missing: {first.file} ({cells.missing_column(first, 'unit')})"
        )
    raise FrameError("census", problems)


def _typed(table: Table, known: LikelyUnits, breaches: Breaches, report: Report) -> DataFrame:
    """Return the persons of each row, indexed by its id, and in `unit_id` or `county_id` whom it counts."""
    given = [column for column in COUNTS if column in table.headers]
    frame = pd.DataFrame({column: cells.numbers(table, column, breaches, report) for column in given})
    for column in given:
        _make_whole(table, frame, column, breaches)
    cells.ask_about_formulas(table, breaches)
    cells.ask_about_ages(table, frame, breaches)
    named = _named(table, known, breaches)
    ids = pd.Index([f"{table.stem}-{row}" for row in frame.index], name="row_id")
    frame["source"] = [table.where(row) for row in frame.index]
    frame["row"] = frame.index
    return frame.join(named).set_axis(ids)


def _make_whole(table: Table, frame: DataFrame, column: str, breaches: Breaches) -> None:
    """Round the persons of a column, asking about those that are not whole, and about empty cells."""
    header = table.headers[column]
    whole = frame[column].round()
    for row in frame.index[(frame[column] - whole).abs() > _WHOLE]:
        if breaches.strict:
            breaches.add(f"column '{header}' must be whole persons", table.where(row))
        else:
            breaches.about(table, row, column, f"{frame[column][row]:g}", f"{whole[row]:g}")
    frame[column] = whole
    empty = frame.index[frame[column].isna() & cells.column(table, column).map(words.is_blank).astype(bool)]
    for row in empty.difference(list(table.formula_rows(column)), sort=False):
        breaches.row(table, row, "census_empty", f"column '{header}' is empty", field=column, subject=header)


def _named(table: Table, known: LikelyUnits, breaches: Breaches) -> DataFrame:
    """Return the unit or the county that each row names, or why it counts for neither: it names none, or one again."""
    names = known.addresses.names
    said = {level: cells.text(table, level) for level in ("unit", "county")}
    rows = []
    seen: dict[str, object] = {}
    above: str | None = None
    for row in table.rows.index:
        unit, county = said["unit"][row], said["county"][row]
        county_id = names.county(county) if county else None
        found = names.units(unit, county_id) if unit else set()
        if len(found) > 1:  # below the row of their county stand its units
            found = {i for i in found if names.county_of[i] == above} or found
        unit_id = next(iter(found)) if len(found) == 1 else None
        if unit and not found and county_id is None:
            # a sheet of "地区" lists counties and units in one column
            county_id, unit = names.county(unit), None
        above = county_id or above
        lost = (unit and unit_id is None) or (unit is None and county_id is None)
        key = f"{unit_id or county_id} {unit or county or said['unit'][row]}"
        if lost and breaches.strict:
            several = f" (one of {some(sorted(found))})" if found else ""
            breaches.row(
                table,
                row,
                "census_unit_unknown",
                f"no unit or county of the study is called so{several}",
                written=str(unit or county or said["unit"][row] or ""),
            )
        is_again = not lost and key in seen
        if is_again:
            _ask_about_again(table, row, table.where(seen[key]), breaches)
        seen.setdefault(key, row)
        kept = not lost and not is_again
        rows.append(
            (unit_id if kept else None, None if unit_id or not kept else county_id, bool(lost), county_id)
        )
    columns = ["unit_id", "county_id", "lost", "in_county"]
    return pd.DataFrame(rows, index=table.rows.index, columns=columns).astype(object)


def _ask_about_again(table: Table, row: object, first: str, breaches: Breaches) -> None:
    """Ask about a second row of a unit or county, which is not counted."""
    if breaches.strict:
        breaches.add("a unit or county stands more than once", f"{first} and {table.where(row)}")
        return
    cells_of_row = "、".join(table.rows.loc[row, list(table.headers)].astype(str))
    breaches.ask(table, row, "census_again", field="unit", subject=first, value=cells_of_row)


def _ask_about_unnamed(
    table: Table,
    rows: DataFrame,
    totals: DataFrame,
    known: LikelyUnits,
    breaches: Breaches,
    report: Report,
) -> None:
    """Ask which unit a row means that names none; the row of all is a total, whatever the region is called."""
    for one in rows[rows["lost"].astype(bool)].itertuples():
        names = table.names
        text = str(names[one.row]) if names is not None else ""
        if len(totals) > 1 and one.elders == totals["elders"].sum():
            report.say(table.file, one.row, "total_row", "", text)
            continue
        likely = known.of_row(Row(unit=text, county_id=str(one.in_county or ""))) if text else []
        # a unit that has its row is hardly meant again
        free = [found for found in likely if found.unit_id not in totals.index]
        meant = free if len(free) == 1 else likely
        breaches.ask(
            table,
            one.row,
            "census_unit_unknown",
            field="unit",
            written=text,
            subject=text,
            value="—" if pd.isna(one.elders) else f"{one.elders:,.0f}",
            suggestion=known.called[meant[0].unit_id] if len(meant) == 1 else "",
        )


def _ask_about_lacking(
    file: str, totals: DataFrame, by: str, units: GeoDataFrame, breaches: Breaches
) -> None:
    """Ask about the units, or else counties, that no row counts."""
    columns = (units.index, units["name"]) if by == "unit_id" else (units["county_id"], units["county"])
    names = dict(zip(*columns, strict=True))
    lacking = sorted(set(names) - set(totals.index))
    if not lacking:
        return
    if breaches.strict:
        named = some(f"{names[i]} ({i})" for i in lacking)
        raise FrameError("census", [f"{file} has no row for {named}; add them"])
    breaches.doubts.append(
        Doubt(
            kind="census_lacks",
            list="census",
            file=file,
            field="row",
            written="、".join(lacking),
            subject="、".join(str(names[i]) for i in lacking),
            value=str(len(lacking)),
        )
    )


def _compare_counties(
    table: Table, frame: DataFrame, counts: list[str], units: GeoDataFrame, report: Report
) -> None:
    """Report rows of counties that are not the sum of the rows of their units."""
    of_unit = frame["unit_id"].map(units["county_id"].to_dict())
    sums = frame.groupby(of_unit)[counts].sum()
    names = units.drop_duplicates("county_id").set_index("county_id")["county"]
    for one in frame[frame["county_id"].notna()].itertuples():
        if one.county_id not in sums.index:
            continue
        said = {column: getattr(one, column) for column in counts}
        off = [
            f"{column} {value:,.0f} ≠ {sums.loc[one.county_id, column]:,.0f}"
            for column, value in said.items()
            if pd.notna(value) and value != sums.loc[one.county_id, column]
        ]
        what = "census_differs" if off else "census_total"
        report.say(table.file, one.row, what, names[one.county_id], "、".join(off))


def by_census(places: GeoDataFrame, census: Census) -> tuple[GeoDataFrame, str]:
    """Return `places` with the totals of a census spread over them, and the column they were spread by (``"even"``: none).

    Parameters
    ----------
    places
        Demand points, or people of a raster or settled areas, with `unit_id` and `county_id`.
    census
        Its totals come out again, exactly: every column is whole persons (largest remainder), and no place has more of 65 and
        over than of 60 and over. Places of units that the census does not count keep their own numbers.

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
        totals = census.totals[count].dropna()
        found = spread(
            found,
            totals,
            column=count,
            by=census.by,
            weights=_usable(weights, found, census.by),
            at_most=_older_than(count, found),
        )
        check_sums(found, totals, count, census.by)
        if count in places.columns:  # whom the census does not count has the numbers of its own list
            uncounted = places[census.by].notna() & ~places[census.by].isin(totals.index)
            found[count] = found[count].where(~uncounted, places[count])
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
