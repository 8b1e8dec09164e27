"""A map can be gone on with in folium, takes a user's own layers, and shows two plans by what they have in common."""

from __future__ import annotations

import json
from dataclasses import replace

import folium
import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, MultiPolygon, Point, box

from sy_coverage.errors import InputError, MissingCRSError
from sy_coverage.outputs import maps
from tests.outputs.conftest import HOSTILE


def groups_of(drawn: folium.Map) -> dict[str, folium.FeatureGroup]:
    return {c.layer_name: c for c in drawn._children.values() if isinstance(c, folium.FeatureGroup)}


def features_of(group: folium.FeatureGroup) -> list[dict]:
    return [f for c in group._children.values() if isinstance(c, folium.GeoJson) for f in c.data["features"]]


def test_a_folium_map_has_named_groups_with_tooltips_and_a_control(findings):
    drawn = maps.draw(findings.of_county("990100")).to_folium()
    assert type(drawn) is folium.Map
    groups = groups_of(drawn)
    assert list(groups) == ["街道、乡镇", "服务范围", "村（社区）", "现有设施", "规划建议"]
    assert any(isinstance(c, folium.LayerControl) for c in drawn._children.values())
    assert len(features_of(groups["街道、乡镇"])) == 4
    sites = features_of(groups["规划建议"])
    assert sorted(f["properties"]["title"].split()[1] for f in sites) == [
        "示例c15",
        "示例c35",
        "示例d15",
        "示例r15",
        "示例r36",
    ]
    assert all(
        isinstance(c._children and next(iter(c._children.values())), folium.GeoJsonTooltip)
        for c in groups["规划建议"]._children.values()
    )
    # c35 stands 35 km along the toy's road, in 丙乡
    unit = next(f for f in features_of(groups["街道、乡镇"]) if f["properties"]["title"] == "丙乡")
    site = next(f for f in sites if f["properties"]["title"].endswith("c35"))
    west, _, east, _ = MultiPolygon([(p[0], []) for p in unit["geometry"]["coordinates"]]).bounds
    assert west < site["geometry"]["coordinates"][0] < east
    folium.Marker([27.0, 111.0], tooltip="mine").add_to(drawn)
    assert "mine" in drawn.get_root().render()


def test_names_are_inert_in_folium_too(findings):
    hostile = replace(
        findings, study_name=HOSTILE, facilities=findings.facilities.assign(name=HOSTILE, address=HOSTILE)
    )
    text = maps.draw(hostile).to_folium().get_root().render()
    assert "<img src=x" not in text
    assert "<script>alert(1)" not in text
    assert "{{7*7}}" not in text
    assert "49" not in [word for word in text.split() if word == "49"]


def test_a_page_alone_cannot_go_on_in_folium():
    with pytest.raises(InputError, match="draw it again"):
        maps.Map("<p>page</p>", "title").to_folium()


@pytest.fixture
def own() -> gpd.GeoDataFrame:
    shapes = [box(111.0, 27.0, 111.1, 27.1), LineString([(111, 27), (111.2, 27.2)]), Point(111.1, 27.1), None]
    return gpd.GeoDataFrame(
        {"name": ["水源地", "渡线", HOSTILE, "无"], "级别": ["一级", None, 3, "x"]}, geometry=shapes, crs=4326
    )


def extra_of(drawn: maps.Map) -> list[dict]:
    return [one for one in drawn.content["layers"] if one["group"] == "extra"]


def test_layers_of_a_user_are_drawn_in_any_crs_with_their_text(findings, own):
    own.attrs["name"] = "保护区"
    drawn = maps.draw(findings, layers=[own.to_crs(4546), gpd.GeoSeries([Point(111, 27)], crs=4326)])
    first, second = extra_of(drawn)
    assert [first["name"], second["name"]] == ["保护区", "图层 2"]
    assert [f["t"] for f in first["features"]] == ["水源地", "渡线", HOSTILE]
    assert first["fields"] == ["级别"]
    assert [f["v"] for f in first["features"]] == [["一级"], [None], ["3"]]
    assert first["features"][2]["p"] == [11_110_000, 2_710_000]
    assert "<img src=x" not in drawn.html()
    assert maps.draw(findings, layers={"我的": own}).content["layers"][-1]["name"] == "我的"


def test_simple_layers_of_folium_are_taken_as_shapes_and_text(findings, own):
    group = folium.FeatureGroup(name="调研点")
    folium.Marker([27.05, 111.05], tooltip="村部").add_to(group)
    folium.PolyLine([[27, 111], [27.1, 111.1]], popup="巡线").add_to(group)
    layers = [group, folium.GeoJson(json.loads(own.iloc[:3].to_json()), name="面")]
    points, areas = extra_of(maps.draw(findings, layers=layers))
    assert points["name"] == "调研点"
    assert [f["t"] for f in points["features"]] == ["村部", "巡线"]
    assert points["features"][0]["p"] == [11_105_000, 2_705_000]
    assert len(areas["features"]) == 3
    with pytest.raises(InputError, match="cannot be laid over"):
        maps.draw(findings, layers=[folium.LayerControl()])
    with pytest.raises(MissingCRSError):
        maps.draw(findings, layers=[own.set_crs(None, allow_override=True)])


def test_two_plans_are_coloured_by_what_they_have_in_common(findings):
    first = findings.of_county("990100")
    # the other plan opens c25 in 乙镇 instead of c15 in 甲镇
    moved = (
        first.proposals.loc[["c15"]]
        .rename(index={"c15": "c25"})
        .assign(name="示例c25", unit_id="990100101", cost=100.0)
    )
    units = first.units.copy()
    units.loc["990100100", "covered_planned"] = False
    units.loc["990100101", "covered_planned"] = True
    second = replace(first, proposals=pd.concat([first.proposals.drop(index="c15"), moved]), units=units)
    content = maps.draw(first, beside=second, names=("省钱", "近便")).content
    pins = {
        f["i"]: (f["d"], f["n"]) for one in content["layers"] if one["type"] == "pin" for f in one["features"]
    }
    assert {i: d for i, (d, _) in pins.items()} == {
        "c15": 1,
        "c25": 2,
        "c35": 0,
        "d15": 0,
        "r15": 0,
        "r36": 0,
    }
    assert pins["c25"][1] == 6, "numbered on"
    shown = {
        f["t"]: f.get("d") for one in content["layers"] if one["type"] == "unit" for f in one["features"]
    }
    assert shown == {"城东街道": None, "甲镇": 1, "乙镇": 2, "丙乡": 0}
    assert [row["name"] for row in content["difference"]["legend"]] == [
        "两案都有：4 处",
        "仅省钱：1 处",
        "仅近便：1 处",
    ]
    assert content["states"] == ["现状", "规划后"]
    assert content["title"].endswith("省钱 | 近便")
