"""Write every candidate, listed or suggested, with what became of it: as a sheet, as CSV and as a layer of points."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import geopandas as gpd

from sy_coverage import labels
from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.outputs.tables.cells import csv_cell
from sy_coverage.outputs.tables.workbook import Field

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.outputs.findings import Findings


def candidates_csv(findings: Findings) -> bytes:
    """Return every candidate of ``findings.extras["candidates"]`` as CSV like the scorecard's, in words."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    table = findings.extras["candidates"].drop(columns=["county_id", "reason"])
    write.writerow(
        [labels.text(f"outputs.candidate_{column}", findings.language) for column in table.columns]
    )
    for row in table.itertuples(index=False):
        write.writerow([csv_cell(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def fields() -> list[Field]:
    """Return the columns of the sheet of candidates."""
    return [
        Field("candidate_id", 20),
        Field("name", 34),
        Field("kind", 24),
        Field("county", 14),
        Field("unit", 16),
        Field("origin", 16),
        Field("cost", 12, format="#,##0.0"),
        Field("extra_cost", 14, format="#,##0.0"),
        Field("sentence", 56),
    ]


def layer(findings: Findings) -> GeoDataFrame:
    """Return the candidates as points, EPSG:4326, indexed by `candidate_id`; one without a place has no geometry."""
    table = findings.extras["candidates"]
    points = gpd.GeoSeries(gpd.points_from_xy(table["lon"], table["lat"]), index=table.index)
    shapes = points.where(table["lon"].notna(), None)
    frame = gpd.GeoDataFrame(table.drop(columns=["lon", "lat"]), geometry=shapes, crs=GEOGRAPHIC)
    return frame.set_index("candidate_id")
