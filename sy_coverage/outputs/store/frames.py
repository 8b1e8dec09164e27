"""Write a frame as (Geo)Parquet and read it back as it was: its index, the kinds of its columns, what is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import shapely

from sy_coverage.errors import UnreadableFileError
from sy_coverage.outputs.store import values

if TYPE_CHECKING:
    from sy_coverage._files import Limits

OURS = b"sy_coverage"
"""Under this key the file says what Parquet has no word for."""
_PLAIN = frozenset({"int64", "float64", "bool", "Int64", "boolean", "int32", "float32", "int16", "int8"})
_TEXT = frozenset({"object", "str", "string"})
_INDEX = "index {}"
_GEO = {"version": "1.1.0", "primary_column": "", "columns": {}}


def written_frame(frame: pd.DataFrame) -> bytes:
    """Return a frame as the bytes of a Parquet file, with geometry of a GeoParquet file; the same bytes for the same frame.

    Cells that are neither numbers nor texts, and columns of several kinds, are kept as JSON.
    """
    index = frame.index
    is_range = isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1)
    levels = [] if is_range else [index.get_level_values(n) for n in range(index.nlevels)]
    columns = [(_INDEX.format(n), level.to_series(), level.name) for n, level in enumerate(levels)]
    columns += [(str(name), frame[name], name) for name in frame.columns]
    arrays, told = {}, []
    for written, column, name in columns:
        arrays[written], coded = _written(column)
        told.append({"column": written, "name": name, "dtype": str(column.dtype), "json": coded})
    geometry, crs = None, None
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
        geometry, crs = frame.active_geometry_name, None if frame.crs is None else frame.crs.to_string()
    about = {"levels": len(levels), "names": list(index.names), "rows": len(frame), "columns": told,
             "geometry": geometry, "crs": crs}  # fmt: skip
    meta = {OURS: json.dumps(about, ensure_ascii=False, sort_keys=True).encode()}
    if geometry is not None and crs == "EPSG:4326":
        shapes = {"encoding": "WKB", "geometry_types": []}
        meta[b"geo"] = json.dumps(
            {**_GEO, "primary_column": geometry, "columns": {geometry: shapes}}
        ).encode()
    table = pa.table(arrays or {"nothing": pa.nulls(len(frame))}).replace_schema_metadata(meta)
    out = pa.BufferOutputStream()
    # plain pages: what a reader is told of their size is what they take
    pq.write_table(table, out, compression="zstd", use_dictionary=False)
    return bytes(out.getvalue())


def _written(column: pd.Series) -> tuple[Any, bool]:
    """Return a column as an array of Arrow, and whether its cells are JSON."""
    kind = str(column.dtype)
    if kind == "geometry":
        return pa.array(list(shapely.to_wkb(np.asarray(column.array))), pa.binary()), False
    if kind in _PLAIN:
        return pa.array(column.array, from_pandas=kind in {"Int64", "boolean"}), False
    cells = column.tolist()
    if kind in {"str", "string"} or (kind == "object" and all(v is None or type(v) is str for v in cells)):
        return pa.array([None if kind != "object" and pd.isna(v) else v for v in cells], pa.string()), False
    if kind.startswith("datetime64"):
        cells = [None if pd.isna(v) else v for v in cells]
    coded = [
        json.dumps(values.written(v), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        for v in cells
    ]
    return pa.array(coded, pa.string()), True


def read_frame(content: bytes, *, file: str, limits: Limits) -> pd.DataFrame:
    """Return the frame that `written_frame` wrote.

    Raises
    ------
    UnreadableFileError
        If the content is damaged, was written by somebody else, or unpacks to more than `limits` allow.
    """
    try:
        source = pq.ParquetFile(pa.BufferReader(content))
        _require_small(source.metadata, len(content), file, limits)
        table = source.read()
        about = json.loads(table.schema.metadata[OURS])
        return _frame(table, about)
    except UnreadableFileError:
        raise
    except MemoryError:
        raise UnreadableFileError(
            f"{file}: takes more memory to read than there is; use a larger machine"
        ) from None
    except Exception as error:  # whatever Arrow, shapely or pandas finds wrong
        raise UnreadableFileError(f"{file}: is damaged or holds no findings; run the study again") from error


def _require_small(meta: Any, packed: int, file: str, limits: Limits) -> None:
    """Refuse what would unpack to too much, and pages that could stand for more than they say."""
    unpacked = 0
    for group in map(meta.row_group, range(meta.num_row_groups)):
        for chunk in map(group.column, range(group.num_columns)):
            unpacked += chunk.total_uncompressed_size
            if any("DICTIONARY" in encoding for encoding in chunk.encodings):
                raise UnreadableFileError(f"{file}: was not written by a run; run the study again")
    limits.check_unpacked(packed, unpacked, file)
    limits.check_rows(meta.num_rows, file)


def _frame(table: Any, about: dict[str, Any]) -> pd.DataFrame:
    columns = {told["column"]: _read(table.column(told["column"]), told) for told in about["columns"]}
    count, rows = int(about["levels"]), int(table.num_rows)
    levels = [columns.pop(_INDEX.format(n)).array for n in range(count)]
    if not levels:
        index: pd.Index[Any] = pd.RangeIndex(rows, name=about["names"][0])
    elif count == 1:
        index = pd.Index(levels[0], name=about["names"][0])
    else:
        index = pd.MultiIndex.from_arrays(levels, names=about["names"])
    named = [
        (told["name"], columns[told["column"]]) for told in about["columns"] if told["column"] in columns
    ]
    frame = pd.DataFrame(
        {name: column.set_axis(index) for name, column in named}, index=index, columns=[n for n, _ in named]
    )
    if about["geometry"] is None:
        return frame
    if about["crs"] is not None:
        values.require_epsg(about["crs"])
    return gpd.GeoDataFrame(frame, geometry=about["geometry"], crs=about["crs"])


def _read(column: Any, told: dict[str, Any]) -> pd.Series:
    kind = told["dtype"]
    if told["json"]:
        cells = [values.read(json.loads(text)) for text in column.to_pylist()]
        return pd.Series(cells, dtype=object if kind == "object" else None).astype(kind)
    if kind == "geometry":
        return pd.Series(gpd.GeoSeries(shapely.from_wkb(np.array(column.to_pylist(), dtype=object))))
    if kind in _TEXT:
        return pd.Series(column.to_pylist(), dtype=kind)
    if kind not in _PLAIN:
        raise ValueError(kind)
    if kind in {"Int64", "boolean"}:
        return pd.Series(column.to_pylist(), dtype=kind)
    return pd.Series(column.to_numpy()).astype(kind)
