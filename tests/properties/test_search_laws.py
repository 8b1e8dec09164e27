"""Laws of the search on roads that are hard to search: chains, dead ends, rings, ties and cutoffs in the middle of a road."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csgraph, csr_array

from sy_coverage import roads
from tests.properties.test_roads_laws import CRS, by_hand, points

# tenths add up to other floats in another order, so that an inclusive cutoff tells sums apart that 10⁻⁹ does not
MINUTES = st.one_of(
    st.floats(0.01, 20), st.integers(1, 40).map(lambda i: i / 10), st.just(1e-9), st.just(300.0)
)


@st.composite
def webs(draw) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw a few crossings, roads of many pieces between any two of them (loops and parallels too), dead ends, rings."""
    crossings = draw(st.integers(1, 5))
    count = crossings
    edges: list[tuple[int, int, float]] = []

    def road(here: int, there: int, pieces: int, ways: str) -> None:
        nonlocal count
        stops = [here, *range(count, count + pieces - 1), there]
        count += pieces - 1
        for a, b in pairwise(stops):
            minutes = draw(MINUTES)
            if ways in {"along", "both"}:
                edges.append((a, b, minutes))
            if ways in {"against", "both"}:
                edges.append((b, a, minutes if draw(st.booleans()) else draw(MINUTES)))

    for _ in range(draw(st.integers(0, 8))):
        here, there = draw(st.integers(0, crossings - 1)), draw(st.integers(0, crossings - 1))
        road(here, there, draw(st.integers(1, 5)), draw(st.sampled_from(["along", "against", "both"])))
    for _ in range(draw(st.integers(0, 3))):
        # a dead end at a crossing, or at any place along a road
        count += 1
        road(
            draw(st.integers(0, count - 2)),
            count - 1,
            draw(st.integers(1, 3)),
            draw(st.sampled_from(["along", "against", "both"])),
        )
    for _ in range(draw(st.integers(0, 2))):
        count += 1
        road(count - 1, count - 1, draw(st.integers(2, 4)), draw(st.sampled_from(["along", "both"])))
    if not edges:
        edges.append((0, 0, 1.0))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    cells = rng.choice(31 * 31, count, replace=False)
    nodes = pd.DataFrame({"node_id": np.arange(count) * 7, "x": cells % 31 * 100.0, "y": cells // 31 * 100.0})
    frame = pd.DataFrame(edges, columns=["u", "v", "drive_min"])
    return nodes, frame.assign(u=frame["u"] * 7, v=frame["v"] * 7)


@given(webs(), st.one_of(st.integers(0, 80).map(lambda i: i / 10), st.floats(0, 60), st.just(1e6)))
def test_every_node_is_reached_in_the_very_minutes_of_dijkstra(web, cutoff) -> None:
    nodes, edges = web
    net = roads.from_edges(nodes, edges, crs=CRS)
    ids = nodes["node_id"].tolist()
    times = net.node_times(ids, mode="drive", cutoff_min=cutoff)
    drawn = net.to_networkx(mode="drive")
    for row, site in enumerate(ids):
        span = slice(times.minutes.indptr[row], times.minutes.indptr[row + 1])
        mine = {
            times.demand_ids[c]: m
            for c, m in zip(times.minutes.indices[span], times.minutes.data[span], strict=True)
        }
        theirs = nx.single_source_dijkstra_path_length(drawn, site, cutoff=cutoff + 1e-9, weight="drive_min")
        # the same sums in the same order, so the same bits and the same side of the cutoff
        assert mine == dict(theirs)


@given(webs(), st.integers(0, 10_000), st.sampled_from(["to_site", "from_site"]))
def test_points_along_chains_are_as_far_as_worked_out_by_hand(web, seed, direction) -> None:
    nodes, edges = web
    net = roads.from_edges(nodes, edges, crs=CRS)
    sites, demand = points(seed, 4, "s"), points(seed + 1, 5, "d")
    expected = (
        by_hand(net, nodes, edges, sites, demand)
        if direction == "to_site"
        else by_hand(net, nodes, edges, demand, sites).T
    )
    mine = net.travel_times(sites, demand, mode="drive", cutoff_min=1e6, direction=direction)
    assert mine.to_dense() == pytest.approx(expected, abs=1e-9)


@given(webs(), st.integers(0, 10_000), st.sampled_from(["to_site", "from_site"]))
def test_the_nearest_sites_are_the_nearest_of_all_travel_times(web, seed, direction) -> None:
    nodes, edges = web
    net = roads.from_edges(nodes, edges, crs=CRS)
    sites, demand = points(seed, 4, "s"), points(seed + 1, 5, "d")
    every = net.travel_times(sites, demand, mode="drive", cutoff_min=1e6, direction=direction).to_dense()
    for k in (1, 2):
        near = net.nearest(sites, demand, mode="drive", k=k, cutoff_min=1e6, direction=direction)
        best = np.sort(every, axis=0)[k - 1]
        name = "" if k == 1 else f"_{k}"
        mine = near[f"nearest_min{name}"].fillna(np.inf).to_numpy()
        assert mine == pytest.approx(best, abs=1e-9)
        for j, site in enumerate(near[f"site_id{name}"]):
            if isinstance(site, str):
                assert every[int(site[1:]), j] == pytest.approx(best[j], abs=1e-9)


def test_a_queue_that_runs_full_starts_again_with_a_longer_one() -> None:
    # 5,000 crossings a minute from the hub all wait in one bucket, far more than its first pages hold, each with a yard
    spokes = 5_000
    rim = np.arange(1, spokes + 1)
    after, yard = np.roll(rim, -1), rim + spokes
    u, v = np.concatenate([0 * rim, rim, after, rim]), np.concatenate([rim, after, rim, yard])
    minutes = np.repeat([1.0, 0.5, 0.5, 0.25], spokes)
    count = 2 * spokes + 1
    nodes = pd.DataFrame({"node_id": np.arange(count), "x": np.arange(count) * 10.0, "y": 0.0})
    net = roads.from_edges(nodes, pd.DataFrame({"u": u, "v": v, "drive_min": minutes}))
    times = net.node_times([0, 5], mode="drive", cutoff_min=3)
    expected = csgraph.dijkstra(csr_array((minutes, (u, v)), shape=(count, count)), indices=[0, 5], limit=3)
    assert np.isfinite(expected[0]).all()
    order = np.array(times.demand_ids).astype(int).argsort()
    assert (times.to_dense()[:, order] == expected).all()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_sites_come_back_in_their_own_order_whatever_the_order_they_were_searched_in(threads) -> None:
    rng = np.random.default_rng(0)
    side = 52
    at = np.arange(side * side)
    right, below = at[at % side < side - 1], at[at < side * (side - 1)]
    u = np.concatenate([right, right + 1, below, below + side])
    v = np.concatenate([right + 1, right, below + side, below])
    nodes = pd.DataFrame({"node_id": at, "x": at % side * 100.0, "y": at // side * 100.0})
    edges = pd.DataFrame({"u": u, "v": v, "drive_min": rng.uniform(0.5, 2, u.size)})
    net = roads.from_edges(nodes, edges)
    asked = rng.permutation(at.size)[:2_500].tolist()
    times = net.node_times(asked, mode="drive", cutoff_min=4, threads=threads)
    matrix = csr_array((edges["drive_min"], (u, v)), shape=(at.size, at.size))
    expected = csgraph.dijkstra(matrix, indices=asked, limit=4)
    order = np.array(times.demand_ids).argsort()
    np.testing.assert_allclose(times.to_dense()[:, order], expected, rtol=0, atol=1e-9)
