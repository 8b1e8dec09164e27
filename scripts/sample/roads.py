"""Model a road network over villages and seats and write it as an OpenStreetMap extract: seeded, same bytes each time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import Delaunay, cKDTree

from sample.towns import METRIC

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

SEED = 4305_03
CLASSES = ("unclassified", "tertiary", "secondary", "primary", "trunk")
KPH = {
    "trunk": (80, 60),
    "primary": (70, 55),
    "secondary": (50, 40),
    "tertiary": (40, 30),
    "unclassified": (30, 22),
    "residential": (20, 15),
    "motorway": (100, 80),
    "motorway_link": (40, 40),
}
"""Speed by class in the plain and in the hills, km/h."""
HILLS = (
    # longitude, latitude, radius in degrees, height 0..1: where the Xuefeng and Nanling ranges stand
    (110.35, 27.15, 0.32, 1.0),
    (110.70, 27.50, 0.28, 1.0),
    (111.00, 27.55, 0.22, 0.7),
    (110.10, 26.75, 0.35, 0.9),
    (110.15, 26.30, 0.35, 1.0),
    (110.40, 26.15, 0.30, 1.0),
    (110.75, 26.35, 0.25, 0.9),
    (111.10, 26.50, 0.20, 0.5),
    (111.45, 27.52, 0.15, 0.5),
)
MOTORWAYS = (
    ("邵阳—隆回—洞口", ("city", "430524", "430525")),
    ("邵阳—邵东", ("city", "430582")),
    ("邵阳—塘渡口", ("city", "430523")),
    ("隆回—武冈—城步", ("430524", "430581", "430529")),
)


@dataclass(frozen=True)
class Way:
    """One road between two junctions: its points in metres, its class and its tags."""

    start: int
    end: int
    points: np.ndarray
    highway: str
    tags: dict[str, str]


def hilliness(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Return 0 (plain) to 1 (mountain) at each place."""
    flat = np.ones(np.shape(lon))
    for x, y, radius, height in HILLS:
        flat *= 1 - height * np.exp(-(((lon - x) / radius) ** 2 + ((lat - y) / radius) ** 2))
    return 1 - flat


class Network:
    """A network under construction: junctions, pieces between them, each with a class; then drawn as ways."""

    def __init__(self, points: np.ndarray) -> None:
        """Start with the junctions `points` (n × 2, metres)."""
        self.points = [tuple(p) for p in points]
        self.ways: list[Way] = []

    def add_node(self, point: tuple[float, float] | np.ndarray) -> int:
        """Return the number of a new junction at `point`."""
        self.points.append((float(point[0]), float(point[1])))
        return len(self.points) - 1

    def add(self, points: np.ndarray, ends: tuple[int, int], highway: str, **tags: str) -> None:
        """Add a road along `points` between the junctions `ends`."""
        self.ways.append(Way(ends[0], ends[1], points, highway, tags))


def build(
    villages: gpd.GeoDataFrame,
    units: pd.DataFrame,
    seats: gpd.GeoDataFrame,
    county_seats: dict[str, str],
    city: tuple[float, float],
    area: shapely.Geometry,
) -> tuple[Network, list[str]]:
    """Return the network and the ids of the villages that only a neighbouring county's roads reach.

    `villages` and `seats` are in `METRIC`; `city` is the place (metres) all trunk roads lead to.
    """
    rng = np.random.default_rng(SEED)
    where = np.c_[villages.geometry.x, villages.geometry.y] + rng.normal(0, 70, (len(villages), 2))
    hills = _hills_at(where)
    pairs, lonely = _local_pairs(where, hills, villages, area, rng)
    centre_of = _seat_nodes(where, villages, units, seats)
    county_of = {
        c: centre_of[
            next(i for i in units.index if units.loc[i, "county_id"] == c and units.loc[i, "name"] == name)
        ]
        for c, name in county_seats.items()
    }
    city_node = int(cKDTree(where).query(city)[1])
    rank = _ranks(where, hills, pairs, villages, centre_of, county_of, city_node)
    net = Network(where)
    _draw(net, pairs, rank, hills, villages, units, rng)
    _add_lanes(net, villages, hills, rng)
    _add_motorways(net, county_of | {"city": city_node}, rng)
    return net, [str(villages.index[n]) for n in lonely]


def _hills_at(where: np.ndarray) -> np.ndarray:
    lon, lat = Transformer.from_crs(METRIC, "EPSG:4326", always_xy=True).transform(where[:, 0], where[:, 1])
    return hilliness(np.asarray(lon), np.asarray(lat))


def _local_pairs(
    where: np.ndarray,
    hills: np.ndarray,
    villages: gpd.GeoDataFrame,
    area: shapely.Geometry,
    rng: np.random.Generator,
) -> tuple[np.ndarray, list[int]]:
    """Return the pairs of neighbours a road joins: all relative neighbours, and of the Gabriel pairs fewer in hills."""
    triangles = Delaunay(where).simplices
    every = np.unique(
        np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1), axis=0
    )
    tree = cKDTree(where)
    gap = where[every[:, 0]] - where[every[:, 1]]
    length = np.hypot(gap[:, 0], gap[:, 1])
    middle_nearest = tree.query((where[every[:, 0]] + where[every[:, 1]]) / 2)[0]
    gabriel = middle_nearest >= length / 2 - 1e-6
    every, length = every[gabriel], length[gabriel]
    relative = np.array([_no_third(where, tree, a, b, d) for (a, b), d in zip(every, length, strict=True)])
    lines = shapely.linestrings(np.stack([where[every[:, 0]], where[every[:, 1]]], axis=1))
    inside = shapely.covers(area.buffer(300), lines)
    hill = hills[every].mean(axis=1)
    kept = relative | (inside & (length < 9_000) & (rng.random(len(every)) < 0.9 - 0.5 * hill))
    pairs = every[kept]
    return _cut_off(pairs, villages)


def _no_third(where: np.ndarray, tree: cKDTree, a: int, b: int, d: float) -> bool:
    near = [c for c in tree.query_ball_point(where[a], d * (1 - 1e-9)) if c not in (a, b)]
    return not near or bool(np.hypot(*(where[near] - where[b]).T).min() >= d)


def _cut_off(pairs: np.ndarray, villages: gpd.GeoDataFrame) -> tuple[np.ndarray, list[int]]:
    """Take from two border villages the roads into their own county, as a valley beyond the watershed would be."""
    county = villages["county_id"].to_numpy()
    lonely: list[int] = []
    for wanted in ("430529", "430523", "430528"):
        if len(lonely) == 2:
            break
        for n in np.flatnonzero(county == wanted):
            mine = (pairs == n).any(axis=1)
            other = pairs[mine].sum(axis=1) - n
            home = county[other] == wanted
            if not home.any() or home.all() or villages["name"].iloc[n].endswith("社区"):
                continue
            drop = mine.copy()
            drop[mine] = home
            left = pairs[~drop]
            if _connected(left, len(county)) and _inner_connected(left, county, wanted, {int(n)}):
                pairs = left
                lonely.append(int(n))
                break
    return pairs, lonely


def _connected(pairs: np.ndarray, count: int) -> bool:
    matrix = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return int(connected_components(matrix, directed=False)[0]) == 1


def _inner_connected(pairs: np.ndarray, county: np.ndarray, wanted: str, without: set[int]) -> bool:
    inner = pairs[(county[pairs] == wanted).all(axis=1)]
    names = np.array([n for n in np.flatnonzero(county == wanted) if n not in without])
    number = {n: k for k, n in enumerate(names)}
    return _connected(np.array([(number[a], number[b]) for a, b in inner]), len(names))


def _seat_nodes(
    where: np.ndarray, villages: gpd.GeoDataFrame, units: pd.DataFrame, seats: gpd.GeoDataFrame
) -> dict[str, int]:
    found = {}
    unit = villages["unit_id"].to_numpy()
    for unit_id in units.index:
        rows = np.flatnonzero(unit == unit_id)
        seat = seats.geometry[unit_id]
        found[unit_id] = int(rows[np.hypot(where[rows, 0] - seat.x, where[rows, 1] - seat.y).argmin()])
    return found


def _ranks(
    where: np.ndarray,
    hills: np.ndarray,
    pairs: np.ndarray,
    villages: gpd.GeoDataFrame,
    centre_of: dict[str, int],
    county_of: dict[str, int],
    city_node: int,
) -> np.ndarray:
    """Return the class of each pair as a number into `CLASSES`: what is travelled between which centres."""
    routes = _Routes(where, hills, pairs)
    # trunk roads first, from the near to the far; later routes run along what is there where they can
    for end in sorted(county_of.values(), key=lambda n: float(np.hypot(*(where[n] - where[city_node])))):
        routes.promote(4, city_node, end, ease=0.6)
    for level, stops in ((3, sorted(set(county_of.values()))), (2, sorted(set(centre_of.values())))):
        for a, b in _gabriel(where[stops]):
            routes.promote(level, stops[a], stops[b], ease=0.9)
    travelled = np.zeros(len(pairs), dtype=int)
    unit = villages["unit_id"].to_numpy()
    for unit_id, centre in centre_of.items():
        for route in routes.of(centre, np.flatnonzero(unit == unit_id).tolist()):
            travelled[route] += 1
    routes.rank[(routes.rank == 0) & (travelled >= 2)] = 1
    return routes.rank


class _Routes:
    """Least-cost routes over the pairs; what is used by an important one gets its class, and is easier from then on."""

    def __init__(self, where: np.ndarray, hills: np.ndarray, pairs: np.ndarray) -> None:
        gap = where[pairs[:, 0]] - where[pairs[:, 1]]
        self.cost = np.hypot(gap[:, 0], gap[:, 1]) * (1 + 0.5 * hills[pairs].mean(axis=1))
        self.rank = np.zeros(len(pairs), dtype=int)
        self._pairs = pairs
        self._count = len(where)
        self._number = {tuple(p): k for k, p in enumerate(pairs.tolist())}

    def of(self, start: int, ends: list[int]) -> list[list[int]]:
        """Return for each end the numbers of the pairs on the way from `start`."""
        cells = (self.cost, (self._pairs[:, 0], self._pairs[:, 1]))
        matrix = csr_matrix(cells, shape=(self._count, self._count))
        before = dijkstra(matrix, directed=False, indices=start, return_predecessors=True)[1]
        found = []
        for end in ends:
            route, node = [], end
            while node != start:
                previous = int(before[node])
                route.append(self._number[min(node, previous), max(node, previous)])
                node = previous
            found.append(route)
        return found

    def promote(self, level: int, start: int, end: int, *, ease: float) -> None:
        """Give the way from `start` to `end` the class `level` where it has none as high."""
        route = np.array(self.of(start, [end])[0], dtype=int)
        raised = route[self.rank[route] < level] if len(route) else route
        self.rank[raised] = level
        self.cost[raised] *= ease


def _gabriel(where: np.ndarray) -> list[tuple[int, int]]:
    tree = cKDTree(where)
    pairs = [(a, b) for a in range(len(where)) for b in range(a + 1, len(where))]
    found = []
    for a, b in pairs:
        half = np.hypot(*(where[a] - where[b])) / 2
        if tree.query((where[a] + where[b]) / 2)[0] >= half - 1e-6:
            found.append((a, b))
    return found


def _winding(a: np.ndarray, b: np.ndarray, hill: float, ease: float, rng: np.random.Generator) -> np.ndarray:
    """Return points from `a` to `b` that swing about the straight line: little in the plain, much in the hills."""
    length = float(np.hypot(*(b - a)))
    count = int(np.clip(length / 420, 1, 12))
    along = np.linspace(0, 1, count + 2)
    waves = np.arange(1, 5)
    swing = rng.normal(0, 1, 4) / np.sqrt(waves) * length * (0.03 + 0.065 * hill) * ease
    offset = (np.sin(np.pi * np.outer(along, waves)) * swing).sum(axis=1)
    straight = a + np.outer(along, b - a)
    normal = np.array([-(b - a)[1], (b - a)[0]]) / max(length, 1.0)
    return straight + np.outer(offset, normal)


def _speed(highway: str, hill: float) -> int:
    plain, mountain = KPH[highway]
    return int(round((plain + (mountain - plain) * hill) / 5) * 5)


def _draw(
    net: Network,
    pairs: np.ndarray,
    rank: np.ndarray,
    hills: np.ndarray,
    villages: gpd.GeoDataFrame,
    units: pd.DataFrame,
    rng: np.random.Generator,
) -> None:
    kind = villages["unit_id"].map(units["kind"]).to_numpy()
    county = (
        villages["county"].to_numpy()
        if "county" in villages
        else villages["unit_id"].map(units["county"]).to_numpy()
    )
    unit = villages["unit_id"].map(units["name"]).to_numpy()
    oneway = _one_ways(pairs, rank, kind, rng)
    where = np.array(net.points)
    for n, (a, b) in enumerate(pairs.tolist()):
        highway = CLASSES[rank[n]]
        hill = float(hills[[a, b]].mean())
        tags: dict[str, str] = {}
        if rank[n] == 4:
            tags = {"name": "示例国道", "ref": "示例G1"}
        elif rank[n] == 3:
            tags = {"name": f"示例省道（{county[a]}）", "ref": f"示例S{villages['county_id'].iloc[a][4:]}"}
        elif rank[n] == 2:
            tags = {"name": f"示例县道（{county[a]}）"}
        elif rank[n] == 1:
            tags = {"name": f"示例乡道（{unit[a]}）"}
        # like in a real extract, not every road says its speed; where hills slow it, it must
        if hill > 0.25 or rng.random() < 0.4:
            tags["maxspeed"] = str(_speed(highway, hill))
        if oneway[n]:
            tags["oneway"] = "yes" if oneway[n] > 0 else "-1"
        ease = 0.6 if rank[n] >= 3 else 1.0
        net.add(_winding(where[a], where[b], hill, ease, rng), (a, b), highway, **tags)


def _one_ways(pairs: np.ndarray, rank: np.ndarray, kind: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return 1, −1 or 0 by pair: a few roads between urban communities, so that every place can still be left and reached."""
    way = np.zeros(len(pairs), dtype=int)
    count = int(pairs.max()) + 1
    urban = np.flatnonzero((kind[pairs] == "street").all(axis=1) & (rank <= 2))
    for n in urban[rng.random(len(urban)) < 0.12]:
        way[n] = 1 if rng.random() < 0.7 else -1
        forth, back = pairs[way >= 0], pairs[way <= 0]
        matrix = csr_matrix(
            (
                np.ones(len(forth) + len(back)),
                (np.r_[forth[:, 0], back[:, 1]], np.r_[forth[:, 1], back[:, 0]]),
            ),
            shape=(count, count),
        )
        if connected_components(matrix, connection="strong")[0] > 1:
            way[n] = 0
    return way


def _add_lanes(net: Network, villages: gpd.GeoDataFrame, hills: np.ndarray, rng: np.random.Generator) -> None:
    """Give each village two lanes, a community three of which a footway joins two."""
    community = villages["name"].str.endswith("社区").to_numpy()
    for n in range(len(villages)):
        at = np.array(net.points[n])
        count = 3 if community[n] else 2
        turn = rng.uniform(0, 2 * np.pi)
        ends = []
        for k in range(count):
            angle = turn + 2 * np.pi * (k + rng.uniform(-0.3, 0.3)) / count
            reach = rng.uniform(120, 260) if community[n] else rng.uniform(160, 480)
            end = np.round(at + reach * np.array([np.cos(angle), np.sin(angle)]), 2)
            ends.append(net.add_node(end))
            tags = {"maxspeed": str(_speed("residential", hills[n]))} if hills[n] > 0.5 else {}
            points = _winding(at, end, 0.3, 1.0, rng) if reach > 300 else np.array([at, end])
            net.add(points, (n, ends[-1]), "residential", **tags)
        if community[n]:
            points = np.array([net.points[ends[0]], net.points[ends[1]]])
            net.add(points, (ends[0], ends[1]), "footway")


def _add_motorways(net: Network, centre: dict[str, int], rng: np.random.Generator) -> None:
    """Add motorways of two one-way carriageways, joined to the roads near each centre by ramps."""
    local = np.array(net.points[: max(centre.values()) + 1])
    tree = cKDTree(local)
    junctions: dict[str, tuple[int, int, np.ndarray]] = {}
    for name in sorted({stop for _, stops in MOTORWAYS for stop in stops}):
        at = local[centre[name]] + 1_800 * np.array([np.cos(1.1), np.sin(1.1)])
        forth, back = net.add_node(at + np.array([0.0, 12.0])), net.add_node(at - np.array([0.0, 12.0]))
        near = int(tree.query(at)[1])
        for node in (forth, back):
            ends = np.array([net.points[node], local[near]])
            net.add(ends, (node, near), "motorway_link", oneway="yes")
            net.add(ends[::-1], (near, node), "motorway_link", oneway="yes")
        junctions[name] = (forth, back, at)
    for number, (title, stops) in enumerate(MOTORWAYS, start=1):
        for one, two in pairwise(stops):
            (forth_a, back_a, a), (forth_b, back_b, b) = junctions[one], junctions[two]
            middle = _winding(a, b, 0.1, 0.7, rng)[1:-1]
            side = np.array([-(b - a)[1], (b - a)[0]]) / np.hypot(*(b - a)) * 12
            tags = {"name": f"示例高速（{title}）", "ref": f"示例高速{number}", "oneway": "yes"}
            forth = np.vstack([net.points[forth_a], middle + side, net.points[forth_b]])
            back = np.vstack([net.points[back_b], middle[::-1] - side, net.points[back_a]])
            net.add(forth, (forth_a, forth_b), "motorway", maxspeed="100", **tags)
            net.add(back, (back_b, back_a), "motorway", maxspeed="100", **tags)


def write(net: Network, path: Path) -> None:
    """Write the network as an OpenStreetMap extract (PBF), nodes and ways in a fixed order."""
    import osmium

    to_degrees = Transformer.from_crs(METRIC, "EPSG:4326", always_xy=True)
    junctions = np.array(net.points)
    inner = [w.points[1:-1] for w in net.ways]
    every = np.vstack([junctions, *inner])
    lon, lat = to_degrees.transform(every[:, 0], every[:, 1])
    lon, lat = np.round(lon, 6), np.round(lat, 6)
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(path)) as writer:
        for n, location in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
            writer.add_node(osmium.osm.mutable.Node(id=n + 1, version=1, location=location))
        first = len(junctions)
        for n, way in enumerate(net.ways):
            count = len(way.points) - 2
            nodes = [way.start + 1, *range(first + 1, first + count + 1), way.end + 1]
            first += count
            tags = {"highway": way.highway, **dict(sorted(way.tags.items()))}
            writer.add_way(osmium.osm.mutable.Way(id=n + 1, version=1, nodes=nodes, tags=tags))
