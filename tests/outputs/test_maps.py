"""A map says what the findings say, is one file that asks for nothing, and is the same bytes for the same findings."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Polygon, box

from sy_coverage.errors import CannotWriteError, ConfigError
from sy_coverage.outputs import maps
from sy_coverage.outputs.maps.basis import geometry as light
from sy_coverage.outputs.maps.layers import areas
from sy_coverage.outputs.maps.layers import points as map_points
from tests.conftest import ROOT

DANGEROUS = "<>\"'`$\\{}\u2028\u2029"


def data_of(drawn: maps.Map) -> dict:
    """Return the data of a page as a browser would read it: JSON, then character references."""
    found = re.search(r'<script type="application/json" id="sy-data">(.*?)</script>', drawn.html(), re.DOTALL)

    def plain(value):
        if isinstance(value, str):
            return html.unescape(value)
        if isinstance(value, list):
            return [plain(v) for v in value]
        return {plain(k): plain(v) for k, v in value.items()} if isinstance(value, dict) else value

    return plain(json.loads(found.group(1)))


def layer(data: dict, layer_id: str) -> dict:
    return next(one for one in data["layers"] if one["id"] == layer_id)


def rows(one: dict, name: str) -> dict:
    feature = next(f for f in one["features"] if f["t"] == name)
    return {k: v for k, v in zip(one["fields"], feature["v"], strict=True) if v is not None}


@pytest.fixture
def city(findings):
    return data_of(maps.draw(findings))


@given(st.text())
def test_inert_text_holds_nothing_dangerous_and_reads_back_as_it_was(text):
    made = maps.inert(text)
    assert not set(made) & set(DANGEROUS)
    assert html.unescape(made) == html.unescape(html.escape(text))


def test_half_a_surrogate_pair_does_not_stop_a_map():
    assert maps.inert("a\ud800b") == "a?b"


def test_a_page_refers_to_nothing_outside_itself(findings):
    page = maps.draw(findings).html()
    assert re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//[^"'\s>]+""", page) == [], (
        "no link, script or picture"
    )
    assert re.findall(r"url\((?!#)[^)]*\)", page) == []
    assert "sourceMappingURL" not in page
    assert "default-src 'none'" in page


def test_a_page_needs_neither_jquery_nor_bootstrap(findings):
    page = maps.draw(findings).html().lower()
    assert "bootstrap" not in page
    assert "jquery" not in page


def test_the_title_block_gives_the_figures_of_the_counties(city):
    facts = {f["label"]: (f["today"], f["plan"]) for f in city["facts"]}
    assert facts["各项可由布局达到的指标全部达标的县（市、区）"] == ("0 / 2", "1 / 2")
    assert facts["已覆盖的街道、乡镇"] == ("1 / 7", "5 / 7")
    # (1,600 × 0.9375 + 440 × 0) / 2,040 and (1,600 + 400) / 2,040
    assert facts["时限内可达的老年人"] == ("73.5%", "98.0%")
    assert facts["建议设施"] == (None, "7 处")
    assert facts["投资"] == (None, "960万元")
    assert city["proof"] == "1／2 个县（市、区）的方案已证明最优"
    assert city["date"] == "以 2027-12-31 为准计算已开放的设施"


def test_a_share_that_is_not_known_is_said_to_be_unknown_and_never_zero(findings):
    unknown = findings.units.copy()
    unknown.loc["990200100", "elders_covered_planned"] = np.nan
    facts = data_of(maps.draw(replace(findings, units=unknown)))["facts"]
    assert next(f["plan"] for f in facts if f["label"] == "时限内可达的老年人") == "不详"


def test_the_warning_and_the_approval_number_are_on_every_map(findings):
    bare, numbered = findings, replace(findings, approval_number="湘S(2027)001号")
    for county in ("990100", "990200"):
        assert data_of(maps.draw(bare.of_county(county)))["notices"] == list(findings.notices)
    assert data_of(maps.draw(bare))["approval"] == "审图号：（公开使用前须送审并填写）"
    assert data_of(maps.draw(numbered))["approval"] == "审图号：湘S(2027)001号"


def test_units_are_coloured_by_the_year_from_which_they_are_covered(city):
    # points in time: today 0, 2025 1, 2026 2, 2027 3, the whole plan (a site without a year) 4
    since = {f["t"]: f["c"] for one in city["layers"] if one["type"] == "unit" for f in one["features"]}
    assert since["城东街道"] == 0
    assert since["甲镇"] == 2  # c15, 2026; d15 and r15 in it are no service centres
    assert since["丙乡"] == 1  # c35, 2025
    assert since["丁镇"] == 2  # n08, 2026
    assert since["戊镇"] == 4  # n12 has no year
    assert since["乙镇"] == -1


def test_a_unit_says_why_no_centre_is_proposed_in_it(city):
    said = rows(layer(city, "unit-township"), "乙镇")
    assert said["不设的理由"] == "乡镇覆盖率不设在此处也已达标，建在此处多花 10 万元。"
    assert said["覆盖情况"] == "无中心"
    assert said["时限内可达的老年人"] == "100.0%"  # presence and access disagree, and both are said


def test_a_unit_without_elders_has_no_share_at_all(city):
    unit = next(f for f in layer(city, "unit-township")["features"] if f["t"].startswith("己乡"))
    said = dict(zip(layer(city, "unit-township")["fields"], unit["v"], strict=True))
    assert said["时限内可达的老年人"] is None
    assert said["60 岁及以上老年人（人）"] == "0"


def test_a_renamed_town_is_known_by_its_former_name():
    # 罗士镇 of 大祥区 has been 罗市镇 since it was renamed; a town of that name elsewhere has no such past
    towns = gpd.GeoDataFrame(
        {"name": ["罗市镇", "罗市镇"], "county_id": ["430503", "430000"], "county": ["大祥区", "别县"]},
        geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)],
        index=pd.Index(["430503100", "430000100"], name="unit_id"),
        crs="EPSG:4326",
    )
    assert areas.former_names(towns) == {"430503100": ["罗士镇"]}


def test_both_parts_of_a_divided_town_are_known_by_its_name():
    towns = gpd.GeoDataFrame(
        {"name": ["桃花坪街道", "花门街道"], "county_id": "430524", "county": "隆回县"},
        geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)],
        index=pd.Index(["430524001", "430524002"], name="unit_id"),
        crs="EPSG:4326",
    )
    assert areas.former_names(towns) == {"430524001": ["桃洪镇"], "430524002": ["桃洪镇"]}


def test_units_can_be_coloured_by_the_share_of_elders_within_reach(city):
    fifths = {f["t"]: f["a"] for one in city["layers"] if one["type"] == "unit" for f in one["features"]}
    assert fifths["城东街道"] == [4, 4]
    assert fifths["丙乡"] == [3, 4]  # 200 of 300 today
    assert fifths["丁镇"] == [0, 4]
    assert next(f for name, f in fifths.items() if name.startswith("己乡")) == [-1, -1]
    assert city["share"]["classes"][0]["name"] == "0%～20%"


def test_a_village_no_road_reaches_says_so(city):
    assert rows(layer(city, "village-uncovered"), "P村")["到最近设施（分钟）"] == "超出计算时限"
    assert rows(layer(city, "village-uncovered"), "J村")["到最近设施（分钟）"] == "超出计算时限 → 4"


def test_estimated_borders_are_a_layer_of_their_own_and_said_to_be_estimated(city, findings):
    assert layer(city, "border-estimated")["name"] == "乡级界（估算，非官方界线）"
    assert "虚线为估算的乡级界，不是官方界线。" in city["statements"]
    official = data_of(maps.draw(findings.of_county("990100")))
    assert not [one for one in official["layers"] if one["id"] == "border-estimated"]
    assert "虚线为估算的乡级界，不是官方界线。" not in official["statements"]


def test_a_unit_says_what_changes_from_today_to_the_plan(city):
    said = rows(layer(city, "unit-township"), "丙乡")
    assert said["时限内可达的老年人"] == "66.7% → 100.0%"
    assert said["平均用时（分钟）"] == "29 → 3"  # (200 × 27 + 100 × 33) / 300 = 29
    assert said["街道/乡镇综合养老服务中心"] == "无 → 有"
    assert said["覆盖情况"] == "规划设中心（2025 年）"


def test_proposed_sites_carry_number_premises_cost_year_gain_and_reason(city):
    said = rows(layer(city, "proposal-3"), "示例r15")
    assert said["设施类别"] == "区域性（中心）敬老院"
    assert said["场所"] == "改扩建"
    assert said["投资（万元）"] == "150"
    assert said["建设年份"] == "2025 年"
    assert said["由此改扩建"] == "示例甲镇敬老院"
    assert said["到最近医疗机构（分钟）"] == "9"
    assert said["理由"] == ["没有它，试验县达不到指标要求。"]


def test_facilities_without_a_point_are_listed_and_never_dropped(city):
    names = [f["t"] for one in city["layers"] if one["group"] == "facilities" for f in one["features"]]
    assert "示例未定位养老院" not in names
    entry = next(row for row in city["checks"]["rows"] if row["t"] == "示例未定位养老院")
    assert "p" not in entry
    assert entry["v"] == ["地址中没有村、社区或乡镇名，无法定位。"]
    assert city["checks"]["count"] == 3
    assert len(layer(city, "doubts")["features"]) == 2


def test_villages_leave_the_uncovered_layer_when_the_plan_covers_them(city):
    without = {f["t"]: f.get("u") for f in layer(city, "village-uncovered")["features"]}
    assert without["P村"] is None  # no road reaches it: it stays
    assert without["H村"] == without["J村"] == 4  # covered once the plan is whole
    assert "A村" not in without
    covered = {f["t"] for f in layer(city, "village-covered")["features"]}
    assert {"A村", "H村"} <= covered
    assert "P村" not in covered


def test_catchments_by_cutoff_say_from_when_they_hold(city, findings):
    wide = layer(city, "catchment-2")
    assert wide["name"] == "街道/乡镇综合养老服务中心：30 分钟"
    # S1 stands today, c35 opens in 2025, c15 and n08 in 2026, n12 later: four points in time at which the area grows
    assert [(f["f"], f["u"]) for f in wide["features"]] == [(0, 1), (1, 2), (2, 4), (4, -1)]
    own = findings.catchments.xs(30.0, level="cutoff_min").geometry
    for feature, sites in zip(
        wide["features"], (["S1"], ["S1", "c35"], ["S1", "c15", "c35", "n08"], list(own.index)), strict=True
    ):
        assert decoded(feature["g"]).area == pytest.approx(own[sites].union_all().area, rel=2e-3)
    assert any("示意" in s for s in city["statements"])


def test_shapes_within_a_budget_lose_crumbs_and_pinholes_and_keep_their_area():
    ring = box(0, 0, 10, 10).difference(box(3, 3, 7, 7)).difference(box(8, 8, 8.001, 8.001))
    crumb = box(20, 20, 20.001, 20.001)
    (drawn,) = light.within_budget(
        [shapely.MultiPolygon([*shapely.get_parts(ring), crumb])], tolerance=0.01, vertices=99
    )
    (part,) = drawn.geoms  # the crumb is gone
    (hole,) = part.interiors  # the pinhole is filled, the real hole stays
    assert part.exterior.is_ccw
    assert not hole.is_ccw
    assert part.area == pytest.approx(84)
    rough = light.within_budget([shapely.Point(0, 0).buffer(1, quad_segs=500)], tolerance=1e-3, vertices=50)
    assert shapely.get_num_coordinates(rough).sum() <= 50
    assert rough[0].area == pytest.approx(np.pi, rel=0.05)


def decoded(polygons: list) -> shapely.Geometry:
    """Read whole-number steps back into a geometry, as the page does."""
    return shapely.union_all(
        [
            Polygon(path(rings[0]), [path(r) for r in rings[1:]])
            for rings in polygons
        ]
    )  # fmt: skip


def path(steps: list[int]) -> np.ndarray:
    return np.cumsum(np.array(steps).reshape(-1, 2), axis=0) / 1e5


def test_shapes_read_back_from_the_page_are_the_units_to_a_metre(city, findings):
    for one in city["layers"]:
        if one["type"] == "unit":
            for feature in one["features"]:
                unit = findings.units[findings.units["name"] == feature["t"]].geometry.iloc[0]
                assert decoded(feature["g"]).symmetric_difference(unit).area < 1e-3 * unit.area


@given(
    st.lists(
        st.tuples(st.floats(73, 136), st.floats(3, 54)), min_size=1, max_size=30
    )
)  # fmt: skip
def test_steps_add_up_to_coordinates_of_five_decimals(points):
    back = path(light.steps(np.array(points)))
    assert np.abs(back[0] - points[0]).max() <= 0.500001e-5
    assert np.abs(back[-1] - points[-1]).max() <= 0.500001e-5


def test_simplified_neighbours_keep_one_border():
    wave = [(1 + 0.01 * np.sin(y * 9), y) for y in np.linspace(0, 1, 200)]
    west, east = Polygon([(0, 0), *wave, (0, 1)]), Polygon([(2, 0), *wave, (2, 1)])
    a, b = light.simplified_coverage(gpd.GeoSeries([west, east]), tolerance=0.01, vertices=10_000)
    assert len(a.exterior.coords) < 60
    assert a.intersection(b).area == 0
    assert a.union(b).area == pytest.approx(2.0, abs=1e-3)


def test_a_line_given_in_both_directions_and_any_order_is_drawn_once():
    there = LineString([(0, 0), (1, 0)])
    on = LineString([(1, 0), (2, 1)])
    lines = light.line_steps(light.merged_lines([there, on, there.reverse()], tolerance=0))
    assert lines == light.line_steps(light.merged_lines([on.reverse(), there], tolerance=0))
    assert sum(len(one) // 2 - 1 for one in lines) == 2


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=30))
def test_roads_too_many_to_draw_are_known_before_they_are_joined(blocks):
    # sides of blocks of a grid, some in both directions
    sides = [LineString([(x, y), (x + 1, y)] if flat else [(x, y), (x, y + 1)]) for x, y, flat in blocks]
    drawn = light.merged_lines([*sides, sides[0].reverse()], tolerance=0.0)
    vertices = int(shapely.get_num_coordinates(drawn))
    assert light.merged_lines(sides, tolerance=0.0, most=vertices).equals_exact(drawn)
    apart = sum(not line.is_ring for line in shapely.get_parts(drawn))
    if apart:
        assert light.merged_lines(sides, tolerance=0.0, most=2 * apart - 1) is None


def test_roads_and_lakes_that_only_touch_the_area_leave_no_point_or_line_on_the_map():
    area = [box(0, 0, 1, 1)]
    touching = LineString([(-1, 0), (1, 2)])  # through the corner (0, 1)
    both = LineString([(0.5, 0.5), (0.5, 2), (0, 1), (-1, 1)])  # half a unit inside, and that corner
    within = LineString([(0.2, 0.2), (0.8, 0.2)])
    roads = light.near(gpd.GeoDataFrame(geometry=[touching, both, within]), area, margin=0.0)
    assert roads.index.tolist() == [1, 2]
    assert light.merged_lines(roads.geometry, tolerance=0).length == pytest.approx(0.5 + 0.6)
    lakes = gpd.GeoDataFrame(geometry=[box(1, 0, 2, 1), box(0.5, 0.5, 2, 2)])
    assert light.near(lakes, area, margin=0.0).area.to_dict() == {1: 0.25}


def test_the_outline_of_neighbours_closes_gaps_between_them():
    pair = np.array([box(0, 0, 1, 1), box(1.001, 0, 2, 1)])
    line = light.outline(pair, tolerance=0.01)
    assert line.length == pytest.approx(6.0, abs=0.01)


def test_the_same_findings_give_the_same_bytes_whatever_the_order_of_rows(findings):
    shuffled = replace(
        findings,
        **{
            name: getattr(findings, name).sample(frac=1, random_state=3)
            for name in ("units", "counties", "facilities", "demand", "proposals", "catchments", "roads", "doubts", "left_out")
        },
    )  # fmt: skip
    assert maps.draw(findings).html() == maps.draw(findings).html() == maps.draw(shuffled).html()


def test_another_process_with_other_hash_seed_zone_and_locale_gives_the_same_bytes(findings):
    script = (
        "import hashlib; from tests.outputs.conftest import make_findings; from sy_coverage.outputs import maps;"
        "print(hashlib.sha256(maps.draw(make_findings()).html().encode()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert other.stdout.strip() == hashlib.sha256(maps.draw(findings).html().encode()).hexdigest()


def test_drawing_changes_nothing_of_the_findings(findings):
    before = findings.units.copy(), findings.proposals.copy(), findings.demand.copy()
    maps.draw(findings)
    pd.testing.assert_frame_equal(findings.units, before[0])
    pd.testing.assert_frame_equal(findings.proposals, before[1])
    pd.testing.assert_frame_equal(findings.demand, before[2])


def test_findings_without_plan_facilities_or_roads_still_make_a_map(findings):
    empty = replace(
        findings,
        proposals=findings.proposals.iloc[:0],
        facilities=findings.facilities.iloc[:0],
        roads=findings.roads.iloc[:0],
        catchments=findings.catchments.iloc[:0],
        doubts=findings.doubts.iloc[:0],
        left_out=findings.left_out.iloc[:0],
        counties=findings.counties.assign(status=None, proved=None, new_sites=0, cost=0.0),
    )
    data = data_of(maps.draw(empty))
    assert data["states"] == ["现状", "规划后"]
    assert data["checks"]["note"] == "没有待核实的记录。"
    assert rows(layer(data, "names"), "试验县")["方案"] == "尚无方案"


def test_every_word_is_there_in_english(findings):
    data = data_of(maps.draw(replace(findings, language="en").of_county("990100")))
    assert data["title"].endswith(": 试验县")
    assert data["groups"][0]["name"] == "Streets and townships"
    own = json.dumps(
        [data["words"], data["groups"], data["states"], data["status"], data["facts"]], ensure_ascii=False
    )
    assert not re.search(r"[\u4e00-\u9fff]", own)


def test_many_villages_are_cut_to_the_most_elders_and_the_rest_is_counted(findings, monkeypatch):
    monkeypatch.setattr(map_points, "MOST_VILLAGES", 5)
    data = data_of(maps.draw(findings))
    assert "人数最多的 5 个村（社区）画在图上，另有 8 个未画。" in data["statements"]


def test_an_embedded_map_is_one_frame_in_which_no_quote_ends_the_page(findings):
    snippet = maps.draw(findings).embed(height=480)
    assert snippet.startswith("<iframe ")
    assert snippet.endswith("></iframe>")
    assert snippet.count("<") == 2
    assert "height:480px" in snippet
    page = re.search(r'srcdoc="([^"]*)"', snippet).group(1)
    assert html.unescape(page) == maps.draw(findings).html()
    assert maps.draw(findings)._repr_html_() == maps.draw(findings).embed()


def test_a_saved_map_is_the_page_and_a_folder_that_refuses_is_said(findings, tmp_path):
    drawn = maps.draw(findings)
    drawn.save(tmp_path / "城市 map.html")
    assert (tmp_path / "城市 map.html").read_text(encoding="utf-8") == drawn.html()
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWriteError, match="cannot be written"):
        drawn.save(tmp_path / "file" / "map.html")


def test_an_online_base_map_is_used_only_when_chosen_and_only_its_host_is_allowed(findings):
    osm = maps.draw(findings, base_map="osm").html()
    assert "https://tile.openstreetmap.org/{z}/{x}/{y}.png" in osm
    assert (
        data_of(maps.draw(findings, base_map="osm"))["attribution"]
        == "Leaflet | © OpenStreetMap contributors"
    )
    assert "img-src data: blob: https://tile.openstreetmap.org" in osm
    with pytest.raises(ConfigError, match="choose one of tianditu, osm, gaode"):
        maps.draw(findings, base_map="bing")


def test_a_key_is_in_a_page_only_when_that_is_asked_for_and_never_in_a_notebook(findings, monkeypatch):
    key = "0123456789abcdef"
    bare = maps.draw(findings, base_map="tianditu").html()
    monkeypatch.setenv("TIANDITU_BROWSER_KEY", key)
    assert maps.draw(findings, base_map="tianditu").html() == bare, "the environment changes no byte"
    assert "https://t{s}.tianditu.gov.cn/vec_w/wmts" in bare.replace("\\u0026", "&")
    for drawn in (
        maps.draw(findings, base_map="tianditu", key_in_page=True),
        maps.draw(replace(findings, base_map="tianditu", key_in_page=True)),
    ):
        assert drawn.html().count(key) == 2, "once for each of its two layers"
        assert key in drawn.embed()
        assert key not in drawn._repr_html_() + repr(drawn)
    # no other base map has a use for it
    assert key not in maps.draw(replace(findings, key_in_page=True)).html()
    assert key not in maps.draw(findings, base_map="osm", key_in_page=True).html()


@pytest.mark.parametrize("key", ["", "short", "{{ 7 }}aaaaaaaaaaa", "0123456789abcdef</script>"])
def test_a_tianditu_key_that_is_none_is_refused_without_repeating_it(findings, monkeypatch, key):
    monkeypatch.setenv("TIANDITU_BROWSER_KEY", key)
    with pytest.raises(ConfigError) as caught:
        maps.draw(findings, base_map="tianditu", key_in_page=True)
    assert not key or key not in str(caught.value)


def test_whoever_made_the_roads_is_named_beside_the_map(findings):
    named = replace(findings, attribution="© OpenStreetMap contributors, ODbL")
    assert data_of(maps.draw(named))["attribution"] == "Leaflet | © OpenStreetMap contributors, ODbL"
    assert data_of(maps.draw(findings))["attribution"] == "Leaflet"


def test_lakes_and_rivers_near_the_units_are_drawn_and_those_far_away_are_not(findings):
    west, south, east, north = findings.units.total_bounds
    x, y = (west + east) / 2, (south + north) / 2
    lake = box(x, y, x + 0.02, y + 0.01)
    water = gpd.GeoDataFrame(
        {"water": ["area", "area", "line", "line"]},
        geometry=[lake, box(x + 9, y, x + 9.1, y + 0.1), LineString([(west, y), (east, y)]), LineString([(x, y + 9), (x, y + 8)])],
        crs="EPSG:4326",
    )  # fmt: skip
    data = data_of(maps.draw(replace(findings, water=water)))
    (ring,) = (rings for (rings,) in layer(data, "water-area")["g"])
    corners = np.cumsum(np.array(ring).reshape(-1, 2), axis=0) / 1e5
    assert Polygon(corners).symmetric_difference(lake).area < 1e-6
    (river,) = layer(data, "water-line")["g"]
    assert river[1] / 1e5 == pytest.approx(y, abs=1e-5)
    assert not [one for one in data_of(maps.draw(findings))["layers"] if one["id"].startswith("water")]


def test_data_over_gaode_is_shifted_to_gcj02(findings):
    real = gpd.GeoDataFrame(findings.units)
    # move the toy to Shaoyang, inside China, where the shift is about 0.6 km
    west, south = real.total_bounds[:2]
    moved = {
        name: getattr(findings, name).set_geometry(getattr(findings, name).geometry.translate(111.4 - west, 27.2 - south))
        for name in ("units", "facilities", "demand", "proposals", "catchments", "roads")
    }  # fmt: skip
    here = replace(findings, **moved)
    plain, shifted = data_of(maps.draw(here)), data_of(maps.draw(here, base_map="gaode"))
    one, other = (np.array(layer(d, "unit-street")["features"][0]["p"]) / 1e5 for d in (plain, shifted))
    east_m, north_m = (other - one) * [111_320 * np.cos(np.radians(27.2)), 110_900]
    # published GCJ-02 formula at 111.4 E, 27.2 N: about +500 m east and −330 m north
    assert 300 < np.hypot(east_m, north_m) < 900
    assert any("GCJ-02" in s for s in shifted["statements"])
    assert not any("GCJ-02" in s for s in plain["statements"])


def _wavy_units(findings, side=14):
    """Return side × side units whose 600 vertices a side are shared with their neighbours."""
    t = np.linspace(0, 1, 600)

    def level(i, a, b, along):  # the wavy line between grid rows (or columns) i - 1 and i
        wave = 0.02 * np.sin((a + t * (b - a)) * 60 + i) * np.sin(np.pi * t) ** 2 if 0 < i < side else 0 * t
        return np.column_stack([a + t * (b - a), i + wave][:: 1 if along else -1])

    rows = []
    for x in range(side):
        for y in range(side):
            south, north = level(y, x, x + 1, along=True), level(y + 1, x, x + 1, along=True)
            west, east = level(x, y, y + 1, along=False), level(x + 1, y, y + 1, along=False)
            # corners belong to all four units alike
            for line, ends in ((south, ((x, y), (x + 1, y))), (north, ((x, y + 1), (x + 1, y + 1))),
                               (west, ((x, y), (x, y + 1))), (east, ((x + 1, y), (x + 1, y + 1)))):  # fmt: skip
                line[0], line[-1] = ends
            ring = np.vstack([south, east[1:], north[::-1][1:], west[::-1][1:-1]]) * 0.14 + (110, 26)
            rows.append(Polygon(ring))
    index = pd.Index([f"990100{i:03d}" for i in range(side * side)], name="unit_id")
    one = pd.DataFrame([findings.units.drop(columns="geometry").iloc[0]] * len(rows)).set_index(index)
    return gpd.GeoDataFrame(one.assign(name=[f"第{i}镇" for i in range(len(rows))]), geometry=rows, crs=4326)


def test_a_city_of_470_000_border_vertices_and_30_000_roads_stays_under_8_megabytes_and_a_county_under_3(
    findings,
):
    rng = np.random.default_rng(7)
    units = _wavy_units(findings)
    start = rng.uniform((110, 26), (111.9, 27.9), (30_000, 1, 2))
    bends = start + np.cumsum(rng.normal(0, 0.003, (30_000, 12, 2)), axis=1)
    roads = gpd.GeoDataFrame(
        {"highway": rng.choice(["trunk", "tertiary", "residential"], 30_000, p=[0.05, 0.25, 0.7])},
        geometry=shapely.linestrings(bends),
        crs=4326,
    )
    places = pd.DataFrame([findings.demand.drop(columns="geometry").iloc[-1]] * 4_000)
    demand = gpd.GeoDataFrame(
        places.set_index(pd.Index([f"v{i:05d}" for i in range(4_000)], name="demand_id")),
        geometry=shapely.points(rng.uniform((110.1, 26.1), (111.8, 27.8), (4_000, 2))),
        crs=4326,
    )
    # each catchment has 300 arms in 3,000 vertices, each lake 60 vertices
    turn = np.linspace(0, 2 * np.pi, 3_000, endpoint=False)
    rays = np.column_stack([np.cos(turn), np.sin(turn)])
    middles = rng.uniform((110.2, 26.2), (111.7, 27.7), (40, 2))
    arms = 0.1 + 0.02 * np.sin(300 * turn)[:, None]
    stars = [m + rays * arms for m in middles]
    sheds = gpd.GeoDataFrame(
        {"facility_id": [f"S{i:02d}" for i in range(40)], "cutoff_min": 30.0, "kind": "service_centre",
         "county_id": "990100", "area_km2": 1.0},
        geometry=shapely.polygons(stars), crs=4326,
    ).set_index(["facility_id", "cutoff_min"])  # fmt: skip
    at = rng.uniform((110, 26), (111.9, 27.9), (3_000, 2))
    lakes = at[:, None, :] + rays[::50] * rng.uniform(0.001, 0.01, (3_000, 60, 1))
    water = gpd.GeoDataFrame(
        {"water": "area"}, geometry=shapely.polygons(lakes), index=range(3_000), crs=4326
    )
    assert shapely.get_num_coordinates(np.asarray(units.geometry)).sum() > 460_000
    big = replace(findings, units=units, roads=roads, demand=demand, catchments=sheds, water=water)
    drawn = maps.draw(big)
    assert len(drawn.html().encode()) < 8_000_000
    one = maps.draw(replace(big, counties=findings.counties.iloc[:1]))
    assert len(one.html().encode()) < 3_000_000
    data = data_of(drawn)
    assert len(layer(data, "unit-street")["features"]) == 196
    assert "为控制文件大小，未画村道、街巷。" in data["statements"], "what was left out is said"
