"""Coordinates in the systems of Chinese offices: against other libraries' values, EPSG's zones, and round trips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage.errors import CoordinateSystemError
from sy_coverage.places import from_wgs84, to_wgs84

METRES = 111_320.0  # a degree of latitude

# WGS84, then GCJ-02 and BD-09 as coord-convert 0.2.1 and prcoords 1.0 give them (they agree to 1e-7 degrees)
CITIES = {
    "邵阳": (111.4677, 27.2389, 111.473263828, 27.235655438, 111.479682769, 27.241968201),
    "城步": (110.3221, 26.3906, 110.326823103, 26.387274048, 110.333372136, 26.393015893),
    "北京": (116.3913, 39.9075, 116.397541182, 39.908901276, 116.403913944, 39.915244664),
    "乌鲁木齐": (87.6168, 43.8256, 87.619649949, 43.826805393, 87.626099771, 43.832949795),
    "拉萨": (91.1145, 29.6441, 91.116062421, 29.641393402, 91.122591562, 29.647308534),
    "漠河": (122.5386, 52.972, 122.545628553, 52.973512724, 122.552098611, 52.979598783),
    "三亚": (109.5119, 18.2528, 109.515984295, 18.251094792, 109.522531792, 18.256876554),
    "上海": (121.4737, 31.2304, 121.478223059, 31.228457738, 121.484781469, 31.234310594),
    "喀什": (75.9898, 39.4704, 75.992754990, 39.470627026, 75.999263647, 39.476589909),
    "抚远": (134.3075, 48.3649, 134.315220374, 48.367310748, 134.321766572, 48.373204505),
}
# 邵阳 in Gauss–Kruger metres, from PROJ: EPSG:4546 (no zone number), 4525 (3-degree zone 37), 4497 (6-degree zone 19)
EAST, NORTH = 546_323.3122, 3_014_188.2427


def off_m(lon, lat, other_lon, other_lat):
    """Return metres between points, to first order."""
    aside = (np.asarray(lon) - other_lon) * METRES * np.cos(np.radians(other_lat))
    return np.hypot(aside, (np.asarray(lat) - other_lat) * METRES)


@pytest.mark.parametrize("city", CITIES)
def test_gcj02_and_bd09_agree_with_the_common_implementations_within_two_centimetres(city):
    lon, lat, gcj_lon, gcj_lat, bd_lon, bd_lat = CITIES[city]
    assert off_m(*from_wgs84(lon, lat, "gcj02"), gcj_lon, gcj_lat) < 0.02
    assert off_m(*from_wgs84(lon, lat, "bd09"), bd_lon, bd_lat) < 0.02
    assert off_m(*to_wgs84(gcj_lon, gcj_lat, "gcj02"), lon, lat) < 0.005
    assert off_m(*to_wgs84(bd_lon, bd_lat, "bd09"), lon, lat) < 0.005


@pytest.mark.parametrize("system", ["gcj02", "bd09"])
def test_four_thousand_points_over_the_country_come_back_within_five_millimetres(system):
    rng = np.random.default_rng(4000)
    lon, lat = rng.uniform(73.5, 135.1, 4000), rng.uniform(18.1, 53.6, 4000)
    there = from_wgs84(lon, lat, system)
    # the shift is real (hundreds of metres), and its inverse exact
    assert np.median(off_m(*there, lon, lat)) > 300
    assert off_m(*to_wgs84(*there, system), lon, lat).max() < 0.005


def test_four_thousand_points_are_where_two_other_implementations_put_them_within_two_centimetres():
    """`converted_4000.csv.gz` holds seeded points and what coord-convert 0.2.1 makes of them (prcoords 1.0.2 to 1e-13°)."""
    points = pd.read_csv(Path(__file__).parent / "converted_4000.csv.gz")
    assert len(points) == 4000
    lon, lat = points["lon"].to_numpy(), points["lat"].to_numpy()
    for system in ("gcj02", "bd09"):
        theirs = points[f"{system}_lon"].to_numpy(), points[f"{system}_lat"].to_numpy()
        assert off_m(*from_wgs84(lon, lat, system), *theirs).max() < 0.02
        assert off_m(*to_wgs84(*theirs, system), lon, lat).max() < 0.005


@given(st.floats(73.5, 135.1), st.floats(18.1, 53.6), st.sampled_from(["gcj02", "bd09"]))
def test_there_and_back_again_is_the_same_place(lon, lat, system):
    assert off_m(*to_wgs84(*from_wgs84(lon, lat, system), system), lon, lat) < 0.005


def test_points_outside_china_are_not_shifted():
    for lon, lat in [(139.69, 35.68), (14.5, 35.9), (-15.43, 28.12), (151.2, -33.9)]:
        for system in ("gcj02", "bd09"):
            assert from_wgs84(lon, lat, system) == (lon, lat)
            assert to_wgs84(lon, lat, system) == (lon, lat)


def test_wgs84_and_cgcs2000_degrees_stay_as_they_are():
    for system in ("wgs84", "cgcs2000", "CGCS2000", "WGS-84"):
        lon, lat = to_wgs84([111.4677], [27.2389], system)
        assert (lon[0], lat[0]) == (111.4677, 27.2389)


def test_missing_stays_missing_and_shapes_are_kept():
    lon, lat = to_wgs84([[111.0, np.nan]], [[27.0, np.nan]], "gcj02")
    assert lon.shape == (1, 2)
    assert np.isnan(lon[0, 1])
    assert np.isnan(lat[0, 1])
    assert np.isfinite(lon[0, 0])
    empty, _ = to_wgs84([], [], "bd09")
    assert empty.size == 0


@pytest.mark.parametrize(
    ("x", "y", "meridian"),
    [
        (EAST + 37e6, NORTH, None),  # 3-degree zone 37
        (EAST + 19e6, NORTH, None),  # 6-degree zone 19 has the same middle, 111° E
        (NORTH, EAST + 37e6, None),  # surveyors call the northing x
        (EAST, NORTH, 111.0),  # no zone number: the meridian is told
        (NORTH, EAST, 111.0),
    ],
)
def test_row_82_gauss_kruger_metres_are_recognised_with_and_without_zone_and_in_either_order(x, y, meridian):
    lon, lat = to_wgs84([x], [y], "cgcs2000", central_meridian=meridian)
    assert off_m(lon[0], lat[0], 111.4677, 27.2389) < 0.01


def test_row_82_degrees_and_metres_may_stand_in_one_column():
    lon, lat = to_wgs84([111.4677, EAST + 37e6], [27.2389, NORTH], "cgcs2000")
    assert off_m(lon, lat, 111.4677, 27.2389).max() < 0.01


def test_metres_without_a_zone_number_are_refused_with_the_way_out():
    with pytest.raises(CoordinateSystemError, match=r"no zone number.*central_meridian"):
        to_wgs84([EAST], [NORTH], "cgcs2000")


def test_metres_that_fit_no_zone_are_refused():
    with pytest.raises(CoordinateSystemError, match="neither degrees nor"):
        to_wgs84([99e6], [NORTH], "cgcs2000")


def test_row_29_an_unknown_system_is_refused_naming_the_four():
    with pytest.raises(CoordinateSystemError, match="wgs84, cgcs2000, gcj02, bd09"):
        to_wgs84([111.0], [27.0], "beijing54")
    with pytest.raises(ValueError, match="unknown"):
        from_wgs84([111.0], [27.0], "")
