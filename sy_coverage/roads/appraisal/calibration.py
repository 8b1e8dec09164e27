"""Fit the speeds of a network to observed times: robustly, within bounds, and only where they can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from sy_coverage.errors import FrameError, InputError, some
from sy_coverage.roads.graph.connected import ARRIVES, LEAVES
from sy_coverage.roads.graph.snap import MAX_SNAP_M

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.roads.graph.links import Array
    from sy_coverage.roads.graph.snap import Snapped
    from sy_coverage.roads.network import RoadNetwork

COLUMNS = ("from_lon", "from_lat", "to_lon", "to_lat", "minutes")
ALIASES = {
    "起点经度": "from_lon", "起点纬度": "from_lat", "终点经度": "to_lon", "终点纬度": "to_lat", "分钟": "minutes", "时间": "minutes",
    "origin_lon": "from_lon", "origin_lat": "from_lat", "destination_lon": "to_lon", "destination_lat": "to_lat",
    "观测分钟": "minutes", "duration_min": "minutes",
}  # fmt: skip
DELAY = "junctions"
"""What the delays of junctions are called among the classes of road."""
LEAST_PAIRS = 10
LEAST_SHARE = 0.1
"""A class that carries less than this share of the minutes cannot be told from the others."""
SLOWEST, FASTEST = 0.4, 2.5
"""A road is not driven less or more than so many times as fast as the table says."""
LEAST_DELAY, MOST_DELAY = 0.1, 5.0
HUBER = 1.345
"""Residuals of so many deviations count in full; what lies farther off, less and less."""
NEAR = 0.01
"""Residuals of a hundredth are noise of rounding: none counts less for being larger than others of that size."""
ROUNDS = 12
SAME = 1e-4
WORST = 10


@dataclass(frozen=True, eq=False)
class Calibration:
    """What came of fitting a network to observed times."""

    mode: str
    speeds: DataFrame
    """By class of road (and ``junctions``): `share` of all minutes, `identified`, `pace` (times as fast as before; of junctions,
    times as long), `kph_before`, `kph_after`."""
    fit: DataFrame
    """Two rows, ``before`` and ``after``: `median_ratio` of computed to observed minutes, `r2`, `mean_error_min`."""
    pairs: GeoDataFrame
    """By row of the observations: observed minutes and those computed before and after, `ratio_after`, a straight line in degrees."""
    network: RoadNetwork
    """The network at the fitted speeds."""

    @property
    def worst(self) -> DataFrame:
        """The ten pairs whose computed minutes are farthest from the observed ones after the fit."""
        off = np.log(self.pairs["ratio_after"]).abs().sort_values(ascending=False, kind="stable")
        return self.pairs.loc[off.index[:WORST]].drop(columns="geometry")

    def toml(self) -> str:
        """Return the table to put into a study file, under `[roads]`."""
        table = self.network.tables.get(self.mode)
        rows = self.speeds[self.speeds["identified"]]
        lines = [f"[roads.modes.{self.mode}.speed_kph]"]
        lines += [
            f"{name} = {row.kph_after:.1f}"
            for name, row in rows.drop(index=DELAY, errors="ignore").iterrows()
        ]
        if DELAY in rows.index and table is not None:
            lines.insert(
                0,
                f"[roads.modes.{self.mode}]\nsignal_s = {table.signal_s:.1f}\nford_s = {table.ford_s:.1f}\n",
            )
            lines += ["", f"[roads.modes.{self.mode}.junction_s]"]
            lines += [f"{name} = {seconds:.1f}" for name, seconds in table.junction_s.items()]
        return "\n".join(lines) + "\n"


def calibrate(
    network: RoadNetwork, observed: DataFrame, *, mode: str = "drive", max_snap_m: float = MAX_SNAP_M
) -> Calibration:
    """Return the speeds by class of road, and the delays at junctions, that fit observed times best.

    Routes are searched, minutes by class of road fitted to the observations by Huber's robust regression of relative
    errors within bounds, and both again until nothing changes: a faster road draws other routes.

    Parameters
    ----------
    network
        Of `mode`, with its tables.
    observed
        A row a trip: `from_lon`, `from_lat`, `to_lon`, `to_lat` (degrees, WGS84) and `minutes`; 30 to 300 rows of ordinary trips.
    mode
        How the trips were made.
    max_snap_m
        A trip that begins or ends farther than this from every road is left out.

    Raises
    ------
    UnknownModeError, FrameError, InputError
        If the network was not built for `mode`, a column is missing or not a number, or too few trips can be computed.

    Examples
    --------
    >>> found = roads.calibrate(network, pd.read_csv("times.csv"))  # doctest: +SKIP
    >>> print(found.toml())  # doctest: +SKIP
    """
    network.prepared.require_mode(mode)
    trips = _checked(observed)
    routes = _Routes(network, trips, mode, max_snap_m)
    if len(routes.rows) < LEAST_PAIRS:
        raise InputError(
            f"observed: only {len(routes.rows)} of {len(trips)} trips can be computed on this network, at least {LEAST_PAIRS} are needed; "
            f"left out are rows {some(trips.index.difference(trips.index[routes.rows]))}"
        )
    minutes = trips["minutes"].to_numpy(np.float64)[routes.rows]
    before = routes.by_class(network)
    carried = before.by_class.sum(axis=0)
    share = carried / max(carried.sum(), 1e-12)
    identified = share >= LEAST_SHARE
    slowness = np.ones(share.size)
    best, loss = slowness, np.inf
    for _ in range(ROUNDS):
        found = routes.by_class(_at(network, mode, routes.names, slowness))
        at_first = found.by_class / slowness
        here = _loss(at_first @ slowness + found.access, minutes)
        if here < loss - 1e-12:
            best, loss = slowness, here
        after = _fitted(at_first, found.access, minutes, identified)
        if np.abs(after - slowness).max() < SAME:
            break
        slowness = after
    fitted = _at(network, mode, routes.names, best)
    after_min = routes.by_class(fitted).total
    return Calibration(
        mode,
        _speeds(network, mode, routes.names, share, identified, best),
        _fit({"before": before.total, "after": after_min}, minutes),
        _pairs(trips.iloc[routes.rows], before.total, after_min),
        fitted,
    )


def _checked(observed: DataFrame) -> DataFrame:
    trips = observed.rename(columns={k: v for k, v in ALIASES.items() if k in observed.columns})
    missing = [name for name in COLUMNS if name not in trips.columns]
    if missing:
        raise FrameError(
            "observed",
            [
                f"column '{name}' is missing (there are: {', '.join(map(str, observed.columns))})"
                for name in missing
            ],
        )
    numbers = trips[list(COLUMNS)].apply(pd.to_numeric, errors="coerce")
    wrong = ~np.isfinite(numbers).all(axis=1) | (numbers["minutes"] <= 0)
    if wrong.any():
        raise FrameError(
            "observed", [f"degrees and minutes above 0 are needed in rows {some(trips.index[wrong])}"]
        )
    return numbers


@dataclass(frozen=True, eq=False)
class _Minutes:
    """What the routes of all trips are made of."""

    by_class: Array
    """float64 of shape (trips, classes + 1); the last column is waiting at junctions."""
    access: Array
    """Walking to the road and from it."""

    @property
    def total(self) -> Array:
        total: Array = self.by_class.sum(axis=1) + self.access
        return total


class _Routes:
    """Trips brought to the roads once, to be searched at any speeds."""

    def __init__(self, network: RoadNetwork, trips: DataFrame, mode: str, max_snap_m: float) -> None:
        self.mode = mode
        self.names = (*network.links.classes, DELAY)
        begin, end = (
            self._snapped(network, trips[f"{side}_lon"], trips[f"{side}_lat"], wanted, max_snap_m)
            for side, wanted in (("from", LEAVES), ("to", ARRIVES))
        )
        self.begin, self.end = begin, end
        self.rows = np.flatnonzero((begin.link >= 0) & (end.link >= 0))
        if self.rows.size:
            total = self.by_class(network).total
            self.rows = self.rows[np.isfinite(total)]

    def _snapped(self, network: RoadNetwork, lon: Any, lat: Any, wanted: int, max_snap_m: float) -> Snapped:
        index = [str(i) for i in range(len(lon))]
        points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), index=index, crs="EPSG:4326")
        return network.prepared.snapped(
            points, "observed", self.mode, wanted=wanted, max_snap_m=max_snap_m, access_m_per_s=None
        )

    def by_class(self, network: RoadNetwork) -> _Minutes:
        """Return the minutes of the quickest route of every trip by class of road; infinite where there is none."""
        prepared, mode = network.prepared, self.mode
        arcs, steps = prepared.graph(mode, reverse=False), prepared.steps(mode)
        nodes = arcs.indptr.size - 1
        size = nodes + 1
        out, into = (
            prepared.legs(points, mode, outgoing=outgoing)
            for points, outgoing in ((self.begin, True), (self.end, False))
        )
        by_class = np.zeros((self.rows.size, len(self.names)))
        access = self.begin.access_min[self.rows] + self.end.access_min[self.rows]
        ledger = _Ledger(network, mode, len(self.names))
        for k, row in enumerate(self.rows.tolist()):
            first, last = out.ptr[row], out.ptr[row + 1]
            # one node more stands for where the trip begins
            matrix = sparse.csr_array(
                (
                    np.r_[arcs.minutes, out.minutes[first:last] + 1e-9],
                    np.r_[arcs.heads, out.node[first:last]],
                    np.r_[arcs.indptr, arcs.indptr[-1] + last - first],
                ),
                shape=(size, size),
            )
            reached, before = csgraph.dijkstra(matrix, indices=nodes, return_predecessors=True)
            ends = into.node[into.ptr[row] : into.ptr[row + 1]]
            there = reached[ends] + into.minutes[into.ptr[row] : into.ptr[row + 1]]
            around = there.min(initial=np.inf)
            if ledger.stays(by_class[k], self.begin, self.end, row, around - access[k]):
                continue
            if not np.isfinite(around):
                by_class[k] = np.inf
                continue
            node = int(ends[there.argmin()])
            ledger.leg(by_class[k], self.end, row, node, float(there.min() - reached[node]), begins=False)
            while before[node] != nodes:
                at = int(before[node])
                place = arcs.indptr[at] + np.searchsorted(
                    arcs.heads[arcs.indptr[at] : arcs.indptr[at + 1]], node
                )
                ledger.step(by_class[k], int(steps[place]), 1.0)
                node = at
            ledger.leg(by_class[k], self.begin, row, node, float(reached[node]), begins=True)
        return _Minutes(by_class, access)


class _Ledger:
    """Book the minutes of links under their class, and what junctions cost under their own name."""

    def __init__(self, network: RoadNetwork, mode: str, columns: int) -> None:
        links = network.links
        self.highway, self.minutes = links.highway, links.minutes[mode]
        waited = links.delay_min.get(mode)
        self.waited = np.zeros_like(self.minutes) if waited is None else waited
        self.arrival = network.prepared.turning(mode).arrival
        self.tail, self.last = links.tail, columns - 1
        self.origin = np.r_[np.arange(len(network.node_ids)), network.prepared.turning(mode).origin]

    def step(self, row: Array, step: int, part: float) -> None:
        """Book a part of a link gone in one direction."""
        link, way = divmod(step, 2)
        waited = self.waited[link, way]
        row[self.highway[link]] += (self.minutes[link, way] - waited) * part
        row[self.last] += waited * part

    def stays(self, row: Array, begin: Snapped, end: Snapped, point: int, around: float) -> bool:
        """Book a trip along one link, and say whether it is one: whether nothing is quicker."""
        link, ahead = int(begin.link[point]), float(end.fraction[point] - begin.fraction[point])
        way = 0 if ahead >= 0 else 1
        if link != end.link[point] or not abs(ahead) * self.minutes[link, way] <= around:
            return False
        self.step(row, 2 * link + way, abs(ahead))
        return True

    def leg(
        self, row: Array, points: Snapped, point: int, node: int, minutes: float, *, begins: bool
    ) -> None:
        """Book the part of a link between a point and a node, the way to the road apart."""
        link = int(points.link[point])
        rest = minutes - float(points.access_min[point])
        if begins:
            way = 0 if node == self.arrival[link, 0] else 1
        else:
            way = 0 if self.origin[node] == self.tail[link] else 1
        whole = float(self.minutes[link, way])
        if np.isfinite(whole) and rest > 1e-7:
            self.step(row, 2 * link + way, rest / whole)


def _at(network: RoadNetwork, mode: str, names: tuple[str, ...], slowness: Array) -> RoadNetwork:
    pace = {name: float(1 / s) for name, s in zip(names[:-1], slowness[:-1], strict=True) if s != 1}
    return network.with_speeds(mode, pace=pace, delay=float(slowness[-1]))


def _weights(relative: Array) -> Array:
    spread = max(float(np.median(np.abs(relative))) / 0.6745, NEAR)
    weights: Array = 1 / np.maximum(np.abs(relative) / (HUBER * spread), 1.0)
    return weights


def _loss(computed: Array, observed: Array) -> float:
    relative = computed / observed - 1
    return float(np.abs(relative).sum())


def _fitted(by_class: Array, access: Array, observed: Array, identified: Array) -> Array:
    """Return how many times slower each class is, 1 where it cannot be told."""
    from scipy.optimize import lsq_linear  # noqa: PLC0415

    chosen = np.flatnonzero(identified)
    answer = np.ones(identified.size)
    if not chosen.size:
        return answer
    fixed = by_class[:, ~identified].sum(axis=1) + access
    left = by_class[:, chosen] / observed[:, None]
    right = 1 - fixed / observed
    is_delay = chosen == identified.size - 1
    low = np.where(is_delay, LEAST_DELAY, 1 / FASTEST)
    high = np.where(is_delay, MOST_DELAY, 1 / SLOWEST)
    weights = np.ones(observed.size)
    for _ in range(ROUNDS):
        root = np.sqrt(weights)
        solved = lsq_linear(left * root[:, None], right * root, bounds=(low, high)).x
        again = _weights(left @ solved - right)
        if np.abs(again - weights).max() < SAME:
            break
        weights = again
    answer[chosen] = solved
    return answer


def _speeds(
    network: RoadNetwork, mode: str, names: tuple[str, ...], share: Array, identified: Array, slowness: Array
) -> DataFrame:
    table = network.tables.get(mode)
    usual: Mapping[str, float] = {} if table is None else table.speed_kph
    before = np.array([usual.get(name, np.nan) for name in names])
    pace = np.r_[1 / slowness[:-1], slowness[-1]]
    frame = pd.DataFrame(
        {
            "share": share,
            "identified": identified,
            "pace": pace,
            "kph_before": before,
            "kph_after": before * pace,
        },
        index=pd.Index(names, name="highway"),
    )
    return frame[frame["share"] > 0].sort_values("share", ascending=False, kind="stable")


def _fit(computed: Mapping[str, Array], observed: Array) -> DataFrame:
    around = ((observed - observed.mean()) ** 2).sum()
    rows = {
        name: {
            "median_ratio": float(np.median(minutes / observed)),
            "r2": 1 - float(((minutes - observed) ** 2).sum()) / around if around > 0 else np.nan,
            "mean_error_min": float(np.abs(minutes - observed).mean()),
        }
        for name, minutes in computed.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _pairs(trips: DataFrame, before: Array, after: Array) -> GeoDataFrame:
    ends = trips[["from_lon", "from_lat", "to_lon", "to_lat"]].to_numpy().reshape(-1, 2, 2)
    frame = trips.rename(columns={"minutes": "observed_min"}).assign(
        before_min=before, after_min=after, ratio_after=after / trips["minutes"].to_numpy()
    )
    return gpd.GeoDataFrame(frame, geometry=shapely.linestrings(ends), crs="EPSG:4326")
