"""Read where the elders live: villages and communities with their elders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from sy_coverage._files import USUAL, Limits
from sy_coverage._frames import DEMAND, GEOGRAPHIC, checked
from sy_coverage.errors import FrameError
from sy_coverage.places.ground.names import county_code, unit_code
from sy_coverage.places.ground.points import read_points
from sy_coverage.places.sheets import cells
from sy_coverage.places.sheets.cells import Breaches
from sy_coverage.places.sheets.tables import Report, read_table

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from geopandas import GeoDataFrame


def read_demand(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    coordinate_system: str | None = None,
    columns: Mapping[str, str] | None = None,
    units: GeoDataFrame | None = None,
    encoding: str | None = None,
    counted: bool = True,
    limits: Limits = USUAL,
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
    limits
        As in `read_facilities`.

    Returns
    -------
    demand
        Indexed by `demand_id`, in the file's order, EPSG:4326: `elders` (persons of 60 and more), `elders_65`,
        `elders_80`, `households`, `persons` (of any age), `name`, `unit_id`, `county_id`, a point each, and the file's own further columns.
        `unit_named` and `county_named` hold what the row says. ``.attrs["report"]`` says what was done.

    Raises
    ------
    FrameError
        With every breach: elders missing, negative or no number; ids that repeat; rows without a point.
    CoordinateSystemError, MissingCRSError, MissingFileError, UnreadableFileError
        As `read_facilities`.
    """
    report, breaches = Report(), Breaches()
    table = read_table(path, "demand", report, layer=layer, columns=columns, encoding=encoding, limits=limits)
    if table.rows.empty:
        raise FrameError("demand", [f"there is no row in {table.file}"])
    frame = pd.DataFrame({"demand_id": cells.ids(table, breaches, report), "name": cells.text(table, "name")})
    for field in ("elders", "elders_65", "elders_80", "households"):
        frame[field] = cells.numbers(table, field, breaches, report)
    if "persons" in table.headers:
        frame["persons"] = cells.numbers(table, "persons", breaches, report)
    if not counted:
        # numbers that only some rows give are no weights for a census
        frame["elders"] = 0.0 if frame["elders"].isna().any() else frame["elders"]
    elif "elders" not in table.headers:
        breaches.add(
            "column 'elders' is missing", f"{table.file} (there are: {', '.join(table.rows.columns)})"
        )
    else:
        empty = frame["elders"].isna() & (cells.column(table, "elders") == "")
        for row in frame.index[empty]:
            breaches.add(f"column '{table.headers['elders']}' (elders) is empty", table.where(row))
    frame["unit_named"], frame["county_named"] = cells.text(table, "unit"), cells.text(table, "county")
    frame["unit_id"] = cells.code_of(frame["unit_named"], unit_code, 9)
    frame["county_id"] = cells.code_of(frame["county_named"], county_code, 6)
    if "position_quality" in table.headers:
        frame["position_quality"] = cells.text(table, "position_quality")
    extras = [c for c in table.rows.columns if c not in table.headers and c not in frame.columns]
    frame[extras] = table.rows[extras]
    points = read_points(table, breaches, report, coordinate_system=coordinate_system, units=units)
    lon, lat = points["lon"].to_numpy(), points["lat"].to_numpy()
    for row in points.index[~(np.isfinite(lon) & np.isfinite(lat))]:
        breaches.add("a demand point has no coordinates", table.where(row))
    where = pd.Series([table.where(row) for row in frame.index])
    frame = frame.set_index("demand_id")
    where.index = frame.index
    cells.unique_ids(frame, where, breaches)
    breaches.stop("demand")
    shapes = gpd.GeoSeries(gpd.points_from_xy(lon, lat), index=frame.index)
    result = checked(gpd.GeoDataFrame(frame, geometry=shapes, crs=GEOGRAPHIC), DEMAND)
    result.attrs["report"] = report.frame()
    return result
