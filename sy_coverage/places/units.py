"""Read the streets and townships of a study, checked: valid shapes, no overlaps, every gap and repair counted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from sy_coverage import _osm
from sy_coverage._files import USUAL, Limits
from sy_coverage._frames import GEOGRAPHIC, UNIT_KINDS, UNITS, checked, metric_crs, require_ids
from sy_coverage.errors import FrameError, GeometryError, some
from sy_coverage.places.ground.names import county_code, same, unit_code
from sy_coverage.places.ground.points import placed
from sy_coverage.places.ground.shapes import in_degrees
from sy_coverage.places.sheets import cells, words
from sy_coverage.places.sheets.cells import Breaches
from sy_coverage.places.sheets.tables import Report, Table, read_table

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from geopandas import GeoDataFrame, GeoSeries
    from pandas import Series

Invalid = Literal["stop", "repair", "skip"]
OVERLAP_WIDTH_M = 1.0
"""An overlap that a circle of this diameter fits into is no sliver."""
OVERLAP_SHARE = 0.001
"""An overlap above this share of the smaller unit is no sliver."""
_CHINESE = re.compile(r"[\u2e80-\u9fff]")
_STATISTICAL = re.compile(r"\d{6}(\d)\d\d")
"""A statistical code of nine digits; the seventh tells the class of the unit."""
_CLASS_OF_CODE = {"0": "street", "1": "township", "2": "township", "3": "township"}
_AREA_KEPT = 0.95
"""A repair that loses more of a shape's hull than this leaves is refused as a different shape."""


def read_units(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    coordinate_system: str | None = None,
    columns: Mapping[str, str] | None = None,
    invalid: Invalid = "stop",
    encoding: str | None = None,
    admin_level: int | None = None,
    county_level: int | None = None,
    former: Mapping[str, Sequence[str]] | None = None,
    limits: Limits = USUAL,
) -> GeoDataFrame:
    """Return the units (街道, 乡镇) of a boundary file.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, Shapefile, FlatGeobuf or GeoParquet; a layer after ``#`` or as `layer`; a table of PostGIS,
        ``postgresql://user@host/name#schema.table``; or an OpenStreetMap extract, with `admin_level`.
    layer
        Layer of a file that holds several.
    coordinate_system
        What the vertices are in, where the file does not say so or says it wrongly: GeoJSON of Amap or DataV is
        ``"gcj02"`` though it reads as WGS84; of metres without a zone number ``"EPSG:4546"``. Declared GCJ-02 and BD-09 are converted vertex by vertex.
    columns
        Our column name to the header that means it.
    invalid
        What to do with invalid shapes and with overlaps that are no slivers: ``"stop"``; ``"repair"`` (an overlap
        goes to the lowest id); ``"skip"`` leaves out invalid shapes. All of it is counted in the report.
    encoding
        Text encoding of a shapefile or table, where it is not to be found out.
    admin_level, county_level
        Of an OpenStreetMap extract (``.osm``, ``.osm.pbf``): the level of its areas that are units, and of those that are
        their counties (none: the whole file is one county). Areas the extract cuts open are not in it.
    former
        By `unit_id`, the names and codes that a unit had, or that units merged into it had: old lists are understood. A
        column 曾用名 (former) of the file says the same; the aliases that ship are known anyway.
    limits
        How much is read of the file: bytes, rows and vertices.

    Returns
    -------
    units
        Indexed by `unit_id`, sorted, in EPSG:4326, columns of the units contract and the file's own further columns.
        ``.attrs["report"]`` counts repairs, slivers and gaps.

    Raises
    ------
    FrameError
        With every breach: empty or repeated ids, missing names or counties.
    MissingCRSError
        If neither the file nor `coordinate_system` says where the vertices are.
    GeometryError
        If a shape is missing, invalid or overlaps another, naming the units.
    UnknownIdError
        If `former` names a unit that is not there.
    """
    if invalid not in ("stop", "repair", "skip"):
        raise GeometryError(f"invalid = '{invalid}' is unknown; say stop, repair or skip")
    report = Report()
    if admin_level is not None:
        file = Path(path).name
        result = _osm_units(path, admin_level, county_level, file, report)
    else:
        table = read_table(
            path, "units", report, layer=layer, columns=columns, encoding=encoding, limits=limits
        )
        file = table.file
        result = _table_units(table, coordinate_system, report)
    result = _valid(result, file, invalid, report).sort_index()
    result = _without_overlaps(result, file, invalid, report)
    _say_gaps(result, file, report)
    result = _with_former(checked(result, UNITS), former or {})
    result.attrs["report"] = report.frame()
    return result


def _with_former(units: GeoDataFrame, former: Mapping[str, Sequence[str]]) -> GeoDataFrame:
    """Return `units` with what `former` says of them added to their column `former`."""
    require_ids(former, units.index, "former")
    if not former:
        return units
    said = units["former"] if "former" in units.columns else pd.Series(None, index=units.index, dtype=object)
    listed = {i: [*([said[i]] if isinstance(said[i], str) else []), *names] for i, names in former.items()}
    units["former"] = [("、".join(listed[i]) if i in listed else said[i]) for i in units.index]
    return units


def _table_units(table: Table, coordinate_system: str | None, report: Report) -> GeoDataFrame:
    """Return the units of a table with boundaries, not yet checked for validity."""
    if table.geometry is None:
        raise GeometryError(
            f"{table.file}: a table without boundaries; give a GeoPackage, GeoJSON or shapefile"
        )
    breaches = Breaches()
    cells.ask_about_formulas(table, breaches)
    frame = _attributes(table, breaches, report)
    breaches.stop("units")
    if frame.empty:
        raise FrameError("units", [f"there is no unit in {table.file}"])
    shapes = in_degrees(table, report, coordinate_system)
    shapes.index = frame.index
    return _framed(frame, shapes)


def _osm_units(
    path: str | os.PathLike[str], admin_level: int, county_level: int | None, file: str, report: Report
) -> GeoDataFrame:
    """Return the administrative areas of one level of an OpenStreetMap extract as units, not yet checked for validity."""
    areas = _osm.read_areas(path, admin_level=admin_level)
    # a closed way without a name is a piece of some area's boundary, no area of its own
    areas = areas[areas["name"].notna()]
    if areas.empty:
        raise FrameError("units", [f"there is no whole area of admin_level {admin_level} in {file}"])
    report.say(file, "", "areas_read", admin_level, len(areas))
    ends = [(end, kind) for kind, known in words.table()["unit_kinds"].items() for end in known]
    names = areas["name"].astype(str)
    kinds = [next((kind for end, kind in ends if name.endswith(end)), "township") for name in names]
    frame = pd.DataFrame({"name": names, "kind": kinds}, index=areas.index.astype(str).rename("unit_id"))
    stem = file.removesuffix(".pbf").removesuffix(".osm")
    frame["county_id"], frame["county"] = stem, stem
    if county_level is not None:
        counties = _osm.read_areas(path, admin_level=county_level)
        inside = areas.geometry.representative_point()
        at, which = counties.sindex.query(inside, predicate="intersects")
        order = np.lexsort((which, at))
        at, first = np.unique(at[order], return_index=True)
        found = counties.iloc[which[order][first]]
        rows = frame.index[at]
        frame.loc[rows, "county_id"] = found.index.astype(str).to_numpy()
        frame.loc[rows, "county"] = found["name"].astype(str).to_numpy()
        lost = frame.index.difference(rows)
        if len(lost):
            raise FrameError("units", [f"areas in no county of admin_level {county_level}: {some(lost)}"])
    frame["boundary_quality"] = "openstreetmap"
    shapes = areas.geometry.set_axis(frame.index).to_crs(GEOGRAPHIC)
    return _framed(frame, shapes)


def _framed(frame: Any, shapes: GeoSeries) -> GeoDataFrame:
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=GEOGRAPHIC)


def _attributes(table: Table, breaches: Breaches, report: Report) -> pd.DataFrame:
    """Return the units' columns without geometry; what the file leaves out is taken from codes and names, and said."""
    ids = cells.required_text(table, "id", breaches).map(
        lambda t: unit_code(t) if isinstance(t, str) else None
    )
    names = cells.required_text(table, "name", breaches)
    kinds = _kinds(table, ids, names, breaches, report)
    stated = cells.text(table, "county_id").map(lambda t: county_code(t) if isinstance(t, str) else None)
    from_code = ids.map(lambda i: i[:6] if isinstance(i, str) and re.fullmatch(r"\d{9}", i) else None)
    county_ids = stated.where(stated.notna(), from_code)
    counties = cells.text(table, "county")
    if stated.isna().any() and county_ids.notna().all():
        report.say(table.file, "", "county_from_code", "", int(stated.isna().sum()))
    if county_ids.isna().all() and counties.notna().all():
        county_ids = counties
        report.say(table.file, "", "county_from_name", "", len(counties))
    for row in ids.index[county_ids.isna()]:
        breaches.add("column 'county_id' is empty and the unit's code tells no county", table.where(row))
    if counties.isna().any():
        report.say(table.file, "", "county_unnamed", "", int(counties.isna().sum()))
    quality = cells.text(table, "boundary_quality")
    frame = pd.DataFrame(
        {
            "name": names.map(lambda n: same(n) if isinstance(n, str) and _CHINESE.search(n) else n),
            "kind": kinds,
            "county_id": county_ids,
            "county": counties.where(counties.notna(), county_ids),
            "boundary_quality": quality.where(quality.notna(), "official"),
        }
    )
    if "former" in table.headers:
        frame["former"] = cells.text(table, "former")
    extras = [c for c in table.rows.columns if c not in table.headers and c not in frame.columns]
    frame[extras] = table.rows[extras]
    frame.index = pd.Index(ids, name="unit_id", dtype=object)
    where = pd.Series([table.where(row) for row in table.rows.index], index=frame.index)
    cells.refuse_repeated(frame.index, where, breaches)
    return frame


def _kinds(table: Table, ids: Series, names: Series, breaches: Breaches, report: Report) -> Series:
    """Return street, township or other for every unit: from its cell, else from its code, else from how its name ends."""
    endings = words.table()["unit_kinds"]
    longest = sorted(
        ((end, kind) for kind, ends in endings.items() for end in ends), key=lambda e: -len(e[0])
    )
    stated = cells.text(table, "kind")
    allowed = {kind: (kind, *endings[kind]) for kind in UNIT_KINDS} | {
        "township": ("township", "town", "乡镇", *endings["township"])
    }
    found, guessed = [], 0
    for row, cell in stated.items():
        if cell is not None:
            kind, _ = words.choice(cell, allowed)
            if kind is None:
                breaches.add(
                    "column 'kind' must be street, township or other", f"{table.where(row)} '{cell}'"
                )
        else:
            name = same(names[row] or "")
            kind = next((kind for end, kind in longest if name.endswith(end)), "other")
            of_code = _STATISTICAL.fullmatch(str(ids[row] or ""))
            if (
                kind == "other"
                and of_code
                and of_code.group(1) in _CLASS_OF_CODE
                and not name.endswith(tuple(endings["other"]))
            ):
                kind = _CLASS_OF_CODE[of_code.group(1)]
            guessed += 1
        found.append(kind)
    if guessed:
        report.say(table.file, "", "unit_kind_from_name", "", guessed)
    return pd.Series(found, index=stated.index, dtype=object)


def _polygons(shape: Any) -> Any:
    """Return the polygons of a shape as one, or None if it has none."""
    parts = [
        p for p in shapely.get_parts([shape]) if p.geom_type in ("Polygon", "MultiPolygon") and not p.is_empty
    ]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def _valid(units: GeoDataFrame, file: str, invalid: Invalid, report: Report) -> GeoDataFrame:
    """Return units whose shapes are all valid polygons, or stop and name those that are not."""
    missing = ~placed(units.geometry)
    if missing.any():
        raise GeometryError(
            f"{file}: units without a boundary: {some(units.index[missing])}; draw them, or leave them out"
        )
    flat = ~units.geom_type.isin(["Polygon", "MultiPolygon"])
    if flat.any():
        raise GeometryError(f"{file}: not polygons: {some(units.index[flat])}")
    wrong = ~units.geometry.is_valid
    if not wrong.any():
        return units
    reasons = shapely.is_valid_reason(units.geometry[wrong].to_numpy())
    named = [f"{i} ({reason})" for i, reason in zip(units.index[wrong], reasons, strict=True)]
    if invalid == "stop":
        raise GeometryError(
            f'{file}: invalid boundaries: {some(named)}; correct them, or say invalid = "repair" or "skip"'
        )
    for name in named:
        report.say(file, "", "unit_repaired" if invalid == "repair" else "unit_skipped", name)
    if invalid == "skip":
        return units[~wrong]
    repaired = units.geometry.copy()
    for unit_id in units.index[wrong]:
        before = units.geometry[unit_id]
        after = _polygons(shapely.make_valid(before, method="structure", keep_collapsed=False))
        if after is None or after.area < (1 - _AREA_KEPT) * before.convex_hull.area:
            raise GeometryError(f"{file}: the boundary of {unit_id} cannot be repaired; draw it again")
        repaired[unit_id] = after
    return units.set_geometry(repaired)


def _without_overlaps(units: GeoDataFrame, file: str, invalid: Invalid, report: Report) -> GeoDataFrame:
    """Return units that do not overlap: slivers, and on ``repair`` all overlaps, go to the lowest id."""
    metric = units.geometry.to_crs(metric_crs(units))
    one, other = metric.sindex.query(metric, predicate="intersects")
    one, other = one[one < other], other[one < other]
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    shapes = metric.to_numpy()
    common = shapely.intersection(shapes[one], shapes[other])
    areas = shapely.area(common)
    overlapping = areas > 1e-6
    one, other, common, areas = one[overlapping], other[overlapping], common[overlapping], areas[overlapping]
    if not len(one):
        return units
    wide = ~shapely.is_empty(shapely.buffer(common, -OVERLAP_WIDTH_M / 2))
    large = areas > OVERLAP_SHARE * np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))
    grave = wide | large
    named = [
        f"{units.index[i]} and {units.index[j]} ({a:,.0f} m²)"
        for i, j, a in zip(one, other, areas, strict=True)
    ]
    if grave.any() and invalid != "repair":
        worst = [name for name, is_grave in zip(named, grave, strict=True) if is_grave]
        raise GeometryError(
            f'{file}: units overlap: {some(worst)}; correct them, or say invalid = "repair" (the lowest id keeps the land)'
        )
    for name, is_grave in zip(named, grave, strict=True):
        if is_grave:
            report.say(file, "", "overlap_repaired", name)
    if (~grave).any():
        report.say(file, "", "slivers_resolved", f"{areas[~grave].sum():.1f}", int((~grave).sum()))
    for i, j in zip(one, other, strict=True):
        left = _polygons(shapely.difference(shapes[j], shapes[i]))
        if left is None or left.is_empty:
            raise GeometryError(
                f"{file}: unit {units.index[j]} lies wholly inside {units.index[i]}; leave one of them out"
            )
        shapes[j] = left
    cut = sorted(set(other.tolist()))
    degrees = type(metric)(shapes[cut], crs=metric.crs).to_crs(GEOGRAPHIC).to_numpy()
    geometry = units.geometry.to_numpy().copy()
    geometry[cut] = [_polygons(shapely.make_valid(shape)) for shape in degrees]
    return units.set_geometry(type(metric)(geometry, index=units.index, crs=GEOGRAPHIC))


def _say_gaps(units: GeoDataFrame, file: str, report: Report) -> None:
    """Report the holes between units: how many, and their area."""
    metric = units.geometry.to_crs(metric_crs(units))
    whole = shapely.union_all(metric.to_numpy(), grid_size=0.01)
    holes = [shapely.Polygon(ring) for part in shapely.get_parts([whole]) for ring in part.interiors]
    area = sum(hole.area for hole in holes)
    if holes:
        report.say(file, "", "gaps_found", f"{area / 1e6:.4f}", len(holes))
