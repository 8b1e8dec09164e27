"""Laws that travel times keep on any road graph, held against networkx and SciPy."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csgraph, csr_array
from shapely import Point

from sy_coverage import roads
from sy_coverage.errors import FrameError

CRS = "EPSG:4546"


@st.composite
def graphs(draw) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw nodes on a grid and directed edges, parallel ones and loops among them."""
    count = draw(st.integers(2, 14))
    cell = st.tuples(st.integers(0, 30), st.integers(0, 30))
    places = draw(st.lists(cell, min_size=count, max_size=count, unique=True))
    node = st.integers(0, count - 1)
    minutes = st.floats(0.01, 20, allow_nan=False)
    rows = draw(st.lists(st.tuples(node, node, minutes), min_size=1, max_size=50))
    nodes = pd.DataFrame(
        {
            "node_id": np.arange(count) * 7,
            "x": [x * 100.0 for x, _ in places],
            "y": [y * 100.0 for _, y in places],
        }
    )
    edges = pd.DataFrame(rows, columns=["u", "v", "drive_min"])
    return nodes, edges.assign(u=edges["u"] * 7, v=edges["v"] * 7)


def points(seed: int, count: int, prefix: str) -> gpd.GeoDataFrame:
    xy = np.random.default_rng(seed).uniform(-100, 3100, (count, 2))
    return gpd.GeoDataFrame(
        geometry=[Point(*p) for p in xy], index=[f"{prefix}{i}" for i in range(count)], crs=CRS
    )


def dense(nodes: pd.DataFrame, edges: pd.DataFrame) -> np.ndarray:
    """Return all node-to-node minutes by SciPy, parallel edges reduced by hand."""
    best = edges.groupby(["u", "v"])["drive_min"].min().reset_index()
    at = {n: i for i, n in enumerate(nodes["node_id"])}
    shape = (len(nodes), len(nodes))
    matrix = csr_array((best["drive_min"], (best["u"].map(at), best["v"].map(at))), shape=shape)
    return csgraph.dijkstra(matrix)


@given(graphs(), st.floats(0.5, 60))
def test_node_times_equal_scipy_and_networkx(graph, cutoff) -> None:
    nodes, edges = graph
    net = roads.from_edges(nodes, edges, crs=CRS)
    ids = nodes["node_id"].tolist()
    times = net.node_times(ids, mode="drive", cutoff_min=cutoff)
    mine = pd.DataFrame(times.to_dense(), index=times.site_ids, columns=times.demand_ids)
    expected = dense(nodes, edges)
    expected[expected > cutoff] = np.inf
    mine = mine.loc[ids, ids].to_numpy()
    close = np.isclose(mine, expected, rtol=0, atol=1e-9) | (np.isinf(mine) & np.isinf(expected))
    near_cutoff = np.abs(np.where(np.isinf(expected), np.where(np.isinf(mine), 0, mine), expected) - cutoff)
    assert (close | (near_cutoff < 1e-9)).all()
    drawn = net.to_networkx(mode="drive")
    lengths = nx.single_source_dijkstra_path_length(drawn, ids[0], cutoff=cutoff, weight="drive_min")
    row = {times.demand_ids[c]: m for c, m in zip(*row_of(times, 0), strict=True)}
    assert row.keys() == set(lengths)
    assert all(abs(row[n] - m) <= 1e-9 for n, m in lengths.items())


def row_of(times, row: int) -> tuple[np.ndarray, np.ndarray]:
    span = slice(times.minutes.indptr[row], times.minutes.indptr[row + 1])
    return times.minutes.indices[span], times.minutes.data[span]


def by_hand(net, nodes, edges, sites, demand) -> np.ndarray:
    """Return minutes demand → site from the snapped places and SciPy's node minutes: an independent formula."""
    between = dense(nodes, edges)
    at = {n: i for i, n in enumerate(nodes["node_id"])}
    links, ids = net.links, net.node_ids.tolist()

    def ends(snapped, outgoing: bool) -> list[tuple[int, float]]:
        link, f, access = int(snapped["edge"]), snapped["fraction"], snapped["access_min"]
        forward, backward = links.minutes["drive"][link]
        tail, head = at[ids[links.tail[link]]], at[ids[links.head[link]]]
        if f in {0.0, 1.0}:
            return [(tail if f == 0 else head, access)]
        if outgoing:
            return [(tail, f * backward + access), (head, (1 - f) * forward + access)]
        return [(tail, f * forward + access), (head, (1 - f) * backward + access)]

    here, there = net.snap(sites, mode="drive", side="arrives"), net.snap(demand, mode="drive", side="leaves")
    answer = np.full((len(sites), len(demand)), np.inf)
    for i, (_, s) in enumerate(here.iterrows()):
        for j, (_, d) in enumerate(there.iterrows()):
            if pd.isna(s["edge"]) or pd.isna(d["edge"]):
                continue
            ways = [out + between[a, b] + into for a, out in ends(d, True) for b, into in ends(s, False)]
            if s["edge"] == d["edge"]:
                forward, backward = links.minutes["drive"][int(s["edge"])]
                ahead = s["fraction"] - d["fraction"]
                direct = 0.0 if ahead == 0 else ahead * forward if ahead > 0 else -ahead * backward
                ways.append(direct + s["access_min"] + d["access_min"])
            answer[i, j] = min(ways)
    return answer


@given(graphs(), st.integers(0, 10_000))
def test_points_on_edges_are_as_far_as_worked_out_by_hand(graph, seed) -> None:
    nodes, edges = graph
    net = roads.from_edges(nodes, edges, crs=CRS)
    sites, demand = points(seed, 4, "s"), points(seed + 1, 5, "d")
    mine = net.travel_times(sites, demand, mode="drive", cutoff_min=1e6).to_dense()
    assert mine == pytest.approx(by_hand(net, nodes, edges, sites, demand), abs=1e-9)


@given(graphs(), st.integers(0, 10_000))
def test_the_reversed_graph_is_the_reversed_direction(graph, seed) -> None:
    nodes, edges = graph
    sites, demand = points(seed, 4, "s"), points(seed + 1, 5, "d")
    forth = roads.from_edges(nodes, edges, crs=CRS)
    back = roads.from_edges(nodes, edges.rename(columns={"u": "v", "v": "u"}), crs=CRS)
    ask = {"mode": "drive", "cutoff_min": 500.0}
    one = forth.travel_times(sites, demand, direction="to_site", **ask).to_dense()
    other = back.travel_times(sites, demand, direction="from_site", **ask).to_dense()
    assert one == pytest.approx(other, abs=1e-9)
    swapped = forth.travel_times(demand, sites, direction="from_site", **ask).to_dense().T
    assert one == pytest.approx(swapped, abs=1e-9)


@given(graphs(), st.integers(0, 10_000))
def test_one_to_many_is_many_to_many_whatever_the_threads_and_the_order_of_rows(graph, seed) -> None:
    nodes, edges = graph
    sites, demand = points(seed, 40, "s"), points(seed + 1, 5, "d")
    net = roads.from_edges(nodes, edges, crs=CRS)
    ask = {"mode": "drive", "cutoff_min": 45.0}
    together = net.travel_times(sites, demand, threads=1, **ask)
    threaded = net.travel_times(sites, demand, threads=2, **ask)
    assert together.minutes.data.tobytes() == threaded.minutes.data.tobytes()
    assert together.minutes.indices.tobytes() == threaded.minutes.indices.tobytes()
    alone = net.travel_times(sites.iloc[[7]], demand, **ask).to_dense()[0]
    assert alone.tobytes() == together.to_dense()[7].tobytes()
    mixed = roads.from_edges(
        nodes.sample(frac=1, random_state=seed), edges.sample(frac=1, random_state=seed), crs=CRS
    )
    assert mixed.digest == net.digest
    again = mixed.travel_times(sites.iloc[::-1], demand.iloc[::-1], **ask)
    restored = again.select(sites=together.site_ids, demand=together.demand_ids)
    assert restored.to_dense().tobytes() == together.to_dense().tobytes()


@given(graphs(), st.integers(0, 10_000), st.integers(1, 3))
def test_the_nearest_sites_are_those_with_the_least_minutes(graph, seed, k) -> None:
    nodes, edges = graph
    sites, demand = points(seed, 6, "s"), points(seed + 1, 5, "d")
    net = roads.from_edges(nodes, edges, crs=CRS)
    every = net.travel_times(sites, demand, mode="drive", cutoff_min=1e6).to_dense()
    near = net.nearest(sites, demand, mode="drive", k=k)
    least = np.sort(every, axis=0)[:k]
    for rank in range(k):
        suffix = "" if k == 1 else f"_{rank + 1}"
        minutes = near[f"nearest_min{suffix}"].fillna(np.inf).to_numpy()
        assert minutes == pytest.approx(least[rank], abs=1e-9)
        for j, name in enumerate(near[f"site_id{suffix}"]):
            if isinstance(name, str):
                assert every[sites.index.get_loc(name), j] == pytest.approx(minutes[j], abs=1e-9)


@given(graphs(), st.floats(1, 40), st.floats(0, 40))
def test_a_longer_cutoff_only_adds_pairs(graph, cutoff, more) -> None:
    net = roads.from_edges(*graph, crs=CRS)
    ids = graph[0]["node_id"].tolist()
    short = net.node_times(ids, mode="drive", cutoff_min=cutoff).to_dense()
    long = net.node_times(ids, mode="drive", cutoff_min=cutoff + more).to_dense()
    assert (long[np.isfinite(short)] == short[np.isfinite(short)]).all()
    assert (long[np.isinf(short)] > cutoff).all()


@given(graphs(), st.sampled_from([0.0, -1.0, float("nan"), float("inf"), "5", None]), st.integers(0, 49))
def test_minutes_that_are_no_minutes_are_refused_by_name(graph, wrong, row) -> None:
    nodes, edges = graph
    row %= len(edges)
    edges = edges.astype({"drive_min": object})
    edges.loc[row, "drive_min"] = wrong
    name = f"{edges.loc[row, 'u']}→{edges.loc[row, 'v']}"
    with pytest.raises(FrameError, match=f"drive_min must be finite and above 0 on edges {name}"):
        roads.from_edges(nodes, edges, crs=CRS)
