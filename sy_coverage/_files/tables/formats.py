"""Read any table or layer a bureau hands over; what it is, is told from its content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sy_coverage._files.addresses import is_database
from sy_coverage._files.content.reading import local_path, read_bytes, split_layer
from sy_coverage._files.grids import one_of
from sy_coverage._files.limits import USUAL
from sy_coverage._files.postgis import read_database
from sy_coverage._files.tables.layers import layer_grid, parquet_grid, recoded_geojson
from sy_coverage._files.tables.office import document_grids, old_grids
from sy_coverage._files.tables.text import text_grid
from sy_coverage._files.tables.workbooks import check_zip, sheet_grids
from sy_coverage.errors import UnreadableFileError

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from sy_coverage._files.grids import Grid
    from sy_coverage._files.limits import Limits

_SIGNATURES = (
    (b"SQLite format 3\0", "GeoPackage"),
    (b"\x00\x00\x27\x0a", "shapefile"),
    (b"fgb\x03fgb", "FlatGeobuf"),
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "workbook"),
    (b"\xd0\xcf\x11\xe0", "old workbook"),
)


def _kind_of(content: bytes) -> str:
    """Return what a file is by its first bytes, never by its name: only these kinds are read."""
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            return kind
    # what is not Latin in UTF-16 is of no matter here, and its zero bytes neither
    start = content[:2048].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if start.startswith(b"{"):
        return "GeoJSON"
    return "XML" if start.startswith(b"<") else "text"


def read_grids(
    source: str | os.PathLike[str],
    *,
    layer: str | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
) -> list[Grid]:
    """Return every table of a file, as text cells: what it is, is told from its content.

    CSV and other delimited text; XLSX, XLS, ET and ODS workbooks (every visible sheet that holds anything) and the tables
    of DOCX documents; GeoJSON, GeoPackage, Shapefile, FlatGeobuf and Parquet, whose one layer is meant. One of several
    layers or sheets is named by `layer`, or after the path as ``path#layer``. A table of PostgreSQL is
    ``postgresql://user@host/name#schema.table``.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError, OfflineError
        If there is no such file, it is damaged, of another kind or beyond `limits`, the path is no local one, or a database
        is not reached.
    """
    if is_database(source):
        return [read_database(source, layer=layer, limits=limits)]
    written, named = split_layer(source)
    layer = layer or named
    path = local_path(written)
    file = path.name
    content = read_bytes(path, limits=limits)
    if not content.strip():
        raise UnreadableFileError(f"{file}: the file is empty")
    kind = _kind_of(content)
    if kind in _OF_CONTENT:
        return _OF_CONTENT[kind](content, file, layer, limits)
    if kind == "text":
        return [text_grid(content, file, encoding, limits)]
    return [_layer(path, content, kind, layer, encoding, limits)]


def _layer(
    path: Path, content: bytes, kind: str, layer: str | None, encoding: str | None, limits: Limits
) -> Grid:
    file = path.name
    if kind == "Parquet":
        return parquet_grid(path, file, limits)
    recoded = recoded_geojson(content, file, encoding) if kind == "GeoJSON" else None
    return layer_grid(
        path, file, kind, layer, None if kind == "GeoJSON" else encoding, limits, recoded=recoded
    )


def _refuse_xml(_content: bytes, file: str, _layer: str | None, _limits: Limits) -> list[Grid]:
    raise UnreadableFileError(f"{file}: XML is no table or boundary file; save it as .xlsx or .gpkg")


def _archived(content: bytes, file: str, layer: str | None, limits: Limits) -> list[Grid]:
    """Return the tables of an archive: a document, an open document, or else a workbook."""
    with check_zip(content, file, limits) as archive:
        members = set(archive.namelist())
    if "word/document.xml" in members:
        return document_grids(content, file, layer, limits)
    is_open = "content.xml" in members
    return (old_grids if is_open else sheet_grids)(content, file, layer, limits)


_OF_CONTENT = {"XML": _refuse_xml, "workbook": _archived, "old workbook": old_grids}
"""What reads a file whose content says all."""


def read_grid(
    source: str | os.PathLike[str],
    *,
    layer: str | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
) -> Grid:
    """Return the one table of a file, as `read_grids` does; several without a choice are refused by name.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError, OfflineError
        As `read_grids`.
    """
    grids = read_grids(source, layer=layer, encoding=encoding, limits=limits)
    if len(grids) > 1:
        one_of([grid.sheet for grid in grids], None, grids[0].file, "sheet")
    return grids[0]
