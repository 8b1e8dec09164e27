"""Locating facilities: given points, names in addresses, provenance of each row, and every doubt."""

from __future__ import annotations

import re
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from sy_coverage import labels
from sy_coverage.errors import CoordinateSystemError, FrameError, InputError
from sy_coverage.places import assign_units, doubts, from_wgs84, gazetteer, geocode, read_facilities
from tests import toy

# Two counties side by side; 新建村 is in three towns, 城关镇 in both counties.
UNITS = {  # id: (name, kind, county id, county, km east)
    "430524100": ("桃花坪街道", "street", "430524", "隆回县", 0),
    "430524101": ("城关镇", "township", "430524", "隆回县", 10),
    "430529100": ("城关镇", "township", "430529", "城步苗族自治县", 20),
    "430503101": ("罗市镇", "township", "430503", "大祥区", 30),
}
VILLAGES = {  # id: (name, unit id, km east, elders)
    "430524100001": ("火车社区", "430524100", 2, 100),
    "430524100002": ("新建村", "430524100", 8, 10),
    "430524101001": ("新建村", "430524101", 12, 50),
    "430524101002": ("大坪村", "430524101", 18, 50),
    "430529100001": ("新建村", "430529100", 25, 70),
    "430529100002": ("碧云社区", "430529100", 26, 10),
    "430503101001": ("罗家村", "430503101", 35, 10),
}


@pytest.fixture
def units():
    frame = gpd.GeoDataFrame(
        [dict(zip(("name", "kind", "county_id", "county"), row[:4], strict=True)) for row in UNITS.values()],
        geometry=[
            box(toy.EAST + 1000 * r[4], toy.NORTH, toy.EAST + 1000 * r[4] + 10_000, toy.NORTH + 10_000)
            for r in UNITS.values()
        ],
        index=pd.Index(list(UNITS), name="unit_id"),
        crs=toy.CRS,
    )
    return frame.assign(boundary_quality="official").to_crs("EPSG:4326")


@pytest.fixture
def villages():
    frame = gpd.GeoDataFrame(
        {
            "name": [v[0] for v in VILLAGES.values()],
            "unit_id": [v[1] for v in VILLAGES.values()],
            "elders": [float(v[3]) for v in VILLAGES.values()],
        },
        geometry=[Point(toy.EAST + 1000 * v[2], toy.NORTH + 5000) for v in VILLAGES.values()],
        index=pd.Index(list(VILLAGES), name="demand_id"),
        crs=toy.CRS,
    )
    return frame.to_crs("EPSG:4326")


def rows(*addresses, names=None, **columns):
    """Return facilities without points at these addresses."""
    index = pd.Index([f"F{i}" for i in range(len(addresses))], name="facility_id")
    data = {
        "name": names or [f"某机构{i}" for i in range(len(addresses))],
        "kind": "station",
        "address": list(addresses),
    }
    return gpd.GeoDataFrame(data | columns, geometry=[None] * len(addresses), index=index, crs="EPSG:4326")


def km_of(frame, row_id):
    point = frame.geometry.to_crs(toy.CRS)[row_id]
    return round((point.x - toy.EAST) / 1000, 3)


@pytest.mark.parametrize(
    ("address", "km"),
    [
        ("湖南省邵阳市隆回县桃花坪街道火车社区12号", 2),
        ("隆回县桃花坪街道办事处火车社区居委会", 2),
        ("隆回县桃花坪镇火车村", 2),  # a town that became a street, a village that became a community
        ("隆回县 城关镇 大坪村３组", 18),
        ("隆回城关镇新建村", 12),
        ("城步县城关镇新建村委会", 25),  # short for 城步苗族自治县
        ("城步苗族自治县城关镇碧云居委会", 26),
        ("大祥区罗士镇罗家村", 35),  # renamed since: 罗市镇
    ],
)
def test_the_longest_known_name_inside_the_county_gives_a_village(units, villages, address, km):
    found = geocode(rows(address), [gazetteer(units, villages)], units=units)
    assert km_of(found, "F0") == km
    assert found.loc["F0", "location_precision"] == "village"
    assert found.loc["F0", "location_status"] == "located"
    assert found.loc["F0", "located_by"] == "gazetteer"
    assert found.loc["F0", "location_query"] == address


def test_row_80_same_names_are_matched_inside_their_county_and_listed_where_it_is_not_known(units, villages):
    found = geocode(
        rows("城关镇新建村", "隆回县新建村", "城步苗族自治县新建村"),
        [gazetteer(units, villages)],
        units=units,
    )
    assert found["location_status"].tolist() == ["ambiguous", "ambiguous", "located"]
    assert found.geometry.isna().tolist() == [True, True, False]
    assert found.loc["F0", "location_reason"] == "several_units"
    assert found.loc["F0", "location_detail"] == "隆回县城关镇、城步苗族自治县城关镇"
    assert found.loc["F1", "location_detail"] == "隆回县桃花坪街道新建村、隆回县城关镇新建村"


def test_row_80_two_villages_of_one_name_in_one_town_are_ambiguous(units, villages):
    twin = villages.loc[["430524101001"]].set_axis(pd.Index(["430524101003"], name="demand_id"))
    both = pd.concat([villages, twin])
    found = geocode(rows("隆回县城关镇新建村"), [gazetteer(units, both)], units=units)
    assert found.loc["F0", "location_reason"] == "several_villages"
    assert found.geometry.isna().all()


def test_the_row_s_own_county_and_unit_decide_where_names_are_looked_for(units, villages):
    frame = rows("新建村5组", "新建村", county_named=["隆回县", "城步县"], unit_named=["城关镇", "城关镇"])
    found = geocode(frame, [gazetteer(units, villages)], units=units)
    assert [km_of(found, i) for i in found.index] == [12, 25]
    assert found["unit_id"].tolist() == ["430524101", "430529100"]


def test_a_town_is_approximate_where_the_study_accepts_it_and_stands_at_its_elders_village(units, villages):
    frame = rows("隆回县桃花坪街道")
    found = geocode(frame, [gazetteer(units, villages)], units=units, accept=["village", "town"])
    assert (found.loc["F0", "location_status"], found.loc["F0", "location_precision"]) == (
        "approximate",
        "town",
    )
    assert km_of(found, "F0") == 2  # the mean of 100 elders at km 2 and 10 at km 8 is km 2.5
    strict = geocode(frame, [gazetteer(units, villages)], units=units)
    assert strict.loc["F0", "location_status"] == "not_located"
    assert strict.loc["F0", "location_reason"] == "too_coarse"
    assert strict.geometry.isna().all()
    with pytest.raises(InputError, match="accept"):
        geocode(frame, [], units=units, accept=["street"])


def test_a_county_alone_is_no_place(units, villages):
    found = geocode(rows("隆回县", "某某路1号", None), [gazetteer(units, villages)], units=units)
    assert found["location_status"].tolist() == ["not_located"] * 3
    assert found["location_reason"].tolist() == ["county_only", "no_name_known", "no_name_known"]


def test_the_name_of_a_facility_helps_where_its_address_does_not(units, villages):
    frame = rows("隆回县某路1号", names=["城关镇大坪村养老服务站"])
    found = geocode(frame, [gazetteer(units, villages)], units=units)
    assert km_of(found, "F0") == 18
    assert found.loc["F0", "location_query"] == "城关镇大坪村养老服务站"  # where the village was found


def test_an_address_in_another_county_than_the_row_says_is_not_picked_silently(units, villages):
    found = geocode(
        rows("城步苗族自治县城关镇新建村", county_named=["隆回县"]), [gazetteer(units, villages)], units=units
    )
    assert found.loc["F0", "location_reason"] == "county_conflict"


@pytest.mark.parametrize("address", ["隆回县桃花坪街道新建村3组", "桃花坪镇新建村"])
def test_an_address_in_another_unit_than_the_row_says_is_not_picked_silently(units, villages, address):
    # both units have a village of this name; with its town accepted, the row would stand in the middle of the wrong one
    frame = rows(address, county_named=["隆回县"], unit_named=["城关镇"])
    found = geocode(frame, [gazetteer(units, villages)], units=units, accept=["village", "town"])
    assert found.loc["F0", "location_status"] == "ambiguous"
    assert found.loc["F0", "location_reason"] == "unit_conflict"
    assert found.loc["F0", "location_detail"] == "隆回县桃花坪街道"
    assert found.geometry.isna().all()


def test_an_address_that_names_its_row_s_unit_and_another_is_read_in_its_row_s(units, villages):
    frame = rows("隆回县城关镇桃花坪街道旁大坪村", county_named=["隆回县"], unit_named=["城关镇"])
    assert km_of(geocode(frame, [gazetteer(units, villages)], units=units), "F0") == 18


def test_which_of_several_places_is_meant_may_be_accepted_row_by_row_and_only_as_it_was_offered(
    units, villages
):
    frame = rows(
        "城关镇新建村",
        "隆回县新建村",
        "城关镇新建村",
        "隆回县桃花坪街道新建村",
        unit_named=[*[None] * 3, "城关镇"],
        county_named=[*[None] * 3, "隆回县"],
    )
    offered = geocode(frame, [gazetteer(units, villages)], units=units)
    assert offered["location_status"].tolist() == ["ambiguous"] * 4
    found = geocode(
        frame,
        [gazetteer(units, villages)],
        units=units,
        chosen={
            "F0": "城步苗族自治县城关镇",
            "F1": "隆回县 桃花坪街道新建村",
            "F2": "隆回县城东镇",
            "F3": "隆回县桃花坪街道",
        },
    )
    # the third chose what nobody offered; the fourth takes its address for true against the unit of its row
    assert found["location_status"].tolist() == ["located", "located", "ambiguous", "located"]
    assert [km_of(found, i) for i in ("F0", "F1", "F3")] == [25, 8, 8]
    assert found["location_detail"].tolist()[2] == offered["location_detail"].tolist()[2]
    # its row says 城关镇 still: that it lies outside is listed
    listed = doubts(assign_units(found, units), units)
    assert ("outside_unit", "F3") in set(listed[["doubt_id", "row_id"]].itertuples(index=False, name=None))


def test_given_points_are_kept_and_the_order_of_rows_changes_nothing(units, villages):
    frame = rows("隆回县城关镇大坪村", "隆回县桃花坪街道火车社区", "隆回县")
    frame = frame.set_geometry(
        gpd.GeoSeries([Point(111.2, 27.13), None, None], index=frame.index, crs="EPSG:4326")
    )
    one = geocode(frame, [gazetteer(units, villages)], units=units)
    two = geocode(frame.iloc[::-1], [gazetteer(units, villages.iloc[::-1])], units=units.iloc[::-1])
    assert one.loc["F0", "located_by"] == "given"
    assert one.geometry["F0"] == Point(111.2, 27.13)
    assert one.sort_index().to_json() == two.sort_index().to_json()
    assert frame["address"].tolist()[0] == "隆回县城关镇大坪村"  # the caller's frame is untouched
    assert "located_by" not in frame.columns


class Elsewhere:
    """A source that puts every row at one point."""

    name = "elsewhere"

    def __init__(self, lon, lat, precision="village"):
        self.lon, self.lat, self.precision = lon, lat, precision

    def locate(self, frame):
        answer = {"lon": self.lon, "lat": self.lat, "precision": self.precision, "status": "located"}
        answer |= {"reason": None, "detail": None, "query": frame["address"], "system": "gcj02"}
        return pd.DataFrame(answer, index=frame.index)


def test_row_38_a_result_outside_the_row_s_county_is_rejected_with_its_distance(units):
    inside = units.to_crs(toy.CRS)
    there = gpd.GeoSeries([Point(toy.EAST + 27_000, toy.NORTH + 5000)], crs=inside.crs).to_crs("EPSG:4326")[0]
    found = geocode(rows("x", county_named=["隆回县"]), [Elsewhere(there.x, there.y)], units=units)
    assert found.loc["F0", "location_status"] == "rejected"
    assert found.loc["F0", "location_reason"] == "outside_county"
    assert found.loc["F0", "location_detail"] == "7.0"  # the county ends at km 20
    assert found.geometry.isna().all()
    far = geocode(rows("x"), [Elsewhere(-70.0, -30.0)], units=units)
    assert far.loc["F0", "location_status"] == "rejected"


def test_a_later_source_improves_an_approximate_answer_and_says_who_it_was(units, villages):
    there = villages.geometry["430524100002"]
    sources = [gazetteer(units, villages), Elsewhere(there.x, there.y)]
    found = geocode(rows("隆回县桃花坪街道", "隆回县桃花坪街道火车社区"), sources, units=units)
    assert found["located_by"].tolist() == ["elsewhere", "gazetteer"]
    assert found["location_status"].tolist() == ["located", "located"]
    assert found["coordinate_system"].tolist() == ["gcj02", "wgs84"]


def test_units_are_assigned_by_name_first_then_by_place_and_edges_belong_to_the_lowest_id(units):
    metric = units.to_crs(toy.CRS)
    spots = [5, 10, 12, 500]  # inside the first; on the edge of two; in the second; in none
    points = [Point(toy.EAST + 1000 * km, toy.NORTH + 5000) for km in spots]
    frame = gpd.GeoDataFrame(
        {"unit_named": [None, None, "桃花坪街道", None]}, geometry=points, index=list("abcd"), crs=metric.crs
    )
    found = assign_units(frame, units)
    assert found["unit_id"].tolist()[:3] == ["430524100", "430524100", "430524100"]
    assert found["unit_id"].isna().tolist()[3]
    assert found["county_id"].tolist()[:3] == ["430524"] * 3
    # c says the first unit and lies 2 km beyond it: kept where its row says, with the distance (row 81)
    assert found["unit_distance_m"].round().tolist()[:3] == [0, 0, 2000]
    assert np.isnan(found["unit_distance_m"].iloc[3])


def test_row_27_demand_on_a_shared_edge_is_counted_once_in_the_lowest_id(units):
    points = [Point(toy.EAST + 1000 * km, toy.NORTH + 1000 * n) for km in (10, 20, 30) for n in range(1, 10)]
    frame = gpd.GeoDataFrame({"elders": [1.0] * 27}, geometry=points, crs=toy.CRS)
    found = assign_units(frame, units.iloc[::-1])
    # from west to east 430524100 | 430524101 | 430529100 | 430503101, and nine points on each edge
    assert found.groupby("unit_id")["elders"].sum().to_dict() == {
        "430524100": 9,
        "430524101": 9,
        "430503101": 9,
    }
    assert (found["unit_distance_m"] == 0).all()


def test_row_81_a_point_outside_its_unit_is_kept_and_listed_with_the_distance(units):
    frame = rows("x", unit_named=["桃花坪街道"])
    spot = gpd.GeoSeries([Point(toy.EAST + 12_000, toy.NORTH + 5000)], index=frame.index, crs=toy.CRS)
    frame = frame.set_geometry(spot.to_crs("EPSG:4326"))
    found = doubts(assign_units(frame, units), units)
    assert found.loc[
        found["doubt_id"] == "outside_unit", ["row_id", "subject", "value"]
    ].to_numpy().tolist() == [["F0", "桃花坪街道", "2000"]]


def test_duplicates_are_proposed_by_distance_and_what_sets_their_names_apart(units):
    names = ["桃花坪街道颐康养老院", "隆回县颐康养老院", "桃花坪街道福寿养老院", "福寿养老公寓", "康乐养老院"]
    east = [2000, 2100, 2150, 2155, 9000]  # metres; the third and fourth stand within 10 m
    frame = rows(*[None] * 5, names=names)
    spots = gpd.GeoSeries(
        [Point(toy.EAST + x, toy.NORTH + 5000) for x in east], index=frame.index, crs=toy.CRS
    )
    frame = frame.set_geometry(spots.to_crs("EPSG:4326")).assign(located_by="given")
    found = doubts(assign_units(frame, units), units)
    pairs = found[found["doubt_id"] == "duplicate"]
    assert pairs[["row_id", "subject", "value"]].to_numpy().tolist() == [
        ["F1", "桃花坪街道颐康养老院 · F0", "100"],
        ["F3", "桃花坪街道福寿养老院 · F2", "5"],
    ]
    other_kinds = frame.assign(kind=["station", "meal_point", "station", "meal_point", "station"])
    assert "duplicate" not in set(doubts(assign_units(other_kinds, units), units)["doubt_id"])


def test_many_rows_at_one_spot_are_each_said_once_and_not_pair_by_pair(units):
    # an office that found nothing better gave them all the middle of the county: 1,999 doubts, not two million
    frame = rows(*[None] * 2000, names=[f"第{n}院" for n in range(2000)])
    spot = gpd.GeoSeries([Point(toy.EAST + 2000, toy.NORTH + 5000)], crs=toy.CRS).to_crs("EPSG:4326")[0]
    found = doubts(frame.set_geometry([spot] * 2000, crs="EPSG:4326").assign(located_by="given"), units)
    assert found["doubt_id"].tolist() == ["duplicate"] * 1999
    assert sorted(found["row_id"]) == sorted(set(frame.index) - {"F0"})
    assert set(found["subject"]) == {"第0院 · F0"}


def test_every_doubt_has_a_sentence_and_a_title_in_both_languages(units, villages):
    frame = rows(
        "隆回县", "城关镇新建村", "隆回县城关镇", "隆回县某路", county_named=[None, None, None, "不存在县"]
    )
    taken = geocode(frame, [gazetteer(units, villages)], units=units, accept=["village", "town"])
    located = assign_units(taken, units)
    found = doubts(located, units)
    assert set(found["doubt_id"]) >= {"county_only", "several_units", "town_only", "county_unknown"}
    catalogue = {key for key in labels.catalogue() if key.startswith("places.doubt_")}
    ids = {
        key.removeprefix("places.doubt_") for key in catalogue if not key.startswith("places.doubt_title_")
    }
    assert set(found["doubt_id"]) <= ids
    for doubt_id in ids:
        for language in ("zh", "en"):
            assert labels.text(f"places.doubt_title_{doubt_id}", language)
            said = labels.text(f"places.doubt_{doubt_id}", language, name="a", subject="b", value="c")
            assert not re.search(r"\{(name|subject|value)", said)


def test_a_row_that_names_an_unknown_unit_is_listed_and_placed_by_its_point(units):
    frame = rows("x", unit_named=["飞地镇"])
    spot = gpd.GeoSeries([Point(toy.EAST + 12_000, toy.NORTH + 5000)], index=frame.index, crs=toy.CRS)
    found = assign_units(frame.set_geometry(spot.to_crs("EPSG:4326")), units)
    assert found["unit_id"].item() == "430524101"
    assert ("unit_unknown", "F0", "飞地镇") in set(
        doubts(found, units)[["doubt_id", "row_id", "subject"]].itertuples(index=False, name=None)
    )


def test_undeclared_coordinates_are_refused_with_a_guess_that_names_its_evidence(tmp_path, units):
    # three true points 200 m inside the eastern (one: the western) edge of their unit, written in GCJ-02, which moves
    # them 550 m east; read as BD-09 the western one would lie outside
    inside = (9800, 9800, 200)
    spots = [
        Point(toy.EAST + 1000 * r[4] + x, toy.NORTH + 3000)
        for r, x in zip(UNITS.values(), inside, strict=False)
    ]
    true = gpd.GeoSeries(spots, crs=toy.CRS).to_crs("EPSG:4326")
    lon, lat = from_wgs84(true.x, true.y, "gcj02")
    lines = ["编号,名称,类型,经度,纬度,所属县,所属乡镇"]
    for i, unit_id in enumerate(list(UNITS)[:3]):
        name, _, _, county, _ = UNITS[unit_id]
        lines.append(f"{i},某医院,医院,{lon[i]:.6f},{lat[i]:.6f},{county},{name}")
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(
        CoordinateSystemError, match=r'gcj02 fits best.*gcj02 3 of 3.*coordinate_system = "gcj02"'
    ):
        read_facilities(path, units=units, strict=True)
    with pytest.raises(CoordinateSystemError, match=r"not declared.*or give the units"):
        read_facilities(path, strict=True)
    assert (
        read_facilities(path, units=units, coordinate_system="gcj02")["location_status"] == "located"
    ).all()


@pytest.mark.parametrize("suffix", [".csv", ".geojson"])
@pytest.mark.parametrize(
    ("written", "declared", "doubt"),
    [
        ("gcj02", "wgs84", ("wgs84, gcj02", "0 → 8 / 8")),
        ("gcj02", "gcj02", None),
        ("wgs84", "cgcs2000", None),
        ("wgs84", "wgs84", None),
    ],
)
def test_a_declared_system_that_units_speak_against_is_said(
    tmp_path, units, suffix, written, declared, doubt
):
    # eight points 300 m inside the eastern edge of their unit: GCJ-02, not undone, moves them 550 m east, out of it
    true = gpd.GeoSeries(
        [Point(toy.EAST + 9700, toy.NORTH + 1000 * n) for n in range(1, 9)], crs=toy.CRS
    ).to_crs("EPSG:4326")
    lon, lat = from_wgs84(true.x, true.y, written)
    frame = gpd.GeoDataFrame(
        {
            "名称": [f"第{n}院" for n in range(8)],
            "类型": "敬老院",
            "所属县": "隆回县",
            "所属乡镇": "桃花坪街道",
        },
        geometry=gpd.points_from_xy(lon, lat),
        crs="EPSG:4326",
    )
    path = tmp_path / f"a{suffix}"
    if suffix == ".csv":
        frame.assign(经度=lon, 纬度=lat).drop(columns="geometry").to_csv(path, index=False)
    else:
        frame.to_file(path)
    of_file = suffix == ".geojson" and declared == "wgs84"  # what every GeoJSON says of itself
    read = read_facilities(path, coordinate_system=None if of_file else declared, units=units)
    report = read.attrs["report"]
    found = report[report["what_id"] == "system_doubtful"]
    assert found[["subject", "value"]].to_numpy().tolist() == ([list(doubt)] if doubt else [])
    assert len(read) == 8


def test_row_17_swapped_longitude_and_latitude_stop_with_that_word(tmp_path, units):
    path = tmp_path / "a.csv"
    path.write_text(
        "编号,名称,类型,经度,纬度\n1,甲,医院,27.13,111.05\n2,乙,医院,111.05,27.13\n", encoding="utf-8"
    )
    with pytest.raises(FrameError, match=r"look swapped.*a.csv row 2"):
        read_facilities(path, units=units, coordinate_system="wgs84", strict=True)


@pytest.mark.parametrize(("lon", "lat"), [(111, 95), (111, -90.1), (180.1, 27), (-200, 95)])
def test_row_22_latitude_95_is_no_place(tmp_path, lon, lat):
    path = tmp_path / "a.csv"
    path.write_text(f"编号,名称,类型,经度,纬度\n1,甲,医院,{lon},{lat}\n", encoding="utf-8")
    with pytest.raises(FrameError, match=rf"no place on earth.*a\.csv row 2 '{lon}, {lat}'"):
        read_facilities(path, coordinate_system="wgs84", strict=True)


@pytest.mark.parametrize(("lon", "lat"), [(111, 95), (181, 27)])
def test_row_22_a_layer_with_latitude_95_is_refused_too(tmp_path, lon, lat):
    frame = gpd.GeoDataFrame(
        {"编号": ["1"], "名称": "甲", "类型": "医院"}, geometry=[Point(lon, lat)], crs=4326
    )
    frame.to_file(tmp_path / "a.geojson")
    with pytest.raises(FrameError, match=rf"no place on earth.*a\.geojson row 1 '{lon}, {lat}'"):
        read_facilities(tmp_path / "a.geojson", coordinate_system="wgs84", strict=True)


def test_row_21_a_point_far_from_the_study_is_rejected_and_listed_never_dropped(tmp_path, units):
    path = tmp_path / "a.csv"
    path.write_text("编号,名称,类型,经度,纬度\n1,甲,医院,-70.5,27.1\n", encoding="utf-8")
    frame = read_facilities(path, units=units, coordinate_system="wgs84")
    assert frame["location_status"].tolist() == ["rejected"]
    assert frame.geometry.isna().all()
    assert doubts(frame, units)["doubt_id"].tolist() == ["outside_area"]


def test_systems_may_differ_row_by_row(tmp_path):
    lon, lat = from_wgs84([111.05, 111.05], [27.13, 27.13], "bd09")
    text = f"编号,名称,类型,经度,纬度,坐标系\n1,甲,医院,{lon[0]},{lat[0]},百度坐标\n2,乙,医院,111.05,27.13,国家2000\n"
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    frame = read_facilities(path)
    points = frame.geometry.to_crs(toy.CRS)
    assert points.iloc[0].distance(points.iloc[1]) < 0.01
    assert frame["coordinate_system"].tolist() == ["bd09", "cgcs2000"]


def test_ten_thousand_rows_are_read_and_located_within_ten_seconds(tmp_path, units, villages):
    names = [f"{UNITS[v[1]][3]}{UNITS[v[1]][0]}{v[0]}" for v in VILLAGES.values()]
    lines = ["编号,名称,类型,地址,床位数"]
    lines += [f"{i:05d},第{i}敬老院,敬老院,{names[i % len(names)]}{i}号,{i % 90}张" for i in range(10_000)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines), encoding="gb18030")
    start = time.process_time()
    frame = read_facilities(path, units=units)
    found = assign_units(geocode(frame, [gazetteer(units, villages)], units=units), units)
    assert (found["location_status"] == "located").all()
    assert time.process_time() - start < 10


def test_the_name_of_a_town_that_was_divided_is_asked_about_and_never_taken_for_one_of_its_parts(
    units, villages
):
    parts = units.copy()
    parts.loc["430524101", ["name", "kind"]] = ["花门街道", "street"]
    located = geocode(
        rows("隆回县桃洪镇", "隆回县桃洪镇养老院路1号"), [gazetteer(parts, villages)], units=parts
    )
    assert located["location_status"].tolist() == ["ambiguous", "ambiguous"]
    assert located.geometry.isna().all()
    assert located["unit_id"].isna().all()
    assert all("桃花坪街道" in said and "花门街道" in said for said in located["location_detail"])
