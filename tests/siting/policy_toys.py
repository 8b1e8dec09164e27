"""Build small policy problems on a straight road, one minute a kilometre, and solve them by trying every subset."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from itertools import combinations
from math import ceil, inf

import geopandas as gpd
import pandas as pd

from sy_coverage import policy, siting
from sy_coverage.roads import TravelTimes
from tests import toy

CUTOFF = {"street": 15, "township": 30, "other": 30}
POLICY = policy.load_policy("shaoyang_2025")
TARGETS = (
    "county_dementia_unit",
    "county_regional_home",
    "street_centre_coverage",
    "township_centre_coverage",
)


def policy_of(*, homes: int = 2) -> policy.Policy:
    """Return the policy with the four targets that sites decide, `homes` regional homes a county."""
    kept = [t for t in POLICY.targets if t.id in TARGETS]
    kept = [
        t.model_copy(update={"value": float(homes)}) if t.id == "county_regional_home" else t for t in kept
    ]
    return POLICY.model_copy(update={"targets": tuple(kept)})


def planned(*frames: gpd.GeoDataFrame, **asked: object) -> siting.SitingPlan:
    """Return the plan of `policy_plan` when its rules are given as keywords."""
    names = {f.name for f in fields(siting.PlanRules)}
    rules = siting.PlanRules(**{k: asked.pop(k) for k in list(asked) if k in names})  # type: ignore[arg-type]
    return siting.policy_plan(*frames, rules=rules, **asked)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Road:
    """A problem on the road: everything by kilometre."""

    units: dict[str, tuple[str, str, float, float]]
    """unit: (kind, county, from km, to km)."""
    villages: dict[str, tuple[float, int]]
    facilities: dict[str, tuple[str, float]] = field(default_factory=dict)
    candidates: dict[str, tuple[str, float, float]] = field(default_factory=dict)
    """site: (kind, km, cost)."""
    extra: dict[str, dict[str, object]] = field(default_factory=dict)
    """Further columns of candidates: {column: {site: value}}."""
    homes: int = 2

    def unit_at(self, km: float) -> str:
        return next(u for u, (_, _, a, b) in self.units.items() if a <= km < b)

    def _points(self, rows: dict[str, float], index: str, **columns: object) -> gpd.GeoDataFrame:
        units = [self.unit_at(k) for k in rows.values()]
        return gpd.GeoDataFrame(
            {
                "name": list(rows),
                "unit_id": units,
                "county_id": [self.units[u][1] for u in units],
                **columns,
            },
            geometry=[toy.at(k) for k in rows.values()],
            index=pd.Index(list(rows), name=index, dtype=object),
            crs=toy.CRS,
        ).to_crs("EPSG:4326")

    def frames(self) -> dict[str, gpd.GeoDataFrame]:
        """Return units, facilities, candidates and demand."""
        from shapely import box

        units = gpd.GeoDataFrame(
            {
                "name": list(self.units),
                "kind": [k for k, _, _, _ in self.units.values()],
                "county_id": [c for _, c, _, _ in self.units.values()],
                "county": [f"{c}县" for _, c, _, _ in self.units.values()],
            },
            geometry=[
                box(toy.EAST + a * 1000, toy.NORTH - 5000, toy.EAST + b * 1000, toy.NORTH + 5000)
                for _, _, a, b in self.units.values()
            ],
            index=pd.Index(list(self.units), name="unit_id", dtype=object),
            crs=toy.CRS,
        ).to_crs("EPSG:4326")
        facilities = self._points(
            {i: km for i, (_, km) in self.facilities.items()},
            "facility_id",
            kind=[k for k, _ in self.facilities.values()],
            status="open",
        )
        candidates = self._points(
            {i: km for i, (_, km, _) in self.candidates.items()},
            "candidate_id",
            kind=[k for k, _, _ in self.candidates.values()],
            cost=[c for _, _, c in self.candidates.values()],
        )
        for column, values in self.extra.items():
            candidates[column] = pd.Series(values, dtype=object).reindex(candidates.index)
        demand = self._points(
            {i: km for i, (km, _) in self.villages.items()},
            "demand_id",
            elders=[float(e) for _, e in self.villages.values()],
        )
        return {"units": units, "facilities": facilities, "candidates": candidates, "demand": demand}

    def times(self) -> dict[str, TravelTimes]:
        """Return the minutes of every kind; every pair is known."""
        every = self.kilometres()
        found = {}
        for kind in ("service_centre", "dementia_unit", "regional_home"):
            sites = [i for i in every if self.kind_of(i) == kind]
            table = {s: {v: abs(km - every[s]) for v, (km, _) in self.villages.items()} for s in sites}
            found[kind] = TravelTimes.from_matrix(
                pd.DataFrame(table, index=list(self.villages), columns=sites, dtype=float)
            )
        return found

    def between_homes(self) -> TravelTimes:
        every = self.kilometres()
        homes = [i for i in every if self.kind_of(i) == "regional_home"]
        return TravelTimes.from_matrix(
            pd.DataFrame(
                [[abs(every[a] - every[b]) for a in homes] for b in homes],
                index=homes,
                columns=homes,
                dtype=float,
            )
        )

    def kilometres(self) -> dict[str, float]:
        return {i: km for i, (_, km) in self.facilities.items()} | {
            i: km for i, (_, km, _) in self.candidates.items()
        }

    def kind_of(self, site: str) -> str:
        return (self.facilities.get(site) or self.candidates[site])[0]

    # --- by trying everything -------------------------------------------------------------------------------------

    def value(
        self,
        sites: tuple[str, ...],
        *,
        scope: str = "county",
        rule: str = "presence",
        share: float = 0.8,
        spread: float | None = None,
        budget: float | None = None,
    ) -> tuple[int, float, float, float, float, int] | None:
        """Return (what lacks, cost, −elders, minutes, minutes to homes, ranks) of opening `sites`; None if not allowed."""
        km = self.kilometres()
        open_ = [*self.facilities, *sites]
        cost = sum(self.candidates[s][2] for s in sites)
        if budget is not None and cost > budget:
            return None
        if any(self.extra.get("required", {}).get(c) for c in self.candidates if c not in sites):
            return None
        if any((h := self.extra.get("host_id", {}).get(s)) and h not in open_ for s in sites):
            return None
        homes = [s for s in open_ if self.kind_of(s) == "regional_home"]
        for a, b in combinations(homes, 2):
            close = spread is not None and abs(km[a] - km[b]) < spread
            if close and self._county(a) == self._county(b) and (a in sites or b in sites):
                return None
        centres = [s for s in open_ if self.kind_of(s) == "service_centre"]
        reach = {
            v: min((abs(x - km[s]) for s in centres), default=inf) for v, (x, _) in self.villages.items()
        }
        inside = {
            v for v in reach if reach[v] <= 1e-9 + CUTOFF[self.units[self.unit_at(self.villages[v][0])][0]]
        }
        lacks = self._lacking(open_, centres, inside, scope, rule, share)
        elders = sum(self.villages[v][1] for v in inside)
        minutes = self._minutes("service_centre", centres, list(self.villages))
        to_homes = 0.0
        for kind in ("dementia_unit", "regional_home"):
            for county in {c for _, c, _, _ in self.units.values()}:
                own = [s for s in open_ if self.kind_of(s) == kind and self._county(s) == county]
                people = [
                    v for v, (x, _) in self.villages.items() if self.units[self.unit_at(x)][1] == county
                ]
                to_homes += self._minutes(kind, own, people)
        order = sorted(self.candidates)
        return lacks, cost, -elders, minutes, to_homes, sum(order.index(s) + 1 for s in sites)

    def _county(self, site: str) -> str:
        return self.units[self.unit_at(self.kilometres()[site])][1]

    def _minutes(self, kind: str, sites: list[str], people: list[str]) -> float:
        km = self.kilometres()
        every = [s for s in km if self.kind_of(s) == kind]
        cap = max((abs(x - km[s]) for s in every for x, _ in self.villages.values()), default=0.0)
        total = 0.0
        for v in people:
            x, elders = self.villages[v]
            total += elders * min((abs(x - km[s]) for s in sites), default=cap)
        return total

    def _lacking(
        self, open_: list[str], centres: list[str], inside: set[str], scope: str, rule: str, share: float
    ) -> int:
        km, lacks = self.kilometres(), 0
        counties = sorted({c for _, c, _, _ in self.units.values()})
        covered = set()
        for unit in self.units:
            present = any(self.unit_at(km[s]) == unit for s in centres)
            people = [v for v, (x, _) in self.villages.items() if self.unit_at(x) == unit]
            whole = sum(self.villages[v][1] for v in people)
            part = sum(self.villages[v][1] for v in people if v in inside)
            near = part * 1000 >= round(share * 1000) * whole
            if {"presence": present, "access": near, "both": present and near}[rule]:
                covered.add(unit)
        for places in [[c] for c in counties] if scope == "county" else [counties]:
            for kind, percent in (("street", 100), ("township", 65)):
                mine = [u for u, (k, c, _, _) in self.units.items() if k == kind and c in places]
                lacks += max(0, ceil(percent * len(mine) / 100) - len(covered & set(mine)))
        for county in counties:
            for kind, needed in (("dementia_unit", 1), ("regional_home", self.homes)):
                count = sum(self.kind_of(s) == kind and self._county(s) == county for s in open_)
                lacks += max(0, needed - count)
        return lacks

    def best(self, **options: object) -> tuple[tuple[str, ...], tuple[float, ...]] | None:
        """Return the best subset that lacks nothing, and its value; None where there is none."""
        return self._best(lambda v: v[1:] if v[0] == 0 else None, **options)

    def best_within(self, **options: object) -> tuple[tuple[str, ...], tuple[float, ...]] | None:
        """Return the subset that lacks least, then reaches most elders, whatever its cost."""
        return self._best(lambda v: (v[0], *v[2:]), **options)

    def _best(self, key: object, **options: object) -> tuple[tuple[str, ...], tuple[float, ...]] | None:
        found = None
        for n in range(len(self.candidates) + 1):
            for sites in combinations(sorted(self.candidates), n):
                value = self.value(sites, **options)  # type: ignore[arg-type]
                ranked = None if value is None else key(value)  # type: ignore[operator]
                if ranked is not None and (found is None or ranked < found[1]):
                    found = (sites, ranked)
        return found
