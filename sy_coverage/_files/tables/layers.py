"""Read layers of vector files and of Parquet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from sy_coverage._files.content.encodings import decode
from sy_coverage._files.grids import Grid, frame_grid, one_of
from sy_coverage._files.tables.dbf import RawShapefile, raw_shapefile, uncut
from sy_coverage.errors import UnreadableFileError

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame

    from sy_coverage._files.limits import Limits

STYLES = "layer_styles"
"""Where QGIS keeps how a file's layers are drawn: no layer itself."""
_DRIVERS = {
    "GeoPackage": ("GPKG", (".gpkg",)),
    "GeoJSON": ("GeoJSON", (".geojson", ".json")),
    "FlatGeobuf": ("FlatGeobuf", (".fgb",)),
    "shapefile": ("ESRI Shapefile", (".shp",)),
}


def layer_grid(
    path: Path,
    file: str,
    kind: str,
    layer: str | None,
    encoding: str | None,
    limits: Limits,
    *,
    recoded: tuple[bytes, str] | None = None,
) -> Grid:
    """Return a layer of a file, or of `recoded`: its bytes in the encoding GDAL wants, and the one they were in."""
    import pyogrio  # noqa: PLC0415

    driver, suffixes = _DRIVERS[kind]
    if path.suffix.lower() not in suffixes:
        # GDAL would choose another driver by the name (CSV, KML, …), whatever is inside
        raise UnreadableFileError(f"{file}: a {kind} under another name; rename it to end in {suffixes[0]}")
    options: dict[str, Any] = {}
    source: Path | bytes = path if recoded is None else recoded[0]
    notes: tuple[tuple[str, str], ...] = () if recoded is None else (("encoding", recoded[1]),)
    raw = raw_shapefile(path, encoding, limits) if kind == "shapefile" else None
    if raw is not None:
        source = raw.archive
        notes = (("encoding", raw.encoding), *(("field_cut", name) for name in raw.cut_names))
    try:
        # what has no file has a layer of another name each time, and only one
        layers = (
            [path.stem]
            if recoded or raw
            else [str(name) for name in pyogrio.list_layers(path)[:, 0] if name != STYLES]
        )
        chosen = one_of(layers, layer, file, "layer")
        options |= {} if recoded or raw else {"layer": chosen}
        facts = pyogrio.read_info(source, **options)
        _require_driver(str(facts["driver"]), driver, file)
        limits.check_rows(int(facts["features"]), file)
        limits.check_cells(int(facts["features"]), len(facts["fields"]), file)
        frame = pyogrio.read_dataframe(source, **options)
        if raw is not None:
            frame, cut = _decoded(frame, raw)
            notes = (*notes, *cut)
    except UnreadableFileError:
        raise
    except Exception as error:
        raise UnreadableFileError(f"{file}: damaged, or no {kind} file ({error})") from error
    limits.check_rows(len(frame), file)
    limits.check_cells(len(frame), len(frame.columns), file)
    return frame_grid(frame, file, (*notes, ("layer", chosen)))


def layer_names(path: Path) -> list[str]:
    """Return the names of the layers of a GeoPackage, or none where a file holds one table or is no GeoPackage."""
    import pyogrio  # noqa: PLC0415

    with path.open("rb") as file:
        is_geopackage = path.suffix.lower() == ".gpkg" and file.read(15) == b"SQLite format 3"
    if not is_geopackage:
        return []
    try:
        return [str(name) for name in pyogrio.list_layers(path)[:, 0] if name != STYLES]
    except Exception as error:
        raise UnreadableFileError(f"{path.name}: damaged, or no GeoPackage ({error})") from error


def _decoded(frame: GeoDataFrame, raw: RawShapefile) -> tuple[GeoDataFrame, list[tuple[str, str]]]:
    """Return a shapefile's table under its own names, its texts decoded, and notes on values that were cut."""
    decoded, notes = frame.copy(), []
    for n, name in enumerate(raw.names):
        values = frame[f"f{n}"]
        if not any(isinstance(value, str) for value in values):
            continue
        texts = [uncut(v, raw.encoding) if isinstance(v, str) else (v, False) for v in values]
        decoded[f"f{n}"] = pd.Series([text for text, _ in texts], index=frame.index, dtype=object)
        cut = sum(was_cut for _, was_cut in texts)
        if cut:
            notes.append(("values_cut", f"{name} ({cut})"))
    decoded.columns = pd.Index([*raw.names, *frame.columns[len(raw.names) :]])
    return decoded, notes


def _require_driver(found: str, wanted: str, file: str) -> None:
    if found != wanted:
        raise UnreadableFileError(f"{file}: would be read as {found}, not as {wanted}")


def parquet_grid(path: Path, file: str, limits: Limits) -> Grid:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        facts = pq.read_metadata(path)
        limits.check_rows(facts.num_rows, file)
        is_geo = b"geo" in (facts.metadata or {})
        limits.check_cells(facts.num_rows, facts.num_columns, file)
        frame = gpd.read_parquet(path) if is_geo else pd.read_parquet(path)
    except UnreadableFileError:
        raise
    except Exception as error:
        raise UnreadableFileError(f"{file}: damaged, or no Parquet file ({error})") from error
    return frame_grid(frame, file, ())


def recoded_geojson(content: bytes, file: str, encoding: str | None) -> tuple[bytes, str] | None:
    """Return GeoJSON that is not in UTF-8 in UTF-8, which alone GDAL reads, and what it was in; other JSON is refused."""
    # other JSON dialects that GDAL knows point to further files or addresses
    try:
        text, name = decode(content, file, encoding=encoding)
        found = json.loads(text)
    except UnreadableFileError:
        raise
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"{file}: damaged GeoJSON ({error})") from error
    if not isinstance(found, dict) or found.get("type") not in {"FeatureCollection", "Feature"}:
        raise UnreadableFileError(f"{file}: JSON, but no GeoJSON FeatureCollection")
    return None if name.startswith("utf-8") else (text.encode(), name)
