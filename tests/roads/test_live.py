"""Roads asked of OpenStreetMap: a server on this machine answers as Overpass does."""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from shapely import box

from sy_coverage import roads
from sy_coverage._fetch import Cache, Client, Clock, Limits, Reply
from sy_coverage.errors import IncompleteNetworkError, InputError, OfflineError, ServiceStoppedError
from tests.roads.test_osm import extract, reaches

pytestmark = pytest.mark.enable_socket
AREA = box(110.99, 26.99, 111.01, 27.01)
HEAD = """<note>The data included in this document is from www.openstreetmap.org.</note>
<meta osm_base="2026-01-02T03:04:05Z"/>"""
NO_LEFT = """<relation id='9'><member type='way' ref='100' role='from'/><member type='node' ref='2' role='via'/>
<member type='way' ref='101' role='to'/><tag k='type' v='restriction'/><tag k='restriction' v='no_left_turn'/></relation>"""


@dataclass
class Overpass:
    """Answers every question with the same status and body, and remembers the questions."""

    body: bytes = b""
    status: int = 200
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def client(self, cache=None, *, offline=False) -> Client:
        return Client(
            frozenset({"localhost"}),
            cache=None if cache is None else Cache(cache),
            offline=offline,
            limits=Limits(tries=2),
            clock=Clock(sleep=lambda _: None),
            loopback=True,
            resolve=lambda *_: ["127.0.0.1"],
        )


@pytest.fixture
def overpass():
    here = Overpass()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            here.asked.append(parse_qs(urlsplit(self.path).query)["data"][0])
            self.send_response(here.status)
            self.send_header("Content-Length", str(len(here.body)))
            self.end_headers()
            self.wfile.write(here.body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    here.url = f"http://localhost:{server.server_port}/api/interpreter"
    yield here
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def file(tmp_path):
    """Return a crossing of four streets with one forbidden turn, as a local extract."""
    nodes = {1: (-2, 0), 2: (0, 0), 3: (0, 2), 4: (0, -2), 5: (2, 0, {"barrier": "gate"}), 6: (3, 0)}
    street = {"highway": "residential", "maxspeed": "30"}
    ways = [([1, 2], street), ([2, 3], street), ([2, 4], street), ([2, 5, 6], street)]
    return extract(tmp_path, nodes, ways, NO_LEFT)


def answer(file) -> bytes:
    return file.read_bytes().replace(b"<osm version='0.6'>", b"<osm version='0.6'>" + HEAD.encode())


def ask(overpass, **options):
    cache, offline = options.pop("cache", None), options.pop("offline", False)
    client = overpass.client(cache, offline=offline)
    return roads.fetch_osm(AREA, server=overpass.url, client=client, buffer_m=1000, **options)


def test_an_answer_becomes_the_network_that_the_same_extract_becomes(overpass, file) -> None:
    overpass.body = answer(file)
    live, local = ask(overpass), roads.read_osm(file, area=AREA, buffer_m=1000)
    assert live.digest == local.digest
    assert live.notes == local.notes
    assert live.notes["turn_restrictions_honoured"] == 1
    assert "2026-01-02T03:04:05Z sha256:" in live.source


def test_through_osmnx_the_same_answer_makes_the_same_minutes(overpass, tmp_path) -> None:
    nodes = {1: (-2, 0), 2: (0, 0), 3: (0, 2), 4: (1, -1), 5: (2, 0), 6: (3, 1)}
    street = {"highway": "residential", "maxspeed": "30"}
    ways = [
        ([1, 2], street), ([2, 3], street | {"oneway": "yes"}), ([2, 4, 5], {"highway": "tertiary"}),
        ([2, 5], {"highway": "footway"}), ([5, 6], street),
    ]  # fmt: skip
    overpass.body = answer(extract(tmp_path, nodes, ways))
    own, theirs = ask(overpass), ask(overpass, through="osmnx")
    assert theirs.source.startswith("OSMnx-localhost 2026-01-02T03:04:05Z sha256:")
    for mode in ("drive", "walk"):
        for start in (1, 2, 3, 5, 6):
            for end in (1, 2, 3, 5, 6):
                # OSMnx measures on a sphere, which is up to half a per cent off
                assert reaches(theirs, mode, start, end) == pytest.approx(
                    reaches(own, mode, start, end), rel=6e-3
                )


def test_through_osmnx_what_makes_no_graph_is_refused(overpass) -> None:
    overpass.body = b"<osm version='0.6'></osm>"
    with pytest.raises(IncompleteNetworkError, match="OSMnx"):
        ask(overpass, through="osmnx")
    overpass.body = b"<!DOCTYPE osm [<!ENTITY a 'b'>]><osm version='0.6'></osm>"
    with pytest.raises(IncompleteNetworkError, match="entities"):
        ask(overpass, through="osmnx")


def test_the_question_names_the_area_with_its_buffer_and_the_day(overpass, file) -> None:
    overpass.body = answer(file)
    ask(overpass, date=dt.date(2025, 12, 31))
    (asked,) = overpass.asked
    # 1,000 m are 0.00904° north and 0.01015° east at 27°
    assert 'way["highway"](26.981,110.9798,27.019,111.0202)' in asked
    assert '[date:"2025-12-31T23:59:59Z"]' in asked
    assert 'rel(bw)["type"~"^restriction"]' in asked


def test_an_answer_is_asked_for_once_and_then_known_without_the_network(overpass, file, tmp_path) -> None:
    overpass.body = answer(file)
    cache = tmp_path / "roads.sqlite"
    first = ask(overpass, cache=cache)
    again = ask(overpass, cache=cache, offline=True)
    assert len(overpass.asked) == 1
    assert again.digest == first.digest
    assert again.source == first.source
    with pytest.raises(OfflineError, match="the cache has no answer"):
        ask(overpass, cache=cache, offline=True, date=dt.date(2024, 1, 1))


def test_a_partial_answer_stops_with_its_reason_and_is_not_kept(overpass, file, tmp_path) -> None:
    remark = (
        b"<remark> runtime error: Query timed out in &quot;query&quot; at line 1 after 601 seconds. </remark>"
    )
    overpass.body = answer(file).replace(b"</osm>", remark + b"</osm>")
    cache = tmp_path / "roads.sqlite"
    with pytest.raises(IncompleteNetworkError, match=r"answer is partial \(runtime error: Query timed out"):
        ask(overpass, cache=cache)
    assert len(overpass.asked) == 1
    with pytest.raises(OfflineError):
        ask(overpass, cache=cache, offline=True)


@pytest.mark.parametrize(
    "body", [b"<html>please log in</html>", b"", b'{"elements": []}', b"<osm version='0.6'><node id='1'"]
)
def test_what_is_no_whole_answer_is_refused(overpass, body) -> None:
    overpass.body = body
    with pytest.raises(ServiceStoppedError, match="no OpenStreetMap data"):
        ask(overpass)


def test_a_busy_server_stops_and_an_area_without_roads_says_so(overpass) -> None:
    overpass.status = 504
    with pytest.raises(ServiceStoppedError, match="status 504"):
        ask(overpass)
    overpass.status, overpass.body = 200, b"<osm version='0.6'></osm>"
    with pytest.raises(IncompleteNetworkError, match="holds no road for drive, walk"):
        ask(overpass)


def test_only_an_https_server_is_asked() -> None:
    with pytest.raises(InputError, match="only https"):
        roads.fetch_osm(AREA, server="http://overpass.example/api")
    with pytest.raises(InputError, match="modes"):
        roads.fetch_osm(AREA, modes=())


@dataclass
class Scripted(Overpass):
    """Answers as a script says, one ``(status, headers, body)`` after the other, the last one again and again."""

    script: list = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def client(self, cache=None, *, offline=False) -> Client:
        made = super().client(cache, offline=offline)
        return replace(made, clock=Clock(sleep=self.slept.append))


@pytest.fixture
def scripted():
    here = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            here.asked.append(parse_qs(urlsplit(self.path).query)["data"][0])
            status, headers, body = here.script.pop(0) if len(here.script) > 1 else here.script[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    here.url = f"http://localhost:{server.server_port}/api/interpreter"
    yield here
    server.shutdown()
    server.server_close()
    thread.join()


BUSY = b"""<html><head><title>OSM3S Response</title></head><body><p><strong style="color:#FF0000">Error</strong>: runtime error:
open64: 0 Success /osm3s_osm_base Dispatcher_Client::request_read_and_idx::timeout. The server is probably too busy to handle
your request. </p></body></html>"""


@pytest.mark.parametrize("status", [429, 503, 504])
def test_the_pause_a_busy_server_asks_for_is_kept_and_its_words_are_passed_on(scripted, file, status) -> None:
    scripted.script = [(status, {"Retry-After": "37"}, BUSY), (200, {}, answer(file))]
    assert ask(scripted).notes["turn_restrictions_honoured"] == 1
    assert scripted.slept == [37.0]
    scripted.script = [(status, {"Retry-After": "37"}, BUSY)]
    with pytest.raises(
        ServiceStoppedError, match=rf"status {status}: runtime error: open64: .*probably too busy"
    ):
        ask(scripted)
    scripted.slept.clear()
    scripted.script = [(status, {"Retry-After": "4000"}, b"come back after lunch")]
    with pytest.raises(ServiceStoppedError, match="come back after lunch"):
        ask(scripted)
    assert scripted.slept == []


@pytest.mark.parametrize(
    "bad",
    [
        b"<osm version='0.6'></osm>",
        b"<osm version='0.6'><node id='1' lat='27' lon='111'/></osm>",
        (
            b"<osm version='0.6'><node id='1' lat='27' lon='111'/><node id='2' lat='27' lon='111.01'/>"
            b"<way id='1'><nd ref='1'/><nd ref='2'/><tag k='highway' v='proposed'/></way></osm>"
        ),
    ],
)
def test_an_answer_without_a_road_stands_in_nobodys_way(scripted, file, tmp_path, bad) -> None:
    cache = tmp_path / "roads.sqlite"
    scripted.script = [(200, {}, bad)]
    with pytest.raises(IncompleteNetworkError, match="holds no road"):
        ask(scripted, cache=cache)
    scripted.script = [(200, {}, answer(file))]
    assert len(ask(scripted, cache=cache).links) == 4
    # nor does one that an older version of the program has kept
    other = tmp_path / "other.sqlite"
    asked = json.dumps([scripted.url, [["data", scripted.asked[-1]]]], ensure_ascii=False)
    Cache(other).put(asked, Reply(b"<osm version='0.6'></osm>", "2026-01-01", cached=False))
    assert len(ask(scripted, cache=other).links) == 4


def test_data_older_than_the_day_asked_for_are_refused_and_not_kept(scripted, file, tmp_path) -> None:
    cache = tmp_path / "roads.sqlite"
    scripted.script = [(200, {}, answer(file))]  # of 2 January 2026
    with pytest.raises(IncompleteNetworkError, match=r"of 2026-01-02T03:04:05Z, older than the 2026-03-01"):
        ask(scripted, cache=cache, date=dt.date(2026, 3, 1))
    with pytest.raises(OfflineError):
        ask(scripted, cache=cache, date=dt.date(2026, 3, 1), offline=True)
    assert len(ask(scripted, cache=cache, date=dt.date(2026, 1, 2)).links) == 4


def test_a_large_area_is_asked_in_parts_that_make_one_network(scripted, tmp_path) -> None:
    # a road of 7° that every part knows in full, and a street that only one part knows
    nodes = {i: (1000 * i, 0) for i in range(8)} | {20: (0, 1), 21: (0, 2)}
    long = ([0, 1, 2, 3, 4, 5, 6, 7], {"highway": "trunk"})
    whole = extract(tmp_path, nodes, [long, ([20, 21], {"highway": "residential"})])
    everything = answer(whole)
    part = answer(extract(tmp_path, {i: nodes[i] for i in range(8)}, [long]))
    whole.write_bytes(everything)
    area = box(111, 26.5, 118, 27.5)
    scripted.script = [(200, {}, everything), (200, {}, part), (200, {}, b"<osm version='0.6'></osm>")]
    net = roads.fetch_osm(
        area, server=scripted.url, client=scripted.client(tmp_path / "c.sqlite"), buffer_m=0, crs="EPSG:4546"
    )
    assert [q.split('"highway"](')[1].split(")")[0] for q in scripted.asked] == [
        "26.5,111.0,27.5,113.3333", "26.5,113.3333,27.5,115.6667", "26.5,115.6667,27.5,118.0",
    ]  # fmt: skip
    assert net.digest == roads.read_osm(whole, area=area, buffer_m=0, crs="EPSG:4546").digest
    again = roads.fetch_osm(
        area,
        server=scripted.url,
        client=scripted.client(tmp_path / "c.sqlite", offline=True),
        buffer_m=0,
        crs="EPSG:4546",
    )
    assert again.digest == net.digest
    assert len(scripted.asked) == 3
