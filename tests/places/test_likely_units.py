"""Names of units with a slip: the likely unit is suggested with its evidence, and taken by nobody before it is confirmed."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, box

from sy_coverage import places
from sy_coverage.errors import CoordinateSystemError

COUNTIES = {"4305": ("隆回县", "430524"), "5": ("武冈市", "430581")}
UNITS = {
    "430524001": "桃花坪街道",
    "430524002": "花门街道",
    "430524101": "小沙江镇",
    "430524104": "高平镇",
    "430524105": "六都寨镇",
    "430524117": "七江镇",
    "430524118": "羊古坳镇",
    "430581003": "法相岩街道",
    "430581106": "龙溪镇",
    "430581110": "大甸镇",
}


@pytest.fixture(scope="module")
def units() -> gpd.GeoDataFrame:
    """Return squares of 0.1 degrees in one row, in the order of their codes."""
    county = ["隆回县" if code.startswith("430524") else "武冈市" for code in UNITS]
    return gpd.GeoDataFrame(
        {
            "name": list(UNITS.values()),
            "kind": ["street" if name.endswith("街道") else "township" for name in UNITS.values()],
            "county_id": [code[:6] for code in UNITS],
            "county": county,
        },
        geometry=[box(110 + n / 10, 27, 110.1 + n / 10, 27.1) for n in range(len(UNITS))],
        crs="EPSG:4326",
        index=pd.Index(UNITS, name="unit_id"),
    )


@pytest.fixture(scope="module")
def villages(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    named = {
        "V1": ("文仙社区", "430524001"),
        "V2": ("雨山社区", "430524001"),
        "V3": ("石背社区", "430524117"),
    }
    return gpd.GeoDataFrame(
        {
            "name": [name for name, _ in named.values()],
            "elders": 100.0,
            "unit_id": [unit for _, unit in named.values()],
        },
        geometry=[units.geometry[unit].centroid for _, unit in named.values()],
        crs="EPSG:4326",
        index=list(named),
    )


def said(units: gpd.GeoDataFrame, villages: gpd.GeoDataFrame | None = None, **row: object) -> pd.Series:
    """Return what is doubted of the unit of one row: its only doubt of such a kind."""
    given = {"name": "某敬老院", "kind": "township_home", "county_named": "隆回县", "geometry": None} | row
    frame = gpd.GeoDataFrame([given], geometry="geometry", crs="EPSG:4326", index=["R1"])
    assigned = places.assign_units(frame, units)
    if frame.geometry.isna().all():
        assert assigned["unit_id"].isna().all()  # nothing is taken
    found = places.doubts(assigned, units, villages=villages)
    return found[found["doubt_id"].str.startswith("unit_")].squeeze()


@pytest.mark.parametrize(
    ("written", "county", "meant"),
    [
        ("桃花坪街到", "隆回县", "隆回县桃花坪街道"),  # a wrong character of the same sound
        ("六都砦镇", "隆回县", "隆回县六都寨镇"),
        ("高坪镇", "隆回县", "隆回县高平镇"),
        ("七江乡", "隆回县", "隆回县七江镇"),  # of another class, in which no edition since 2015 has it
        ("大甸乡", "武冈市", "武冈市大甸镇"),
        ("龙溪铺镇", "武冈市", "武冈市龙溪镇"),  # a character too many
        ("小江沙镇", "隆回县", "隆回县小沙江镇"),  # two exchanged
        ("羊古坳街道", "隆回县", "隆回县羊古坳镇"),
    ],
)
def test_row_95_a_slip_or_another_class_is_suggested_and_not_taken(units, written, county, meant):
    doubt = said(units, unit_named=written, county_named=county)
    assert doubt["doubt_id"] == "unit_likely"
    assert doubt["suggestion"] == meant
    assert doubt["field"] == "unit_id"
    assert f"{written} → " in doubt["value"]


@pytest.mark.parametrize(
    ("written", "unit_id"),
    [
        ("羊古坳乡", "430524118"),  # 乡 in the edition of 2015, 镇 from 2016 on: known, and taken
        ("法相岩办事处", "430581003"),
        ("六都寨", "430524105"),
        ("武冈市大甸镇", "430581110"),
    ],
)
def test_known_changes_short_names_and_other_words_for_the_class_are_taken(units, written, unit_id):
    row = {"name": "某", "kind": "station", "unit_named": written, "geometry": None}
    frame = gpd.GeoDataFrame([row], geometry="geometry", crs="EPSG:4326", index=["R1"])
    assert places.assign_units(frame, units)["unit_id"].item() == unit_id


def test_a_unit_that_was_divided_is_told_by_point_or_village_and_else_both_are_named(units, villages):
    assert said(units, unit_named="桃洪镇")["doubt_id"] == "unit_several"
    assert said(units, unit_named="桃洪镇")["value"] == "隆回县桃花坪街道、隆回县花门街道"
    by_village = said(units, villages, unit_named="桃洪镇", address="桃洪镇文仙社区3组")
    assert by_village["suggestion"] == "隆回县桃花坪街道"
    assert "文仙社区" in by_village["value"]
    by_point = said(units, unit_named="桃洪镇", geometry=Point(110.15, 27.05))
    assert by_point["suggestion"] == "隆回县花门街道"


def test_address_and_name_speak_for_a_unit_whatever_the_cell_says(units):
    doubt = said(units, unit_named="六都镇", address="六都寨镇原粮站", name="六都寨区域性中心敬老院")
    assert doubt["suggestion"] == "隆回县六都寨镇"
    assert "六都寨镇原粮站" in doubt["value"]
    assert "六都寨区域性中心敬老院" in doubt["value"]


def test_an_abolished_unit_is_looked_for_among_the_villages_that_kept_its_name(units, villages):
    assert said(units, villages, unit_named="雨山镇")["suggestion"] == "隆回县桃花坪街道"


def test_a_name_that_is_like_none_stays_unknown(units, villages):
    doubt = said(units, villages, unit_named="飞地镇", geometry=Point(110.15, 27.05))
    assert doubt["doubt_id"] == "unit_unknown"
    assert doubt["suggestion"] == ""


def test_rows_before_and_after_decide_between_names_that_are_equally_like(units):
    two = units.copy()
    two.loc["430524101", "name"] = "高坪山镇"
    two.loc["430524104", "name"] = "高平山镇"
    rows = [
        {
            "name": f"某{n}",
            "kind": "station",
            "unit_named": unit,
            "source": f"a.csv row {n}",
            "geometry": None,
        }
        for n, unit in ((2, "高平山镇"), (3, "高屏山镇"), (4, "高平山镇"))
    ]
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4326", index=["A", "B", "C"])
    found = places.doubts(places.assign_units(frame, two), two).set_index("row_id")
    assert found[found["doubt_id"] == "unit_likely"].loc["B", "suggestion"] == "隆回县高平山镇"


def test_row_96_a_unit_of_another_county_than_the_row_says_is_a_doubt_and_placed_in_neither(units):
    for unit in ("大甸镇", "430581110"):
        doubt = said(units, unit_named=unit, county_named="隆回县")
        assert doubt["doubt_id"] == "unit_county_conflict"
        assert (doubt["subject"], doubt["value"]) == (unit, "隆回县")


def point_and_address(units, point, address, **row):
    given = {"name": "某院", "kind": "township_home", "address": address, "geometry": Point(*point)} | row
    frame = gpd.GeoDataFrame([given], geometry="geometry", crs="EPSG:4326", index=["R1"])
    found = places.doubts(places.assign_units(frame, units), units)
    return found[found["doubt_id"] == "address_elsewhere"]


def test_row_96_an_address_that_names_another_unit_than_its_point_lies_in_is_a_doubt_with_the_distance(units):
    # 六都寨镇 begins at 110.4 E; 0.05 degrees west of it at 27.05 N are 4.96 km (111.32 km × cos 27.05° × 0.05)
    doubt = point_and_address(units, (110.35, 27.05), "隆回县六都寨镇老街12号").squeeze()
    assert doubt["subject"] == "隆回县六都寨镇"
    assert float(doubt["value"]) == pytest.approx(4958, rel=0.005)
    assert doubt["suggestion"] == "隆回县六都寨镇"


def test_row_96_an_address_that_names_another_county_is_a_doubt_and_one_that_fits_is_none(units):
    doubt = point_and_address(units, (110.35, 27.05), "湖南省邵阳市武冈市乐洋路").squeeze()
    assert doubt["subject"] == "武冈市"
    # 武冈 begins at 110.7 E, 0.35 degrees away
    assert float(doubt["value"]) == pytest.approx(7 * 4958, rel=0.005)
    assert point_and_address(units, (110.35, 27.05), "隆回县高平镇老街12号").empty
    assert point_and_address(units, (110.35, 27.05), "老街12号").empty


def test_an_address_gives_the_county_of_a_row_that_says_no_more(units):
    row = {"name": "夕阳红公寓", "kind": "nursing_home", "address": "隆回县桃洪中路8号", "geometry": None}
    frame = gpd.GeoDataFrame([row], geometry="geometry", crs="EPSG:4326", index=["R1"])
    assert places.assign_units(frame, units)["county_id"].item() == "430524"


def test_addresses_tell_the_coordinate_system_apart_where_no_column_names_a_unit(tmp_path, units):
    # here BD-09 lies about 1.2 km east of WGS84 and GCJ-02 about 0.6 km, so that points of Baidu 200 m inside the eastern
    # edge of their unit lie in the next one if less than all of that is undone
    lines = ["名称,地址,经度,纬度"]
    for n, unit_id in enumerate(units.index):
        _, south, east, _ = units.geometry[unit_id].bounds
        lon, lat = places.from_wgs84([east - 0.002], [south + 0.05], "bd09")
        where = f"{units.loc[unit_id, 'county']}{units.loc[unit_id, 'name']}老街3号"
        lines.append(f"某{n}敬老院,{where},{lon[0]:.6f},{lat[0]:.6f}")
    path = tmp_path / "名录.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(CoordinateSystemError, match=r"bd09 fits best.*bd09 10 of 10, 0 m off"):
        places.read_facilities(path, units=units, strict=True)
    report = places.read_facilities(path, units=units, coordinate_system="wgs84").attrs["report"]
    doubtful = report[report["what_id"] == "system_doubtful"].squeeze()
    assert (doubtful["subject"], doubtful["value"]) == ("wgs84, bd09", "0 → 10 / 10")


def test_the_county_of_a_file_all_of_whose_rows_lie_in_it_tells_like_names_apart(units):
    two = units.copy()
    two.loc["430581106", "name"] = "文坪镇"
    rows = [
        {
            "name": f"某{n}",
            "kind": "station",
            "unit_named": unit,
            "source": f"隆回.csv row {n}",
            "geometry": None,
        }
        for n, unit in ((2, "小沙江镇"), (3, "高坪镇"), (5, "七江镇"))
    ]
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4326", index=["A", "B", "C"])
    found = places.doubts(places.assign_units(frame, two), two).set_index("row_id")
    assert found[found["doubt_id"] == "unit_likely"].loc["B", "suggestion"] == "隆回县高平镇"
    alone = places.doubts(places.assign_units(frame.loc[["B"]], two), two)
    assert "unit_several" in set(alone["doubt_id"])
