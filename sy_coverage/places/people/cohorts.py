"""Carry elders to a later year by cohorts: everybody grows older, and a stated share survives."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage._files import USUAL, Limits
from sy_coverage.errors import FrameError, InputError, some
from sy_coverage.places.ground.names import UnitNames
from sy_coverage.places.sheets import cells, words
from sy_coverage.places.sheets.cells import Breaches
from sy_coverage.places.sheets.doubts.answered import answered
from sy_coverage.places.sheets.tables import Report, read_table

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    from sy_coverage.places.sheets.tables import Table

FROM_AGE = {"elders": 60, "elders_65": 65, "elders_80": 80}
"""The youngest age each column of elders counts."""
_AGE = re.compile(r"(\d{1,3})\s*(?:[-~–—至到]\s*(\d{1,3})|(\+|岁?及?以上|岁以上))?\s*岁?")


def read_cohorts(
    path: str | os.PathLike[str],
    *,
    units: GeoDataFrame | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
    answers: DataFrame | None = None,
    strict: bool = False,
) -> DataFrame:
    """Return a cohort table: persons by age group, and the share of each group that lives to be in the next.

    Parameters
    ----------
    path
        Any table with the columns `age` (年龄组: ``60-64``, …, the last one open: ``85+`` or 85岁及以上), `persons` (人口) and
        `survival` (存活率, 0 to 1, over as many years as a group is wide; of the last group, the share that stays in it).
        With a column `county`, one table a county.
    units
        Units frame, to understand names of counties.
    layer, columns, encoding, limits, answers
        As in `read_facilities`.
    strict
        Refuse the table, naming every row, where the default takes what it can and asks: a row without an age is left out, a number
        between two others is their mean, and a table that still does not run from group to group is not used.

    Returns
    -------
    cohorts
        Indexed by `county_id` (``""`` for all) and `age` (the group's first year), sorted: `persons`, `survival`.
        ``.attrs["doubts"]`` (contract `DOUBTS`) asks about what could only be guessed or not be used.

    Raises
    ------
    FrameError
        If a column is missing; with `strict`, with every breach: ages that are none, overlap or leave gaps; shares beyond 0 to 1; a
        group twice.
    MissingFileError, UnreadableFileError
        If the file cannot be read.
    """
    report, breaches = Report(), Breaches("cohorts", strict=strict)
    table = answered(
        read_table(path, "cohorts", report, layer=layer, columns=columns, encoding=encoding, limits=limits),
        answers,
    )
    for field in ("age", "persons", "survival"):
        if field not in table.headers:
            breaches.add(
                f"column '{field}' is missing", f"{table.file} ({cells.missing_column(table, field)})"
            )
    breaches.stop("cohorts")
    frame = pd.DataFrame({"persons": cells.numbers(table, "persons", breaches, report)})
    frame["survival"] = _shares(table, breaches)
    frame["first"], frame["last"] = _ages(table, breaches)
    cells.ask_about_formulas(table, breaches)
    frame["county_id"] = _counties(table, None if units is None else UnitNames.of(units), breaches)
    breaches.stop("cohorts")
    kept = frame[frame["first"].notna() & frame["county_id"].notna()]
    groups = [_whole(table, str(i), group, breaches) for i, group in kept.groupby("county_id")]
    found = pd.concat([*groups, kept.iloc[:0]]).rename(columns={"first": "age"}).astype({"age": "int64"})
    found = found.set_index(["county_id", "age"])[["persons", "survival"]].sort_index()
    ids = pd.DataFrame({"source": [table.where(row) for row in table.rows.index]})
    ids.index = pd.Index([f"{table.stem}-{row}" for row in table.rows.index])
    found.attrs["doubts"] = breaches.frame(ids, answers)
    return found


def _shares(table: Table, breaches: Breaches) -> Series:
    """Return the share of each group that lives on; 95% and 95 are 0.95."""
    values = []
    for row, cell in table.rows["survival"].items():
        value = words.share(cell)
        if value is None and (row not in table.formula_rows("survival") or breaches.strict):
            breaches.row(
                table,
                row,
                "share_unread",
                "column 'survival' must be a share between 0 and 1",
                field="survival",
                written=cell,
                subject=table.headers["survival"],
                value=cell or "—",
            )
        values.append(value)
    return pd.Series(values, index=table.rows.index, dtype="float64")


def _counties(table: Table, names: UnitNames | None, breaches: Breaches) -> Series:
    """Return the county each row is of, ``""`` where the table is of all; a row of a county nobody knows is left out."""
    said = cells.text(table, "county")
    found = pd.Series([_county(text, names) for text in said], index=said.index, dtype=object)
    for row in found.index[found.isna()]:
        breaches.row(
            table,
            row,
            "cohort_county_unknown",
            "no county of the study is called so",
            field="county",
            written=str(said[row]),
            subject=str(said[row]),
        )
    return found


def _county(text: object, names: UnitNames | None) -> str | None:
    if text is None:
        return ""
    return str(text) if names is None else names.county(str(text))


def _ages(table: Table, breaches: Breaches) -> tuple[list[float], list[float]]:
    """Return the first and the last age of each group, infinite where it is open."""
    first, last = [], []
    for row, cell in table.rows["age"].items():
        found = _AGE.fullmatch(unicodedata.normalize("NFKC", cell).strip())
        if not found:
            breaches.row(
                table,
                row,
                "age_unread",
                "an age group is written as 60-64 or 85+",
                field="age",
                written=cell,
                subject=cell or "—",
            )
        begin = float(found.group(1)) if found else np.nan
        end = np.inf if found and found.group(3) else float((found and found.group(2)) or begin)
        first.append(begin)
        last.append(end)
    return first, last


def _whole(table: Table, county_id: str, group: DataFrame, breaches: Breaches) -> DataFrame:
    """Return the groups of one table in order, each once and with its numbers, or none of them if they do not run on."""
    ordered = group.sort_values("first", kind="stable")
    if not breaches.strict:
        for row in ordered.index[ordered["first"].duplicated()]:
            breaches.ask(
                table,
                row,
                "age_again",
                field="row",
                written=str(table.rows["age"][row]),
                subject=str(table.rows["age"][row]),
            )
        ordered = ordered.drop_duplicates("first")
        numbers = ["persons", "survival"]
        ordered[numbers] = ordered[numbers].interpolate(limit_area="inside")
    first, last = ordered["first"].to_numpy(), ordered["last"].to_numpy()
    widths = np.unique(last[:-1] - first[:-1] + 1)
    runs_on = (
        len(ordered) > 1
        and len(widths) == 1
        and np.array_equal(first[1:], last[:-1] + 1)
        and np.isinf(last[-1])
    )
    if runs_on and ordered[["persons", "survival"]].notna().all(axis=None):
        return ordered
    problem = "age groups must follow one another, equally wide, the last one open (85+)"
    if breaches.strict:
        raise FrameError("cohorts", [f"{f'{table.file} {county_id}'.strip()}: {problem}"])
    breaches.ask(table, "", "cohorts_broken", field="age", written=county_id, subject=county_id or table.file)
    return ordered.iloc[:0]


def cohort_factors(cohorts: DataFrame, *, years: int) -> DataFrame:
    """Return by what the elders of each county are multiplied after so many years.

    Parameters
    ----------
    cohorts
        As `read_cohorts` returns.
    years
        Whole years, 0 or more. Between two steps of a group's width the numbers grow evenly (geometrically).

    Returns
    -------
    factors
        Indexed by `county_id` (``""`` for all): columns `elders`, `elders_65`, `elders_80`.

    Raises
    ------
    InputError
        If `years` is negative, or the table does not begin young enough to say who will be 60 then.

    Notes
    -----
    The cohort-component method without births and migration: persons of a group times its survival ratio are the next
    group's persons one step later; the open group keeps its own survivors besides.
    """
    if years < 0 or int(years) != years:
        raise InputError(f"years = {years}: say whole years, 0 or more")
    rows = {}
    for county_id, group in cohorts.groupby(level="county_id"):
        ages = group.index.get_level_values("age").to_numpy()
        width = int(ages[1] - ages[0])
        steps, rest = divmod(int(years), width)
        needed = steps + (rest > 0)
        missing = [a for a in FROM_AGE.values() if a not in ages]
        if missing:
            raise InputError(
                f"cohorts: no age group begins at {some(missing)}; elders of that age cannot be told apart"
            )
        if min(FROM_AGE.values()) - needed * width < ages[0]:
            raise InputError(
                f"cohorts: the table begins at age {ages[0]}; to look {years} years ahead it must begin at "
                f"{min(FROM_AGE.values()) - needed * width} or younger"
            )
        states = _ahead(group["persons"].to_numpy(), group["survival"].to_numpy(), needed)
        row = {}
        for column, age in FROM_AGE.items():
            now, then, next_ = (s[ages >= age].sum() for s in (states[0], states[steps], states[needed]))
            row[column] = (
                np.nan if now == 0 else float(then ** (1 - rest / width) * next_ ** (rest / width) / now)
            )
        rows[county_id] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("county_id")


def _ahead(
    persons: NDArray[np.float64], survival: NDArray[np.float64], steps: int
) -> list[NDArray[np.float64]]:
    """Return persons by group now and after each step; who is too young to be known is NaN."""
    states = [persons.astype("float64")]
    for _ in range(steps):
        survivors = states[-1] * survival
        moved = np.r_[np.nan, survivors[:-1]]
        moved[-1] += survivors[-1]
        states.append(moved)
    return states


def project_cohorts(
    demand: GeoDataFrame, cohorts: DataFrame, *, years: int, strict: bool = True
) -> GeoDataFrame:
    """Return `demand` with its elders carried `years` ahead by `cohorts`, county by county, not rounded.

    Parameters
    ----------
    demand
        Demand frame.
    cohorts
        As `read_cohorts` returns.
    years
        Whole years, 0 or more.
    strict
        Without it, demand points whose county has no table stay as they are.

    Raises
    ------
    InputError
        As `cohort_factors`; with `strict`, if the table has counties and a demand point lies in none of them.
    """
    factors = cohort_factors(cohorts, years=years) if len(cohorts) else pd.DataFrame(columns=list(FROM_AGE))
    whole = "" in factors.index
    of_row = pd.Series("", index=demand.index) if whole else demand["county_id"].astype(object)
    lost = of_row.index[~of_row.isin(factors.index)]
    if len(lost) and strict:
        raise InputError(
            f"cohorts: no table for the county of {some(lost)}; give one, or leave the county out for all"
        )
    columns = {
        c: demand[c] * of_row.map(factors[c]).astype("float64").where(of_row.isin(factors.index), 1.0)
        for c in FROM_AGE
        if c in demand.columns
    }
    return demand.assign(**columns)
