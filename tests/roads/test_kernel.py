"""What the kernel is handed: roads unrolled step by step, run as plain Python where every place out of bounds is an error."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from sy_coverage.errors import InputError
from sy_coverage.roads.graph.arcs import Graph
from sy_coverage.roads.graph.legs import Legs
from sy_coverage.roads.kernel import sweep
from sy_coverage.roads.kernel.runs import unrolled
from sy_coverage.roads.kernel.search import BLOCK, PAGE, SHORT, search_one, unroll

Arc = tuple[int, int, float]


def graph_of(nodes: int, arcs: list[Arc]) -> Graph:
    """Return arcs as the kernel's graph: the quickest of parallel ones, no loops."""
    best: dict[tuple[int, int], float] = {}
    for tail, head, minutes in arcs:
        if tail != head:
            best[tail, head] = min(minutes, best.get((tail, head), np.inf))
    rows = sorted((t, h, m) for (t, h), m in best.items())
    tails = np.array([t for t, _, _ in rows], np.int64)
    indptr = np.r_[0, np.cumsum(np.bincount(tails, minlength=nodes))].astype(np.int64)
    return Graph(indptr, np.array([h for _, h, _ in rows], np.int32), np.array([m for *_, m in rows]))


def ring_road(center: int, around: range) -> list[Arc]:
    """Return a one-way road from `center` through the nodes `around` and back."""
    way = [center, *around, center]
    return [(a, b, 1.0) for a, b in itertools.pairwise(way)]


def at_nodes(nodes: list[int], minutes: list[float] | None = None) -> Legs:
    """Return one leg a point, each to a node of its own."""
    return Legs(np.arange(len(nodes) + 1), np.array(nodes, np.int32), np.array(minutes or [0.0] * len(nodes)))


def test_the_last_short_road_out_of_the_last_node_is_written_within_bounds() -> None:
    long, short = range(SHORT + 1), range(SHORT + 1, 2 * SHORT)
    center = 2 * SHORT
    graph = graph_of(center + 1, [*ring_road(center, long), *ring_road(center, short)])
    plain = unroll.py_func(graph.indptr, graph.heads, graph.minutes)  # type: ignore[attr-defined]  # numba's own
    for mine, compiled in zip(plain, unroll(graph.indptr, graph.heads, graph.minutes), strict=True):
        np.testing.assert_array_equal(mine, compiled)
    first, chains, step, _, longest = plain
    assert first[-1] == step.size
    # the short road comes before the mark, the long one after it
    assert (chains[center] - first[center], first[center + 1] - chains[center]) == (SHORT, SHORT + 2)
    assert longest == SHORT + 2


def test_minutes_too_small_to_be_told_apart_are_still_found() -> None:
    graph = graph_of(3, [(0, 1, 1e-310), (1, 2, 1e-310), (2, 0, 1e-310)])
    found = sweep.reached(
        unrolled(graph), at_nodes([0]), None, sweep.no_legs(1), points=0, cutoff_min=1.0, threads=1
    )
    assert found.indices.tolist() == [0, 1, 2]


def test_a_queue_that_proves_too_short_is_taken_larger_and_nothing_is_lost() -> None:
    # most roads are long, so a bucket is wide, and all that is within the cutoff lies in one of the four
    rng = np.random.default_rng(5)
    short = [
        (a, b, 0.01 + 0.001 * (i % 7)) for i, (a, b) in enumerate(rng.integers(0, 3000, (9000, 2)).tolist())
    ]
    long = [(a, b, 10.0) for a, b in rng.integers(0, 3000, (12_000, 2)).tolist()]
    graph = graph_of(3000, short + long)
    runs = unrolled(graph)
    sites, cutoff = [0, 7, 2999], 1.0
    width, buckets = runs.ring(runs.longest_min, cutoff)
    queue = np.empty(2 * buckets * PAGE, np.uint32)
    places = (np.empty(buckets, np.uint32) for _ in range(2))
    nobody, leg = np.empty(0, np.int32), (np.arange(2), np.zeros(1, np.int32), np.zeros(1))
    state = np.full(3008, np.inf), np.zeros(3008 // BLOCK, np.uint8)
    assert not search_one(runs.arrays, leg, 0, cutoff, width, queue, *places, *state, nobody, nobody)
    matrix = sparse.csr_array((graph.minutes, graph.heads, graph.indptr), shape=(3000, 3000))
    expected = csgraph.dijkstra(matrix, indices=sites, limit=cutoff)
    nodes = sweep.no_legs(len(sites))
    mine = sweep.reached(runs, at_nodes(sites), None, nodes, points=0, cutoff_min=cutoff, threads=1)
    reached = np.full(expected.shape, np.inf)
    reached[mine.tocoo().coords] = mine.data
    np.testing.assert_array_equal(reached, expected)
    near = sweep.nearest(
        runs, at_nodes(sites), at_nodes(list(range(3000))), sweep.no_legs(3000), k=1, cutoff_min=cutoff
    )
    np.testing.assert_array_equal(near.minutes[:, 0], expected.min(axis=0))


def test_more_nearest_sites_than_there_are_take_no_room() -> None:
    graph = graph_of(2, [(0, 1, 4.0), (1, 0, 3.0)])
    ask = unrolled(graph), at_nodes([0]), at_nodes([1]), sweep.no_legs(1)
    found = sweep.nearest(*ask, k=3, cutoff_min=10.0)
    assert found.minutes.tolist() == [[4.0, np.inf, np.inf]]
    assert found.site.tolist() == [[0, -1, -1]]


def test_nearest_sites_that_would_not_fit_in_memory_are_refused_before_the_search(monkeypatch) -> None:
    graph = graph_of(1000, [(i, i + 1, 1.0) for i in range(999)])
    monkeypatch.setattr(sweep, "memory_bytes", lambda: 1_000_000)
    every = at_nodes(list(range(1000)))
    with pytest.raises(InputError, match=r"the 1,000 nearest sites of every point take 0\.0 GB"):
        sweep.nearest(unrolled(graph), every, every, sweep.no_legs(1000), k=1000, cutoff_min=10.0)


def test_room_kept_from_an_earlier_run_changes_nothing_and_is_not_the_answers() -> None:
    graph = graph_of(300, [(i, (i + step) % 300, 1.0 + step) for i in range(300) for step in (1, 7)])
    every = at_nodes(list(range(300)))
    ask = {"points": 0, "cutoff_min": 20.0, "threads": 2}
    first = sweep.reached(unrolled(graph), every, None, sweep.no_legs(300), **ask)
    kept = first.copy()
    shorter = sweep.reached(unrolled(graph), at_nodes([5, 9]), None, sweep.no_legs(2), **ask)
    again = sweep.reached(unrolled(graph), every, None, sweep.no_legs(300), **ask)
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(first, name), getattr(kept, name))
        np.testing.assert_array_equal(getattr(again, name), getattr(kept, name))
    assert (shorter != kept[[5, 9]]).nnz == 0
