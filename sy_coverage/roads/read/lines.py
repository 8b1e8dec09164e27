"""Make a network of lines that are not OpenStreetMap's: a road authority's layer, its fields named or known by their headers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from sy_coverage import _files, _osm
from sy_coverage._frames import GEOGRAPHIC, metric_crs
from sy_coverage.errors import ConfigError, IncompleteNetworkError, InputError, MissingCRSError, some
from sy_coverage.roads.network import RoadNetwork
from sy_coverage.roads.read.osm import BUFFER_M, box_around
from sy_coverage.roads.read.pieces.network import network_of_ways
from sy_coverage.roads.travel_modes import TravelMode, junction_ranks, travel_mode

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.roads.graph.links import Array

FIELDS: dict[str, tuple[str, ...]] = {
    "class": ("公路等级", "技术等级", "道路等级", "等级", "highway", "fclass", "class"),
    "surface": ("路面类型", "路面", "面层类型", "surface"),
    "maxspeed": ("限速", "设计速度", "设计时速", "maxspeed"),
    "oneway": ("单行", "单向", "通行方向", "oneway"),
    "bridge": ("桥梁", "是否桥梁", "bridge"),
    "tunnel": ("隧道", "是否隧道", "tunnel"),
    "lanes": ("车道数", "lanes"),
    "width": ("路面宽度", "路宽", "width"),
}
"""What a field may be called where the study does not say it; the first that is there."""
CLASSES = {
    "高速": "motorway", "高速公路": "motorway", "一级": "trunk", "国道": "trunk", "快速路": "trunk", "二级": "primary", "省道": "primary",
    "主干路": "primary", "三级": "secondary", "县道": "secondary", "次干路": "secondary", "四级": "tertiary", "乡道": "tertiary",
    "支路": "tertiary", "村道": "unclassified", "等外": "unclassified", "等外公路": "unclassified", "通村公路": "unclassified",
    "村组路": "unclassified", "专用公路": "unclassified", "专用道路": "unclassified", "机耕路": "track", "田间道": "track",
    "内部道路": "service", "匝道": "primary_link", "人行道": "footway", "小路": "path",
}  # fmt: skip
"""Classes of Chinese roads (JTG B01-2014, administrative and urban ones) as the classes of the travel modes' tables."""
SURFACES = {
    "沥青": "asphalt", "沥青混凝土": "asphalt", "水泥": "concrete", "水泥混凝土": "concrete", "混凝土": "concrete", "硬化": "paved",
    "砂石": "gravel", "碎石": "gravel", "砾石": "gravel", "泥结碎石": "compacted", "石": "sett", "砖": "bricks", "土": "dirt", "土路": "dirt",
    "泥土": "dirt", "未硬化": "unpaved", "未铺装": "unpaved", "无路面": "unpaved",
}  # fmt: skip
FORTH = frozenset({"1", "1.0", "yes", "y", "true", "t", "是", "单行", "单向", "正向", "f", "ft"})
BACK = frozenset({"-1", "-1.0", "reverse", "逆向", "反向", "tf"})
NOT = frozenset({"", "0", "0.0", "no", "n", "false", "否", "无", "非", "双向", "b", "none", "nan", "null"})
TOLERANCE_M = 1.0
SAME_M = 0.01
"""Ends so near are one place, whatever rounding has made of them."""
LISTED = 5
Tags = dict[str, str]


def read_lines(
    source: str | os.PathLike[str],
    *,
    modes: Iterable[str | TravelMode] = ("drive", "walk"),
    fields: Mapping[str, str] | None = None,
    classes: Mapping[str, str] | None = None,
    tolerance_m: float = TOLERANCE_M,
    area: Any = None,
    buffer_m: float = BUFFER_M,
    crs: Any = None,
    limits: _files.Limits = _files.USUAL,
) -> RoadNetwork:
    """Return the network of the lines in a GeoPackage, shapefile, GeoJSON or PostGIS table.

    Lines meet where they cross, but not on bridges and in tunnels, which meet others only at their ends. An end that comes
    within `tolerance_m` of another road is joined to it, counted and listed.

    Parameters
    ----------
    source
        A file, ``file#layer``, or ``postgresql://…#schema.table``.
    modes
        Names of travel modes, or `TravelMode` objects with numbers of your own.
    fields
        Which column says what: ``class``, ``surface``, ``maxspeed``, ``oneway``, ``bridge``, ``tunnel``, ``lanes``, ``width``;
        what is not here is known by its usual headers (`公路等级`, `路面类型`, `限速`, `单行`, `桥梁`, …).
    classes
        What the layer's own classes are, beyond the usual Chinese ones and those of OpenStreetMap: ``{"乡村路": "unclassified"}``.
    tolerance_m
        Gaps up to so many metres are closed.
    area, buffer_m, crs
        As for `read_osm`.
    limits
        How much is read.

    Raises
    ------
    MissingFileError, UnreadableFileError, MissingCRSError, InputError
        If there is no such layer, it says no CRS, or holds no lines.
    ConfigError
        If a field or class is not there.
    IncompleteNetworkError
        If no line is a road that a mode may use.
    """
    chosen = tuple(m if isinstance(m, TravelMode) else travel_mode(m) for m in modes)
    if not chosen or len({m.name for m in chosen}) < len(chosen):
        raise InputError("modes: give at least one travel mode, each once")
    if not (np.isfinite(tolerance_m) and 0 <= tolerance_m <= 100):
        raise InputError(f"tolerance_m={tolerance_m}: must be metres between 0 and 100")
    frame = _frame(source, limits)
    if area is not None:
        near = frame.to_crs(GEOGRAPHIC).intersects(shapely.box(*box_around(area, buffer_m)))
        frame = frame[near]
    name = Path(str(source).split("#", maxsplit=1)[0]).name
    if frame.empty:
        raise IncompleteNetworkError(f"{name}: no road lies in the area; is it the right layer?")
    notes: Counter[str] = Counter()
    kinds = _tags(frame.drop(columns="geometry"), dict(fields or {}), dict(classes or {}), name, notes)
    if crs is None:
        crs = metric_crs(frame if area is None else _area(area))
    ways = _ways(frame.to_crs(crs), kinds, tolerance_m, crs, notes)
    digest = (
        ""
        if _files.is_database(source)
        else f" sha256:{_files.digest(str(source).split('#', maxsplit=1)[0])}"
    )
    network = network_of_ways(ways, chosen, area=area, crs=crs, source=f"{name}{digest}", ground=None)
    return RoadNetwork(replace(network.parts, notes={**network.notes, **notes}))


def _area(area: Any) -> Any:
    return area if hasattr(area, "to_crs") else gpd.GeoDataFrame(geometry=[area], crs=GEOGRAPHIC)


def _frame(source: str | os.PathLike[str], limits: _files.Limits) -> GeoDataFrame:
    grid = _files.read_grid(source, limits=limits)
    if grid.geometry is None:
        raise InputError(f"{source}: holds no lines; roads are a layer of lines, or an OpenStreetMap extract")
    if grid.geometry.crs is None:
        raise MissingCRSError(
            f"{source}: says no CRS; write it into the layer, for CGCS2000 degrees EPSG:4490"
        )
    head, *body = grid.cells
    table = pd.DataFrame(body, columns=head, dtype=object)
    frame = gpd.GeoDataFrame(table, geometry=grid.geometry.to_numpy(), crs=grid.geometry.crs)
    frame = frame[frame.geometry.notna() & ~frame.geometry.is_empty].explode(ignore_index=True)
    lines = frame[frame.geometry.geom_type.isin(["LineString", "LinearRing"])].reset_index(drop=True)
    if lines.empty:
        raise InputError(f"{source}: holds no lines; roads are a layer of lines, or an OpenStreetMap extract")
    return lines


def _tags(
    rows: pd.DataFrame, fields: dict[str, str], classes: dict[str, str], name: str, notes: Counter[str]
) -> list[Tags]:
    """Return what each line is in the words of OpenStreetMap."""
    unknown = sorted(set(fields) - set(FIELDS))
    absent = [column for column in fields.values() if column not in rows.columns]
    if unknown or absent:
        what = f"no field is called {some(unknown)}; there are {', '.join(FIELDS)}" if unknown else ""
        where = (
            f"column {some(absent)} is missing; there are {', '.join(map(str, rows.columns))}"
            if absent
            else ""
        )
        raise ConfigError(f"{name}: {'; '.join(filter(None, (what, where)))}")
    columns = {
        key: fields.get(key) or next((c for c in names if c in rows.columns), None)
        for key, names in FIELDS.items()
    }
    if columns["class"] is None:
        raise ConfigError(
            f'{name}: no column says the class of a road; name it, fields = {{ class = "…" }}; there are {", ".join(map(str, rows.columns))}'
        )
    read = {
        key: rows[column].astype(str).str.strip() for key, column in columns.items() if column is not None
    }
    strange: Counter[str] = Counter()
    tags = [
        _one({key: values.iloc[i] for key, values in read.items()}, classes, strange)
        for i in range(len(rows))
    ]
    if strange:
        notes["lines_of_unknown_class_taken_as_roads"] = strange.total()
        listed = "; ".join(word or "—" for word, _ in strange.most_common(LISTED))
        notes["unknown_classes_of_lines_named"] = listed  # type: ignore[assignment]  # notes may be words
    return tags


def _one(row: Mapping[str, str], classes: Mapping[str, str], strange: Counter[str]) -> Tags:
    word = row.get("class", "")
    known = set(junction_ranks()) | {"service", "track", "footway", "path", "pedestrian", "cycleway", "steps"}
    highway = classes.get(word) or CLASSES.get(word) or CLASSES.get(re.sub(r"(公路|道路|路)$", "", word))
    highway = highway or (word.lower() if word.lower() in known else None)
    if highway is None:
        strange[word] += 1
        highway = "road"
    tags = {"highway": highway}
    surface = row.get("surface", "")
    found = SURFACES.get(surface) or SURFACES.get(re.sub(r"(路面|面层|面)$", "", surface)) or surface.lower()
    if found not in NOT:
        tags["surface"] = found
    oneway = row.get("oneway", "").lower()
    if oneway in FORTH | BACK:
        tags["oneway"] = "yes" if oneway in FORTH else "-1"
    for key in ("bridge", "tunnel"):
        if row.get(key, "").lower() not in NOT:
            tags[key] = "yes"
    for key in ("maxspeed", "lanes", "width"):
        number = re.match(r"\d+(?:\.\d+)?", row.get(key, ""))
        if number and float(number[0]) > 0:
            tags[key] = f"{float(number[0]):g}"
    return tags


@dataclass(frozen=True, eq=False)
class _Stops:
    """Places along lines where they meet others: which line, how far along it, and where that is."""

    line: Array
    along: Array
    xy: Array


def _ways(
    frame: GeoDataFrame, kinds: list[Tags], tolerance_m: float, crs: Any, notes: Counter[str]
) -> _osm.Ways:
    lines = shapely.force_2d(np.asarray(frame.geometry, dtype=object))
    above = np.array(["bridge" in tags or "tunnel" in tags for tags in kinds], bool)
    stops = _stops(lines, above, tolerance_m)
    node, gaps = _nodes(stops, tolerance_m)
    notes["gaps_closed"] = len(gaps)
    to = pyproj.Transformer.from_crs(crs, GEOGRAPHIC, always_xy=True)
    if len(gaps):
        places = np.column_stack(to.transform(*gaps[:LISTED].T)).round(5).tolist()
        listed = "; ".join(f"{lon} {lat}" for lon, lat in places)
        notes["gaps_closed_listed"] = listed  # type: ignore[assignment]  # notes may be words
    place = np.zeros((int(node.max(initial=-1)) + 1, 2))
    place[node[::-1]] = stops.xy[::-1]
    order = np.lexsort((stops.along, stops.line))
    begins = np.searchsorted(stops.line[order], np.arange(lines.size + 1))
    refs, xy, counts = [], [], []
    fresh = len(place)
    for i, line in enumerate(lines):
        points = shapely.get_coordinates(line)
        at = np.r_[0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
        mine = order[begins[i] : begins[i + 1]]
        between = np.flatnonzero((np.abs(at[:, None] - stops.along[mine][None, :]) > SAME_M).all(axis=1))
        along = np.r_[stops.along[mine], at[between]]
        names = np.r_[node[mine], fresh + np.arange(between.size)]
        fresh += between.size
        ordered = np.argsort(along, kind="stable")
        refs.append(names[ordered])
        xy.append(np.concatenate([place[node[mine]], points[between]])[ordered])
        counts.append(along.size)
    lonlat = np.column_stack(to.transform(*np.concatenate(xy).T))
    codes: dict[tuple[tuple[str, str], ...], int] = {}
    kind = [codes.setdefault(tuple(tags.items()), len(codes)) for tags in kinds]
    return _osm.Ways(
        ids=np.arange(1, lines.size + 1),
        kinds=tuple(dict(pairs) for pairs in codes),
        kind=np.array(kind, np.int64),
        refs=np.concatenate(refs).astype(np.int64) + 1,
        lonlat=lonlat,
        start=np.r_[0, np.cumsum(counts)].astype(np.int64),
    )


def _stops(lines: Array, above: Array, tolerance_m: float) -> _Stops:
    """Return where lines end, cross each other on the ground, and where an end comes near another line."""
    length = shapely.length(lines)
    ends = np.stack([shapely.get_coordinates(shapely.get_point(lines, k)) for k in (0, -1)], axis=1)
    every = np.arange(lines.size)
    line, along, xy = [every, every], [np.zeros(lines.size), length], [ends[:, 0], ends[:, 1]]

    def add(which: Array, points: Array) -> None:
        line.append(which)
        along.append(shapely.line_locate_point(lines[which], shapely.points(points)))
        xy.append(points)

    tree = shapely.STRtree(lines)
    one, other = tree.query(lines, predicate="intersects")
    one, other = one[one < other], other[one < other]
    met = shapely.intersection(lines[one], lines[other])
    # of a stretch that two lines share, its two ends
    shared = shapely.get_type_id(met) != 0
    met[shared] = [shapely.MultiPoint(_corners(shape)) for shape in met[shared]]
    points, pair = shapely.get_coordinates(met, return_index=True)
    one, other = one[pair], other[pair]
    kept = np.ones(pair.size, dtype=bool)
    for side in (one, other):
        at = shapely.line_locate_point(lines[side], shapely.points(points))
        inner = (at > tolerance_m) & (at < length[side] - tolerance_m)
        kept &= ~(above[side] & inner)
    add(one[kept], points[kept])
    add(other[kept], points[kept])
    for k in (0, 1):
        near, target = tree.query(shapely.points(ends[:, k]), predicate="dwithin", distance=tolerance_m)
        near, target = near[near != target], target[near != target]
        at = shapely.line_locate_point(lines[target], shapely.points(ends[near, k]))
        ok = ~above[target] | (at <= tolerance_m) | (at >= length[target] - tolerance_m)
        # the place keeps the end's own position, so that both become one node
        line.append(target[ok])
        along.append(at[ok])
        xy.append(shapely.get_coordinates(shapely.line_interpolate_point(lines[target[ok]], at[ok])))
    return _Stops(np.concatenate(line), np.concatenate(along), np.concatenate(xy))


def _corners(shape: Any) -> Array:
    """Return the points of an intersection, and the two ends of every stretch in it."""
    parts = shapely.get_parts(shape)
    both = [shapely.get_coordinates(part)[[0, -1]] for part in parts if not shapely.is_empty(part)]
    return np.concatenate(both) if both else np.zeros((0, 2))


def _nodes(stops: _Stops, tolerance_m: float) -> tuple[Array, Array]:
    """Return the node of each stop, those within the tolerance being one, and where ends lay apart that are joined now."""
    pairs = cKDTree(stops.xy).query_pairs(max(tolerance_m, SAME_M), output_type="ndarray")
    # two places of one line are one only if they are the same
    apart = np.hypot(*(stops.xy[pairs[:, 0]] - stops.xy[pairs[:, 1]]).T)
    pairs = pairs[(stops.line[pairs[:, 0]] != stops.line[pairs[:, 1]]) | (apart <= SAME_M)]
    size = len(stops.xy)
    meet = sparse.coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    _, node = csgraph.connected_components(meet, directed=False)
    middle = np.zeros((int(node.max(initial=-1)) + 1, 2))
    first = np.unique(node, return_index=True)[1]
    off = np.hypot(*(stops.xy - stops.xy[first][node]).T)
    wide = np.zeros(len(middle))
    np.maximum.at(wide, node, off)
    return node.astype(np.int64), stops.xy[first][wide > SAME_M]
