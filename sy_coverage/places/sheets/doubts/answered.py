"""Let what the office answered decide over what its lists say, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.places.sheets.tables import Table

_CELLS = {"unit": "unit", "kind": "facility_kind"}
"""Our field to the column of answers that fills it, whatever was asked."""
SET_ASIDE = "set_aside"


def _row_answered(table: Table, answer: pd.Series) -> object | None:
    """Return the row of a table that an answer is about: by its row and name, or by its name where the row has moved."""
    if (answer["file"] and answer["file"] != table.file) or (answer["sheet"] or "") != table.sheet:
        return None
    names = None if table.names is None else table.names.map(words.plain)
    asked = words.plain(answer["name"] or "")
    at: object | None = next((row for row in table.rows.index if str(row) == answer["row"]), None)
    if at is not None and (names is None or not asked or names[at] in (asked, "")):
        return at
    same = [] if names is None or not asked else list(names.index[names == asked])
    found: object | None = same[0] if len(same) == 1 else None
    return found


def answered(table: Table, answers: DataFrame | None) -> Table:
    """Return `table` with the cells that were answered; a cell for a field it has no column for gets one."""
    if answers is None or answers.empty:
        return table
    rows, headers, settled = table.rows.copy(), dict(table.headers), set(table.settled)
    for _, answer in answers.iterrows():
        row = _row_answered(table, answer)
        if row is None:
            continue
        given = {field: answer[column] for field, column in _CELLS.items() if answer[column]}
        if (
            answer["decision"] == "change"
            and answer["value"]
            and answer["field"]
            and answer["field"] != "row"
        ):
            given.setdefault(answer["field"], answer["value"])
        elif answer["decision"] == "confirm" and answer["field"] in _CELLS and answer["suggestion"]:
            given.setdefault(answer["field"], answer["suggestion"])
        elif answer["decision"] == "confirm" and answer["field"] in ("kind", "status") and answer["taken"]:
            given.setdefault(answer["field"], answer["taken"])
        for field, value in given.items():
            if field not in headers:
                headers[field] = field
                rows[field] = ""
            rows.loc[row, field] = str(value)
            settled.add((row, field))
    return replace(table, rows=rows, headers=headers, fields=tuple(headers), settled=frozenset(settled))


def placed_by_answers(frame: GeoDataFrame, answers: DataFrame | None, list_name: str) -> GeoDataFrame:
    """Return `frame` with the points that were answered (WGS84), and a column `set_aside` if there are rows not to be used."""
    if answers is None or answers.empty:
        return frame
    frame = frame.copy()
    for _, answer in answers[answers["list"] == list_name].iterrows():
        rows = frame.index[(frame.index == answer["row_id"]) & (frame["name"] == answer["name"])]
        if not len(rows):
            continue
        if answer["decision"] == "set_aside":
            frame = frame if SET_ASIDE in frame.columns else frame.assign(**{SET_ASIDE: None})
            frame.loc[rows, SET_ASIDE] = "by_office"
        if np.isfinite(answer["lon"]) and np.isfinite(answer["lat"]):
            point = gpd.points_from_xy([answer["lon"]], [answer["lat"]], crs=frame.crs)
            frame.loc[rows, "geometry"] = gpd.GeoSeries(point, index=rows[:1], crs=frame.crs)
            frame.loc[rows, ["located_by", "location_precision", "location_status"]] = [
                "office",
                "point",
                "located",
            ]
            frame.loc[rows, ["location_reason", "location_detail", "refused_point"]] = None
    return frame
