"""The door to disk and databases: read only what is allowed, and give a file its final name only when it is whole."""

import os

# A VRT dressed up as .geojson reads other local files and sends requests; GDAL must not even know the format.
os.environ.setdefault("GDAL_SKIP", "OGR_VRT")
# GeoPackages carry the time of writing; a fixed one keeps same inputs, same bytes.
os.environ.setdefault("OGR_CURRENT_DATE", "2000-01-01T00:00:00.000Z")

from sy_coverage._files.addresses import is_database, without_password
from sy_coverage._files.content.encodings import decode
from sy_coverage._files.content.packed import unzipped
from sy_coverage._files.content.reading import (
    digest,
    files_in,
    is_there,
    local_path,
    read_bytes,
    read_toml,
    sample_folder,
    split_layer,
)
from sy_coverage._files.gate import CLOSED, OPEN, Gate
from sy_coverage._files.grids import Grid
from sy_coverage._files.limits import HIGHEST, USUAL, Limits
from sy_coverage._files.postgis import require_database, write_database
from sy_coverage._files.raster import Raster, read_raster
from sy_coverage._files.saving.caches import remove_database, sqlite
from sy_coverage._files.saving.folders import Folder, locked, mark_left_in, require_plain_names
from sy_coverage._files.saving.writing import (
    make_folder,
    passing_file,
    replacing,
    require_writable,
    shapefiles,
    write_bytes,
    write_layers,
)
from sy_coverage._files.tables.formats import read_grid, read_grids
from sy_coverage._files.tables.layers import layer_names
from sy_coverage._files.tables.long import read_long_table
from sy_coverage._files.tables.workbooks import check_zip, editable_workbook

__all__ = [
    "CLOSED", "HIGHEST", "OPEN", "USUAL", "Folder", "Gate", "Grid", "Limits", "Raster", "check_zip", "decode", "digest", "editable_workbook", "files_in", "is_database", "is_there", "layer_names", "local_path", "locked", "make_folder", "mark_left_in", "passing_file", "read_bytes", "read_grid", "read_grids", "read_long_table",
    "read_raster", "read_toml", "remove_database", "replacing", "require_database", "require_plain_names",
    "require_writable", "sample_folder", "shapefiles", "split_layer", "sqlite", "unzipped", "without_password", "write_bytes", "write_database",
    "write_layers",
]  # fmt: skip
