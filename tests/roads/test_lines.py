"""Roads of an authority's own layer: classes and columns in Chinese, noded where they cross and not at bridges."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString

from sy_coverage import roads
from sy_coverage.errors import ConfigError, IncompleteNetworkError, InputError, MissingCRSError

EAST, NORTH = 500_000.0, 3_010_000.0
CRS = "EPSG:4546"


def layer(
    folder, rows: list[tuple[list[tuple[float, float]], dict]], name: str = "道路.gpkg", crs: str | None = CRS
):
    """Write lines, given by metres east and north of a point, with their columns."""
    lines = [LineString([(EAST + x, NORTH + y) for x, y in points]) for points, _ in rows]
    frame = gpd.GeoDataFrame([columns for _, columns in rows], geometry=lines, crs=crs)
    frame.to_file(folder / name)
    return folder / name


def drive(net, begin: tuple[float, float], end: tuple[float, float]) -> float:
    ends = (
        gpd.GeoDataFrame(geometry=[shapely.Point(EAST + x, NORTH + y)], index=["p"], crs=CRS)
        for x, y in (end, begin)
    )
    minutes = net.travel_times(*ends, mode="drive", cutoff_min=999).to_frame()["minutes"]
    return float(minutes.iloc[0]) if len(minutes) else float("inf")


def parts(net) -> int:
    return int(net.summary().set_index(["subject", "what"])["value"]["drive", "strongly_connected_parts"])


SECOND, FOURTH = {"技术等级": "二级"}, {"技术等级": "四级公路"}


def test_lines_meet_where_they_cross_and_minutes_are_worked_out_by_hand(tmp_path) -> None:
    # 2 km of class II (60 km/h) from west to east, 2 km of class IV (40 km/h) from south to north, crossing in the middle of both
    file = layer(tmp_path, [([(-1000, 0), (1000, 0)], SECOND), ([(0, -1000), (0, 1000)], FOURTH)])
    net = roads.read_lines(file, modes=("drive",))
    assert (len(net.node_ids), len(net.links)) == (5, 4)
    # ranks 4 and 2 are not comparable: the side road gives way for its four seconds, the main road for none
    assert drive(net, (-1000, 0), (1000, 0)) == pytest.approx(2.0, rel=2e-3)
    assert drive(net, (0, -1000), (1000, 0)) == pytest.approx(1.5 + 4 / 60 + 1.0, rel=2e-3)
    assert set(net.links.classes) == {"primary", "tertiary"}


@pytest.mark.parametrize("key", ["桥梁", "隧道"])
def test_a_bridge_and_a_tunnel_meet_others_at_their_ends_only(tmp_path, key) -> None:
    over = SECOND | {key: "是"}
    plain = SECOND | {key: "否"}
    rows = [
        ([(-1000, 0), (-50, 0)], plain),
        ([(-50, 0), (50, 0)], over),
        ([(50, 0), (1000, 0)], plain),
        ([(0, -1000), (0, 1000)], FOURTH | {key: ""}),
        ([(50, 0), (50, 800), (0, 800)], FOURTH | {key: "0"}),
    ]
    net = roads.read_lines(layer(tmp_path, rows), modes=("drive",))
    # from the south one drives under it, and up to it only by the ramp at its eastern end
    assert drive(net, (0, -1000), (0, 1000)) == pytest.approx(2000 * 0.06 / 40, rel=0.03)
    ramp = 1800 + 50 + 800
    assert drive(net, (0, -1000), (1000, 0)) == pytest.approx(ramp * 0.06 / 40 + 950 * 0.06 / 60, rel=0.05)


@pytest.mark.parametrize(("gap", "closed"), [(0.0, 0), (0.6, 1), (3.0, 0)])
def test_gaps_up_to_the_tolerance_are_closed_and_listed(tmp_path, gap, closed) -> None:
    rows = [
        ([(-1000, 0), (1000, 0)], SECOND),
        ([(0, gap), (0, 1000)], FOURTH),
        ([(0, 1000 + gap), (500, 1000)], FOURTH),
    ]
    net = roads.read_lines(layer(tmp_path, rows), modes=("drive",))
    assert (parts(net) == 1) == (gap < 1)
    assert net.notes["gaps_closed"] == 2 * closed
    assert ("gaps_closed_listed" in net.notes) == bool(closed)
    wide = roads.read_lines(layer(tmp_path, rows), modes=("drive",), tolerance_m=5)
    assert parts(wide) == 1


def test_ways_condition_and_limits_are_read_from_their_columns(tmp_path) -> None:
    rows = [
        ([(0, 0), (1000, 0)], {"公路等级": "村道", "路面类型": "砂石路面", "限速": "", "单行": "否"}),
        (
            [(1000, 0), (2000, 0)],
            {"公路等级": "省道", "路面类型": "沥青", "限速": "40公里/小时", "单行": "否"},
        ),
        ([(3000, 0), (2000, 0)], {"公路等级": "县道", "路面类型": "水泥", "限速": "", "单行": "逆向"}),
    ]
    net = roads.read_lines(layer(tmp_path, rows), modes=("drive",))
    # 30 km/h, seven tenths of it on gravel; nine tenths of 40; 50
    by_hand = 0.06 * (1000 / 21 + 1000 / 36 + 1000 / 50)
    assert drive(net, (0, 0), (3000, 0)) == pytest.approx(by_hand, rel=2e-3)
    shut = ~np.isfinite(net.links.minutes["drive"]).all(axis=1)
    assert [net.links.classes[k] for k in net.links.highway[shut]] == ["secondary"]


def test_columns_and_classes_of_the_study_count_before_the_usual_ones(tmp_path) -> None:
    rows = [
        ([(0, 0), (1000, 0)], {"等级": "二级", "DLDJ": "乡村路", "XS": "20"}),
        ([(1000, 0), (2000, 0)], {"等级": "二级", "DLDJ": "奇怪", "XS": ""}),
    ]
    file = layer(tmp_path, rows)
    own = {"fields": {"class": "DLDJ", "maxspeed": "XS"}, "classes": {"乡村路": "unclassified"}}
    net = roads.read_lines(file, modes=("drive",), **own)
    assert sorted(net.links.classes) == ["road", "unclassified"]
    assert net.notes["lines_of_unknown_class_taken_as_roads"] == 1
    assert net.notes["unknown_classes_of_lines_named"] == "奇怪"
    assert drive(net, (0, 0), (1000, 0)) == pytest.approx(1000 * 0.06 / 18, rel=2e-3)
    with pytest.raises(ConfigError, match="column DJ is missing"):
        roads.read_lines(file, fields={"class": "DJ"})
    with pytest.raises(ConfigError, match="no field is called speed"):
        roads.read_lines(file, fields={"speed": "XS"})


@pytest.mark.filterwarnings("ignore:.crs. was not provided:UserWarning")
def test_what_is_no_layer_of_roads_is_refused(tmp_path) -> None:
    rows = [([(0, 0), (1000, 0)], {"名称": "无"})]
    with pytest.raises(ConfigError, match="no column says the class"):
        roads.read_lines(layer(tmp_path, rows))
    points = gpd.GeoDataFrame({"等级": ["二级"]}, geometry=[shapely.Point(EAST, NORTH)], crs=CRS)
    points.to_file(tmp_path / "points.gpkg")
    with pytest.raises(InputError, match="holds no lines"):
        roads.read_lines(tmp_path / "points.gpkg")
    file = layer(tmp_path, [([(0, 0), (1000, 0)], SECOND)])
    with pytest.raises(IncompleteNetworkError, match="no road lies in the area"):
        roads.read_lines(file, area=shapely.box(120, 30, 121, 31), buffer_m=0)
    bare = layer(tmp_path, [([(0, 0), (1000, 0)], {"class": "primary"})], "bare.shp", None)
    with pytest.raises(MissingCRSError):
        roads.read_lines(bare)


def test_the_lines_of_a_network_of_openstreetmap_make_its_minutes_again(tmp_path, shared_data) -> None:
    net = roads.read_osm(
        shared_data / "roads" / "liechtenstein-2021.osm.pbf",
        modes=("drive",),
        area=shapely.box(9.50, 47.12, 9.53, 47.15),
        buffer_m=500,
    )
    lines = net.lines()
    lines = lines[~lines["highway"].isin(["ferry"])].rename(columns={"highway": "公路等级"})[
        ["公路等级", "geometry"]
    ]
    lines.to_file(tmp_path / "again.gpkg")
    again = roads.read_lines(tmp_path / "again.gpkg", modes=("drive",), crs=net.crs, tolerance_m=0.05)
    # the same kilometres; where lines cross without a node in OpenStreetMap (bridges) there are more pieces here
    assert again.links.length_m.sum() == pytest.approx(net.links.length_m.sum(), rel=2e-3)
    assert len(again.links) >= 0.95 * len(net.links)
