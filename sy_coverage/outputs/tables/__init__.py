"""Write what was found as tables: CSV, XLSX, GeoJSON, and the layers of a GeoPackage."""

from __future__ import annotations

from sy_coverage.outputs.tables.csv_texts import OVERLAP, catchments_csv, scorecard_csv
from sy_coverage.outputs.tables.geodata import LAYERS, layers, proposal_geojson
from sy_coverage.outputs.tables.rows import SCORECARD, doubts, scorecard, sites, units
from sy_coverage.outputs.tables.shapefiles import cgcs2000
from sy_coverage.outputs.tables.sheets import proposal_xlsx, scorecard_xlsx

__all__ = [
    "LAYERS",
    "OVERLAP",
    "SCORECARD",
    "catchments_csv",
    "cgcs2000",
    "doubts",
    "layers",
    "proposal_geojson",
    "proposal_xlsx",
    "scorecard",
    "scorecard_csv",
    "scorecard_xlsx",
    "sites",
    "units",
]


def __dir__() -> list[str]:
    return list(__all__)
