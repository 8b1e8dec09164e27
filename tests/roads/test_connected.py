"""Points go to the nearest road from which the way can be gone; who stands on a stub is named."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point

from sy_coverage import roads
from sy_coverage.roads.graph.connected import ARRIVES, LEAVES
from sy_coverage.roads.travel_modes import elder_walk_m_per_s

CRS = "EPSG:4546"
Edge = tuple[int, int]


def network(places: dict[int, tuple[float, float]], two_way: list[Edge], one_way: list[Edge] = ()):
    """Return a network of straight roads driven at a kilometre a minute."""
    nodes = pd.DataFrame([(i, x, y) for i, (x, y) in places.items()], columns=["node_id", "x", "y"])
    edges = pd.DataFrame([*two_way, *((b, a) for a, b in two_way), *one_way], columns=["u", "v"])
    ends = [nodes.set_index("node_id").loc[edges[end], ["x", "y"]].to_numpy() for end in ("u", "v")]
    return roads.from_edges(nodes, edges.assign(drive_min=np.hypot(*(ends[0] - ends[1]).T) / 1000), crs=CRS)


def points(**places: tuple[float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[Point(*p) for p in places.values()], index=list(places), crs=CRS)


def walked(metres: float) -> float:
    return metres / elder_walk_m_per_s() / 60


MAIN = {1: (0.0, 0.0), 2: (5000.0, 0.0)}
SITE = points(site=(5000.0, 0.0))


@pytest.mark.parametrize("along", [0.0, 1000.0, 2500.0])
def test_an_isolated_stub_is_passed_over(along) -> None:
    net = network({**MAIN, 3: (along - 20, 60), 4: (along + 20, 60)}, [(1, 2), (3, 4)])
    here = points(home=(along, 65))
    times = net.travel_times(SITE, here, mode="drive", cutoff_min=60)
    assert times.to_dense()[0, 0] == pytest.approx((5000 - along) / 1000 + walked(65), abs=1e-9)
    assert times.unreachable_demand == ()
    leg = net.access_legs(here, mode="drive").iloc[0]
    assert (leg["note"], leg["length_m"]) == ("passed_over", 65)
    assert leg["minutes"] == pytest.approx(walked(65))
    drawn = net.access_legs(here, mode="drive").to_crs(CRS).geometry.iloc[0]
    assert np.array(drawn.coords) == pytest.approx(np.array([(along, 65), (along, 0)]), abs=1e-3)


def test_where_only_a_stub_is_near_it_is_taken_and_named() -> None:
    net = network({**MAIN, 3: (0, 3000), 4: (100, 3000)}, [(1, 2), (3, 4)])
    here = points(lost=(50, 3010), fine=(50, 10), far=(50, 9000))
    times = net.travel_times(SITE, here, mode="drive", cutoff_min=60)
    assert times.unreachable_demand == ("lost", "far")
    assert net.access_legs(here, mode="drive")["note"].tolist() == ["stub", "none", "too_far"]
    # a site on the very stub does reach it
    both = pd.concat([SITE, points(near=(0, 3000))])
    assert net.travel_times(both, here, mode="drive", cutoff_min=60).unreachable_demand == ("far",)


def test_a_one_way_dead_end_is_no_place_to_leave_from_but_one_to_arrive_at() -> None:
    # a one-way road leads north out of the main one and ends
    net = network({**MAIN, 3: (2000, 0), 4: (2000, 300)}, [(1, 3), (3, 2)], [(3, 4)])
    home = points(home=(2000, 300))
    out = net.travel_times(SITE, home, mode="drive", cutoff_min=60)
    assert out.to_dense()[0, 0] == pytest.approx(3.0 + walked(300), abs=1e-9)
    back = net.travel_times(SITE, home, mode="drive", cutoff_min=60, direction="from_site")
    assert back.to_dense()[0, 0] == pytest.approx(3.3, abs=1e-9)
    # and the other way round
    net = network({**MAIN, 3: (2000, 0), 4: (2000, 300)}, [(1, 3), (3, 2)], [(4, 3)])
    out = net.travel_times(SITE, home, mode="drive", cutoff_min=60)
    assert out.to_dense()[0, 0] == pytest.approx(3.3, abs=1e-9)
    assert net.snap(home, mode="drive", side="arrives")["snap_m"].tolist() == [300]
    assert net.snap(home, mode="drive", side="leaves")["snap_m"].tolist() == [0]


def grid(
    side: int, step: float, west: float, first: int
) -> tuple[dict[int, tuple[float, float]], list[Edge]]:
    places = {first + i: (west + i % side * step, i // side * step) for i in range(side * side)}
    across = [(i, i + 1) for i in places if (i - first) % side < side - 1]
    return places, [*across, *((i, i + side) for i in places if i + side in places)]


def test_an_island_of_many_junctions_is_a_network_of_its_own() -> None:
    main, main_roads = grid(40, 100.0, 0.0, 0)
    island, island_roads = grid(11, 10.0, 4100.0, 10_000)
    rock, rock_roads = grid(9, 10.0, -300.0, 20_000)
    net = network({**main, **island, **rock}, [*main_roads, *island_roads, *rock_roads])
    here = points(on_island=(4150, 50), on_rock=(-250, 50))
    snapped = net.snap(here, mode="drive")
    # 121 junctions are a network; 81 are a stub, and the main one is 250 m away
    assert snapped["snap_m"].tolist() == [0, 250]
    meeting = roads.junctions(net, mode="drive")
    assert not set(rock) & set(meeting.index)
    assert len(meeting) == 40 * 40 - 4 + 11 * 11 - 4
    assert len(roads.junctions(net)) == len(meeting) + 9 * 9 - 4


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_road_is_the_one_found_by_trying_all(seed) -> None:
    import shapely

    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 60))
    places = dict(enumerate(map(tuple, (rng.uniform(0, rng.choice([30, 3000]), (count, 2))).tolist())))
    two_way = rng.integers(0, count, (count, 2)).tolist()
    one_way = [(int(a), int(b)) for a, b in rng.integers(0, count, (count, 2)) if a != b]
    net = network(places, [(a, b) for a, b in two_way if a != b], one_way)
    at = rng.uniform(-500, 3500, (40, 2))
    here = points(**{f"p{i}": tuple(p) for i, p in enumerate(at.tolist())})
    bits = net.prepared.connected("drive").bits
    lines = net.links.lines()
    for side, wanted in (("leaves", LEAVES), ("arrives", ARRIVES), ("both", LEAVES | ARRIVES)):
        snapped = net.snap(here, mode="drive", side=side, max_snap_m=700)
        good = np.flatnonzero(bits & wanted == wanted)
        for point, place, row in zip(here.geometry, at, snapped.itertuples(), strict=True):
            away = shapely.distance(lines, point)
            near = away[good].min() if good.size else np.inf
            expected = near if near <= 700 else away.min()
            if expected > 700:
                assert pd.isna(row.edge)
                continue
            assert row.snap_m == pytest.approx(expected, abs=1e-6)
            on_road = shapely.line_interpolate_point(lines[row.edge], row.fraction, normalized=True)
            assert np.hypot(*(np.array(on_road.coords[0]) - place)) == pytest.approx(expected, abs=1e-6)
