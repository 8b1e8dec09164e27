"""Write any value of findings as JSON and read it back, and findings of one study as one file; no code inside."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj.exceptions import CRSError
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from sy_coverage import _files
from sy_coverage.errors import OlderFindingsError, UnreadableFileError
from sy_coverage.outputs.findings import Findings
from sy_coverage.outputs.store.sound import require_sound
from sy_coverage.policy.targets import Policy
from sy_coverage.siting.plan import Certificate, PlanFigures, SitingPlan, Stage, Verification

VERSION = 1
MOST = _files.Limits(megabytes=2_000)
"""A file that unpacks to more, or to more times its size, is refused."""
COPIES = 6
"""The frames, and the JSON on the way to them, take so many times the memory of the text."""
FAULTS = (
    ArithmeticError, KeyError, TypeError, ValueError, AttributeError, RecursionError, GEOSException, CRSError,
)  # fmt: skip
"""What reading raises where something else wrote."""
_EPSG = re.compile(r"EPSG:\d{4,6}")
"""How the CRS of a frame is written; a library would take a name of a file too."""
TAG = "~"
"""The key that says what a JSON object stands for."""
_PLAIN: dict[str, type] = {
    "certificate": Certificate,
    "stage": Stage,
    "plan": SitingPlan,
    "figures": PlanFigures,
    "verification": Verification,
    "findings": Findings,
}
_NOT_KEPT: dict[type, frozenset[str]] = {SitingPlan: frozenset({"reasons", "assignment"})}


def packed(findings: Findings) -> bytes:
    """Return `findings` as the bytes of one file: JSON inside gzip, no code, the same bytes for the same findings.

    Of a plan, how its reasons are worked out and who is assigned to which site are not kept: the reasons themselves are.
    """
    whole = {"version": VERSION, "findings": written(findings)}
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return gzip.compress(text.encode("utf-8"), compresslevel=6, mtime=0)


def unpacked(content: bytes, *, file: str) -> Findings:
    """Return the findings that `packed` wrote; `file` names them in messages.

    Raises
    ------
    UnreadableFileError
        If the content is damaged, of another version, or no findings at all.
    """
    text = _files.unzipped(content, file, limits=MOST, copies=COPIES)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(file) from error
    except MemoryError:
        raise _too_large(file) from None
    if not isinstance(whole, dict) or "version" not in whole:
        raise _damaged(file)
    if whole["version"] != VERSION:
        raise OlderFindingsError(
            f"{file}: was written by version {whole['version']!r} of the format, this is version {VERSION}; run the study again"
        )
    try:
        found = read(whole["findings"])
    except FAULTS as error:
        raise _damaged(file) from error
    except MemoryError:
        raise _too_large(file) from None
    if not isinstance(found, Findings):
        raise _damaged(file)
    require_sound(found, file=file)
    return found


def _too_large(file: str) -> UnreadableFileError:
    return UnreadableFileError(f"{file}: takes more memory to read than there is; use a larger machine")


def _damaged(file: str) -> UnreadableFileError:
    return UnreadableFileError(f"{file}: is damaged or holds no findings; run the study again")


# --- writing ----------------------------------------------------------------------------------------------------------


def written(value: Any) -> Any:
    """Return `value` as what JSON can hold; what JSON has no form for becomes an object with a `TAG`."""
    if value is None or isinstance(value, bool | str):
        return value
    if value is pd.NA or value is pd.NaT:
        return {TAG: "na" if value is pd.NA else "nat"}
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    return _written_fields(value)


def _written_number(value: float) -> Any:
    return value if math.isfinite(value) else {TAG: "float", "value": repr(float(value))}


def _written_day(value: dt.date) -> dict[str, Any]:
    if isinstance(value, pd.Timestamp | dt.datetime):
        return {TAG: "time", "value": value.isoformat()}
    return {TAG: "date", "value": value.isoformat()}


def _written_fields(value: Any) -> dict[str, Any]:
    """Return one of our own dataclasses field by field; of a plan's figures, those that are known."""
    for tag, kind in _PLAIN.items():
        if isinstance(value, kind):
            left = _NOT_KEPT.get(kind, frozenset())
            held = {f.name: getattr(value, f.name) for f in fields(kind) if f.name not in left}
            if isinstance(value, PlanFigures):
                held = value.known()
            return {TAG: tag, "fields": {name: written(item) for name, item in held.items()}}
    raise TypeError(f"{type(value).__name__} cannot be kept in a file")


def _written_frame(frame: pd.DataFrame) -> dict[str, Any]:
    crs, geometry = None, None
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
        geometry, crs = frame.active_geometry_name, frame.crs
    index = frame.index
    levels = [index.get_level_values(level) for level in range(index.nlevels)]
    return {
        TAG: "frame",
        "geometry": geometry,
        "crs": None if crs is None else crs.to_string(),
        "range": isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1),
        "names": list(index.names),
        "index": [_written_column(level.to_series()) for level in levels],
        "columns": [[name, _written_column(frame[name])] for name in frame.columns],
    }


def _written_column(column: pd.Series) -> dict[str, Any]:
    kind = str(column.dtype)
    if kind == "geometry":
        return {"dtype": kind, "values": [None if s is None else shapely.to_wkb(s, hex=True) for s in column]}
    if kind.startswith("datetime64"):
        return {"dtype": kind, "values": [None if pd.isna(v) else v.isoformat() for v in column]}
    missing = column.isna() if kind in {"Int64", "boolean", "str", "string", "float64"} else None
    if missing is not None:
        values = [None if gone else written(v) for v, gone in zip(column.tolist(), missing, strict=True)]
    else:
        values = [written(value) for value in column.tolist()]
    return {"dtype": kind, "values": values}


_WRITERS: tuple[tuple[Any, Any], ...] = (
    (np.generic, lambda v: written(v.item())),
    ((int, float), _written_number),
    (dt.date, _written_day),
    (list, lambda v: [written(item) for item in v]),
    (tuple, lambda v: {TAG: "tuple", "items": [written(item) for item in v]}),
    (Mapping, lambda v: {TAG: "map", "items": [[written(k), written(i)] for k, i in v.items()]}),
    (BaseGeometry, lambda v: {TAG: "wkb", "value": shapely.to_wkb(v, hex=True)}),
    (pd.DataFrame, _written_frame),
    (Policy, lambda v: {TAG: "policy", "value": v.model_dump(mode="json")}),
)


# --- reading ----------------------------------------------------------------------------------------------------------


def read(value: Any) -> Any:
    """Return the value that `written` made JSON of; raises one of `FAULTS` where it did not."""
    if isinstance(value, list):
        return [read(item) for item in value]
    if not isinstance(value, dict):
        return value
    tag = value[TAG]
    if tag in _PLAIN:
        return _PLAIN[tag](**_of_plan(tag, {name: read(item) for name, item in value["fields"].items()}))
    return _READERS[tag](value)


def _of_plan(tag: str, held: dict[str, Any]) -> dict[str, Any]:
    if tag != "plan":
        return held
    if "details" in held:  # as 0.1 wrote them
        held = {**held, "figures": PlanFigures(**held["details"])}
        del held["details"]
    return {"reasons": None, **held}


def require_epsg(crs: str) -> None:
    """Refuse what is no code: a library would open a file of that name."""
    if not _EPSG.fullmatch(crs):
        raise ValueError("a code of EPSG is needed")


def _read_frame(value: dict[str, Any]) -> pd.DataFrame:
    levels = [_read_column(level) for level in value["index"]]
    if value["range"]:
        index: pd.Index[Any] = pd.RangeIndex(len(levels[0]), name=value["names"][0])
    elif len(levels) == 1:
        index = pd.Index(levels[0].array, name=value["names"][0])
    else:
        index = pd.MultiIndex.from_arrays([level.array for level in levels], names=value["names"])
    columns = {name: _read_column(column).set_axis(index) for name, column in value["columns"]}
    frame = pd.DataFrame(columns, index=index, columns=[name for name, _ in value["columns"]])
    if value["geometry"] is None:
        return frame
    require_epsg(value["crs"])
    return gpd.GeoDataFrame(frame, geometry=value["geometry"], crs=value["crs"])


def _read_column(column: dict[str, Any]) -> pd.Series:
    kind, values = column["dtype"], column["values"]
    if kind == "geometry":
        return pd.Series(gpd.GeoSeries([None if v is None else shapely.from_wkb(v) for v in values]))
    if kind.startswith("datetime64"):
        return pd.Series(pd.to_datetime(values, format="ISO8601")).astype(kind)
    if kind == "object":
        return pd.Series([read(v) for v in values], dtype=object)
    return pd.Series([read(v) for v in values], dtype=kind)


_READERS: dict[str, Any] = {
    "na": lambda _: pd.NA,
    "nat": lambda _: pd.NaT,
    "float": lambda v: float(v["value"]),
    "date": lambda v: dt.date.fromisoformat(v["value"]),
    "time": lambda v: pd.Timestamp(v["value"]),
    "tuple": lambda v: tuple(read(item) for item in v["items"]),
    "map": lambda v: {read(key): read(item) for key, item in v["items"]},
    "wkb": lambda v: shapely.from_wkb(v["value"]),
    "policy": lambda v: Policy.model_validate(v["value"]),
    "frame": _read_frame,
}
