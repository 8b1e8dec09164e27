"""Measure travel times against other libraries: same graphs, equal answers asserted, rounds interleaved, processor time."""

from __future__ import annotations

import gc
import importlib.util
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks import _memory, _road_peers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

CUTOFF_MIN = 30.0
NEAREST_SITES = 1000
SNAPPED = 50_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `roads` understands to its command."""
    parser.add_argument("--generator", type=Path, required=True, help="road_graphs.py of the test data")
    parser.add_argument("--nodes", type=int, nargs="+", default=[20_000, 100_000, 300_000, 1_000_000])
    parser.add_argument("--kind", choices=("urban", "rural"), default="urban")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sites", type=int, default=200, help="sites a round for us; peers get fewer")
    parser.add_argument(
        "--most", type=int, default=300_000, help="nodes up to which more peers than SciPy are asked"
    )
    parser.add_argument(
        "--growth", type=int, default=1_000_000, help="nodes for the growth in sites; 0: none"
    )
    parser.add_argument(
        "--peers", type=Path, help="site-packages of an environment that has pandana, igraph and rustworkx"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print a Markdown table: our milliseconds a site, and how many times slower each peer is (median of rounds)."""
    if arguments.peers:
        # last, so that they bring nothing that is here already
        sys.path.append(str(arguments.peers))
    make = _generator(arguments.generator)
    print(f"\n{_machine()}; {_road_peers.versions()}\n", flush=True)
    rows = []
    for count in arguments.nodes:
        graph = make(count, arguments.kind)
        measured = measure(graph, arguments)
        rows.append({"graph": f"{arguments.kind} {count:,}", **measured, **around(graph)})
        print(f"\n{_table(pd.DataFrame(rows[-1:]))}\n", flush=True)
    print(f"\n{_table(pd.DataFrame(rows))}\n", flush=True)
    if arguments.growth:
        sizes = [200, 1_000, 10_000]
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(1, maxtasksperchild=1) as pool:
            task = (arguments.generator, arguments.growth, arguments.kind, sizes)
            print(f"\n{_table(pd.DataFrame(pool.apply(growth, task)))}\n", flush=True)


def _generator(path: Path) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location("road_graphs", path)
    if spec is None or spec.loader is None:
        sys.exit(f"{path}: no generator of road graphs")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make  # type: ignore[no-any-return]


def _machine() -> str:
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Python {platform.python_version()}"


def _table(frame: pd.DataFrame) -> str:
    rows = [frame.columns, ["---"] * frame.shape[1], *frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join("" if pd.isna(c) else str(c) for c in row) + " |" for row in rows)


def _times(ratios: list[float]) -> str:
    middle = statistics.median(ratios)
    return f"{middle:,.0f}×" if middle >= 100 else f"{middle:.3g}×"


def network(graph: dict[str, Any]) -> Any:
    """Return the graph as a road network."""
    from sy_coverage import roads

    count = len(graph["pts"])
    x, y = (graph["pts"] * 1000).T
    nodes = pd.DataFrame({"node_id": np.arange(count), "x": x, "y": y})
    edges = pd.DataFrame({"u": graph["src"], "v": graph["dst"], "drive_min": graph["time"]})
    return roads.from_edges(nodes, edges)


@dataclass
class Ratios:
    """How many times slower a peer was, round by round, and how far its answers are from ours."""

    rounds: list[float] = field(default_factory=list)
    pairs: int = 0
    missing: int = 0
    """Pairs that only one of both has."""
    worst_min: float = 0.0

    def compare(self, times: Any, order: Any, answers: list[Any]) -> None:
        """Count what differs from `times`, whose column i is node ``order[i]``."""
        matrix = times.minutes
        for row, (nodes, minutes) in enumerate(answers):
            mine, theirs = np.full(len(order), np.inf), np.full(len(order), np.inf)
            span = slice(matrix.indptr[row], matrix.indptr[row + 1])
            mine[order[matrix.indices[span]]] = matrix.data[span]
            theirs[nodes] = mine[nodes] if minutes is None else minutes
            both = np.isfinite(mine) & np.isfinite(theirs)
            self.pairs += int(np.isfinite(mine).sum())
            self.missing += int((np.isfinite(mine) != np.isfinite(theirs)).sum())
            self.worst_min = max(self.worst_min, float(np.abs(mine[both] - theirs[both]).max(initial=0)))

    def said(self, peer: _road_peers.Peer) -> str:
        """Return the median ratio, and how inexact the peer is if it is allowed to be."""
        words = _times(self.rounds)
        if not peer.exact:
            share = self.missing / max(self.pairs, 1)
            words += f" (after {peer.setup_s:.0f} s; up to {self.worst_min:.2f} min off, {share:.2%} of pairs differ)"
        elif self.missing or self.worst_min > 1e-9:
            raise AssertionError(f"{peer.name}: {self.missing} other nodes, {self.worst_min} min off")
        return words


def measure(graph: dict[str, Any], arguments: argparse.Namespace) -> dict[str, str]:
    """Return our median milliseconds a site on one thread, and by peer the median ratio of paired rounds."""
    net = network(graph)
    rng = np.random.default_rng(0)
    others = _road_peers.peers(graph, CUTOFF_MIN, arguments.most)
    times = net.node_times([0], mode="drive", cutoff_min=CUTOFF_MIN, threads=1)
    order = np.array(times.demand_ids).astype(np.int64)
    ours: list[float] = []
    pairs: list[float] = []
    ratios = {peer.name: Ratios() for peer in others}
    # the peers' objects are many: without this a collection of garbage falls into somebody's turn
    gc.freeze()
    for _ in range(arguments.rounds):
        chosen = rng.choice(len(order), arguments.sites, replace=False).tolist()
        began = time.thread_time()
        times = net.node_times(chosen, mode="drive", cutoff_min=CUTOFF_MIN, threads=1)
        each = (time.thread_time() - began) / arguments.sites
        ours.append(each * 1000)
        pairs.append(times.minutes.nnz / arguments.sites)
        for peer in others:
            began = time.thread_time()
            answers = [peer.answer(site) for site in chosen[: peer.sites]]
            ratios[peer.name].rounds.append((time.thread_time() - began) / peer.sites / each)
            ratios[peer.name].compare(times, order, answers)
    return {
        "pairs a site": f"{statistics.median(pairs):,.0f}",
        "ms a site": f"{statistics.median(ours):.2f}",
        **{peer.name: ratios[peer.name].said(peer) for peer in others},
    }


def around(graph: dict[str, Any]) -> dict[str, str]:
    """Return how long the nearest site of every node takes, beside SciPy, and a saved network to load."""
    from scipy import sparse
    from scipy.sparse import csgraph

    from sy_coverage import roads
    from sy_coverage.roads.graph.legs import Legs
    from sy_coverage.roads.kernel import sweep

    net = network(graph)
    count = len(net.node_ids)
    matrix = sparse.csr_array((graph["time"], (graph["src"], graph["dst"])), shape=(count, count))
    arcs = net.prepared.runs(
        "drive", reverse=False
    )  # the sweep alone: SciPy knows no points beside its nodes
    place = np.argsort(net.node_ids)
    every = Legs(np.arange(count + 1), np.arange(count, dtype=np.int32), np.zeros(count))
    rng = np.random.default_rng(1)
    ours, ratios, loaded = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        net.save(Path(folder) / "network")
        for turn in range(6):
            chosen = rng.choice(count, NEAREST_SITES, replace=False)
            began = time.thread_time()
            theirs = csgraph.dijkstra(matrix, indices=chosen, min_only=True)
            middle = time.thread_time()
            sites = Legs(np.arange(chosen.size + 1), place[chosen].astype(np.int32), np.zeros(chosen.size))
            mine = sweep.nearest(arcs, sites, every, sweep.no_legs(count), k=1, cutoff_min=np.inf)
            after = time.thread_time()
            np.testing.assert_allclose(mine.minutes[place, 0], theirs, rtol=0, atol=1e-9)
            again = time.thread_time()
            roads.load(Path(folder) / "network")
            if turn:  # the first one compiles, or reads what was compiled
                loaded.append(time.thread_time() - again)
                ours.append(after - middle)
                ratios.append((middle - began) / (after - middle))
    return {
        f"nearest of {NEAREST_SITES:,} sites, all nodes": f"{statistics.median(ours) * 1000:.0f} ms",
        "SciPy `min_only`": _times(ratios),
        "load a saved network": f"{statistics.median(loaded):.2f} s",
        **on_the_way(net),
    }


def on_the_way(net: Any) -> dict[str, str]:
    """Return how long a point takes to join the roads, and a network to be ready at other speeds."""
    import geopandas as gpd

    low, high = net.node_xy.min(axis=0), net.node_xy.max(axis=0)
    xy = np.random.default_rng(3).uniform(low, high, (SNAPPED, 2))
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*xy.T), index=pd.RangeIndex(SNAPPED).astype(str), crs=4546
    )
    snaps, changes = [], []
    for turn in range(4):
        began = time.process_time()
        net.snap(points, mode="drive", max_snap_m=1e6)
        middle = time.process_time()
        other = net.with_speeds("drive", pace={net.links.classes[0]: 1.0 + turn / 10})
        other.prepared.runs("drive", reverse=True)
        if turn:  # the first one compiles, and makes the cells that later ones find
            snaps.append(middle - began)
            changes.append(time.process_time() - middle)
    return {
        f"snap {SNAPPED:,} points": f"{statistics.median(snaps) / SNAPPED * 1e6:.1f} µs a point",
        "speeds changed, ready again": f"{statistics.median(changes):.3f} s",
    }


def growth(generator: Path, nodes: int, kind: str, sizes: list[int]) -> list[dict[str, str]]:
    """Return how time and memory grow with the number of sites, in a process of its own."""
    net = network(_generator(generator)(nodes, kind))
    rng = np.random.default_rng(2)
    net.node_times([0], mode="drive", cutoff_min=CUTOFF_MIN)
    rows = []
    for size in sizes:
        chosen = rng.choice(nodes, size, replace=False).tolist()
        wall, work = time.perf_counter(), time.process_time()
        times = net.node_times(chosen, mode="drive", cutoff_min=CUTOFF_MIN)
        wall, work = time.perf_counter() - wall, time.process_time() - work
        rows.append(
            {
                "sites": f"{size:,}",
                "nodes": f"{nodes:,}",
                "million pairs": f"{times.minutes.nnz / 1e6:,.1f}",
                "processor ms a site": f"{work / size * 1000:.2f}",
                "wall s": f"{wall:.1f}",
                "peak GB": f"{_memory.peak_mb() * 2**20 / 1e9:.2f}",
            }
        )
        del times
    return rows
