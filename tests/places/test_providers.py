"""Map services, each with the answers its documentation shows, errors included, from a scripted server on this machine."""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import logging
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import pandas as pd
import pytest
from pydantic import SecretStr

from sy_coverage._fetch import Cache, Client, Clock, Limits
from sy_coverage.errors import ConfigError, InputError, OfflineError, ServiceStoppedError
from sy_coverage.places import from_wgs84, geocode, provider
from sy_coverage.places.locating.providers import PROVIDERS
from tests import toy

pytestmark = pytest.mark.enable_socket
CANARY = "canary-9f8e7d6c"
LON, LAT = 111.05, 27.11  # in the toy county's first unit


@dataclass
class Script:
    """A server that answers request by request from a list; the last answer repeats."""

    answers: list
    asked: list = field(default_factory=list)
    url: str = ""


@pytest.fixture
def serve():
    servers = []

    def start(*answers):
        script = Script(list(answers))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                script.asked.append(self.path)
                answer = script.answers[min(len(script.asked), len(script.answers)) - 1]
                status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        servers.append((server, thread))
        script.url = f"http://localhost:{server.server_port}/geo"
        return script

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Time:
    """A clock that only sleeping moves."""

    at: float = 1000.0
    slept: list = field(default_factory=list)

    def clock(self):
        start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        return Clock(lambda: self.at, self.sleep, lambda: start + dt.timedelta(seconds=self.at - 1000))

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.at += seconds


def local(script, name="amap", *, time=None, cache=None, offline=False, **limits):
    """Return the provider `name`, asking the scripted server instead."""
    client = Client(
        frozenset({"localhost"}),
        cache=Cache(cache) if cache else None,
        offline=offline,
        limits=Limits(**limits),
        clock=(time or Time()).clock(),
        loopback=True,
        resolve=lambda *_: ["127.0.0.1"],
    )
    return PROVIDERS[name](client, SecretStr(CANARY), script.url)


def rows(*addresses, **columns):
    index = pd.Index([f"F{i}" for i in range(len(addresses))], name="facility_id")
    data = {"name": "某敬老院", "kind": "township_home", "address": list(addresses)}
    return gpd.GeoDataFrame(data | columns, geometry=[None] * len(addresses), index=index, crs="EPSG:4326")


def amap(*places):
    """Return an answer in the form of Amap's documentation, from (lon, lat, level) in GCJ-02."""
    geocodes = [
        {"formatted_address": f"某地{i}", "location": f"{x:.6f},{y:.6f}", "level": level, "adcode": "990100"}
        for i, (x, y, level) in enumerate(places)
    ]
    return {"status": "1", "info": "OK", "infocode": "10000", "count": str(len(places)), "geocodes": geocodes}


def here(system):
    lon, lat = from_wgs84(LON, LAT, system)
    return float(lon), float(lat)


ANSWERS = {
    "tianditu": {
        "msg": "ok",
        "location": {"score": 100, "level": "门址", "lon": f"{LON}", "lat": f"{LAT}", "keyWord": "某地"},
        "searchVersion": "6.0.0",
        "status": "0",
    },
    "amap": amap((*here("gcj02"), "门牌号")),
    "baidu": {
        "status": 0,
        "result": {
            "location": dict(zip(("lng", "lat"), here("bd09"), strict=True)),
            "precise": 1,
            "confidence": 80,
            "comprehension": 100,
            "level": "门址",
        },
    },
    "nominatim": [
        {
            "place_id": 1,
            "lat": f"{LAT}",
            "lon": f"{LON}",
            "category": "amenity",
            "type": "nursing_home",
            "addresstype": "amenity",
            "display_name": "某地",
        }
    ],
}
NOTHING = {
    "tianditu": {"msg": "无结果", "status": "101"},
    "amap": {"status": "1", "info": "OK", "infocode": "10000", "count": "0", "geocodes": []},
    "baidu": {"status": 1, "msg": "Internal Service Error:无相关结果", "results": []},
    "nominatim": [],
}
BAD_KEY = {
    "tianditu": {"msg": "非法Key", "resolve": "请到API控制台重新申请Key", "code": 300001},
    "amap": {"status": "0", "info": "INVALID_USER_KEY", "infocode": "10001"},
    "baidu": {"status": 5, "message": "APP不存在，AK有误请检查再重试"},
}


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_every_service_s_answer_is_turned_into_wgs84_with_its_provenance(serve, name):
    script = serve(ANSWERS[name])
    found = geocode(rows("某镇某村1号"), [local(script, name)], units=toy.units())
    assert found.geometry["F0"].x == pytest.approx(LON, abs=2e-6)
    assert found.geometry["F0"].y == pytest.approx(LAT, abs=2e-6)
    row = found.loc["F0"]
    assert (row["located_by"], row["location_status"], row["location_precision"]) == (
        name,
        "located",
        "point",
    )
    assert row["coordinate_system"] == PROVIDERS[name].system
    assert row["location_query"] == "某镇某村1号"
    assert row["location_time"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_row_31_nothing_found_is_an_answer_that_is_kept(serve, tmp_path, name):
    script = serve(NOTHING[name])
    for _ in range(2):
        found = geocode(
            rows("不存在的地方"), [local(script, name, cache=tmp_path / "c.sqlite")], units=toy.units()
        )
        assert found.loc["F0", "location_reason"] == "not_found"
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    "body", [b"<html>login</html>", {}, b'{"status": "1", "geo', b"", b"[1]", b"null"], ids=str
)
def test_row_31_an_answer_that_is_not_as_documented_stops_and_is_not_kept(serve, tmp_path, body):
    script = serve(body)
    with pytest.raises(ServiceStoppedError, match="not as documented"):
        geocode(rows("x"), [local(script, cache=tmp_path / "c.sqlite", tries=2)], units=toy.units())
    with closing(sqlite3.connect(tmp_path / "c.sqlite")) as connection, connection:
        assert connection.execute("SELECT count(*) FROM answers").fetchone() == (0,)
    connection.close()


def test_row_31_a_body_beyond_the_limit_is_cut_off(serve):
    script = serve(b" " * 200_000)
    with pytest.raises(OfflineError, match="more than 100,000 bytes"):
        geocode(rows("x"), [local(script, most_bytes=100_000, tries=1)], units=toy.units())


@pytest.mark.parametrize("asked", [7, 0, None])
def test_row_32_a_429_is_waited_for_as_long_as_it_says(serve, asked):
    headers = {} if asked is None else {"Retry-After": str(asked)}
    script, time = serve((429, headers, b""), (429, headers, b""), ANSWERS["amap"]), Time()
    found = geocode(rows("x"), [local(script, time=time)], units=toy.units())
    assert found.loc["F0", "location_status"] == "located"
    assert time.slept == ([1.0, 2.0] if asked is None else [asked, asked])


def test_row_32_a_429_may_give_a_date(serve):
    date = email.utils.format_datetime(dt.datetime(2026, 1, 1, 0, 0, 42, tzinfo=dt.UTC), usegmt=True)
    script, time = serve((429, {"Retry-After": date}, b""), ANSWERS["amap"]), Time()
    geocode(rows("x"), [local(script, time=time)], units=toy.units())
    assert time.slept == [42.0]


def test_row_33_a_429_for_ever_stops_after_five_and_what_was_answered_is_kept(serve, tmp_path):
    script = serve(ANSWERS["amap"], (429, {}, b""))
    source = local(script, cache=tmp_path / "c.sqlite")
    with pytest.raises(ServiceStoppedError, match="slow down") as caught:
        geocode(rows("一", "二"), [source], units=toy.units())
    assert caught.value.exit_code == 75
    assert len(script.asked) == 1 + 5
    again = serve(ANSWERS["amap"])
    found = geocode(rows("一", "二"), [local(again, cache=tmp_path / "c.sqlite")], units=toy.units())
    assert len(again.asked) == 1
    assert (found["location_status"] == "located").all()


@pytest.mark.parametrize("status", [401, 403])
def test_row_34_a_refused_key_stops_at_the_first_request(serve, status):
    script = serve((status, {}, b"no"))
    with pytest.raises(ServiceStoppedError, match="check the key"):
        geocode(rows("一", "二"), [local(script)], units=toy.units())
    assert len(script.asked) == 1


@pytest.mark.parametrize("name", sorted(BAD_KEY))
def test_row_34_a_key_refused_in_the_body_stops_at_the_first_request(serve, name):
    script = serve(BAD_KEY[name])
    with pytest.raises(ServiceStoppedError, match="check the key"):
        geocode(rows("一", "二"), [local(script, name)], units=toy.units())
    assert len(script.asked) == 1


def test_row_32_a_service_that_asks_to_slow_down_in_its_body_is_waited_for(serve):
    slow = {"status": "0", "info": "CUQPS_HAS_EXCEEDED_THE_LIMIT", "infocode": "10021"}
    script, time = serve(slow, ANSWERS["amap"]), Time()
    geocode(rows("x"), [local(script, time=time)], units=toy.units())
    assert time.slept == [1.0]


def test_row_35_faults_of_the_server_are_tried_again(serve):
    script, time = serve((500, {}, b""), (503, {}, b""), ANSWERS["amap"]), Time()
    found = geocode(rows("x"), [local(script, time=time)], units=toy.units())
    assert found.loc["F0", "location_status"] == "located"
    assert time.slept == [1.0, 2.0]


def test_row_35_a_body_that_breaks_off_is_tried_again(serve):
    broken = (200, {"Content-Length": "500"}, b'{"status"')
    script = serve(broken, ANSWERS["amap"])
    # the script's server closes the connection after the short body
    found = geocode(rows("x"), [local(script, connect_s=2.0)], units=toy.units())
    assert found.loc["F0", "location_status"] == "located"
    assert len(script.asked) == 2


def test_row_36_the_key_is_sent_and_written_nowhere(serve, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    script = serve((500, {}, b""), ANSWERS["amap"], (403, {}, b""))
    source = local(script, cache=tmp_path / "c.sqlite")
    found = geocode(rows("一"), [source], units=toy.units())
    with pytest.raises(ServiceStoppedError) as caught:
        geocode(rows("二"), [source], units=toy.units())
    assert parse_qs(urlsplit(script.asked[0]).query)["key"] == [CANARY]
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for text in (
        caplog.text,
        str(caught.value),
        repr(caught.value),
        repr(source),
        found.to_csv(),
        written.decode("utf-8", "replace"),
    ):
        assert CANARY not in text


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("老街1号", "试验县甲镇老街1号"),
        ("某市试验县老街1号", "某市试验县甲镇老街1号"),
        ("甲镇老街1号", "试验县甲镇老街1号"),
        ("某市试验县甲镇老街1号", "某市试验县甲镇老街1号"),
        (None, "试验县甲镇某敬老院"),
    ],
)
def test_an_address_is_asked_for_with_the_county_and_the_unit_of_its_row(serve, address, asked):
    script = serve(ANSWERS["amap"])
    geocode(rows(address, county_named=["试验县"], unit_named=["甲镇"]), [local(script)], units=toy.units())
    assert parse_qs(urlsplit(script.asked[0]).query)["address"] == [asked]


def test_row_37_several_answers_far_apart_are_ambiguous_and_none_is_picked(serve):
    lon, lat = here("gcj02")
    script = serve(amap((lon, lat, "兴趣点"), (lon + 0.05, lat, "兴趣点")))
    found = geocode(rows("中心敬老院"), [local(script)], units=toy.units())
    assert found.loc["F0", "location_reason"] == "several_answers"
    assert found.loc["F0", "location_detail"] == "某地0、某地1"
    assert found.geometry.isna().all()


@pytest.mark.parametrize(("apart_m", "status"), [(90, "located"), (110, "ambiguous")])
def test_row_37_answers_that_differ_by_more_than_a_yard_s_width_are_not_picked_from(serve, apart_m, status):
    lon, lat = here("gcj02")
    script = serve(amap((lon, lat, "兴趣点"), (lon, lat + apart_m / 111_320, "兴趣点")))
    found = geocode(rows("中心敬老院"), [local(script)], units=toy.units())
    assert found.loc["F0", "location_status"] == status


def test_row_37_one_of_several_answers_is_taken_where_the_study_names_it(serve):
    lon, lat = here("gcj02")
    script = serve(amap((lon + 0.05, lat, "兴趣点"), (lon, lat, "兴趣点")))
    frame = rows("中心敬老院", "中心敬老院", "中心敬老院")
    found = geocode(frame, [local(script)], units=toy.units(), chosen={"F1": "某地1", "F2": "某地7"})
    assert found["location_status"].tolist() == ["ambiguous", "located", "ambiguous"]
    assert found.geometry["F1"].coords[0] == pytest.approx((LON, LAT), abs=2e-6)
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("level", "accept", "status", "reason"),
    [
        ("乡镇", ["village"], "not_located", "too_coarse"),
        ("乡镇", ["village", "town"], "approximate", "town_only"),
        ("区县", ["village", "town"], "not_located", "too_coarse"),
    ],
)
def test_row_37_a_match_coarser_than_a_village_is_never_a_silent_pick(serve, level, accept, status, reason):
    script = serve(amap((*here("gcj02"), level)))
    found = geocode(rows("x"), [local(script)], units=toy.units(), accept=accept)
    assert found.loc["F0", ["location_status", "location_reason"]].tolist() == [status, reason]


def test_row_38_an_answer_outside_the_county_is_rejected_with_its_distance(serve):
    script = serve(amap((112.9, 28.2, "门牌号")))
    found = geocode(rows("x", county_named=["试验县"]), [local(script)], units=toy.units())
    assert found.loc["F0", "location_reason"] == "outside_county"
    assert float(found.loc["F0", "location_detail"]) > 100


def test_row_39_other_hosts_plain_http_private_addresses_and_redirects_are_refused(serve):
    def client(hosts, address, **options):
        return Client(frozenset(hosts), resolve=lambda *_: [address], **options)

    with pytest.raises(InputError, match="not a service this study names"):
        client({"a.example"}, "8.8.8.8").get("https://b.example/x", params={})
    with pytest.raises(InputError, match="only https"):
        client({"a.example"}, "8.8.8.8").get("http://a.example/x", params={})
    for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "::1", "fd00::1"):
        with pytest.raises(InputError, match="no public address"):
            client({"a.example"}, address).get("https://a.example/x", params={})
    script = serve((302, {"Location": "http://169.254.169.254/"}, b""))
    with pytest.raises(ServiceStoppedError, match="redirects are not followed"):
        geocode(rows("x"), [local(script)], units=toy.units())
    assert len(script.asked) == 1


def test_row_40_the_same_address_in_other_writing_is_asked_once(serve, tmp_path):
    script = serve(ANSWERS["amap"])
    found = geocode(rows("某村12号 A", "某村１２号a", " 某村12号　A"), [local(script)], units=toy.units())
    assert len(script.asked) == 1
    assert found["location_query"].tolist() == ["某村12号 A", "某村１２号a", "某村12号 A"]
    assert local(script).queries(rows("某村12号 A", "某村１２号a", "乙")) == ["乙", "某村１２号a"]


def test_row_41_a_second_run_asks_nothing_and_says_the_same(serve, tmp_path):
    script = serve(ANSWERS["amap"])
    one = geocode(rows("一", "二"), [local(script)], units=toy.units(), cache=tmp_path / "c.sqlite")
    two = geocode(
        rows("一", "二"), [local(script, time=Time(5000.0))], units=toy.units(), cache=tmp_path / "c.sqlite"
    )
    assert len(script.asked) == 2
    assert one.to_json() == two.to_json()


def test_row_43_offline_the_cache_answers_and_the_missing_addresses_are_named(serve, tmp_path):
    script = serve(ANSWERS["amap"])
    geocode(rows("一"), [local(script)], units=toy.units(), cache=tmp_path / "c.sqlite")
    offline = local(script, cache=tmp_path / "c.sqlite", offline=True)
    assert geocode(rows("一"), [offline], units=toy.units()).loc["F0", "location_status"] == "located"
    with pytest.raises(OfflineError, match="does not know: 二, 三") as caught:
        geocode(rows("一", "二", "三"), [offline], units=toy.units())
    assert caught.value.exit_code == 69
    assert len(script.asked) == 1


def test_row_43_a_server_that_is_not_there_is_offline(serve):
    script = serve(b"")
    gone = replace(script, url="http://localhost:9/geo")
    with pytest.raises(OfflineError, match="cannot be reached"):
        geocode(rows("x"), [local(gone, tries=2)], units=toy.units())


def test_row_44_a_slow_drip_ends_at_the_limit_of_the_monotonic_clock(serve):
    script = serve(ANSWERS["amap"])
    time = Time()
    source = local(script, time=time, total_s=-1.0, tries=2)
    with pytest.raises(OfflineError, match="more than -1 s"):
        geocode(rows("x"), [source], units=toy.units())
    assert time.slept == [1.0]


def test_row_74_a_damaged_answer_in_the_cache_is_asked_for_again(serve, tmp_path):
    script = serve(ANSWERS["amap"])
    path = tmp_path / "c.sqlite"
    geocode(rows("一"), [local(script)], units=toy.units(), cache=path)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE answers SET content = ?", (b"{}",))
    connection.close()
    found = geocode(rows("一"), [local(script)], units=toy.units(), cache=path)
    assert len(script.asked) == 2
    assert found.loc["F0", "location_status"] == "located"


def test_nominatim_is_asked_once_a_second_and_told_who_asks(serve):
    script, time = serve(ANSWERS["nominatim"]), Time()
    geocode(rows("一", "二", "三"), [local(script, "nominatim", time=time)], units=toy.units())
    assert time.slept == [1.0, 1.0]


def test_a_service_is_made_by_name_and_needs_its_key():
    with pytest.raises(ConfigError, match="unknown; there are: gazetteer, amap"):
        provider("google")
    with pytest.raises(ConfigError, match="TIANDITU_KEY"):
        provider("tianditu")
    made = provider("baidu", key=SecretStr(CANARY))
    assert made.client.hosts == {"api.map.baidu.com"}
    assert CANARY not in repr(made)
    assert provider("nominatim").client.hosts == {"nominatim.openstreetmap.org"}


def test_row_72_killed_at_forty_moments_and_run_again_it_says_the_same_and_asks_nothing_twice(
    serve, tmp_path
):
    import multiprocessing
    from collections import Counter

    from tests.places import killed

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.places.killed", "sy_coverage.places.locating.geocode"])
    script = serve(ANSWERS["amap"])

    def start(cache, out):
        process = context.Process(target=killed.run, args=(script.url, str(cache), str(out)))
        process.start()
        return process

    done, cache, out, kills = tmp_path / "unbroken.json", tmp_path / "c.sqlite", tmp_path / "out.json", 0
    start(tmp_path / "u.sqlite", done).join()
    assert len(script.asked) == len(killed.ADDRESSES)
    script.asked.clear()
    for moment in range(40):
        process = start(cache, out)
        process.join(0.005 * moment)
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
    start(cache, out).join()
    assert out.read_bytes() == done.read_bytes()
    asked = Counter(parse_qs(urlsplit(path).query)["address"][0] for path in script.asked)
    assert set(asked) == set(killed.ADDRESSES)
    # only a request that was on its way when its process was killed can be sent again
    assert sum(asked.values()) - len(asked) <= kills
    assert kills > 5
    before = len(script.asked)
    start(cache, out).join()
    assert len(script.asked) == before
