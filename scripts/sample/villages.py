"""Spread villages inside their estimated town and the census over the villages: modelled, seeded, sums exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from sample.towns import GRID, METRIC

if TYPE_CHECKING:
    from collections.abc import Iterable

SEED = 4305_02


@dataclass(frozen=True)
class Census:
    """The 2020 census of one county: persons, persons aged 60+, 65+ and 80+, and households.

    Persons are as published; the age counts are shares published to 0.01 %, times persons, rounded; households are
    persons × share living in family households ÷ mean size of a family household, rounded.
    """

    persons: int
    aged_60: int
    aged_65: int
    aged_80: int
    family_share: float
    family_size: float

    @property
    def households(self) -> int:
        """Return the number of family households."""
        return round(self.persons * self.family_share / self.family_size)


CENSUS_SOURCE = "第七次全国人口普查 2020 (China Population Census 2020, by county): persons, age structure, family households"
CENSUS = {
    "430502": Census(317_283, 59_205, 43_849, 8_884, 0.8848, 2.64),
    "430503": Census(362_289, 62_930, 47_351, 10_108, 0.8475, 2.26),
    "430511": Census(122_658, 19_858, 14_596, 2_527, 0.9408, 2.46),
    "430522": Census(612_943, 130_067, 99_787, 21_208, 0.9580, 2.87),
    "430523": Census(752_125, 164_941, 127_335, 27_453, 0.9737, 2.94),
    "430524": Census(1_009_778, 200_744, 149_346, 31_303, 0.9731, 2.75),
    "430525": Census(675_495, 156_917, 116_388, 25_669, 0.9667, 2.87),
    "430527": Census(290_664, 61_446, 45_315, 9_737, 0.9735, 2.58),
    "430528": Census(513_777, 108_458, 79_533, 16_133, 0.9715, 2.95),
    "430529": Census(227_911, 43_098, 30_335, 5_629, 0.9814, 2.87),
    "430581": Census(640_181, 136_423, 103_901, 21_510, 0.9730, 2.70),
    "430582": Census(1_038_416, 217_652, 166_354, 32_918, 0.9342, 2.59),
}

SEATS = {
    "430502": "兴隆街道",
    "430503": "雨溪街道",
    "430511": "状元洲街道",
    "430522": "酿溪镇",
    "430523": "塘渡口镇",
    "430524": "桃花坪街道",
    "430525": "文昌街道",
    "430527": "长铺镇",
    "430528": "金石镇",
    "430529": "儒林镇",
    "430581": "辕门口街道",
    "430582": "两市塘街道",
}
"""The unit in which each county's government sits (for the three districts: one of its central streets)."""


def apportion(total: int, weights: np.ndarray) -> np.ndarray:
    """Return integers that sum to `total`, in proportion to `weights` (largest remainder, ties by position)."""
    exact = total * weights / weights.sum()
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole


def place(
    villages: pd.DataFrame, units: pd.DataFrame, polygons: gpd.GeoSeries, seats: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return the villages with points (`METRIC`) inside their town's polygon, denser towards its seat."""
    areas = polygons.to_crs(METRIC)
    points: dict[str, shapely.Point] = {}
    for unit_id in units.index:
        ids = sorted(villages.index[villages["unit_id"] == unit_id])
        rng = np.random.default_rng([SEED, int(unit_id)])
        seat = seats.geometry[unit_id]
        if not areas[unit_id].buffer(-100).covers(seat):
            seat = shapely.point_on_surface(areas[unit_id])
        # communities of a town stand nearest its seat
        ids.sort(key=lambda i: (not villages.loc[i, "name"].endswith("社区"), i))
        points |= zip(ids, _scatter(areas[unit_id], seat, len(ids), rng), strict=True)
    return gpd.GeoDataFrame(
        villages.assign(position_quality="modelled"),
        geometry=[points[i] for i in villages.index],
        crs=METRIC,
    )


def _scatter(
    area: shapely.Geometry, seat: shapely.Point, count: int, rng: np.random.Generator
) -> Iterable[shapely.Point]:
    """Return `count` points of `area`, the first near `seat`, the others kept apart and thinning out from it."""
    room = area.buffer(-60)
    radius = np.sqrt(area.area / np.pi)
    chosen = [np.array([seat.x, seat.y]) + rng.normal(0, 40, 2)]
    while len(chosen) < count:
        tries = _tries(room, rng)
        away = np.hypot(tries[:, 0] - seat.x, tries[:, 1] - seat.y) / radius
        apart = np.sqrt(((tries[:, None] - np.array(chosen)[None]) ** 2).sum(axis=2)).min(axis=1)
        chosen.append(tries[int(np.argmax(apart / (0.22 + away)))])
    return [shapely.Point(p) for p in sorted(chosen[:count], key=lambda p: np.hypot(*(p - chosen[0])))]


def _tries(room: shapely.Geometry, rng: np.random.Generator) -> np.ndarray:
    west, south, east, north = room.bounds
    found = np.empty((0, 2))
    while len(found) < 10:
        drawn = rng.uniform((west, south), (east, north), (40, 2))
        found = np.vstack([found, drawn[shapely.contains_xy(room, drawn[:, 0], drawn[:, 1])]])
    return found[:10]


def people(villages: gpd.GeoDataFrame, units: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the villages with `elders`, `elders_65`, `elders_80`, `households`; sums by county are the census."""
    size = pd.Series(1.0, index=villages.index)
    community = villages["name"].str.endswith("社区")
    kind = villages["unit_id"].map(units["kind"])
    seat = villages["unit_id"].map(units["name"]) == villages["county_id"].map(SEATS)
    size[community] = 1.3
    size[community & (seat | (kind == "street"))] = 2.0
    size[kind == "other"] = 0.25
    rng = np.random.default_rng(SEED)
    size *= rng.lognormal(0, 0.35, len(size))
    older = rng.lognormal(0, 0.08, (2, len(size)))
    out = villages.assign(elders=0, elders_65=0, elders_80=0, households=0)
    for county_id, census in CENSUS.items():
        rows = (villages["county_id"] == county_id).to_numpy()
        weight = size.to_numpy()[rows]
        over_80 = apportion(census.aged_80, weight * older[0, rows])
        to_79 = apportion(census.aged_65 - census.aged_80, weight * older[1, rows])
        to_64 = apportion(census.aged_60 - census.aged_65, weight)
        out.loc[rows, "elders_80"] = over_80
        out.loc[rows, "elders_65"] = over_80 + to_79
        out.loc[rows, "elders"] = over_80 + to_79 + to_64
        out.loc[rows, "households"] = apportion(census.households, weight)
    return out


def rounded(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the points of `frame` in EPSG:4326, rounded to the grid of the sample."""
    degrees = frame.to_crs("EPSG:4326")
    return degrees.set_geometry(shapely.set_precision(degrees.geometry.to_numpy(), GRID), crs="EPSG:4326")
