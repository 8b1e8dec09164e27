"""Make a network from an OSMnx graph, and give the graph the kernel runs on back to networkx."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from sy_coverage import _files
from sy_coverage._frames import GEOGRAPHIC, metric_crs
from sy_coverage.errors import (
    FrameError,
    IncompleteNetworkError,
    InputError,
    MissingCRSError,
    UnreadableFileError,
    some,
)
from sy_coverage.roads.graph.links import SHORTEST_M
from sy_coverage.roads.network import RoadNetwork
from sy_coverage.roads.read import tags as osm_tags
from sy_coverage.roads.read.edges import from_edges
from sy_coverage.roads.read.pieces.delays import Ends, delays_min
from sy_coverage.roads.travel_modes import TravelMode, junction_ranks, travel_mode

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import networkx as nx

CLOSED = "closed"


def from_networkx(
    graph: Any,
    *,
    modes: Iterable[str | TravelMode] = ("drive",),
    crs: Any = None,
    source: str = "networkx graph",
) -> RoadNetwork:
    """Return the network of an OSMnx graph: a directed (multi)graph with `x`, `y` on nodes and metres on edges.

    Node ids are kept. Minutes of a mode are, in this order: ``<mode>_min`` of the edge; for modes that heed limits
    `travel_time` (seconds), `speed_kph`, `maxspeed`; the mode's speed for the edge's `highway`. An edge whose class or
    access tags keep a mode out is closed to it. Modes that no one-way street binds may go against every edge. Where minutes
    come from a speed, what a junction costs is added to the edge that ends there, as for an extract. A graph that networkx
    itself has read (`nx.read_graphml`: lists, truth and lines are text) is taken as OSMnx's own reader takes it.

    Parameters
    ----------
    graph
        `graph["crs"]` says what `x` and `y` are. `length` in metres; `geometry`, `highway`, `maxspeed` optional
        (lists, as OSMnx makes when it joins ways, give their most frequent class and their lowest limit).
    modes
        Names of travel modes, or `TravelMode` objects with numbers of your own.
    crs
        The metric CRS of the network; None keeps a projected one and chooses one otherwise.
    source
        What the network says of where it comes from.

    Raises
    ------
    InputError, MissingCRSError, FrameError, IncompleteNetworkError
        If the graph is not directed, says no CRS, lacks a length, has minutes that are not finite and above zero,
        or has no edge at all.
    """
    chosen = tuple(m if isinstance(m, TravelMode) else travel_mode(m) for m in modes)
    if not graph.is_directed():
        raise InputError("graph: must be directed; an OSMnx graph is, and G.to_directed() makes any graph so")
    declared = graph.graph.get("crs")
    if declared is None:
        raise MissingCRSError(
            'graph: says no CRS; set G.graph["crs"], for OpenStreetMap degrees to "EPSG:4326"'
        )
    if graph.number_of_edges() == 0:
        raise IncompleteNetworkError("graph: has no edge; nothing can be routed on it")
    nodes = pd.DataFrame(
        [(n, _metres(d.get("x")), _metres(d.get("y"))) for n, d in graph.nodes(data=True)],
        columns=["node_id", "x", "y"],
    )
    lost = nodes[["x", "y"]].isna().any(axis=1)
    if lost.any():
        raise FrameError("graph", [f"x, y are missing at nodes {some(nodes.loc[lost, 'node_id'])}"])
    points = gpd.GeoSeries(gpd.points_from_xy(nodes["x"], nodes["y"]), crs=declared)
    if crs is None:
        projected = pyproj.CRS.from_user_input(declared).is_projected
        crs = declared if projected else metric_crs(points.to_frame("geometry"))
    placed = points.to_crs(crs)
    nodes = nodes.assign(x=placed.x, y=placed.y)
    notes: Counter[str] = Counter()
    edges = _edges(graph, chosen, notes)
    if "geometry" in edges.columns:
        edges["geometry"] = gpd.GeoSeries(edges["geometry"], crs=declared).to_crs(crs)
    network = from_edges(nodes, edges, crs=crs, source=source)
    tables = {mode.name: mode for mode in chosen}
    return RoadNetwork(replace(network.parts, notes={**network.notes, **notes}, tables=tables))


@dataclass(frozen=True)
class _Edge:
    """One edge of a graph, its attributes in plain Python whoever read the graph."""

    u: Any
    v: Any
    data: dict[str, Any]
    tags: dict[str, str]


def _edges(graph: Any, modes: tuple[TravelMode, ...], notes: Counter[str]) -> pd.DataFrame:
    edges = [_edge(u, v, data, notes) for u, v, data in graph.edges(data=True)]
    delays = {mode.name: _delays(graph, edges, mode) for mode in modes}
    rows: list[dict[str, Any]] = []
    for k, edge in enumerate(edges):
        row: dict[str, Any] = {
            "u": edge.u,
            "v": edge.v,
            "length_m": _metres(edge.data.get("length")),
            "highway": edge.tags["highway"],
            "geometry": edge.data.get("geometry"),
        }
        back = {**row, "u": edge.v, "v": edge.u}
        if row["geometry"] is not None:
            back["geometry"] = row["geometry"].reverse()
        two_way = False
        for mode in modes:
            minutes, derived = _minutes(edge.data, edge.tags, row["length_m"], mode, notes)
            allowed = minutes is not CLOSED
            both = allowed and "oneway" not in mode.oneway and f"{mode.name}_min" not in edge.data
            for entry, way, may in ((row, 0, allowed), (back, 1, both)):
                delay = delays[mode.name][k, way] if allowed and derived else 0.0
                entry[f"{mode.name}_min"] = minutes + delay if delay else minutes
                entry[f"{mode.name}_allowed"] = may
            two_way |= both
        rows.append(row)
        if two_way:
            rows.append(back)
    frame = pd.DataFrame(rows)
    for mode in modes:
        open_edges = frame[f"{mode.name}_allowed"]
        frame[f"{mode.name}_min"] = frame[f"{mode.name}_min"].where(open_edges, np.inf)
        if not open_edges.any():
            raise IncompleteNetworkError(f"graph: holds no road for {mode.name}")
    return frame.drop(columns="geometry") if frame["geometry"].isna().all() else frame


def _edge(u: Any, v: Any, data: dict[str, Any], notes: Counter[str]) -> _Edge:
    plain = {key: _plain(value) for key, value in data.items()}
    line = plain.get("geometry")
    if isinstance(line, str):
        try:
            plain["geometry"] = shapely.from_wkt(line)
        except shapely.errors.GEOSException as error:
            raise FrameError("graph", [f"geometry of edge {u}→{v} is no WKT ({error})"]) from error
    tags = {key: _one(value, notes) for key, value in plain.items() if key in osm_tags.WANTED}
    tags["highway"] = _class(plain.get("highway"))
    return _Edge(u, v, plain, tags)


def _plain(value: Any) -> Any:
    """Return an attribute as OSMnx holds it, though networkx has read it as text: lists and truth in words."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text in ("True", "False"):
        return text == "True"
    if text.startswith("[") and text.endswith("]"):
        try:
            return [item for item in ast.literal_eval(text) if item is not None]
        except (ValueError, SyntaxError):
            return [part.strip(" '\"") for part in text[1:-1].split(",")]
    return value


def _delays(graph: Any, edges: list[_Edge], mode: TravelMode) -> Any:
    """Return the minutes that the junctions at the two ends of each edge cost, its own way and the other; (edges, 2)."""
    number = {node: i for i, node in enumerate(graph)}
    pairs = np.array([(number[edge.u], number[edge.v]) for edge in edges], np.int64)
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    # between two neighbours there is one road to a junction, of the class of the most important edge
    ranks = junction_ranks()
    keys = list(zip(low.tolist(), high.tolist(), strict=True))
    by_rank = sorted(range(len(edges)), key=lambda i: (ranks.get(edges[i].tags["highway"], 0), -i))
    best = {keys[i]: i for i in by_rank}
    one = np.array(sorted(best.values()), np.int64)
    place = {keys[i]: at for at, i in enumerate(one.tolist())}
    lights = [data.get("highway") == "traffic_signals" for _, data in graph.nodes(data=True)]
    ends = Ends(
        low[one],
        high[one],
        np.nan_to_num(np.array([_metres(edges[i].data.get("length")) for i in one.tolist()])),
        np.array([edges[i].tags["highway"] for i in one.tolist()], dtype=str),
        np.array([edges[i].tags.get("junction") in ("roundabout", "circular") for i in one.tolist()], bool),
        len(number),
        np.array(lights, bool),
        np.zeros(len(number), bool),
    )
    usable = np.ones(one.size, bool)
    delay = delays_min(ends, mode, usable, usable)[[place[key] for key in keys]]
    along = (pairs[:, 0] <= pairs[:, 1])[:, None]
    return np.where(along, delay, delay[:, ::-1])


def _metres(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _one(value: Any, notes: Counter[str]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set):
        notes["edges_with_several_values_of_a_tag"] += 1
        return ";".join(sorted(_one(v, Counter()) for v in value))
    return str(value)


def _class(value: Any) -> str:
    if isinstance(value, list | tuple | set):
        counts = Counter(sorted(str(v) for v in value))
        return counts.most_common(1)[0][0] if counts else ""
    return "" if value is None else str(value)


def _minutes(
    data: Any, tags: dict[str, str], length: float, mode: TravelMode, notes: Counter[str]
) -> tuple[Any, bool]:
    """Return the minutes of one edge for one mode, CLOSED if it may not go there; and whether a speed made them."""
    if f"{mode.name}_min" in data:
        given = data[f"{mode.name}_min"]
        return (_metres(given) if isinstance(given, str) else given), False
    # a graph knows no ends of trips: what is private stays closed
    if osm_tags.may_pass(tags, mode) is False or osm_tags.is_private(tags, mode):
        return CLOSED, False
    if mode.uses_maxspeed and "travel_time" in data:
        return _metres(data["travel_time"]) / 60, False
    if mode.uses_maxspeed and "speed_kph" in data:
        speed = _metres(data["speed_kph"])
        return length * 0.06 / speed if speed > 0 else float("nan"), True
    if not tags["highway"]:
        notes["edges_without_highway_taken_as_road"] += 1
    # an edge of an OSMnx graph is directed already: its oneway tag has been used up
    undirected = {k: v for k, v in tags.items() if not k.startswith("oneway")} | {
        "highway": tags["highway"] or "road",
        "oneway": "no",
    }
    kph = osm_tags.pace(undirected, mode).forward_kph
    return (max(length, SHORTEST_M) * 0.06 / kph, True) if kph > 0 else (CLOSED, False)


def read_graphml(
    path: str | os.PathLike[str],
    *,
    modes: Iterable[str | TravelMode] = ("drive",),
    crs: Any = None,
    limits: _files.Limits = _files.USUAL,
) -> RoadNetwork:
    """Return the network in a GraphML file that OSMnx saved; a file that defines XML entities is refused.

    Raises
    ------
    MissingFileError, UnreadableFileError
        If the file is not there, is no GraphML, defines entities, or has more bytes than `limits` allow.
    """
    import defusedxml  # noqa: PLC0415
    import defusedxml.ElementTree  # noqa: PLC0415

    content = _files.read_bytes(path, limits=limits)
    try:
        root = defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    except (defusedxml.DefusedXmlException, SyntaxError) as error:
        raise UnreadableFileError(f"{path}: is no plain GraphML ({type(error).__name__}: {error})") from error
    return from_networkx(_graph(root, path), modes=modes, crs=crs, source=str(path).rsplit("/", 1)[-1])


def _graph(root: Any, path: object) -> nx.MultiDiGraph:
    import networkx as nx  # noqa: PLC0415

    space = root.tag.removesuffix("graphml")
    drawing = root.find(f"{space}graph")
    if not root.tag.endswith("graphml") or drawing is None:
        raise UnreadableFileError(f"{path}: is no GraphML")
    names = {key.get("id"): key.get("attr.name") for key in root.iter(f"{space}key")}

    def read(item: Any) -> dict[str, Any]:
        return {
            str(names.get(d.get("key")) or d.get("key")): d.text or "" for d in item.findall(f"{space}data")
        }

    graph = nx.MultiDiGraph()
    graph.graph.update(read(drawing))
    for node in drawing.findall(f"{space}node"):
        data = read(node)
        place = {"x": _metres(data.get("x")), "y": _metres(data.get("y"))}
        graph.add_node(_id(node.get("id"), path), **place, highway=data.get("highway"))
    for edge in drawing.findall(f"{space}edge"):
        data = read(edge)
        if "geometry" in data:
            try:
                data["geometry"] = shapely.from_wkt(data["geometry"])
            except shapely.errors.GEOSException as error:
                raise UnreadableFileError(f"{path}: the line of an edge is no WKT ({error})") from error
        # an attribute may have any name, that of an argument among them
        graph.add_edges_from([(_id(edge.get("source"), path), _id(edge.get("target"), path), data)])
    graph.graph["crs"] = _system(graph.graph.get("crs") or GEOGRAPHIC, path)
    return graph


def _system(written: str, path: object) -> str:
    try:
        CRS.from_user_input(written)
    except CRSError as error:
        raise UnreadableFileError(f"{path}: its coordinate system '{written}' is unknown") from error
    return written


def _id(text: str | None, path: object) -> int | str:
    if text is None:
        raise UnreadableFileError(f"{path}: a node or edge of the graph names no node")
    return int(text) if re.fullmatch("-?[0-9]{1,18}", text) else text
