"""Make rows of candidates: at real places amid the elders of a unit or county, or where a standing home is rebuilt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from threadpoolctl import ThreadpoolController

from sy_coverage import coverage
from sy_coverage._frames import CANDIDATES, checked, metric_crs
from sy_coverage.errors import InputError, UnknownIdError, some
from sy_coverage.policy.targets import BedShare, UpgradeCount
from sy_coverage.siting.candidates.costs import OTHER_COST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from sy_coverage.policy import Policy, Target
    from sy_coverage.roads import TravelTimes

SEED = 20250101


def joined(
    listed: GeoDataFrame, rows: list[dict[str, Any]], *, crs: Any, facilities: GeoDataFrame
) -> GeoDataFrame:
    """Return the `listed` candidates with `rows` added, whose points are in `crs`, sorted by id.

    Raises
    ------
    UnknownIdError
        If an id of a row is a candidate's or a facility's already.
    """
    if not rows:
        return listed.sort_index()
    made = gpd.GeoDataFrame(rows, geometry="geometry", crs=crs).set_index("candidate_id").to_crs(listed.crs)
    clash = made.index.intersection(listed.index.union(facilities.index))
    if len(clash):
        raise UnknownIdError(
            f"candidates: ids that generated sites use are taken: {some(clash)}; rename the listed ones"
        )
    together = pd.concat([listed.astype(object), checked(made, CANDIDATES).astype(object)])
    return checked(gpd.GeoDataFrame(together, geometry="geometry", crs=listed.crs), CANDIDATES).sort_index()


@dataclass(frozen=True)
class Where:
    """Where sites may be made."""

    beside_listed: bool = True
    """Also in units that have a listed candidate of the kind."""
    apart_m: float = 0.0
    """Never so near, in metres, to a listed candidate of the kind."""
    nowhere: GeoDataFrame | None = None
    """Areas in which none is made."""


class Maker:
    """Make rows of candidates for one set of frames."""

    def __init__(
        self,
        units: GeoDataFrame,
        facilities: GeoDataFrame,
        listed: GeoDataFrame,
        demand: GeoDataFrame,
        policy: Policy,
        costs: Mapping[str, Mapping[str, float]],
        premises: str,
        junctions: GeoDataFrame | None,
        where: Where,
    ) -> None:
        self.units, self.facilities, self.listed, self.demand = units, facilities, listed, demand
        self.policy, self.costs, self.premises = policy, costs, premises
        points = demand.geometry.to_crs(metric_crs(units))
        self.metres = np.column_stack([points.x, points.y])
        self.elders = demand[policy.readings.elders].to_numpy(float)
        self.junctions = None if junctions is None else junctions.to_crs(demand.crs)
        self.areas = units.geometry.to_crs(demand.crs)
        self.where = where
        self.closed = _inside(where.nowhere, demand)

    def in_units(
        self, kind: str, unit_kinds: set[str], times: TravelTimes | None, per_unit: int, *, prefix: str
    ) -> list[dict[str, Any]]:
        """Return sites of `kind` for every unit of `unit_kinds` without an open one and, as `where` says, a listed one."""
        here = self.facilities[self.facilities["kind"] == kind]
        there = set(here["unit_id"].dropna())
        if not self.where.beside_listed:
            there |= set(self._usable(kind)["unit_id"].dropna())
        lacking = self.units.index[self.units["kind"].isin(unit_kinds) & ~self.units.index.isin(there)]
        reached = self._reached(kind, times)
        rows = []
        unit_of = self.demand["unit_id"].to_numpy()
        free = self._free(kind)
        for unit_id in lacking:
            inside = np.flatnonzero((unit_of == unit_id) & free)
            open_ = inside[~reached[inside]]
            at = self.clusters(open_ if len(open_) else inside, per_unit)
            rows += [self.row(f"{prefix}-{unit_id}-{n}", kind, int(i)) for n, i in enumerate(at, start=1)]
        return rows

    def in_counties(self, kind: str, needed: int) -> list[dict[str, Any]]:
        """Return sites of `kind` for every county where open and listed ones are fewer than `needed`."""
        rows = []
        county_of = self.demand["unit_id"].map(self.units["county_id"]).to_numpy()
        open_ones = self.facilities[self.facilities["kind"] == kind]
        there = pd.concat([coverage.county_of(f, self.units) for f in (open_ones, self._usable(kind))])
        count, free = there.value_counts().to_dict(), self._free(kind)
        for county_id in sorted(self.units["county_id"].unique()):
            inside = np.flatnonzero((county_of == county_id) & free)
            at = self.clusters(inside, needed - count.get(county_id, 0))
            rows += [self.row(f"G-{kind}-{county_id}-{n}", kind, int(i)) for n, i in enumerate(at, start=1)]
        return rows

    def rebuilt(self, target: Target) -> list[dict[str, Any]]:
        """Return sites that rebuild a standing home, for counties that must rebuild one and have no candidate that does."""
        measure = target.measure
        if not isinstance(measure, UpgradeCount):
            return []
        beds = next((t.measure for t in self.policy.targets if isinstance(t.measure, BedShare)), None)
        if beds is None:
            return []
        source = self.policy.bed_kinds(beds)[0]
        names = self.units.drop_duplicates("county_id").set_index("county_id")["county"]
        done: set[str] = set()
        for frame in (self.facilities, self.listed):
            rebuilds = frame[(frame["kind"] == measure.facility_kind) & _rebuilds(frame, measure)]
            done |= set(coverage.county_of(rebuilds, self.units).dropna())
        homes = self.facilities[(self.facilities["kind"] == source) & self.facilities.geometry.notna()]
        where = coverage.county_of(homes, self.units)
        rows = []
        for county_id, name in sorted(names.items()):
            if county_id not in target.counties and name not in target.counties:
                continue
            if county_id in done:
                continue
            for facility_id, home in homes[where == county_id].iterrows():
                rows.append(self._upgrade(str(facility_id), home, measure, county_id))
        return rows

    def _upgrade(self, facility_id: str, home: Any, measure: UpgradeCount, county_id: str) -> dict[str, Any]:
        table = self.costs.get(measure.facility_kind, OTHER_COST)
        if "upgrade" not in table:
            raise InputError(f"costs: none for {measure.facility_kind} in premises upgrade; add it")
        point = _moved(home["geometry"], self.facilities.crs, self.demand.crs)
        return {
            "candidate_id": f"G-{measure.facility_kind}-{facility_id}",
            "name": home["name"],
            "kind": measure.facility_kind,
            "cost": float(table["upgrade"]),
            "premises": measure.premises,
            "priced_as": "upgrade",
            "required": False,
            "unit_id": home["unit_id"],
            "county_id": county_id,
            "beds": home["beds"],
            "upgrade_of": facility_id,
            "origin": "generated",
            "located_by": "generated",
            "location_precision": home["location_precision"],
            "location_status": "located",
            "geometry": point,
        }

    def _usable(self, kind: str) -> GeoDataFrame:
        """Return the listed candidates of a kind that a plan can open: those with a point that no layer bars."""
        frame = self.listed[(self.listed["kind"] == kind) & self.listed.geometry.notna()]
        return frame[frame["barred_by"].isna()] if "barred_by" in frame.columns else frame

    def _free(self, kind: str) -> NDArray[np.bool_]:
        """Return the demand points with elders where a site of a kind may be: in no closed area, apart from every listed one."""
        free = (self.elders > 0) & ~self.closed
        listed = self.listed[(self.listed["kind"] == kind) & self.listed.geometry.notna()]
        if self.where.apart_m > 0 and len(listed):
            points = listed.geometry.to_crs(metric_crs(self.units))
            away, _ = cKDTree(np.column_stack([points.x, points.y])).query(self.metres)
            free &= away > self.where.apart_m
        return np.asarray(free)

    def _reached(self, kind: str, times: TravelTimes | None) -> NDArray[np.bool_]:
        if times is None:
            return np.zeros(len(self.demand), dtype=bool)
        here = self.facilities.index[(self.facilities["kind"] == kind).to_numpy()]
        some_times = times.select(sites=sorted(here[here.isin(times.site_ids)]), demand=self.demand.index)
        within = coverage.reached(self.demand, self.units, some_times, kind=self.policy.kind(kind))
        return np.asarray(within.sum(axis=0)).ravel() > 0

    def clusters(self, points: NDArray[np.int64], most: int) -> list[int]:
        """Return positions of the demand points nearest to the centres of at most `most` clusters, each once, heaviest first."""
        places = np.unique(self.metres[points], axis=0) if len(points) else np.empty((0, 2))
        count = min(most, len(places))
        if count <= 0:
            return []
        if count == 1:
            centres = np.average(self.metres[points], axis=0, weights=self.elders[points])[None, :]
        else:
            centres = self._means(points, count)
        chosen: list[int] = []
        for centre in centres[np.lexsort((centres[:, 1], centres[:, 0]))]:
            away = np.hypot(*(self.metres[points] - centre).T)
            order = points[np.lexsort((points, np.round(away, 3)))]
            chosen += [next(int(i) for i in order if i not in chosen)]
        nearest = np.argmin(
            np.hypot(*(self.metres[points][:, None, :] - self.metres[chosen][None, :, :]).transpose(2, 0, 1)),
            axis=1,
        )
        served = np.bincount(nearest, weights=self.elders[points], minlength=len(chosen))
        return [chosen[n] for n in np.lexsort((np.array(chosen), -served))]

    def _means(self, points: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """Return the centres of `count` clusters of elders."""
        from sklearn import config_context  # noqa: PLC0415  a second to import, only where sites are generated
        from sklearn.cluster import KMeans  # noqa: PLC0415

        model = KMeans(n_clusters=count, n_init=1, random_state=SEED, algorithm="lloyd")
        # a few dozen points: starting threads, or looking over the arguments again, would take longer than the work
        with _threads().limit(limits=1), config_context(skip_parameter_validation=True, assume_finite=True):
            model.fit(self.metres[points], sample_weight=self.elders[points])
        return np.asarray(model.cluster_centers_, dtype=np.float64)

    def row(self, candidate_id: str, kind: str, at: int) -> dict[str, Any]:
        """Return a site of `kind` at the demand point at position `at`."""
        place = self.demand.iloc[at]
        unit = self.units.loc[place["unit_id"]]
        named = isinstance(place["name"], str)
        crossing = None if named else self._junction(at, self.areas[place["unit_id"]])
        premises = self.premises if crossing is None else "new"
        table = self.costs.get(kind, OTHER_COST)
        if premises not in table:
            raise InputError(f"costs: none for {kind} in premises {premises}; add it")
        return {
            "candidate_id": candidate_id,
            "name": place["name"] if named else unit["name"],
            "kind": kind,
            "cost": float(table[premises]),
            "premises": "unknown",
            "priced_as": premises,
            "required": False,
            "unit_id": place["unit_id"],
            "county_id": unit["county_id"],
            "origin": "generated",
            "located_by": "generated",
            "location_precision": "village" if crossing is None else "point",
            "location_status": "located",
            "geometry": place["geometry"] if crossing is None else crossing,
        }

    def _junction(self, at: int, area: Any) -> Any:
        """Return the junction of a unit that is nearest to a demand point, or None if it has none."""
        if self.junctions is None:
            return None
        inside = self.junctions.geometry[self.junctions.geometry.within(area)]
        if inside.empty:
            return None
        metric = inside.to_crs(metric_crs(self.units))
        away = np.round(np.hypot(metric.x - self.metres[at, 0], metric.y - self.metres[at, 1]), 1)
        return inside.iloc[int(np.argmin(away))]


def _inside(areas: GeoDataFrame | None, demand: GeoDataFrame) -> NDArray[np.bool_]:
    """Return which demand points lie in one of some areas."""
    inside = np.zeros(len(demand), dtype=bool)
    if areas is not None and len(areas):
        shapes = areas.geometry.to_crs(demand.crs)
        inside[np.unique(shapes.sindex.query(demand.geometry, predicate="intersects")[0])] = True
    return inside


@cache
def _threads() -> ThreadpoolController:
    """Return what limits the threads of the libraries that are loaded; looking for these takes long."""
    return ThreadpoolController()


def _moved(point: Any, crs: Any, to: Any) -> Any:
    """Return `point` in another CRS."""
    return gpd.GeoSeries([point], crs=crs).to_crs(to).iloc[0]


def _rebuilds(frame: GeoDataFrame, measure: UpgradeCount) -> Any:
    rebuilt = frame["premises"] == measure.premises
    return rebuilt | frame["upgrade_of"].notna() if "upgrade_of" in frame.columns else rebuilt
