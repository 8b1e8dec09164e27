"""Villages without coordinates: located by name in a layer, else spread over their unit by a stated rule, and said to be."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point

from sy_coverage import places
from tests import toy

IN_UNITS = {"甲镇": "990100100", "乙镇": "990100101"}


def listed(*rows: tuple[str, str | None], points: dict[int, Point] | None = None) -> gpd.GeoDataFrame:
    """Return villages as a list gives them: (name, unit as it is written), most without a point."""
    given = points or {}
    frame = gpd.GeoDataFrame(
        {
            "name": [name for name, _ in rows],
            "elders": 100.0,
            "unit_named": [unit for _, unit in rows],
            "county_named": toy.COUNTY_NAME,
        },
        geometry=[given.get(n) for n in range(len(rows))],
        crs="EPSG:4326",
        index=pd.Index([f"村-{n}" for n in range(len(rows))], name="demand_id"),
    )
    return places.assign_units(frame, toy.units())


def layer(**named: tuple[str, float]) -> gpd.GeoDataFrame:
    points = [toy.at(km) for _, km in named.values()]
    frame = gpd.GeoDataFrame({"name": list(named)}, geometry=points, crs=toy.CRS).to_crs("EPSG:4326")
    return places.assign_units(frame.assign(unit_named=[unit for unit, _ in named.values()]), toy.units())


def test_a_layer_of_villages_gives_the_point_by_name_inside_the_unit():
    villages = listed(("青石村", "甲镇"), ("青石村", "乙镇"), ("白水社区居委会", "乙镇"), ("黄泥村", "乙镇"))
    known = layer(青石村=("甲镇", 12.0), 白水社区=("乙镇", 27.0), 青石=("丙乡", 35.0))
    found = places.placed_by_name(villages, toy.units(), positions=known)
    metres = found.to_crs(toy.CRS).geometry
    assert metres.iloc[0].distance(toy.at(12)) < 0.01
    assert metres.iloc[2].distance(toy.at(27)) < 0.01  # 居委会 or not, it is the same community
    assert found["position_quality"].tolist() == ["by_name", "estimated", "by_name", "estimated"]
    report = found.attrs["report"].set_index("what_id")["value"]
    assert (report["villages_by_name"], report["villages_estimated"]) == ("2", "2")


def test_the_others_are_spread_evenly_inside_their_own_unit_whatever_the_order_of_the_list():
    rows = [(f"第{n}村", "甲镇" if n % 2 else "乙镇") for n in range(60)]
    found = places.placed_by_name(listed(*rows), toy.units())
    shapes = toy.units().geometry
    for point, unit_id in zip(found.geometry, found["unit_id"], strict=True):
        assert shapes[unit_id].contains(point)
    # thirty points in each 10 km square: none of its four quarters is empty, and no two are one
    metres = found.to_crs(toy.CRS).geometry
    for name, west in (("甲镇", 10_000), ("乙镇", 20_000)):
        own = metres[found["unit_id"] == IN_UNITS[name]]
        quarters = {(int((p.x - toy.EAST - west) // 5000), int((p.y - toy.NORTH) // 5000)) for p in own}
        assert len(quarters) == 4
        assert len({(round(p.x), round(p.y)) for p in own}) == 30
    again = places.placed_by_name(listed(*reversed(rows)), toy.units())
    where = {name: (p.x, p.y) for name, p in zip(again["name"], again.geometry, strict=True)}
    assert all(where[n] == (p.x, p.y) for n, p in zip(found["name"], found.geometry, strict=True))


def test_spread_villages_stand_at_the_roads_where_they_are_known():
    spots = gpd.GeoDataFrame(geometry=[toy.at(km) for km in (11, 13, 15, 17, 35)], crs=toy.CRS)
    found = places.placed_by_name(listed(*[(f"{n}村", "甲镇") for n in range(6)]), toy.units(), spots=spots)
    km = np.round((found.to_crs(toy.CRS).geometry.x - toy.EAST) / 1000, 3)
    assert set(km) == {11, 13, 15, 17}  # of its own unit only, each once before one is taken again
    assert km.value_counts().max() == 2


def test_points_that_are_given_stay_and_a_village_of_no_known_unit_stops_nothing():
    villages = listed(("有点村", "甲镇"), ("无名村", "飞地镇"), points={0: Point(111.2, 27.11)})
    found = places.placed_by_name(villages, toy.units())
    assert found.geometry.iloc[0].equals(Point(111.2, 27.11))
    assert pd.isna(found["position_quality"].iloc[0])
    assert toy.units().union_all().contains(found.geometry.iloc[1])
    assert found["unit_id"].iloc[1] is None
    assert found["elders"].sum() == villages["elders"].sum()


@pytest.mark.parametrize("positions", [None, "layer"])
def test_a_list_without_gaps_is_left_as_it_is(positions):
    full = layer(青石村=("甲镇", 12.0))
    found = places.placed_by_name(full, toy.units(), positions=full if positions else None)
    assert found.geometry.equals(full.geometry)
    assert "position_quality" not in found.columns
