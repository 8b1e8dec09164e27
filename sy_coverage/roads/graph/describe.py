"""Say what a network is and what its minutes were worked out with, and hand the graph that the kernel runs on to networkx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.ops import substring

from sy_coverage.roads.graph.snap import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import networkx as nx
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.roads.graph.arcs import Graph
    from sy_coverage.roads.graph.connected import Connected
    from sy_coverage.roads.graph.links import Array
    from sy_coverage.roads.graph.parts import RoadParts
    from sy_coverage.roads.graph.snap import Snapped
    from sy_coverage.roads.travel_modes import TravelMode


def summary(network: RoadParts, hangs: Mapping[str, Connected]) -> DataFrame:
    """Return what `network` is, was made from and assumes, as (`subject`, `what`, `value`) rows.

    Parameters
    ----------
    hangs
        By mode, how its network hangs together.
    """
    links = network.links
    rows: list[tuple[str, str, Any]] = [
        ("network", "nodes", len(network.node_ids)),
        ("network", "links", len(links)),
        ("network", "crs", network.crs),
        ("network", "source", network.source),
        ("network", "digest", network.digest),
    ]
    for mode, hang in hangs.items():
        usable = np.isfinite(links.minutes[mode]).any(axis=1)
        on_road = np.zeros(len(network.node_ids), dtype=bool)
        on_road[links.tail[usable]] = on_road[links.head[usable]] = True
        nodes = len(network.node_ids)
        size = np.sort(np.bincount(hang.part[:nodes][on_road]))[::-1]
        size = size[size > 0]
        rows += [
            (mode, "road_km", round(float(links.length_m[usable].sum()) / 1000, 3)),
            (mode, "strongly_connected_parts", size.size),
            (mode, "nodes_in_largest_part", int(size[0]) if size.size else 0),
            (mode, "nodes_in_other_parts", int(size[1:].sum())),
            (mode, "nodes_in_second_largest_part", int(size[1]) if size.size > 1 else 0),
            (mode, "nodes_in_stubs", int((on_road & ~hang.in_large(nodes)).sum())),
        ]
    rows += [("notes", str(what), value) for what, value in sorted(network.notes.items())]
    return pd.DataFrame(rows, columns=["subject", "what", "value"])


MEETING = 3
"""So many ends of roads make a node a junction."""


def junctions(network: RoadParts, usable: Array, among: Array) -> GeoDataFrame:
    """Return the nodes `among` at which three or more ends of `usable` links meet: points in the network's CRS, indexed by `node_id`."""
    links = network.links
    met = np.concatenate([links.tail[usable], links.head[usable]])
    ends = np.bincount(met, minlength=len(network.node_ids))
    meeting = np.flatnonzero((ends >= MEETING) & among)
    x, y = network.node_xy[meeting].T
    index = pd.Index(network.node_ids[meeting], name="node_id")
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), index=index, crs=network.crs)


def access_legs(network: RoadParts, points: Snapped, xy: Array) -> GeoDataFrame:
    """Return the straight ways from points to where they join their roads: `length_m`, `minutes`, `note`, indexed by `point_id`.

    Points that no road is near enough for have no way, and stand there as a line of no length.
    """
    near = np.flatnonzero(points.link >= 0)
    ends = xy.copy()
    on_road = shapely.line_interpolate_point(
        network.links.lines(points.link[near]), points.fraction[near], normalized=True
    )
    ends[near] = shapely.get_coordinates(on_road)
    return gpd.GeoDataFrame(
        {
            "length_m": points.snap_m,
            "minutes": points.access_min,
            "note": [Note(n).name.lower() for n in points.note.tolist()],
        },
        index=pd.Index(points.ids, name="point_id"),
        geometry=shapely.linestrings(np.stack([xy, ends], axis=1)),
        crs=network.crs,
    )


@dataclass(frozen=True, eq=False)
class Route:
    """The quickest way from one point to another."""

    minutes: float
    metres: float
    """Along the roads and on foot to them."""
    parts: DataFrame
    """What it is made of, in the order it is gone: `what` (``access`` for the ways to and from the road, else the class of
    road), `minutes`, `metres`; links of one class in a row are one."""
    geometry: Any
    """A LineString in EPSG:4326; in the network's metres where it has no CRS."""

    @property
    def by_class(self) -> DataFrame:
        """The minutes and metres by class of road, and those on foot as ``access``, the most minutes first."""
        return self.parts.groupby("what")[["minutes", "metres"]].sum().sort_values("minutes", ascending=False)


def route(
    network: RoadParts,
    steps: Sequence[Any],
    ends: tuple[Snapped, Snapped],
    points: tuple[Array, Array],
    *,
    mode: str,
    minutes: float,
) -> Route:
    """Return the way over `steps` (link, and the fractions it begins and ends at) between two points."""
    links = network.links
    on_foot = [("access", float(end.access_min[0]), float(end.snap_m[0])) for end in ends]
    rows: list[tuple[str, float, float]] = []
    lines = [points[0][None, :]]
    for step in steps:
        share, way = abs(step.end - step.begin), int(step.end < step.begin)
        name, taken = links.classes[links.highway[step.link]], links.minutes[mode][step.link, way]
        row = name, share * float(taken) if share else 0.0, share * float(links.length_m[step.link])
        if rows and rows[-1][0] == name:
            before = rows.pop()
            row = name, before[1] + row[1], before[2] + row[2]
        rows.append(row)
        line = links.lines(np.array([step.link]))[0]
        lines.append(shapely.get_coordinates(substring(line, step.begin, step.end, normalized=True)))
    if not steps:
        node = shapely.line_interpolate_point(
            links.lines(ends[0].link[:1])[0], float(ends[0].fraction[0]), normalized=True
        )
        lines.append(shapely.get_coordinates(node))
    lines.append(points[1][None, :])
    xy = np.concatenate(lines)
    fresh = np.r_[True, (np.diff(xy, axis=0) != 0).any(axis=1)]
    drawn: Any = shapely.LineString(xy[fresh] if fresh.sum() > 1 else xy[[0, -1]])
    if network.crs is not None:
        drawn = gpd.GeoSeries([drawn], crs=network.crs).to_crs("EPSG:4326").iloc[0]
    parts = pd.DataFrame([on_foot[0], *rows, on_foot[1]], columns=["what", "minutes", "metres"])
    return Route(minutes, float(parts["metres"].sum()), parts, drawn)


def to_networkx(arcs: Graph, ids: tuple[Any, ...], xy: Array, *, mode: str, crs: str | None) -> nx.DiGraph:
    """Return `arcs` as a DiGraph: nodes `ids` with `x` and `y`, edges with ``<mode>_min``."""
    import networkx as nx  # noqa: PLC0415

    drawn = nx.DiGraph(crs=crs)
    drawn.add_nodes_from((i, {"x": x, "y": y}) for i, (x, y) in zip(ids, xy.tolist(), strict=True))
    tails = np.repeat(np.arange(len(ids)), np.diff(arcs.indptr))
    drawn.add_edges_from(
        (ids[u], ids[v], {f"{mode}_min": m})
        for u, v, m in zip(tails.tolist(), arcs.heads.tolist(), arcs.minutes.tolist(), strict=True)
    )
    return drawn


UNITS = {
    "speed_kph": "km/h",
    "service_kph": "km/h",
    "junction_s": "s",
    "main_junction_share": "share",
    "signal_s": "s",
    "ford_s": "s",
    "surface_factor": "share",
    "smoothness_factor": "share",
    "tracktype_factor": "share",
    "usual_factor": "share",
    "condition_factor": "share",
    "narrow_m": "m",
    "ferry_kph": "km/h",
    "dismount_kph": "km/h",
    "maxspeed_factor": "share",
    "most_kph": "km/h",
    "opened_kph": "km/h",
    "buffer_m": "m",
    "least_junctions": "junctions",
    "width_m": "m",
    "height_m": "m",
    "slope_factor": "share",
}
"""The unit of each number in a travel mode's table; what is not here is a word."""


def travel_tables(modes: Iterable[TravelMode]) -> DataFrame:
    """Return every number and word that `modes` are made of, as (`mode`, `what`, `subject`, `value`, `unit`) rows.

    `subject` is the class of road, the kind of service road or the slope that a value is for, empty where it is for all.
    """
    rows: list[tuple[str, str, str, Any, str]] = []
    for mode in modes:
        table = mode.table()
        grades = [f"{grade:+.0%}" for grade in table.pop("slope_grade")]
        table["slope_factor"] = dict(zip(grades, table["slope_factor"], strict=True))
        for what, value in table.items():
            unit = UNITS.get(what, "")
            if isinstance(value, dict):
                rows += [(mode.name, what, subject, number, unit) for subject, number in value.items()]
            else:
                said = ", ".join(value) if isinstance(value, list) else value
                rows.append((mode.name, what, "", said, unit))
    return pd.DataFrame(rows, columns=["mode", "what", "subject", "value", "unit"])
