"""Compare distances along our routes with those of Valhalla, an independent router, and explain the widest differences.

Valhalla's native programs lie in its wheel and run without network:

    pip download --no-deps --only-binary :all: --python-version 3.12 pyvalhalla
    unzip -q pyvalhalla-*.whl -d valhalla
    python scripts/check_against_valhalla.py malta.osm.pbf --valhalla valhalla

Both are asked for the shortest drivable way between the same junctions, so that speeds and penalties play no part and only
access, one-way streets, barriers, turn restrictions and lengths can differ.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pyproj
import shapely

from sy_coverage import _osm, roads
from sy_coverage.roads import travel_mode
from sy_coverage.roads.read import tags

KPH = 60.0
"""At 60 km/h a kilometre is a minute."""
ALIKE_M, ALIKE_SHARE = 5.0, 0.001
"""A difference within either is of lengths and rounding: Valhalla keeps shapes to 10⁻⁶ degrees."""
FAR_M, NEAR_M = 3.0, 0.5
"""Where one route is farther than the first from the other they go different ways; what is nearer than the second is on it."""
PIECES = 24
"""Places on our way that Valhalla is asked to go by."""
PLAIN = (
    "ours goes through a road for destination traffic (driveway, parking aisle, access=destination)",
    "Valhalla goes through a private road",
)
"""Causes that need no second question."""
MODE = "drive"
ELLIPSOID = pyproj.Geod(ellps="WGS84")


@dataclass(frozen=True)
class Valhalla:
    """Valhalla's programs and the tiles they built from one extract."""

    folder: Path
    config: Path

    @classmethod
    def of(cls, folder: Path, extract: Path, work: Path) -> Valhalla:
        """Build tiles of `extract` in `work`."""
        config = work / "valhalla.json"
        made = subprocess.run(
            [sys.executable, folder / "valhalla" / "valhalla_build_config.py", "--mjolnir-tile-dir", work / "tiles",
             "--mjolnir-tile-extract", "", "--mjolnir-admin", "", "--mjolnir-timezone", ""],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        settings = json.loads(made.stdout)
        settings["service_limits"]["auto"]["max_distance"] = 5_000_000.0
        # without this the search leaves minor roads out far from both ends
        settings["service_limits"]["max_distance_disable_hierarchy_culling"] = 5_000_000.0
        settings["mjolnir"].pop("traffic_extract", None)
        config.write_text(json.dumps(settings), encoding="utf-8")
        own = cls(folder, config)
        own.run("valhalla_build_tiles", "-c", str(config), str(extract))
        return own

    def run(self, program: str, *arguments: str) -> str:
        """Return what a program prints."""
        libraries = {"LD_LIBRARY_PATH": str(self.folder / "pyvalhalla.libs")}
        done = subprocess.run(
            [self.folder / "valhalla" / "bin" / program, *arguments],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **libraries},
        )
        return done.stdout

    def ask(self, action: str, question: dict[str, Any]) -> Any:
        """Return the answer to one question; None where there is no way."""
        try:
            said = self.run("valhalla_service", str(self.config), action, json.dumps(question))
        except subprocess.CalledProcessError as fault:
            said = fault.stdout
        lines = [line for line in said.splitlines() if line.startswith(("{", "["))]
        answer, _ = json.JSONDecoder().raw_decode(lines[0]) if lines else ({}, 0)
        return None if isinstance(answer, dict) and "error" in answer else answer

    def route(self, a: shapely.Point, b: shapely.Point) -> tuple[float, Any]:
        """Return the metres of the shortest way and its line in degrees."""
        answer = self.ask(
            "route",
            {
                "locations": [{"lon": p.x, "lat": p.y, "radius": 0, "minimum_reachability": 0} for p in (a, b)],
                "costing": "auto",
                "costing_options": {"auto": {"shortest": True, "disable_hierarchy_pruning": True}},
                "directions_type": "none",
            },
        )  # fmt: skip
        if not answer:
            return float("inf"), None
        line = shapely.LineString(_decoded(answer["trip"]["legs"][0]["shape"]))
        # Valhalla measures on a sphere, which is up to 0.3 % off along a meridian; its line is measured as ours is
        return float(ELLIPSOID.geometry_length(line)), line


def _decoded(shape: str) -> list[tuple[float, float]]:
    """Return longitude and latitude of an encoded polyline of six digits."""
    numbers: list[int] = []
    value = shift = 0
    for letter in shape:
        byte = ord(letter) - 63
        value |= (byte & 0x1F) << shift
        shift += 5
        if byte < 0x20:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    lat, lon = np.cumsum(np.array(numbers).reshape(-1, 2), axis=0).T / 1e6
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


def one_speed() -> Any:
    """Return the driving mode with one speed for all roads and no delay."""
    usual = travel_mode(MODE)
    return travel_mode(
        MODE,
        {
            "speed_kph": dict.fromkeys(usual.speed_kph, KPH),
            "service_kph": dict.fromkeys(usual.service_kph, KPH),
            "junction_s": dict.fromkeys(usual.junction_s, 0.0),
            "signal_s": 0.0,
            "ford_s": 0.0,
            "surface_factor": dict.fromkeys(usual.surface_factor, 1.0),
            "smoothness_factor": {name: float(share > 0) for name, share in usual.smoothness_factor.items()},
            "tracktype_factor": dict.fromkeys(usual.tracktype_factor, 1.0),
            "usual_factor": dict.fromkeys(usual.usual_factor, 1.0),
            "condition_factor": {name: float(share > 0) for name, share in usual.condition_factor.items()},
            "ferry_kph": 0.0,
            "uses_maxspeed": False,
            "most_kph": KPH,
            "opened_kph": KPH,
        },
    )


def sampled(net: roads.RoadNetwork, pairs: int, seed: int) -> gpd.GeoDataFrame:
    """Return junctions drawn at random from the largest part of the network, two for each pair."""
    graph = net.to_networkx(mode=MODE)
    largest = max(nx.strongly_connected_components(graph), key=len)
    at = pd.Index(net.node_ids.astype(str))
    inside = np.sort(at.get_indexer([str(n) for n in largest if "@" not in str(n)]))
    drawn = np.random.default_rng(seed).choice(inside, size=(pairs, 2))
    places = gpd.points_from_xy(*net.node_xy[drawn.ravel()].T, crs=net.crs)
    index = [f"{side}{i}" for i in range(pairs) for side in "ab"]
    return gpd.GeoDataFrame({"node_id": at[drawn.ravel()]}, geometry=places, index=index).to_crs(4326)


def ours_m(net: roads.RoadNetwork, points: gpd.GeoDataFrame) -> np.ndarray:
    """Return the metres of our shortest way of every pair."""
    starts, ends = points.iloc[::2], points.iloc[1::2]
    times = net.travel_times(ends, starts, mode=MODE, cutoff_min=1e6)
    return np.diagonal(times.to_dense()).copy() * KPH * 1000 / 60


def our_path(net: roads.RoadNetwork, graph: nx.DiGraph, a: str, b: str) -> np.ndarray:
    """Return the positions of the nodes along our shortest way."""
    as_given = {str(n): n for n in graph}
    ends = [n for n in graph if str(n) == b or str(n).startswith(f"{b}@")]
    metres, ways = nx.single_source_dijkstra(graph, as_given[a], weight=f"{MODE}_min")
    end = min((e for e in ends if e in metres), key=metres.__getitem__)
    path = [str(n).partition("@")[0] for n in ways[end]]
    return pd.Index(net.node_ids.astype(str)).get_indexer(path)


def our_line(net: roads.RoadNetwork, path: np.ndarray) -> Any:
    """Return the line of our way in degrees."""
    links, parts = net.links, []
    for u, v in itertools.pairwise(path):
        minutes = np.where(links.tail == u, links.minutes[MODE][:, 0], links.minutes[MODE][:, 1])
        joins = ((links.tail == u) & (links.head == v)) | ((links.tail == v) & (links.head == u))
        both = np.flatnonzero(joins)
        parts.append(both[np.argmin(minutes[both])])
    lines = net.links.lines(np.array(parts, np.int64))
    return gpd.GeoSeries([shapely.union_all(lines)], crs=net.crs).to_crs(4326).iloc[0]


def in_two_pieces_m(net: roads.RoadNetwork, valhalla: Valhalla, path: np.ndarray) -> float:
    """Return the metres of Valhalla's way when it is asked to go by a place on ours, the least of some places."""
    places = gpd.points_from_xy(*net.node_xy[path].T, crs=net.crs).to_crs(4326)
    stops = np.unique(np.linspace(1, len(path) - 2, PIECES).astype(int)) if len(path) > 2 else []
    return min(
        (valhalla.route(places[0], places[i])[0] + valhalla.route(places[i], places[-1])[0] for i in stops),
        default=float("inf"),
    )


def deviation(net: roads.RoadNetwork, ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Return the parts of our way and of theirs that are far from the other, in metres."""
    mine, other = gpd.GeoSeries([ours, theirs], crs=4326).to_crs(net.crs)
    return mine.difference(other.buffer(FAR_M)), other.difference(mine.buffer(FAR_M))


@dataclass(frozen=True, eq=False)
class Extract:
    """The extract's own ways, barriers and turn restrictions, to be asked what lies where two routes part."""

    ways: _osm.Ways
    lines: gpd.GeoSeries
    barriers: gpd.GeoSeries
    restrictions: gpd.GeoSeries

    @classmethod
    def of(cls, path: Path, crs: Any) -> Extract:
        """Read the extract."""
        wanted = tags.WANTED | {"service", "surface", "tracktype", "maxwidth", "maxheight"}
        ways = _osm.read_ways(path, keys=("highway",), wanted=wanted, node_keys=("barrier",))
        whole = [slice(a, b) for a, b in zip(ways.start[:-1], ways.start[1:], strict=True)]
        drawn = [
            shapely.LineString(ways.lonlat[w]) if np.isfinite(ways.lonlat[w]).all() else None for w in whole
        ]
        places = dict(zip(ways.refs.tolist(), map(tuple, ways.lonlat.tolist()), strict=True))
        barriers = {n: shapely.Point(places[n]) for n in ways.node_tags if n in places}
        vias = {
            i: shapely.Point(places[ref])
            for i, r in enumerate(ways.restrictions)
            for role, kind, ref in r.members
            if role == "via" and kind == "n" and ref in places
        }
        series = [gpd.GeoSeries(p, crs=4326).to_crs(crs) for p in (drawn, barriers, vias)]
        return cls(ways, *series)

    def on(self, part: Any) -> list[dict[str, str]]:
        """Return the tags of the ways that run along a line (in metres)."""
        near = self.lines.sindex.query(part.buffer(NEAR_M), predicate="intersects")
        along = self.lines.iloc[near].intersection(part.buffer(NEAR_M)).length
        return [dict(self.ways.tags[i]) for i, m in zip(near, along, strict=True) if m > 2 * FAR_M]

    def barriers_on(self, part: Any) -> list[dict[str, str]]:
        """Return the tags of the barriers on a line."""
        found = self.barriers[self.barriers.distance(part) < NEAR_M]
        return [dict(self.ways.node_tags[n]) for n in found.index]

    def restrictions_on(self, part: Any) -> list[dict[str, str]]:
        """Return what the turn restrictions on a line say."""
        found = self.restrictions[self.restrictions.distance(part) < 2 * FAR_M]
        return [dict(self.ways.restrictions[i].tags) for i in found.index]


def cause(
    ours: list[dict[str, str]], theirs: list[dict[str, str]], facts: dict[str, list[dict[str, str]]]
) -> str:
    """Return in a word what explains that two routes part, from the tags of the roads that only one of them takes."""
    if any(_is_for_destination(way) for way in ours):
        return (
            "ours goes through a road for destination traffic (driveway, parking aisle, access=destination)"
        )
    if any(_is_closed(way) for way in theirs):
        return "Valhalla goes through a private road"
    if facts["restrictions"]:
        return "a turn restriction"
    if facts["barriers"]:
        return "a barrier"
    if any(key in way for way in ours for key in ("maxwidth", "maxheight")):
        return "a limit of width or height"
    return "not explained"


def _is_for_destination(way: dict[str, str]) -> bool:
    said = {way.get(key) for key in ("access", "vehicle", "motor_vehicle", "motorcar")}
    return way.get("service") in {"driveway", "parking_aisle", "drive-through"} or bool(
        said & {"destination", "delivery", "customers"}
    )


def _is_closed(way: dict[str, str]) -> bool:
    return tags.may_pass(way, travel_mode(MODE)) is False


def explained(
    net: roads.RoadNetwork,
    valhalla: Valhalla,
    extract: Extract,
    points: gpd.GeoDataFrame,
    pairs: pd.DataFrame,
) -> None:
    """Print, for every pair, where the two ways part, what stands there, and how many pairs each cause explains."""
    graph = net.to_networkx(mode=MODE)
    counted: Counter[str] = Counter()
    for pair in pairs.index:
        a, b = points.loc[f"a{pair}"], points.loc[f"b{pair}"]
        metres, line = valhalla.route(a.geometry, b.geometry)
        print(
            f"\npair {pair}: node {a.node_id} to {b.node_id}, ours {pairs.ours_m[pair]:,.0f} m, Valhalla {metres:,.0f} m"
        )
        path = our_path(net, graph, a.node_id, b.node_id)
        ours, theirs = deviation(net, our_line(net, path), line)
        both = shapely.union_all([ours, theirs])
        facts = {"barriers": extract.barriers_on(both), "restrictions": extract.restrictions_on(both)}
        word = cause(extract.on(ours), extract.on(theirs), facts)
        longer = word not in PLAIN and pairs.more_m[pair] < 0
        if longer and in_two_pieces_m(net, valhalla, path) <= pairs.ours_m[pair] + ALIKE_M:
            word = (
                "Valhalla goes our way itself when asked in two pieces: its search of the whole is not exact"
            )
        counted[word] += 1
        print(f"  {word}")
        for whose, part in (("ours", ours), ("theirs", theirs)):
            print(f"  only {whose}, {part.length:,.0f} m:")
            for way in extract.on(part):
                print(f"    {way}")
        for what, found in facts.items():
            print(f"  {what}: {found}")
    print("\ncauses of the tail")
    for word, count in counted.most_common():
        print(f"{count:5}  {word}")


def main() -> None:
    """Compare and print."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("extract", type=Path)
    words.add_argument("--valhalla", type=Path, required=True, help="folder of the unpacked wheel")
    words.add_argument("--pairs", type=int, default=200)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument(
        "--explain", type=int, default=50, help="how many of the widest differences are explained"
    )
    given = words.parse_args()
    net = roads.read_osm(given.extract, modes=(one_speed(),))
    points = sampled(net, given.pairs, given.seed)
    ours = ours_m(net, points)
    with tempfile.TemporaryDirectory() as work:
        valhalla = Valhalla.of(given.valhalla.resolve(), given.extract.resolve(), Path(work))
        ends = zip(points.geometry.iloc[::2], points.geometry.iloc[1::2], strict=True)
        with ThreadPoolExecutor(2) as pool:
            theirs = np.array(list(pool.map(lambda p: valhalla.route(*p)[0], ends)))
        table = pd.DataFrame({"ours_m": ours, "theirs_m": theirs})
        table["more_m"] = table.ours_m - table.theirs_m
        table["more_share"] = table.more_m / table.theirs_m
        say = partial(print, given.extract.name)
        known = np.isfinite(table.theirs_m) & np.isfinite(table.ours_m)
        say(f"{len(table)} pairs, {net}")
        say(
            f"no way: ours {int((~np.isfinite(table.ours_m)).sum())}, Valhalla {int((~np.isfinite(table.theirs_m)).sum())}"
        )
        alike = (table.more_m.abs() <= ALIKE_M) | (table.more_share.abs() <= ALIKE_SHARE)
        say(
            f"alike (within {ALIKE_M:g} m or {ALIKE_SHARE:.1%}): {int((alike & known).sum())} of {int(known.sum())}"
        )
        shares = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)
        for column, unit in (("more_m", "m"), ("more_share", "share")):
            at = table.loc[known, column].quantile(shares)
            say(f"ours - Valhalla, {unit}: " + ", ".join(f"{q:.0%} {v:.4g}" for q, v in at.items()))
        tail = table[~alike].assign(size=lambda t: t.more_m.abs()).sort_values("size", ascending=False)
        explained(net, valhalla, Extract.of(given.extract, net.crs), points, tail.head(given.explain))


if __name__ == "__main__":
    main()
