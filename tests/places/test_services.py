"""Map services as they really answer: what one row does to the list, and how precise an answer is by its own word."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import geopandas as gpd
import pandas as pd
import pytest

from sy_coverage.errors import QuotaSpentError, ServiceStoppedError
from sy_coverage.places import doubts, geocode
from tests import toy
from tests.places import services
from tests.places.services import GOOD, KEY, amap, amap_place, baidu, nominatim, serving, source, tianditu

pytestmark = pytest.mark.enable_socket
LON, LAT = 111.05, 27.11  # in the toy county's first unit


def rows(*addresses: str, **columns: object) -> gpd.GeoDataFrame:
    index = pd.Index([f"F{i}" for i in range(len(addresses))], name="facility_id")
    data = {"name": [f"第{i}敬老院" for i in index], "kind": "township_home", "address": list(addresses)}
    return gpd.GeoDataFrame(data | columns, geometry=[None] * len(addresses), index=index, crs="EPSG:4326")


def kept(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM answers").fetchone()[0]


REFUSALS = {
    "tianditu": {"msg": "出错", "status": "404"},
    "amap": {"status": "0", "info": "INVALID_PARAMS", "infocode": "20000"},
    "baidu": {"status": 2, "msg": "Parameter Invalid"},
    "nominatim": (400, {"error": {"code": 400, "message": "Parameter 'q' is too long."}}),
}
FAULTS = {
    "tianditu": {"msg": "服务器错误", "status": "500"},
    "amap": {"status": "0", "info": "UNKNOWN_ERROR", "infocode": "20003"},
    "baidu": {"status": 1, "msg": "服务器内部错误"},
    "nominatim": (503, b"busy"),
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_row_126_an_address_a_service_chokes_on_is_its_row_s_reason_and_the_rest_goes_on(name, tmp_path):
    with serving(lambda asked: REFUSALS[name] if "坏" in asked else GOOD[name](LON, LAT)) as service:
        frame = rows("一号", "坏地址", "三号")
        for _ in range(2):
            found = geocode(
                frame, [source(name, service, cache=tmp_path / "c")], units=toy.units(), accept=["village"]
            )
        assert found["location_status"].tolist() == ["located", "not_located", "located"]
        assert found["location_reason"].tolist() == [None, "service_refused", None]
        assert service.questions == ["一号", "坏地址", "三号"]  # each once, in two runs
        assert "service_refused" in set(doubts(found, toy.units())["doubt_id"])


@pytest.mark.parametrize("body", [b"<html>Bad Request</html>", b"", b"{}"])
def test_row_126_a_bare_status_400_is_the_row_s_reason_too(body):
    with serving(lambda asked: (400, body) if "坏" in asked else nominatim(LON, LAT)) as service:
        found = geocode(rows("坏地址", "二号"), [source("nominatim", service)], units=toy.units())
    assert found["location_reason"].tolist() == ["service_refused", None]


@pytest.mark.parametrize("name", sorted(GOOD))
def test_row_126_a_passing_fault_is_never_kept_and_the_rest_goes_on(name, tmp_path):
    state = {"down": True}

    def answer(asked):
        return FAULTS[name] if "二" in asked and state["down"] else GOOD[name](LON, LAT)

    with serving(answer) as service:
        frame = rows("一号", "二号", "三号")
        found = geocode(frame, [source(name, service, cache=tmp_path / "c")], units=toy.units())
        assert found["location_reason"].tolist() == [None, "service_failed", None]
        assert kept(tmp_path / "c") == 2
        state["down"] = False
        found = geocode(frame, [source(name, service, cache=tmp_path / "c")], units=toy.units())
    assert (found["location_status"] == "located").all()


def test_row_126_a_service_that_fails_on_three_rows_after_one_another_has_stopped_us():
    with (
        serving(lambda asked: FAULTS["baidu"]) as service,
        pytest.raises(ServiceStoppedError, match="服务器内部错误"),
    ):
        geocode(rows("一", "二", "三", "四"), [source("baidu", service)], units=toy.units())
    assert len(service.asked) == 3 * 2  # twice each


SPENT = {
    "amap": {"status": "0", "info": "DAILY_QUERY_OVER_LIMIT", "infocode": "10003"},
    "baidu": {"status": 302, "message": "天配额超限，限制访问"},
    "tianditu": {"msg": "当日调用次数超限", "code": 301030},
}


@pytest.mark.parametrize("name", sorted(SPENT))
def test_row_126_a_spent_quota_leaves_the_other_rows_to_the_next_service(name, tmp_path):
    with (
        serving(lambda asked: GOOD[name](LON, LAT) if "一" in asked else SPENT[name]) as first,
        serving(lambda asked: nominatim(LON, LAT)) as second,
    ):
        frame = rows("一号", "二号", "三号")
        sources = [
            source(name, first, cache=tmp_path / "c"),
            source("nominatim", second, cache=tmp_path / "c"),
        ]
        found = geocode(frame, sources, units=toy.units())
        assert found["located_by"].tolist() == [name, "nominatim", "nominatim"]
        assert first.questions == ["一号", "二号"]  # nothing more is asked of it today
        assert second.questions == ["二号", "三号"]
        with pytest.raises(QuotaSpentError, match="spent"):
            geocode(rows("四号"), [source(name, first)], units=toy.units())


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        ({}, "located", None),
        ({"level": "商务大厦"}, "located", None),  # a kind of place of interest, and exact
        ({"level": "养老服务", "confidence": 75}, "located", None),
        ({"level": "道路", "confidence": 25, "precise": 0}, "not_located", "too_coarse"),  # 8 km
        ({"level": "门址", "confidence": 30, "precise": 0}, "not_located", "too_coarse"),  # 5 km
        ({"level": "道路", "confidence": 50, "precise": 0}, "located", None),  # 1 km: a village
        ({"level": "村庄", "confidence": 10}, "not_located", "too_coarse"),
        ({"level": "养老服务", "confidence": 80, "comprehension": 20}, "not_located", "too_coarse"),
        ({"level": "乡镇", "confidence": 100}, "not_located", "too_coarse"),
    ],
)
def test_row_127_baidu_s_own_error_radius_is_the_precision(said, status, reason):
    with serving(lambda asked: baidu(LON, LAT, **said)) as service:
        found = geocode(rows("某路"), [source("baidu", service)], units=toy.units()).iloc[0]
    assert (found["location_status"], found["location_reason"]) == (status, reason)


def test_row_127_what_an_answer_is_off_by_is_said_and_a_vague_place_is_at_most_a_village():
    with serving(lambda asked: baidu(LON, LAT, level="道路", confidence=25, precise=0)) as service:
        found = geocode(
            rows("某路"), [source("baidu", service)], units=toy.units(), accept=["village", "town"]
        ).iloc[0]
    assert "±8,000 m" in found["location_detail"]
    with serving(lambda asked: baidu(LON, LAT, level="商务大厦", precise=0)) as service:
        found = geocode(rows("某楼"), [source("baidu", service)], units=toy.units()).iloc[0]
    assert found["location_precision"] == "village"


@pytest.mark.parametrize(("score", "status"), [(100, "located"), (70, "located"), (30, "not_located")])
def test_row_127_tianditu_s_score_says_how_far_an_answer_can_be_trusted(score, status):
    with serving(lambda asked: tianditu(LON, LAT, score=score)) as service:
        found = geocode(rows("某院"), [source("tianditu", service)], units=toy.units()).iloc[0]
    assert found["location_status"] == status
    assert found["location_precision"] == {100: "point", 70: "village", 30: "town"}[score]


def test_two_homes_at_the_very_same_answer_are_a_doubt():
    with serving(lambda asked: amap(amap_place(LON, LAT))) as service:
        found = geocode(rows("一号", "二号"), [source("amap", service)], units=toy.units())
    frame = found.assign(name=["夕阳红养老院", "康乐园养老院"])
    same = doubts(frame, toy.units()).query("doubt_id == 'same_spot'")
    assert same[["row_id", "subject"]].to_numpy().tolist() == [["F1", "夕阳红养老院（F0）"]]


def test_county_and_city_go_into_the_query_and_choose_among_hits():
    elsewhere = amap_place(LON + 0.8, LAT, adcode="430581", formatted_address="某省某市别县某地")
    with serving(lambda asked: amap(elsewhere, amap_place(LON, LAT))) as service:
        frame = rows("老街1号", county_named=["试验县"], unit_named=["甲镇"])
        found = geocode(frame, [source("amap", service)], units=toy.units())
    assert service.asked[0]["address"] == "试验县甲镇老街1号"
    assert service.asked[0]["city"] == "990100"
    assert found["location_status"].item() == "located"
    with serving(lambda asked: baidu(LON, LAT)) as service:
        geocode(rows("老街1号", county_named=["别县"]), [source("baidu", service)], units=toy.units())
    assert service.asked[0]["city"] == "别县"


@pytest.mark.parametrize(
    ("address", "county", "unit", "asked"),
    [
        ("邵阳市宝庆东路88号", "双清区", "兴隆街道", "邵阳市双清区兴隆街道宝庆东路88号"),
        ("新村3组", "隆回县", "桃花坪街道", "隆回县桃花坪街道新村3组"),
        (
            "高平村3组",
            "隆回县",
            "高平镇",
            "隆回县高平镇高平村3组",
        ),  # a village of the town's name is not the town
        ("湖南省邵阳市隆回县桃花坪镇文仙社区", "隆回县", "桃花坪街道", "湖南省邵阳市隆回县桃花坪镇文仙社区"),
        ("宝庆市场对面", "大祥区", "红旗路街道", "大祥区红旗路街道宝庆市场对面"),  # a market is no city
        ("市政府旁", "大祥区", "", "大祥区市政府旁"),
        ("隆回桃洪路3号", "隆回县", "", "隆回县桃洪路3号"),
        ("邵东市两市塘街道城市花园2栋", "邵东市", "两市塘街道", "邵东市两市塘街道城市花园2栋"),
        ("宝庆东路88号", "邵阳市双清区", "430502001", "邵阳市双清区宝庆东路88号"),
    ],
)
def test_a_query_says_what_the_row_says_in_its_order(address, county, unit, asked):
    with serving(lambda _: amap()) as service:
        frame = rows(address, county_named=[county], unit_named=[unit or None])
        geocode(frame, [source("amap", service)], units=toy.units())
    assert service.questions == [asked]


@pytest.mark.parametrize(
    ("km", "status", "reason"), [(-0.3, "located", "beyond_border"), (-0.8, "rejected", "outside_county")]
)
def test_a_point_just_beyond_a_generalised_border_is_kept_as_a_doubt(km, status, reason):
    spot = gpd.GeoSeries([toy.at(km)], crs=toy.CRS).to_crs("EPSG:4326")[0]
    with serving(lambda asked: amap(amap_place(spot.x, spot.y))) as service:
        found = geocode(
            rows("某院", county_named=[toy.COUNTY_NAME]), [source("amap", service)], units=toy.units()
        )
    assert found[["location_status", "location_reason"]].to_numpy().tolist() == [[status, reason]]
    if reason == "beyond_border":
        assert float(found["location_detail"].item()) == pytest.approx(300, abs=1)
        assert "beyond_border" in set(doubts(found, toy.units())["doubt_id"])


@pytest.mark.parametrize("name", sorted(GOOD))
def test_swapped_or_zero_answers_are_nobody_s_place(name):
    for lon, lat in ((LAT, LON), (0.0, 0.0)):

        def answer(asked, lon=lon, lat=lat):
            return {
                "amap": amap(amap_place(LON, LAT, location=f"{lon},{lat}")),
                "baidu": {"status": 0, "result": {"location": {"lng": lon, "lat": lat}, "level": "门址"}},
                "tianditu": tianditu(lon, lat),
                "nominatim": nominatim(lon, lat),
            }[name]

        with serving(answer) as service:
            found = geocode(rows("某院"), [source(name, service)], units=toy.units())
        assert found["location_reason"].item() == "impossible_answer"
        assert found.geometry.isna().all()


def test_empty_fields_are_empty_and_an_answer_without_a_place_found_nothing():
    empty = amap_place(LON, LAT, location=[], formatted_address=[], level=[])
    with serving(lambda asked: amap(empty)) as service:
        found = geocode(rows("某院"), [source("amap", service)], units=toy.units())
    assert found["location_reason"].item() == "not_found"
    with serving(lambda asked: amap(empty, amap_place(LON, LAT, formatted_address=[]))) as service:
        found = geocode(rows("某院"), [source("amap", service)], units=toy.units())
    assert found["location_status"].item() == "located"
    assert found["location_detail"].item() is None


def test_row_36_a_key_that_a_service_repeats_is_written_nowhere(tmp_path):
    said = amap(amap_place(LON, LAT, formatted_address=f"某地 key={KEY}"))
    with serving(lambda asked: said | {"request": f"key={KEY}"}) as service:
        found = geocode(rows("某院"), [source("amap", service, cache=tmp_path / "c")], units=toy.units())
    assert found["location_detail"].item() == "某地 key=***"
    with (
        serving(
            lambda asked: {"status": "0", "info": f"INVALID_USER_KEY {KEY}", "infocode": "10001"}
        ) as service,
        pytest.raises(ServiceStoppedError) as caught,
    ):
        geocode(rows("某院"), [source("amap", service)], units=toy.units())
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode("utf-8", "replace")
    assert KEY not in written + str(caught.value) + found.to_csv()


def test_every_service_is_paced_across_lists_and_told_whom_to_write_to():
    waits = services.Waits()
    with serving(lambda asked: nominatim(LON, LAT)) as service:
        asking = source("nominatim", service, waits=waits).told_contact("https://example.org/elder-care")
        for address in ("一", "二"):  # two lists of one study
            geocode(rows(address), [asking], units=toy.units())
    assert waits.slept == [1.0]
    assert "https://example.org/elder-care" in service.headers[0]["User-Agent"]
    assert service.headers[0]["Referer"] == "https://example.org/elder-care"
    for name in ("amap", "baidu", "tianditu"):
        waits = services.Waits()
        with serving(lambda asked, name=name: GOOD[name](LON, LAT)) as service:
            geocode(rows("一", "二", "三"), [source(name, service, waits=waits)], units=toy.units())
        assert len(waits.slept) == 2
        assert min(waits.slept) > 0.1
        assert "Referer" not in service.headers[0]


def test_a_client_makes_one_tls_context_for_all_its_requests(monkeypatch):
    import httpx

    made = []
    make = httpx.create_ssl_context
    monkeypatch.setattr(httpx, "create_ssl_context", lambda **given: made.append(1) or make(**given))
    with serving(lambda asked: nominatim(LON, LAT)) as service:
        geocode(rows("一", "二", "三"), [source("nominatim", service)], units=toy.units())
    assert made == [1]
