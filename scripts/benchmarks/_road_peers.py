"""Ask other libraries for travel times on the same graph, one node at a time."""

from __future__ import annotations

import importlib.util
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Peer:
    """A way of asking another library from one node: (nodes, minutes), minutes None where it returns none."""

    name: str
    answer: Callable[[int], tuple[Any, Any]]
    sites: int
    """How many a round."""
    exact: bool = True
    setup_s: float = 0.0
    """Processor time of what it works out once for a graph before it can be asked."""


def peers(graph: dict[str, Any], cutoff_min: float, most_nodes: int) -> list[Peer]:
    """Return the peers that are installed; those without a bounded search, or slow to set up, on up to `most_nodes`."""
    found = [_scipy(graph, cutoff_min)]
    if len(graph["pts"]) > most_nodes:
        return found
    found += _networkx(graph, cutoff_min)
    for library, make in (("pandana", _pandana), ("igraph", _igraph), ("rustworkx", _rustworkx)):
        if importlib.util.find_spec(library):
            found.append(make(graph, cutoff_min))
    return found


def _scipy(graph: dict[str, Any], cutoff_min: float) -> Peer:
    from scipy import sparse
    from scipy.sparse import csgraph

    count = len(graph["pts"])
    matrix = sparse.csr_array((graph["time"], (graph["src"], graph["dst"])), shape=(count, count))

    def answer(site: int) -> Any:
        found = csgraph.dijkstra(matrix, indices=site, limit=cutoff_min)
        inside = np.flatnonzero(np.isfinite(found))
        return inside, found[inside]

    return Peer("SciPy `dijkstra(limit)`", answer, 20)


def _networkx(graph: dict[str, Any], cutoff_min: float) -> list[Peer]:
    import networkx as nx

    drawn = nx.DiGraph()
    drawn.add_nodes_from(range(len(graph["pts"])))
    triples = zip(graph["src"].tolist(), graph["dst"].tolist(), graph["time"].tolist(), strict=True)
    drawn.add_weighted_edges_from(triples, weight="time")

    def lengths(site: int) -> Any:
        found = nx.single_source_dijkstra_path_length(drawn, site, cutoff=cutoff_min, weight="time")
        return np.fromiter(found, np.int64), np.fromiter(found.values(), np.float64)

    def ego(site: int) -> Any:
        # what OSMnx's examples draw isochrones with
        return np.fromiter(nx.ego_graph(drawn, site, radius=cutoff_min, distance="time"), np.int64), None

    return [Peer("networkx", lengths, 5), Peer("`ego_graph`", ego, 2)]


def _pandana(graph: dict[str, Any], cutoff_min: float) -> Peer:
    import pandana

    began = time.process_time()
    net = pandana.Network(
        *(pd.Series(graph["pts"][:, axis] * 1000) for axis in (0, 1)),
        *(pd.Series(graph[end].astype(np.int64)) for end in ("src", "dst")),
        pd.DataFrame({"travel_time": graph["time"]}),
        twoway=False,
    )
    setup_s = time.process_time() - began

    def answer(site: int) -> Any:
        found = net.nodes_in_range([site], cutoff_min)
        return found["destination"].to_numpy(), found["travel_time"].to_numpy()

    return Peer("pandana", answer, 10, exact=False, setup_s=setup_s)


def _igraph(graph: dict[str, Any], cutoff_min: float) -> Peer:
    import igraph

    pairs = np.column_stack([graph["src"], graph["dst"]])
    drawn = igraph.Graph(n=len(graph["pts"]), edges=pairs.tolist(), directed=True)
    weights = graph["time"].tolist()

    def answer(site: int) -> Any:
        found = np.array(drawn.distances(source=[site], weights=weights)[0])
        inside = np.flatnonzero(found <= cutoff_min)
        return inside, found[inside]

    return Peer("igraph", answer, 2)


def _rustworkx(graph: dict[str, Any], cutoff_min: float) -> Peer:
    import rustworkx

    drawn = rustworkx.PyDiGraph()
    drawn.add_nodes_from(range(len(graph["pts"])))
    drawn.add_edges_from(
        list(zip(graph["src"].tolist(), graph["dst"].tolist(), graph["time"].tolist(), strict=True))
    )

    def answer(site: int) -> Any:
        found = rustworkx.dijkstra_shortest_path_lengths(drawn, site, float)
        # it names every node but the one it starts from
        nodes = np.concatenate([[site], np.fromiter(found.keys(), np.int64)])
        minutes = np.concatenate([[0.0], np.fromiter(found.values(), np.float64)])
        return nodes[minutes <= cutoff_min], minutes[minutes <= cutoff_min]

    return Peer("rustworkx", answer, 2)


def versions() -> str:
    """Return the versions of all libraries that were measured."""
    names = ("numpy", "numba", "scipy", "networkx", "osmnx", "pandana", "igraph", "rustworkx")
    return ", ".join(f"{name} {version(name)}" for name in names if importlib.util.find_spec(name))
