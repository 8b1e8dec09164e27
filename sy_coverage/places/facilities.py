"""Read lists of facilities and of candidate sites as offices keep them: one row in, one row out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from sy_coverage._files import USUAL, Limits
from sy_coverage._frames import CANDIDATES, FACILITIES, GEOGRAPHIC, Contract, checked
from sy_coverage.errors import FrameError
from sy_coverage.places.ground.area import area_box, inside_box
from sy_coverage.places.ground.names import county_code, unit_code
from sy_coverage.places.ground.points import read_points
from sy_coverage.places.sheets import cells, words
from sy_coverage.places.sheets.cells import Breaches
from sy_coverage.places.sheets.tables import Report, Table, read_table
from sy_coverage.places.sheets.wide_lists import unfolded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame, Series

    from sy_coverage.policy import Policy

    Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_TEXTS = ("address", "functions", "village")
_NUMBERS = ("beds", "nursing_beds", "floor_area_m2")
_CANDIDATE_TEXTS = ("host_id", "upgrade_of", "group_id", "fund_source", "responsible")
_FLAGS = ("has_medical", "dementia_ward")


def read_facilities(
    files: Paths,
    *,
    coordinate_system: str | None = None,
    units: GeoDataFrame | None = None,
    columns: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    layer: str | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
) -> GeoDataFrame:
    """Return the facilities of one or more files, every row of them.

    Parameters
    ----------
    files
        Paths of CSV, TSV, XLSX, GeoJSON, GeoPackage, Shapefile or Parquet files; a layer or sheet after ``#``; tables of
        PostgreSQL as ``postgresql://user@host/name#schema.table``.
    coordinate_system
        What the coordinates are in: ``"wgs84"``, ``"cgcs2000"``, ``"gcj02"``, ``"bd09"``, or the header of a column
        that says it row by row (one called 坐标系 is found by itself, and decides over this).
    units
        Units frame; lets undeclared systems be guessed, swapped axes be seen, and far-off points be rejected.
    columns
        Our column name to the header that means it, where the synonyms do not know the header.
    policy
        Whose facility kinds are allowed; None allows every kind that has synonyms.
    layer, encoding
        For every file: its layer or sheet, its text encoding; found out by default.
    limits
        How much is read of every file: bytes and rows.

    Returns
    -------
    facilities
        Indexed by `facility_id` (text; ``<file stem>-<row>`` where a table has no id column), columns of the facilities
        contract in EPSG:4326 and the table's own further columns; a row without usable coordinates has geometry None,
        `location_status` not_located or rejected, and the reason's id in `location_reason`; `refused_point` keeps coordinates
        that were rejected. `unit_named` and
        `county_named` hold what the row says; `source` is its file and row. ``.attrs["report"]`` says what was done.

    Raises
    ------
    FrameError
        With every breach of every row, by file and row.
    CoordinateSystemError
        If coordinates are undeclared; with a guess if `units` are given.
    MissingFileError, UnreadableFileError, MissingCRSError
        If a file cannot be read.
    """
    return _read(
        files,
        FACILITIES,
        coordinate_system=coordinate_system,
        units=units,
        columns=columns,
        policy=policy,
        layer=layer,
        encoding=encoding,
        limits=limits,
    )


def read_candidates(
    files: Paths,
    *,
    coordinate_system: str | None = None,
    units: GeoDataFrame | None = None,
    columns: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    layer: str | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
) -> GeoDataFrame:
    """Return the candidate sites of one or more files: as `read_facilities`, with `cost` (10⁴ yuan) and `premises`.

    Raises
    ------
    FrameError, CoordinateSystemError, MissingFileError, UnreadableFileError, MissingCRSError
        As `read_facilities`; a candidate without a cost is a breach.
    """
    return _read(
        files,
        CANDIDATES,
        coordinate_system=coordinate_system,
        units=units,
        columns=columns,
        policy=policy,
        layer=layer,
        encoding=encoding,
        limits=limits,
    )


def _read(
    files: Paths,
    contract: Contract,
    *,
    coordinate_system: str | None,
    units: GeoDataFrame | None,
    columns: Mapping[str, str] | None,
    policy: Policy | None,
    layer: str | None,
    encoding: str | None,
    limits: Limits,
) -> GeoDataFrame:
    paths = [files] if isinstance(files, str | os.PathLike) else list(files)
    report, breaches, kinds = Report(), Breaches(), _kinds(policy)
    frames = []
    for path in paths:
        table = read_table(
            path, "place", report, layer=layer, columns=columns, encoding=encoding, limits=limits
        )
        table = unfolded(table, kinds, report)
        rows = _typed(table, contract, kinds, breaches, report)
        points = read_points(table, breaches, report, coordinate_system=coordinate_system, units=units)
        rows["coordinate_system"] = points["system"]
        rows = _located(rows, points, units)
        frames.append(rows.set_index(contract.index))
    if not any(len(frame) for frame in frames):
        names = ", ".join(os.fspath(path) for path in paths) or "no file"
        raise FrameError(contract.name, [f"there is no row in {names}; add at least one"])
    frame = pd.concat([f for f in frames if len(f)])
    cells.unique_ids(frame, frame["source"], breaches)
    breaches.stop(contract.name)
    lon, lat = frame.pop("lon"), frame.pop("lat")
    shapes = gpd.GeoSeries(gpd.points_from_xy(lon, lat), index=frame.index)
    shapes = shapes.where(lon.notna() & lat.notna(), None)
    result = checked(gpd.GeoDataFrame(frame, geometry=shapes, crs=GEOGRAPHIC), contract)
    result.attrs["report"] = report.frame()
    return result


def _kinds(policy: Policy | None) -> dict[str, tuple[str, ...]]:
    """Return the words for every kind that is allowed: the policy's own names, then the synonyms."""
    synonyms = words.table()["kinds"]
    if policy is None:
        return {kind: tuple(known) for kind, known in synonyms.items()}
    return {
        kind: (*_said(list(rule.name.values())), *synonyms.get(kind, ()))
        for kind, rule in policy.kinds.items()
    }


def _said(names: list[str]) -> list[str]:
    """Return names and, of those that list several (失智照护服务机构、认知障碍照护专区), each part."""
    return [*names, *(part for name in names for part in name.split("、") if len(name.split("、")) > 1)]


def _typed(
    table: Table,
    contract: Contract,
    kinds: dict[str, tuple[str, ...]],
    breaches: Breaches,
    report: Report,
) -> DataFrame:
    """Return the columns of the contract for one table, with the row they came from in `source`."""
    found: dict[str, Any] = {
        contract.index: cells.ids(table, breaches, report),
        "name": cells.required_text(table, "name", breaches),
    }
    found["kind"] = _kind(table, kinds, breaches, report)
    found |= {field: cells.text(table, field) for field in _TEXTS}
    found |= {field: cells.numbers(table, field, breaches, report) for field in _NUMBERS}
    found |= {field: cells.flags(table, field, breaches) for field in _FLAGS}
    synonyms = words.table()
    premises = {key: tuple(known) for key, known in synonyms["premises"].items()}
    found["premises"] = cells.choices(table, "premises", premises, breaches, report)
    if contract is FACILITIES:
        statuses = {key: tuple(known) for key, known in synonyms["status"].items()}
        status = cells.choices(table, "status", statuses, breaches, report)
        if status.isna().any():
            report.say(table.file, "", "status_assumed", "open", int(status.isna().sum()))
        found["status"] = status.where(status.notna(), "open")
        found["opens_on"] = cells.dates(table, "opens_on", breaches, report)
    else:
        found["cost"] = cells.numbers(table, "cost", breaches, report)
        _refuse_free(table, found["cost"], breaches)
        found["premises"] = found["premises"].where(found["premises"].notna(), "new")
        required = cells.flags(table, "required", breaches)
        found["required"] = required.where(required.notna(), False).astype(bool)
        found["running_cost"] = cells.numbers(table, "running_cost", breaches, report)
        found |= {field: cells.text(table, field) for field in _CANDIDATE_TEXTS}
        found["origin"] = "listed"
    found["unit_named"] = cells.text(table, "unit")
    found["county_named"] = cells.text(table, "county")
    found["unit_id"] = cells.code_of(found["unit_named"], unit_code, 9)
    found["county_id"] = cells.code_of(found["county_named"], county_code, 6)
    frame = pd.DataFrame(found, index=table.rows.index)
    extras = [c for c in table.rows.columns if c not in table.headers and c not in frame.columns]
    frame[extras] = table.rows[extras]
    frame["source"] = [table.where(row) for row in table.rows.index]
    return frame


def _refuse_free(table: Table, cost: Series, breaches: Breaches) -> None:
    if "cost" not in table.headers:
        breaches.add("column 'cost' is missing", f"{table.file} (there are: {', '.join(table.rows.columns)})")
        return
    for row in cost.index[cost.isna() & cells.column(table, "cost").map(words.is_blank)]:
        breaches.add(f"column '{table.headers['cost']}' (cost) is empty", table.where(row))


def _kind(table: Table, kinds: dict[str, tuple[str, ...]], breaches: Breaches, report: Report) -> Series:
    """Return the kind of every row: from its cell, else from the facility's name, which is reported."""
    stated = cells.choices(table, "kind", kinds, breaches, report)
    is_empty = cells.column(table, "kind").map(words.is_blank).astype(bool)
    for row in stated.index[is_empty]:
        name = str(cells.column(table, "name")[row])
        guess, _ = words.choice(name, kinds)
        if guess is None:
            breaches.add(
                f"no kind is given and the name tells none (kinds: {', '.join(kinds)})",
                f"{table.where(row)} '{name}'",
            )
        else:
            report.say(table.file, row, "kind_from_name", name, guess)
            stated[row] = guess
    return stated


def _located(rows: DataFrame, points: DataFrame, units: GeoDataFrame | None) -> DataFrame:
    """Return `rows` with their points and what is known of them; points far outside the units are rejected."""
    rows = rows.assign(lon=points["lon"], lat=points["lat"])
    given = rows["lon"].notna()
    rejected = pd.Series(data=False, index=rows.index)
    if units is not None:
        inside = inside_box(rows["lon"].to_numpy(), rows["lat"].to_numpy(), area_box(units))
        rejected = given & ~inside
    spots = [f"{lon:.5f}, {lat:.5f}" for lon, lat in zip(rows["lon"], rows["lat"], strict=True)]
    spot = pd.Series(spots, index=rows.index, dtype=object)
    rows.loc[rejected, ["lon", "lat"]] = np.nan
    located = given & ~rejected
    rows["located_by"] = pd.Series("given", index=rows.index, dtype=object).where(located, None)
    rows["location_precision"] = pd.Series("point", index=rows.index, dtype=object).where(located, None)
    status = np.where(located, "located", np.where(rejected, "rejected", "not_located"))
    rows["location_status"] = pd.Series(status, index=rows.index, dtype=object)
    reason = np.where(rejected, "outside_area", "no_coordinates")
    rows["location_reason"] = pd.Series(reason, index=rows.index, dtype=object).where(~located, None)
    rows["location_detail"] = spot.where(rejected, None)
    # what a row gave stays known, whatever locates the row later
    rows["refused_point"] = spot.where(rejected, None)
    return rows
