"""Make a network from tables of nodes and directed edges: every node kept, nothing merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from sy_coverage.errors import FrameError, some
from sy_coverage.roads.graph.links import SHORTEST_M, Array, build, hilbert
from sy_coverage.roads.graph.parts import RoadParts
from sy_coverage.roads.network import RoadNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pandas import DataFrame, Series

    from sy_coverage.roads.graph.links import Links, Placement
    from sy_coverage.roads.travel_modes import TravelMode


def from_edges(nodes: DataFrame, edges: DataFrame, *, crs: Any = None, source: str = "edges") -> RoadNetwork:
    """Return the network of a table of nodes and a table of directed edges.

    Parameters
    ----------
    nodes
        `node_id` (int or str, as a column or the index), `x`, `y` in metres.
    edges
        `u`, `v` (node ids), one column ``<mode>_min`` a travel mode (minutes from u to v), and optionally `length_m`
        (straight line if absent), `highway`, `geometry` (LineString from u to v in metres) and ``<mode>_allowed``
        (the edge is closed to the mode where False). Of parallel edges on one line the quickest counts.
    crs
        Of `x` and `y`; None takes the CRS of `nodes` if it is a GeoDataFrame. Without any, points handed to the network
        are taken to be in its own metres.
    source
        What the network says of where it comes from.

    Raises
    ------
    FrameError
        With every breach: missing columns, ids that repeat or are unknown, minutes that are not finite and above zero.
    """
    nodes = nodes.reset_index() if "node_id" not in nodes.columns else nodes
    crs = getattr(nodes, "crs", None) if crs is None else crs
    modes = [str(c).removesuffix("_min") for c in edges.columns if str(c).endswith("_min")]
    _require_tables(nodes, edges, modes)
    ids, order, xy = _ordered(nodes)
    place = np.empty(len(ids), np.int64)
    place[order] = np.arange(len(ids))
    lookup = pd.Index(ids)
    u, v = (place[lookup.get_indexer(edges[end])] for end in ("u", "v"))
    length = _lengths(edges, xy, u, v)
    minutes = {}
    for mode in modes:
        along = np.asarray(edges[f"{mode}_min"], np.float64)
        if f"{mode}_allowed" in edges.columns:
            along = np.where(edges[f"{mode}_allowed"].to_numpy(bool), along, np.inf)
        minutes[mode] = np.column_stack([along, np.full(along.size, np.inf)])
    vertices, start = _vertices(edges, xy, u, v)
    return assemble(
        node_ids=ids[order],
        node_xy=xy,
        tail=u,
        head=v,
        length_m=np.maximum(length, SHORTEST_M),
        minutes=minutes,
        highway=edges["highway"].astype(str).to_numpy() if "highway" in edges.columns else None,
        xy=vertices,
        start=start,
        crs=None if crs is None else pyproj.CRS.from_user_input(crs).to_string(),
        source=source,
        notes={"edges_of_no_length": int((length < SHORTEST_M).sum())},
    )


def assemble(
    *,
    node_ids: Array,
    node_xy: Array,
    tail: Array,
    head: Array,
    length_m: Array,
    minutes: Mapping[str, Array],
    highway: Array | None,
    xy: Array,
    start: Array,
    crs: str | None,
    source: str,
    notes: Mapping[str, Any],
    delay_min: Mapping[str, Array] | None = None,
    signs: Callable[[Links, Placement], tuple[Mapping[str, Array], Mapping[str, Array]]] | None = None,
    modes: Iterable[TravelMode] = (),
) -> RoadNetwork:
    """Return the network of road pieces whose nodes are already in Hilbert order.

    `signs` is asked, once the links are known, which paths may not be gone and which links are for the ends of trips only;
    `modes` made the minutes.
    """
    names, codes = np.unique(np.full(tail.size, "") if highway is None else highway, return_inverse=True)
    links, placement = build(
        tail=tail,
        head=head,
        length_m=length_m,
        minutes=minutes,
        delay_min=delay_min or {},
        highway=codes,
        classes=tuple(str(n) for n in names),
        xy=xy,
        start=start,
    )
    forbidden, ends_only = ({}, {}) if signs is None else signs(links, placement)
    return RoadNetwork(
        RoadParts(
            node_ids=node_ids,
            node_xy=node_xy,
            links=links,
            crs=crs,
            source=source,
            notes=notes,
            forbidden=forbidden,
            ends_only=ends_only,
            tables={mode.name: mode for mode in modes},
        )
    )


def curve_order(ids: Array, xy: Array) -> Array:
    """Return the order of nodes along a Hilbert curve, nodes in one cell by id."""
    if ids.dtype == object:
        _, rank = np.unique(ids.astype(str), return_inverse=True)
    else:
        rank = ids
    return np.lexsort((rank, hilbert(xy)))


def _ordered(nodes: DataFrame) -> tuple[Array, Array, Array]:
    given = nodes["node_id"]
    if pd.api.types.is_integer_dtype(given.dtype):
        ids: Array = given.to_numpy(np.int64)
    else:
        ids = given.to_numpy(object)
    xy = nodes[["x", "y"]].to_numpy(np.float64)
    order = curve_order(ids, xy)
    return ids, order, xy[order]


def _lengths(edges: DataFrame, xy: Array, u: Array, v: Array) -> Array:
    if "length_m" in edges.columns:
        return np.asarray(edges["length_m"], np.float64)
    straight: Array = np.hypot(*(xy[u] - xy[v]).T)
    return straight


def _vertices(edges: DataFrame, xy: Array, u: Array, v: Array) -> tuple[Array, Array]:
    straight = np.stack([xy[u], xy[v]], axis=1).reshape(-1, 2)
    start = np.arange(len(edges) + 1, dtype=np.int64) * 2
    if "geometry" not in edges.columns:
        return straight, start
    lines = np.asarray(edges["geometry"], dtype=object)
    drawn = np.array([g is not None and not pd.isna(g) and not g.is_empty for g in lines], dtype=bool)
    inner, owner = shapely.get_coordinates(lines[drawn], return_index=True)
    owner = np.flatnonzero(drawn)[owner]
    plain = np.repeat(~drawn, 2)
    every = np.concatenate([inner, straight[plain]])
    whose = np.concatenate([owner, np.repeat(np.arange(len(edges)), 2)[plain]])
    order = np.argsort(whose, kind="stable")
    counts = np.bincount(whose, minlength=len(edges))
    return every[order], np.r_[0, np.cumsum(counts)].astype(np.int64)


def _numbers(values: Sequence[Any]) -> Array:
    series = pd.Series(values)
    if pd.api.types.is_bool_dtype(series.dtype) or series.dtype == object or not _is_numeric(series):
        # a number written as text is not a number: it may be a title, a unit, another decimal mark
        series = series.map(lambda v: float(v) if _is_plain(v) else np.nan)
    return np.asarray(series.astype("float64"))


def _is_plain(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _is_numeric(series: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(series.dtype))


def _require_tables(nodes: DataFrame, edges: DataFrame, modes: list[str]) -> None:
    found = [
        f"column '{c}' of {name} is missing (there are: {', '.join(map(str, frame.columns))})"
        for name, frame, needed in (("nodes", nodes, ("node_id", "x", "y")), ("edges", edges, ("u", "v")))
        for c in needed
        if c not in frame.columns
    ]
    if not modes:
        found.append("edges have no column of minutes such as 'drive_min'")
    if not found:
        found = [*_wrong_nodes(nodes), *_wrong_edges(edges, nodes["node_id"], modes)]
    if found:
        raise FrameError("network", found)


def _wrong_nodes(nodes: DataFrame) -> Iterator[str]:
    ids = nodes["node_id"]
    if ids.isna().any():
        yield f"node_id is empty in rows {some(nodes.index[ids.isna()])}"
    texts = ids.astype(str)
    if texts.duplicated().any():
        yield f"node_id has values more than once: {some(texts[texts.duplicated()].unique())}"
    wrong = ~np.isfinite(np.column_stack([_numbers(nodes["x"]), _numbers(nodes["y"])])).all(axis=1)
    if wrong.any():
        yield f"x, y must be finite metres at nodes {some(ids[wrong])}"


def _wrong_edges(edges: DataFrame, ids: Series, modes: list[str]) -> Iterator[str]:
    for end in ("u", "v"):
        unknown = ~edges[end].isin(ids)
        if unknown.any():
            yield f"{end} names no node: {some(edges.loc[unknown, end])}"
    pair = edges["u"].astype(str) + "→" + edges["v"].astype(str)
    for mode in modes:
        minutes = _numbers(edges[f"{mode}_min"])
        wrong = ~(np.isfinite(minutes) & (minutes > 0))
        if f"{mode}_allowed" in edges.columns:
            wrong &= edges[f"{mode}_allowed"].to_numpy(bool)
        if wrong.any():
            shown = [f"{p}={m!r}" for p, m in zip(pair[wrong], edges.loc[wrong, f"{mode}_min"], strict=True)]
            yield f"{mode}_min must be finite and above 0 on edges {some(shown)}"
    if "length_m" in edges.columns:
        length = _numbers(edges["length_m"])
        wrong = ~(np.isfinite(length) & (length >= 0))
        if wrong.any():
            yield f"length_m must be finite, 0 or more on edges {some(pair[wrong])}"
