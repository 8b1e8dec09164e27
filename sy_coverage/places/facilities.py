"""Read lists of facilities and of candidate sites as offices keep them: one row in, one row out."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from sy_coverage._files import USUAL, Limits
from sy_coverage._frames import FACILITIES, GEOGRAPHIC, LISTED_CANDIDATES, Contract, checked
from sy_coverage.errors import FrameError
from sy_coverage.places.ground.area import area_box, inside_box
from sy_coverage.places.ground.names import county_code, unit_code
from sy_coverage.places.ground.points import read_points
from sy_coverage.places.sheets import cells
from sy_coverage.places.sheets.cells import Breaches
from sy_coverage.places.sheets.doubts.answered import answered, placed_by_answers
from sy_coverage.places.sheets.kinds import KindWords
from sy_coverage.places.sheets.place_rows import typed_rows
from sy_coverage.places.sheets.sources import list_files, read_lists
from sy_coverage.places.sheets.tables import Report
from sy_coverage.places.sheets.wide_lists import unfolded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.places.sheets.sources import Files
    from sy_coverage.places.sheets.tables import Table
    from sy_coverage.policy import Policy


def read_facilities(
    files: Files,
    *,
    coordinate_system: str | None = None,
    units: GeoDataFrame | None = None,
    columns: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    layer: str | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
    kind: str = "",
    answers: DataFrame | None = None,
    strict: bool = False,
) -> GeoDataFrame:
    """Return the facilities of one or more files, every row of them.

    Parameters
    ----------
    files
        Paths of CSV, TSV, XLSX, XLS, ET, ODS, DOCX, GeoJSON, GeoPackage, Shapefile or Parquet files; a layer or sheet after
        ``#``, else every sheet that holds a table; tables of PostgreSQL as ``postgresql://user@host/name#schema.table``. Or a
        `ListFile` that says more of its file.
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
    kind
        What rows are that do not say so themselves; in `files` it can be said file by file.
    answers
        What the office answered to earlier doubts, columns of the contract `ANSWERS`: it decides over what rows say.
    strict
        Refuse the files, naming every row, where the default takes what it can and asks.

    Returns
    -------
    facilities
        Indexed by `facility_id` (text; ``<file stem>-<row>`` where a table has no id column), columns of the facilities
        contract in EPSG:4326 and the table's own further columns; a row without usable coordinates has geometry None,
        `location_status` not_located or rejected, and the reason's id in `location_reason`; `refused_point` keeps coordinates
        that were rejected. `unit_named` and
        `county_named` hold what the row says; `source` is its file and row. A row that tells no kind has kind ``unknown``. ``.attrs["report"]`` says what was done,
        ``.attrs["doubts"]`` (contract `DOUBTS`) asks about what could only be guessed or not be used.

    Raises
    ------
    FrameError
        If there is no table, or no column of names; with `strict`, with every breach of every row, by file and row.
    CoordinateSystemError
        With `strict`, if coordinates are undeclared; with a guess if `units` are given. Else such points are not used.
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
        kind=kind,
        answers=answers,
        strict=strict,
    )


def read_candidates(
    files: Files,
    *,
    coordinate_system: str | None = None,
    units: GeoDataFrame | None = None,
    columns: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    layer: str | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
    kind: str = "",
    answers: DataFrame | None = None,
    strict: bool = False,
) -> GeoDataFrame:
    """Return the candidate sites of one or more files: as `read_facilities`, with `cost` (10⁴ yuan) and `premises`.

    Raises
    ------
    FrameError, CoordinateSystemError, MissingFileError, UnreadableFileError, MissingCRSError
        As `read_facilities`. A candidate that nobody has priced has no cost, and is a doubt.
    """
    return _read(
        files,
        LISTED_CANDIDATES,
        coordinate_system=coordinate_system,
        units=units,
        columns=columns,
        policy=policy,
        layer=layer,
        encoding=encoding,
        limits=limits,
        kind=kind,
        answers=answers,
        strict=strict,
    )


def _read(
    files: Files,
    contract: Contract,
    *,
    coordinate_system: str | None,
    units: GeoDataFrame | None,
    columns: Mapping[str, str] | None,
    policy: Policy | None,
    layer: str | None,
    encoding: str | None,
    limits: Limits,
    kind: str,
    answers: DataFrame | None,
    strict: bool,
) -> GeoDataFrame:
    lists = list_files(files, columns=columns, sheet=layer, kind=kind, coordinate_system=coordinate_system)
    report, breaches = Report(), Breaches(contract.name, strict=strict)
    kinds = KindWords.of(policy)
    frames: list[DataFrame] = []
    tables: dict[str, Table] = {}
    for one, table in read_lists(lists, "place", report, encoding=encoding, limits=limits):
        table = answered(unfolded(table, kinds.of_cells, report), answers)  # noqa: PLW2901
        if "name" not in table.headers and len(frames) + len(lists) > 1 and not strict:
            report.say(table.file, "", "sheet_left_out", "", table.sheet)
            continue
        of_file = kinds.of_cell(one.kind)[0] or one.kind
        rows = typed_rows(table, contract, kinds, breaches, report, kind=of_file)
        rows["unit_id"] = cells.code_of(rows["unit_named"], unit_code, 9)
        rows["county_id"] = cells.code_of(rows["county_named"], county_code, 6)
        points = read_points(table, breaches, report, coordinate_system=one.coordinate_system, units=units)
        rows["coordinate_system"] = points["system"]
        rows = _located(rows, points, units)
        tables |= dict.fromkeys(rows["source"], table)
        frames.append(rows.set_index(contract.index))
    if contract is LISTED_CANDIDATES and frames and not any(len(frame) for frame in frames) and not strict:
        report.say(", ".join(PurePath(one.path).name for one in lists), "", "no_candidates")
    elif not any(len(frame) for frame in frames):
        names = ", ".join(one.path for one in lists) or "no file"
        raise FrameError(contract.name, [f"there is no row in {names}; add at least one"])
    frame = pd.concat([f for f in frames if len(f)] or frames[:1])
    frame.index = cells.unique_ids(frame, frame["source"], breaches, tables)
    breaches.stop(contract.name)
    lon, lat = frame.pop("lon"), frame.pop("lat")
    shapes = gpd.GeoSeries(gpd.points_from_xy(lon, lat), index=frame.index)
    shapes = shapes.where(lon.notna() & lat.notna(), None)
    result = checked(gpd.GeoDataFrame(frame, geometry=shapes, crs=GEOGRAPHIC), contract)
    result = placed_by_answers(result, answers, contract.name)
    result.attrs["report"] = report.frame()
    result.attrs["doubts"] = breaches.frame(result, answers)
    return result


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
