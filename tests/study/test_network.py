"""A study's roads: live from a server that answers as Overpass does, with its own travel tables, saved and read again."""

from __future__ import annotations

import hashlib
import re
import threading
import tomllib
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from sy_coverage import read_study
from sy_coverage._fetch import Client, Clock
from sy_coverage.cli import app
from sy_coverage.errors import (
    ConfigError,
    IncompleteNetworkError,
    MissingFileError,
    OfflineError,
    ServiceStoppedError,
)
from sy_coverage.outputs import tables
from sy_coverage.roads.read import overpass as read_overpass
from sy_coverage.study.check import check
from sy_coverage.study.steps.roads import network as steps
from tests import toy

OSM_BASE = '<meta osm_base="2026-01-02T03:04:05Z"/>'
BUSY = b"<html><body><p><strong>Error</strong>: runtime error: The server is probably too busy.</p></body></html>"


class Overpass:
    """Gives the answers it was handed, one after the other and the last one for ever; remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.asked: list[str] = []
        self.slept: list[float] = []
        self.url = ""

    def next(self) -> tuple[int, bytes, dict[str, str]]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def overpass(monkeypatch):
    here = Overpass()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            here.asked.append(parse_qs(urlsplit(self.path).query)["data"][0])
            status, body, headers = here.next()
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    here.url = f"http://localhost:{server.server_port}/api/interpreter"
    clock = Clock(sleep=here.slept.append)
    loopback = partial(Client, loopback=True, clock=clock, resolve=lambda *_: ["127.0.0.1"])
    monkeypatch.setattr(read_overpass, "Client", loopback)
    yield here
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def study_file(tmp_path):
    return toy.write_study(tmp_path)


@pytest.fixture
def live_file(study_file, overpass):
    """Return a study that asks the server here, which answers with the toy county's roads."""
    # Overpass gives no versions unless it is asked for them
    body = (study_file.parent / "roads.osm").read_bytes().replace(b' version="1"', b"")
    head = body.index(b">", body.index(b"<osm")) + 1
    overpass.answers = [(200, body[:head] + OSM_BASE.encode() + body[head:], {})]
    change(study_file, 'source = "roads.osm"', f'source = "osm"\nserver = "{overpass.url}"')
    (study_file.parent / "roads.osm").unlink()
    return study_file


def change(path, old, new) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


live_test = pytest.mark.enable_socket


@live_test
def test_a_study_asks_openstreetmap_once_and_says_of_which_day_its_roads_are(
    live_file, overpass, tmp_path
) -> None:
    answer = overpass.answers[0][1]
    study = read_study(live_file)
    assert len(study.network.node_ids) == 2
    row = study.findings.sources.set_index("name").loc["道路"]
    assert row["file"] == "OpenStreetMap-localhost"
    assert row["digest"] == hashlib.sha256(answer).hexdigest()
    assert "2026-01-02T03:04:05Z" in row["note"]
    again = read_study(live_file, offline=True)
    assert again.network.digest == study.network.digest
    assert len(overpass.asked) == 1
    assert (tmp_path / "roads.sqlite").exists()


@live_test
def test_row_52_a_study_that_names_a_day_asks_for_the_roads_of_that_day(live_file, overpass) -> None:
    change(live_file, 'source = "osm"', 'source = "osm"\ndate = 2025-12-31')
    assert read_study(live_file).network.modes
    assert '[date:"2025-12-31T23:59:59Z"]' in overpass.asked[0]


@live_test
def test_row_51_a_busy_server_is_waited_for_and_a_partial_answer_stops_the_run(live_file, overpass) -> None:
    whole = overpass.answers[0]
    remark = (
        b'<remark> runtime error: Query timed out in "query" at line 1 after 601 seconds. </remark></osm>'
    )
    partial_answer = (200, whole[1].replace(b"</osm>", remark), {})
    overpass.answers = [(429, BUSY, {"Retry-After": "30"}), (504, BUSY, {}), partial_answer]
    with pytest.raises(IncompleteNetworkError, match="Query timed out"):
        _ = read_study(live_file).network
    assert overpass.slept == [30.0, 2.0]
    # what was partial is not kept: the next run asks again, and gets the whole
    overpass.answers = [whole]
    assert len(read_study(live_file).network.node_ids) == 2
    assert len(overpass.asked) == 4


@live_test
def test_a_server_that_stays_busy_stops_the_run_with_exit_code_75(live_file, overpass) -> None:
    overpass.answers = [(429, BUSY, {})]
    done = CliRunner().invoke(app, ["roads", str(live_file)])
    assert isinstance(done.exception, ServiceStoppedError)
    assert done.exception.exit_code == 75
    assert len(overpass.asked) == 5


@live_test
def test_without_network_and_answer_a_live_study_says_so(live_file, overpass) -> None:
    with pytest.raises(OfflineError, match="the cache has no answer"):
        _ = read_study(live_file, offline=True).network
    assert overpass.asked == []


@live_test
def test_the_command_saves_roads_that_a_study_reads_again(live_file, overpass, tmp_path) -> None:
    done = CliRunner().invoke(app, ["roads", str(live_file), "--out", str(tmp_path / "o")])
    assert done.exit_code == 0, done.output
    assert "OpenStreetMap-localhost 2026-01-02T03:04:05Z sha256:" in done.output
    assert "2 个节点" in done.output
    table = (tmp_path / "o" / "travel_modes.csv").read_text(encoding="utf-8-sig")
    assert "驾车,各级道路速度,高速公路,100,公里/小时,程序默认值" in table
    asked = read_study(live_file)
    change(live_file, 'source = "osm"', 'source = "o/roads.network"')
    saved = read_study(live_file)
    assert saved.network.digest == asked.network.digest
    assert len(overpass.asked) == 1


@live_test
def test_asked_again_the_command_says_what_changed_and_keeps_the_new_roads(
    live_file, overpass, tmp_path
) -> None:
    run = partial(CliRunner().invoke, app)
    assert "已向 OpenStreetMap 读取道路" in run(["roads", str(live_file), "--refresh"]).output
    assert "的相同" in run(["roads", str(live_file), "--refresh"]).output
    status, body, headers = overpass.answers[0]
    # another limit, and a later day
    slower = body.replace(b'k="maxspeed" v="', b'k="maxspeed" v="30;').replace(b"2026-01-02", b"2026-02-03")
    overpass.answers = [(status, slower, headers)]
    said = run(["roads", str(live_file), "--refresh"]).output
    assert "2026-01-02T03:04:05Z 的道路已由 2026-02-03T03:04:05Z 的替换" in said
    assert "2026-02-03" in read_study(live_file, offline=True).network.source
    assert len(overpass.asked) == 3
    assert not list(tmp_path.glob("*.fresh*"))


@live_test
def test_a_check_asks_nobody_for_roads(live_file, overpass) -> None:
    assert any("向 OpenStreetMap 读取" in fact for fact in check(live_file).facts)
    assert overpass.asked == []


def test_a_study_changes_the_travel_tables_and_the_proposal_prints_what_was_used(study_file) -> None:
    usual = read_study(study_file)
    change(
        study_file,
        'source = "roads.osm"',
        'source = "roads.osm"\nwalk_m_per_s = 0.8\nbuffer_m = 5000\n[roads.modes.drive]\nmost_kph = 30',
    )
    study = read_study(study_file)
    printed = study.findings.parameters.set_index("name")[["value", "unit", "source"]]
    assert printed.loc["老年人步行至道路的速度"].tolist() == [0.8, "米/秒", "研究文件"]
    assert printed.loc["研究范围外读取道路的距离"].tolist() == [5000, "米", "研究文件"]
    assert printed.loc["驾车：最高速度"].tolist() == ["30", "公里/小时", "研究文件"]
    # 0.8 m/s are 2.88 km/h, half of it nearly on steps
    assert printed.loc["步行：各级道路速度", "value"] == "台阶 1.42222、其余 2.88"
    assert printed.loc["驾车：每个路口延误", "source"] == "程序默认值"
    # the toy's roads are posted with 75 km/h, of which nine tenths are driven: at 30 all takes 67.5 / 30 times as long
    a, b = (s.network.travel_times(*ends(s), mode="drive", cutoff_min=500).to_dense() for s in (usual, study))
    assert b == pytest.approx(2.25 * a, rel=1e-3)


def ends(study):
    places = study.demand.geometry.to_frame()
    return places.iloc[:3], places.iloc[3:6]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[roads.modes.drive]\nmost_kmh = 30", "most_kmh"),
        ("[roads.modes.drive.speed_kph]\ntrack = -3", "speed_kph.track"),
        ("[roads.modes.fly]\nmost_kph = 900", "fly"),
        ("date = 2025-01-01", "date is for source"),
        ("walk_m_per_s = 0", "walk_m_per_s"),
    ],
)
def test_wrong_keys_of_the_roads_are_named(study_file, line, said) -> None:
    change(study_file, 'source = "roads.osm"', f'source = "roads.osm"\n{line}')
    with pytest.raises(ConfigError, match=said):
        read_study(study_file)


def test_a_saved_network_with_other_tables_than_the_study_asks_for_is_refused(study_file, tmp_path) -> None:
    read_study(study_file).network.save(tmp_path / "roads.network")
    change(study_file, "roads.osm", "roads.network")
    assert len(read_study(study_file).network.node_ids) == 2
    change(study_file, "[siting]", "[roads.modes.walk.speed_kph]\nsteps = 1.0\n[siting]")
    with pytest.raises(ConfigError, match=r"other tables for 'walk' \(speed_kph\)"):
        _ = read_study(study_file).network


def test_roads_are_read_as_far_around_as_the_longest_cutoff_reaches(study_file) -> None:
    study = read_study(study_file)
    longest = max(k.longest_min for k in study.policy.kinds.values() if k.mode == "drive")
    # 120 km/h are 2 km a minute
    config = study.config
    around = steps.buffer_m(config.roads, config.siting, study.policy)
    assert around == pytest.approx(longest * 2000)
    wide = study.but(roads={"buffer_m": 500_000})
    assert wide.network.digest == study.network.digest
    assert wide.coverage.drop(columns="geometry").equals(study.coverage.drop(columns="geometry"))


def test_elevations_that_are_not_there_are_asked_for(study_file) -> None:
    change(study_file, 'source = "roads.osm"', 'source = "roads.osm"\nelevation = "dem.tif"')
    with pytest.raises(MissingFileError, match=r"dem\.tif"):
        _ = read_study(study_file).network


def test_catchments_count_who_arrives_in_time_and_the_list_beside_them_what_is_drawn(study_file) -> None:
    study = read_study(study_file)
    found = study.findings
    kind = study.centre_kind
    minutes = study.times[kind.id].to_frame().set_index(["site_id", "demand_id"])["minutes"]
    for (site, cutoff), elders in found.catchments["elders"].items():
        near = minutes[site]
        assert elders == study.demand["elders"].reindex(near.index[near <= cutoff]).sum()
    rows = tables.catchments_csv(found).decode("utf-8-sig").splitlines()
    assert rows[0].startswith("设施编号,设施名称,时限（分钟）,单元代码,单元,示意范围内面积")
    assert len(rows) == 1 + len(found.overlap)
    land = study.units.union_all().buffer(1e-9)
    assert found.catchments.geometry.within(land).all()


def test_a_check_says_that_roads_are_read_from_too_near_and_that_elevations_are_missing(study_file) -> None:
    change(study_file, 'source = "roads.osm"', 'source = "roads.osm"\nbuffer_m = 5000\nelevation = "dem.tif"')
    report = check(study_file)
    assert any("5,000 米" in remark for remark in report.remarks)
    assert any("dem.tif" in error for error in report.errors)


def test_the_command_fits_the_speeds_to_observed_times_and_prints_the_table(study_file, tmp_path) -> None:
    # the toy's one road is a trunk road; people were seen to need a fifth longer than computed
    study = read_study(study_file)
    places = study.demand.geometry
    points = [(places.iloc[i], places.iloc[-1 - i]) for i in range(min(12, len(places) // 2))]
    rows = []
    for begin, end in points * 3:
        frames = (gpd.GeoDataFrame(geometry=[p], index=["p"], crs=4326) for p in (end, begin))
        minutes = study.network.travel_times(*frames, mode="drive", cutoff_min=500).to_dense()[0, 0]
        walked = study.network.snap(
            gpd.GeoDataFrame(geometry=[begin, end], index=["a", "b"], crs=4326), mode="drive"
        )["access_min"].sum()
        rows.append([begin.x, begin.y, end.x, end.y, (minutes - walked) * 1.2 + walked])
    table = pd.DataFrame(rows, columns=["起点经度", "起点纬度", "终点经度", "终点纬度", "分钟"])
    table.to_csv(tmp_path / "times.csv", index=False)
    said = CliRunner().invoke(
        app,
        ["roads", str(study_file), "--observed", str(tmp_path / "times.csv"), "--out", str(tmp_path / "o")],
    )
    assert said.exit_code == 0, said.output
    written = tomllib.loads((tmp_path / "o" / "calibration.toml").read_text(encoding="utf-8"))
    assert written["roads"]["modes"]["drive"]["speed_kph"]["trunk"] == pytest.approx(75 / 1.2, abs=0.1)
    assert "拟合后" in said.output
    assert (tmp_path / "o" / "calibration_pairs.geojson").exists()
    page = (tmp_path / "o" / "calibration.html").read_text(encoding="utf-8")
    trips = len((tmp_path / "times.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert page.count("<title>") == trips + 1  # one for the page, one for each trip
    assert "http" not in page
    # the fit is exact: every trip is drawn as alike
    assert re.findall(r'stroke="(#[0-9a-f]{6})"><title>', page) == ["#3f9b52"] * trips


def test_a_study_takes_a_layer_of_roads_that_is_not_openstreetmaps(study_file) -> None:
    usual = read_study(study_file)
    line = shapely.LineString([(p.x, p.y) for p in (toy.at(k) for k in range(41))])
    layer = gpd.GeoDataFrame({"技术等级": ["一级"], "限速": ["75"]}, geometry=[line], crs=toy.CRS)
    layer.to_file(study_file.parent / "公路.gpkg")
    change(
        study_file,
        'source = "roads.osm"',
        'source = "公路.gpkg"\n[roads.lines]\nfields = { maxspeed = "限速" }',
    )
    study = read_study(study_file)
    a, b = (s.network.travel_times(*ends(s), mode="drive", cutoff_min=500).to_dense() for s in (usual, study))
    # a first-class road is a trunk road of the tables, at 67.5 km/h under a sign of 75 like the toy's own
    assert b == pytest.approx(a, rel=2e-3)
    report = check(study_file)
    assert report.errors == []
    change(study_file, 'maxspeed = "限速"', 'maxspeed = "速度"')
    assert any("速度" in error for error in check(study_file).errors)


def test_check_names_the_places_that_a_ferry_without_duration_serves(study_file) -> None:
    # the toy's road is cut in its middle, where a ferry goes instead
    xml = (study_file.parent / "roads.osm").read_text(encoding="utf-8")
    refs = re.findall(r'<nd ref="\d+"/>', xml)
    tags = re.search(r"(<tag .*/>)</way>", xml)[1]
    ferry = '<tag k="route" v="ferry"/><tag k="name" v="老渡口"/>'
    ways = [(refs[:20], tags), (refs[19:22], ferry), (refs[21:], tags)]
    lines = "".join(f'<way id="{i}" version="1">{"".join(r)}{t}</way>' for i, (r, t) in enumerate(ways, 1))
    (study_file.parent / "roads.osm").write_text(
        re.sub(r"<way .*</way>", lines, xml, flags=re.DOTALL), encoding="utf-8"
    )
    report = check(study_file)
    assert report.errors == []
    assert any("老渡口" in remark and "轮渡" in remark for remark in report.remarks)
