"""Hold the modelled roads and the invented lists against what they promise: plausible, and troubled on purpose."""

from __future__ import annotations

import io
import re
import sqlite3
import tomllib
import zipfile
from contextlib import closing
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from tests.sample.reading import CENTRES, FOLDER, KPH, METRIC, in_wgs84, nearest_nodes


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
    with closing(sqlite3.connect(f"file:{FOLDER / 'shaoyang.gpkg'}?mode=ro", uri=True)) as base:
        times = {t for (t,) in base.execute("SELECT last_change FROM gpkg_contents")}
    assert times == {"2000-01-01T00:00:00.000Z"}
