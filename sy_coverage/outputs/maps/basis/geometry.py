"""Make geometry light enough for a page: shared borders simplified together, five decimals, whole-number steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from geopandas import GeoDataFrame, GeoSeries

    Shift = Callable[[Any, Any], tuple[Any, Any]]

STEPS_PER_DEGREE = 100_000
"""Five decimals of a degree: about a metre."""


def shifted(geometry: Any, shift: Shift | None) -> Any:
    """Return an array of geometries with `shift(lon, lat)` applied to every vertex (unchanged without one)."""
    geometry = np.asarray(geometry, dtype=object)
    if shift is None or not len(geometry):
        return geometry

    def moved(xy: np.ndarray) -> np.ndarray:
        lon, lat = shift(xy[:, 0], xy[:, 1])
        return np.column_stack([lon, lat])

    return shapely.transform(geometry, moved)


def tolerance_for(bounds: tuple[float, float, float, float]) -> float:
    """Return the first simplification tolerance in degrees: a 5,000th of the extent, 5 m to 100 m."""
    extent = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    return float(np.clip(extent / 5000, 0.00005, 0.001))


def simplified_coverage(geometry: GeoSeries, *, tolerance: float, vertices: int) -> Any:
    """Return polygons simplified together, so that a border two units share stays one border.

    Parameters
    ----------
    geometry
        Polygons that touch without overlapping, degrees.
    tolerance
        First tolerance in degrees; doubled until at most `vertices` remain (at most ten times).
    """
    # on a grid of one metre, borders that were digitised twice mostly become one
    whole = np.asarray(geometry, dtype=object)
    polygons = shapely.set_precision(whole, 1 / STEPS_PER_DEGREE)
    if not len(polygons):
        return polygons
    for _ in range(10):
        light = shapely.coverage_simplify(polygons, tolerance)
        if shapely.get_num_coordinates(light).sum() <= vertices:
            break
        tolerance *= 2
    # a polygon smaller than the tolerance must not vanish from the map
    return np.where(shapely.is_empty(light), whole, light)


def within_budget(polygons: Any, *, tolerance: float, vertices: int) -> Any:
    """Return polygons, each simplified by itself, without holes and parts too small to see.

    Their outer rings run counter-clockwise and their holes clockwise, so that a page can fill parts that touch as one area.

    Parameters
    ----------
    polygons
        Polygons or multipolygons, degrees; they may overlap.
    tolerance
        First tolerance in degrees; widened by half until at most `vertices` remain (at most twelve times).
    """
    whole = np.asarray(polygons, dtype=object)
    for _ in range(12):
        whole = shapely.simplify(whole, tolerance, preserve_topology=False)
        drawn = _without_crumbs(whole, (3 * tolerance) ** 2)
        if shapely.get_num_coordinates(drawn).sum() <= vertices:
            break
        tolerance *= 1.5
    return shapely.orient_polygons(drawn)


def _without_crumbs(polygons: Any, area: float) -> Any:
    """Return multipolygons whose rings all enclose at least `area`: smaller parts are dropped, smaller holes filled."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    wide = shapely.area(shapely.polygons(rings)) >= area
    outer = np.diff(part, prepend=-1) != 0
    kept: list[list[Any]] = [[] for _ in polygons]
    ends = np.append(np.flatnonzero(outer)[1:], len(rings))
    for first, end in zip(np.flatnonzero(outer), ends, strict=True):
        if wide[first]:
            holes = rings[first + 1 : end][wide[first + 1 : end]]
            kept[owner[part[first]]].append(shapely.Polygon(rings[first], list(holes)))
    return np.array([shapely.MultiPolygon(one) for one in kept], dtype=object)


def merged_lines(geometry: Iterable[Any], *, tolerance: float, most: int | None = None) -> Any:
    """Return lines joined end to end, each drawn once whatever its direction or the order of rows, and simplified.

    None where they would surely have more than `most` vertices: joining a million roads takes gigabytes.
    """
    lines = np.asarray(list(geometry), dtype=object)
    lines = shapely.get_parts(lines[~(shapely.is_missing(lines) | shapely.is_empty(lines))])
    if not len(lines):
        return shapely.MultiLineString()
    lines = shapely.get_parts(shapely.set_precision(lines, 1 / STEPS_PER_DEGREE))
    lines = shapely.normalize(lines[~shapely.is_empty(lines)])
    keys = shapely.to_wkb(lines)
    _, first = np.unique(keys, return_index=True)
    lines = lines[first]
    if most is not None and _least_vertices(lines) > most:
        return None
    merged = shapely.line_merge(shapely.multilinestrings(lines))
    # line by line: kept apart from each other they need no test against all the rest
    parts = shapely.simplify(shapely.get_parts(merged), tolerance, preserve_topology=False)
    return shapely.multilinestrings(parts)


def _least_vertices(lines: Any) -> int:
    """Return how many vertices lines, each there once, have at least when joined and simplified: the ends of what is joined."""
    last = np.cumsum(shapely.get_num_coordinates(lines)) - 1
    ends = np.concatenate([last, np.r_[0, last[:-1] + 1]])
    corners = np.rint(shapely.get_coordinates(lines)[ends] * STEPS_PER_DEGREE).astype("int64")
    _, meeting = np.unique(corners[:, 0] * 2**32 + corners[:, 1], return_counts=True)
    # two ends that meet are joined; any other number stays apart
    return int(meeting[meeting != 2].sum())


def outline(polygons: Any, *, tolerance: float) -> Any:
    """Return the border of all `polygons` together; gaps and slivers between them no wider than `tolerance` are closed."""
    whole = shapely.union_all(np.asarray(polygons, dtype=object))
    closed = shapely.buffer(whole, tolerance, join_style="mitre", quad_segs=1)
    closed = shapely.buffer(closed, -tolerance, join_style="mitre", quad_segs=1)
    return shapely.boundary(shapely.simplify(closed, tolerance / 4))


def near(frame: GeoDataFrame, polygons: Any, margin: float) -> GeoDataFrame:
    """Return the rows of `frame` that lie within `margin` degrees of `polygons`, whole; those that cross out are cut.

    What only touches the area leaves a point (or an area a line): that is no part of a road or lake, and is dropped.
    """
    area = shapely.simplify(shapely.buffer(shapely.union_all(polygons), margin, quad_segs=4), margin / 8)
    shapely.prepare(area)
    lines = np.asarray(frame.geometry, dtype=object)
    within = shapely.intersects(area, lines)
    crossing = within & ~shapely.contains(area, lines)
    lines = lines.copy()
    lines[crossing] = [_same_dimension(shape, shapely.intersection(shape, area)) for shape in lines[crossing]]
    kept = within & ~shapely.is_empty(lines)
    return frame[kept].assign(geometry=lines[kept])


def _same_dimension(shape: Any, cut: Any) -> Any:
    parts = shapely.get_parts(cut)
    same = shapely.get_dimensions(parts) == shapely.get_dimensions(shape)
    return cut if same.all() else shapely.union_all(parts[same])


def steps(coordinates: np.ndarray) -> list[int]:
    """Return a path as whole numbers: first vertex, then the step to each next one (x, y, dx, dy, …)."""
    whole = np.rint(np.asarray(coordinates)[:, :2] * STEPS_PER_DEGREE).astype("int64")
    moves = np.diff(whole, axis=0)
    moves = moves[(moves != 0).any(axis=1)]
    return [int(v) for v in np.concatenate([whole[:1], moves]).ravel()]


def polygon_steps(geometry: Any) -> list[list[list[int]]]:
    """Return a polygon or multipolygon as ``[polygon [ring [steps]]]``."""
    found = []
    for part in shapely.get_parts(geometry):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        rings = [steps(shapely.get_coordinates(ring)) for ring in (part.exterior, *part.interiors)]
        # a hole that has shrunk to nothing draws nothing
        found.append([rings[0], *(ring for ring in rings[1:] if len(ring) >= 6)])
    return found


def line_steps(geometry: Any) -> list[list[int]]:
    """Return the lines of a geometry as ``[[steps]]``, sorted, those of no length left out."""
    parts = [p for p in shapely.get_parts(np.atleast_1d(geometry)) if p.geom_type == "LineString"]
    if any(p.geom_type.startswith("Multi") for p in np.atleast_1d(geometry)):
        parts = [
            p
            for p in shapely.get_parts(shapely.get_parts(np.atleast_1d(geometry)))
            if p.geom_type == "LineString"
        ]
    paths = (steps(shapely.get_coordinates(part)) for part in parts)
    return sorted(path for path in paths if len(path) >= 4)


def point_steps(point: Any) -> list[int]:
    """Return a point as ``[x, y]``."""
    return steps(np.array([[point.x, point.y]]))
