"""Read where the elders live: villages and communities with their elders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from sy_coverage._files import USUAL, Limits
from sy_coverage._frames import GEOGRAPHIC, LISTED_DEMAND, checked
from sy_coverage.errors import FrameError
from sy_coverage.places.ground.names import county_code, unit_code
from sy_coverage.places.ground.points import read_points
from sy_coverage.places.sheets import cells, words
from sy_coverage.places.sheets.cells import Breaches
from sy_coverage.places.sheets.doubts.answered import answered, placed_by_answers
from sy_coverage.places.sheets.place_rows import ask_about_columns, ask_about_looks
from sy_coverage.places.sheets.sources import list_files, read_lists
from sy_coverage.places.sheets.tables import Report, ReportFrame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.places.sheets.sources import Files
    from sy_coverage.places.sheets.tables import Table

_COUNTS = ("elders", "elders_65", "elders_80", "households")
_FURTHER = ("persons", "elders_destitute", "elders_disabled")
_ASKED_ABOUT = ("elders", "elders_65", "elders_80", "lon", "lat")


def read_demand(
    path: Files,
    *,
    layer: str | None = None,
    coordinate_system: str | None = None,
    columns: Mapping[str, str] | None = None,
    units: GeoDataFrame | None = None,
    encoding: str | None = None,
    counted: bool = True,
    limits: Limits = USUAL,
    answers: DataFrame | None = None,
    strict: bool = False,
) -> GeoDataFrame:
    """Return the demand points (villages, communities) of a file.

    Parameters
    ----------
    path
        Any table with coordinates, or a layer of points; a layer or sheet after ``#`` or as `layer`.
    layer
        Layer or sheet of a file that holds several.
    coordinate_system, columns, units, encoding
        As in `read_facilities`.
    counted
        Whether every row must say how many elders there are; without, those that do not say it have none, for a census
        to come (`by_census`).
    limits, answers, strict
        As in `read_facilities`.

    Returns
    -------
    demand
        Indexed by `demand_id`, in the file's order, EPSG:4326, geometry None where a row has no point: `elders` (persons of 60 and more), `elders_65`,
        `elders_80`, `households`, and where a list says so `persons` (of any age), `elders_destitute` (特困), `elders_disabled` (失能), `name`, `unit_id`, `county_id`, a point each, and the file's own further columns.
        `unit_named` and `county_named` hold what the row says. ``.attrs["report"]`` says what was done.

    Raises
    ------
    FrameError
        If there is no table or no column of elders; with `strict`, with every breach of every row.
    CoordinateSystemError, MissingCRSError, MissingFileError, UnreadableFileError
        As `read_facilities`.
    """
    report, breaches = Report(), Breaches("demand", strict=strict)
    frames: list[DataFrame] = []
    tables: dict[str, Table] = {}
    lists = list_files(path, columns=columns, sheet=layer, coordinate_system=coordinate_system)
    for one, table in read_lists(lists, "demand", report, encoding=encoding, limits=limits):
        table = answered(table, answers)  # noqa: PLW2901
        rows = _typed(table, breaches, report, counted=counted)
        points = read_points(table, breaches, report, coordinate_system=one.coordinate_system, units=units)
        rows["lon"], rows["lat"] = points["lon"], points["lat"]
        if strict:
            for row in points.index[~(np.isfinite(points["lon"]) & np.isfinite(points["lat"]))]:
                breaches.add("a demand point has no coordinates", table.where(row))
        tables |= dict.fromkeys(rows["source"], table)
        frames.append(rows.set_index("demand_id"))
    if not any(len(frame) for frame in frames):
        raise FrameError("demand", [f"there is no row in {', '.join(one.path for one in lists)}"])
    frame = pd.concat([f for f in frames if len(f)])
    frame.index = cells.unique_ids(frame, frame["source"], breaches, tables)
    breaches.stop("demand")
    lon, lat, source = frame.pop("lon"), frame.pop("lat"), frame.pop("source")
    shapes = gpd.GeoSeries(gpd.points_from_xy(lon, lat), index=frame.index)
    shapes = shapes.where(lon.notna() & lat.notna(), None)
    result = checked(gpd.GeoDataFrame(frame, geometry=shapes, crs=GEOGRAPHIC), LISTED_DEMAND)
    result = placed_by_answers(result, answers, "demand")
    result.attrs["report"] = report.frame()
    result.attrs["sources"] = ReportFrame({"source": source})
    result.attrs["doubts"] = breaches.frame(result.assign(source=source), answers)
    return result


def _typed(table: Table, breaches: Breaches, report: Report, *, counted: bool) -> DataFrame:
    """Return the columns of demand for one table, without its points."""
    frame = pd.DataFrame({"demand_id": cells.ids(table, breaches, report), "name": cells.text(table, "name")})
    for field in _COUNTS:
        frame[field] = cells.numbers(table, field, breaches, report)
    for field in _FURTHER:
        if field in table.headers:
            frame[field] = cells.numbers(table, field, breaches, report)
    if not counted:
        # numbers that only some rows give are no weights for a census
        frame["elders"] = 0.0 if frame["elders"].isna().any() else frame["elders"]
    elif "elders" not in table.headers:
        breaches.add("column 'elders' is missing", f"{table.file} ({cells.missing_column(table, 'elders')})")
        breaches.stop("demand")
    else:
        _fill_elders(table, frame, breaches)
    cells.ask_about_ages(table, frame, breaches)
    frame["unit_named"], frame["county_named"] = cells.text(table, "unit"), cells.text(table, "county")
    frame["unit_id"] = cells.code_of(frame["unit_named"], unit_code, 9)
    frame["county_id"] = cells.code_of(frame["county_named"], county_code, 6)
    if "position_quality" in table.headers:
        frame["position_quality"] = cells.text(table, "position_quality")
    extras = [c for c in table.rows.columns if c not in table.headers and c not in frame.columns]
    frame[extras] = table.rows[extras]
    frame["source"] = [table.where(row) for row in table.rows.index]
    cells.ask_about_formulas(table, breaches)
    ask_about_looks(table, breaches)
    ask_about_columns(table, "demand", _ASKED_ABOUT, breaches, also=frozenset(frame.columns))
    return frame


def _fill_elders(table: Table, frame: DataFrame, breaches: Breaches) -> None:
    """Give rows that do not say how many elders there are none, as a doubt."""
    header = table.headers["elders"]
    written = cells.column(table, "elders")
    empty = frame.index[frame["elders"].isna() & written.map(words.is_blank).astype(bool)]
    for row in empty.difference(list(table.formula_rows("elders")), sort=False):
        breaches.row(
            table,
            row,
            "elders_missing",
            f"column '{header}' (elders) is empty",
            field="elders",
            written=written[row],
            taken="0",
        )
    if not breaches.strict:
        frame["elders"] = frame["elders"].fillna(0.0)
