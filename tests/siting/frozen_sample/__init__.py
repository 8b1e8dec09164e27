"""Hold the sample as it stood before travel times and candidates changed, so that figures of plans stay comparable.

Units are squares about their seats. Minutes are rounded up to a tenth, which moves none across a cutoff, and reach one cutoff
far: costs, sites and elders of the twelve plans are those of the sample then; elder-minutes are not.
"""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse

from sy_coverage import policy, siting
from sy_coverage.roads import TravelTimes

FOLDER = Path(__file__).parent
INDEX = {
    "units": "unit_id",
    "facilities": "facility_id",
    "candidates": "candidate_id",
    "demand": "demand_id",
}
DATE = dt.date(2027, 12, 31)


@cache
def frames() -> dict[str, gpd.GeoDataFrame]:
    """Return units, facilities, candidates and demand of the whole city; not to be changed."""
    return {name: _frame(name) for name in INDEX}


def _frame(name: str) -> gpd.GeoDataFrame:
    rows = pd.read_parquet(FOLDER / f"{name}.parquet").set_index(INDEX[name])
    lon, lat = rows.pop("lon").to_numpy(), rows.pop("lat").to_numpy()
    rows = rows.astype({c: object for c in rows if not pd.api.types.is_numeric_dtype(rows[c])})
    rows = rows.set_axis(rows.index.astype(object))
    shapes: Any = shapely.points(lon, lat)
    if name == "units":
        shapes = shapely.box(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01)
    shapes[np.isnan(lon)] = None
    return gpd.GeoDataFrame(rows, geometry=shapes, crs="EPSG:4326")


@cache
def times() -> dict[str, TravelTimes]:
    """Return the minutes of every kind, and by ``between_homes`` and ``to_medical`` those between sites."""
    with np.load(FOLDER / "times.npz") as parts:
        about = json.loads(bytes(parts["about"]).decode())
        return {name: _times(parts, name, **asked) for name, asked in about.items()}


def _times(parts: Any, name: str, *, cutoff_min: float, sites: list[str], demand: list[str]) -> TravelTimes:
    counts = parts[f"{name}_counts"].astype(np.int64)
    first = np.r_[0, np.cumsum(counts)]
    steps = parts[f"{name}_steps"].astype(np.int64)
    ran = np.r_[0, np.cumsum(steps)]
    columns = ran[1:] - np.repeat(ran[first[:-1]], counts)
    demand = demand or list(frames()["demand"].index)
    minutes = sparse.csr_array(
        (parts[f"{name}_tenths"] / 10.0, columns, first), shape=(len(sites), len(demand))
    )
    return TravelTimes(minutes, tuple(sites), tuple(demand), cutoff_min, mode="drive")


def expected() -> dict[str, dict[str, Any]]:
    """Return by county the `cost`, `elders` and `sites` of the sample's plans then."""
    return dict(json.loads((FOLDER / "plans.json").read_text(encoding="utf-8")))


def arguments(county_id: str | None = None) -> dict[str, Any]:
    """Return what the sample asked `policy_plan` for one county, or (None) for the whole city."""
    given: dict[str, Any] = dict(frames())
    if county_id is not None:
        for name in ("units", "candidates", "demand"):
            given[name] = given[name][given[name]["county_id"] == county_id]
    found = times()
    return {
        **given,
        "policy": policy.load_policy("shaoyang_2025"),
        "times": {k: t for k, t in found.items() if k not in {"between_homes", "to_medical"}},
        "between_homes": found["between_homes"],
        "to_medical": found["to_medical"],
        "rules": siting.PlanRules(spread_min=20.0, medical_min=30.0, conversion_cost=0.0, date=DATE),
    }
