"""Measure travel times against other libraries: same graphs, equal answers asserted, rounds interleaved, processor time."""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

CUTOFF_MIN = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `roads` understands to its command."""
    parser.add_argument("--generator", type=Path, required=True, help="road_graphs.py of the test data")
    parser.add_argument("--nodes", type=int, nargs="+", default=[20_000, 100_000, 300_000])
    parser.add_argument("--kind", choices=("urban", "rural"), default="urban")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--sites", type=int, default=200, help="sites a round for the kernel; peers get fewer"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print one row a graph: our milliseconds a site, and how many times slower each peer is (median of rounds)."""
    make = _generator(arguments.generator)
    for count in arguments.nodes:
        measured = measure(make(count, arguments.kind), rounds=arguments.rounds, sites=arguments.sites)
        row = "  ".join(f"{name} {value:.3g}" for name, value in measured.items())
        print(f"{arguments.kind} {count:,}: {row}", flush=True)


def _generator(path: Path) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location("road_graphs", path)
    if spec is None or spec.loader is None:
        sys.exit(f"{path}: no generator of road graphs")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make  # type: ignore[no-any-return]


def measure(graph: dict[str, Any], *, rounds: int, sites: int) -> dict[str, float]:
    """Return our median milliseconds a site on one thread, and by peer the median ratio of paired rounds."""
    from sy_coverage import roads

    count = len(graph["pts"])
    nodes = pd.DataFrame(
        {"node_id": np.arange(count), "x": graph["pts"][:, 0] * 1000, "y": graph["pts"][:, 1] * 1000}
    )
    edges = pd.DataFrame({"u": graph["src"], "v": graph["dst"], "drive_min": graph["time"]})
    net = roads.from_edges(nodes, edges)
    rng = np.random.default_rng(0)
    peers = _peers(graph)
    net.node_times([0], mode="drive", cutoff_min=CUTOFF_MIN, threads=1)
    ours: list[float] = []
    ratios: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        chosen = rng.choice(count, sites, replace=False).tolist()
        began = time.process_time()
        times = net.node_times(chosen, mode="drive", cutoff_min=CUTOFF_MIN, threads=1)
        each = (time.process_time() - began) / sites
        ours.append(each * 1000)
        for name, (answer, few) in peers.items():
            began = time.process_time()
            answers = [answer(site) for site in chosen[:few]]
            ratios[name].append((time.process_time() - began) / few / each)
            _assert_equal(times, answers, name)
    return {"ours_ms_a_site": statistics.median(ours)} | {n: statistics.median(r) for n, r in ratios.items()}


def _peers(graph: dict[str, Any]) -> dict[str, tuple[Callable[[int], Any], int]]:
    """Return by peer a function from a node to (nodes, minutes), and how many sites it is asked for a round."""
    import networkx as nx
    from scipy import sparse
    from scipy.sparse import csgraph

    count = len(graph["pts"])
    matrix = sparse.csr_array((graph["time"], (graph["src"], graph["dst"])), shape=(count, count))
    drawn = nx.DiGraph()
    drawn.add_nodes_from(range(count))
    triples = zip(graph["src"].tolist(), graph["dst"].tolist(), graph["time"].tolist(), strict=True)
    drawn.add_weighted_edges_from(triples, weight="time")

    def by_networkx(site: int) -> Any:
        found = nx.single_source_dijkstra_path_length(drawn, site, cutoff=CUTOFF_MIN, weight="time")
        return np.fromiter(found, np.int64), np.fromiter(found.values(), np.float64)

    def by_ego_graph(site: int) -> Any:
        inside = nx.ego_graph(drawn, site, radius=CUTOFF_MIN, distance="time")
        return np.fromiter(inside, np.int64), None

    def by_scipy(site: int) -> Any:
        found = csgraph.dijkstra(matrix, indices=site, limit=CUTOFF_MIN)
        inside = np.flatnonzero(np.isfinite(found))
        return inside, found[inside]

    peers: dict[str, tuple[Callable[[int], Any], int]] = {
        "networkx": (by_networkx, 5),
        "ego_graph": (by_ego_graph, 2),
        "scipy": (by_scipy, 20),
    }
    if importlib.util.find_spec("igraph"):
        import igraph

        pairs = np.column_stack([graph["src"], graph["dst"]])
        other = igraph.Graph(n=count, edges=pairs.tolist(), directed=True)
        weights = graph["time"].tolist()

        def by_igraph(site: int) -> Any:
            found = np.array(other.distances(source=[site], weights=weights)[0])
            inside = np.flatnonzero(found <= CUTOFF_MIN)
            return inside, found[inside]

        peers["igraph (no cutoff)"] = (by_igraph, 3)
    return peers


def _assert_equal(times: Any, answers: list[Any], name: str) -> None:
    matrix = times.minutes
    ids = np.array(times.demand_ids).astype(np.int64)
    for row, (nodes, minutes) in enumerate(answers):
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        order = np.argsort(ids[matrix.indices[span]])
        theirs = np.argsort(nodes)
        if not np.array_equal(ids[matrix.indices[span]][order], nodes[theirs]):
            raise AssertionError(f"{name}: reaches other nodes")
        if minutes is not None and np.abs(matrix.data[span][order] - minutes[theirs]).max() > 1e-9:
            raise AssertionError(f"{name}: other minutes")
