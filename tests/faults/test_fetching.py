"""Hostile servers, clocks and name services: the door to the network gives up in time and asks nobody it should not."""

from __future__ import annotations

import ast
import datetime as dt
import gzip
import io
import logging
import os
import pickle
import socket
import sqlite3
import struct
import threading
import time
import zipfile
from contextlib import closing, suppress
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from sy_coverage._fetch import Client, Clock, Limits
from sy_coverage.errors import CannotWriteError, InputError, OfflineError, ServiceStoppedError
from sy_coverage.places import geocode
from sy_coverage.places.locating.providers import KEY_NAMES, PROVIDERS
from sy_coverage.study import read_study
from tests import toy
from tests.faults.test_doors import MODULES, calls
from tests.places.test_providers import ANSWERS, CANARY, Time, local, rows, serve  # noqa: F401  (a fixture)

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def listen():
    """Start a server that gives each connection, once it has asked, to the next of some functions."""
    threads, sockets = [], []

    def start(*answers) -> str:
        listening = socket.create_server(("127.0.0.1", 0))

        def serve_all() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection, suppress(OSError):  # the other side may have gone
                    connection.recv(65536)
                    answer(connection)

        sockets.append(listening)
        threads.append(threading.Thread(target=serve_all, daemon=True))
        threads[-1].start()
        return f"http://localhost:{listening.getsockname()[1]}/geo"

    yield start
    for thread in threads:
        thread.join(20)
    for each in sockets:
        each.close()


def asking(url: str, **limits) -> Client:
    return Client(
        frozenset({"localhost"}),
        limits=Limits(tries=1, **limits),
        loopback=True,
        resolve=lambda *_: ["127.0.0.1"],
    )


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b" " * 900,
        b"HTTP/1.1 200 OK\r\n" + b"X-Slow: drip\r\n" * 100,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200,
    ],
    ids=["body", "headers", "chunks"],
)
def test_row_35_a_slow_drip_of_body_or_headers_ends_at_the_total_limit(listen, content):
    def drip(connection: socket.socket) -> None:
        for byte in content:
            connection.send(bytes([byte]))
            time.sleep(0.05)

    url, begun = listen(drip), time.monotonic()
    with pytest.raises(OfflineError, match=r"more than 1 s|timed out"):
        asking(url, total_s=1.0, connect_s=5.0).get(url, params={})
    assert 0.9 < time.monotonic() - begun < 30  # all of it would take 45 s and more


def test_row_35_a_connection_that_is_reset_mid_body_is_tried_again(listen):
    def reset(connection: socket.socket) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def answer(connection: socket.socket) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")

    url, fine = listen(reset, answer), Time()
    client = asking(url)
    client.limits, client.clock = Limits(tries=2), fine.clock()
    assert client.get(url, params={}).content == b"[]"
    assert fine.slept == [1.0]


def test_row_39_a_name_that_changes_its_address_is_looked_up_once_and_asked_by_number(serve):  # noqa: F811
    script = serve(ANSWERS["amap"])
    port = urlsplit(script.url).port
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])  # rebound to a private address after the check
    client = Client(frozenset({"service.example"}), loopback=True, resolve=lambda *_: next(answers))
    # the name exists nowhere: only by the number that was checked can the server be reached
    reply = client.get(f"http://service.example:{port}/geo", params={})
    assert reply.content
    assert len(script.asked) == 1
    with pytest.raises(InputError, match=r"resolves to 10\.0\.0\.1"):
        client.get(f"http://service.example:{port}/geo", params={})
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    "private",
    ["10.0.0.1", "100.64.0.1", "0.0.0.0", "::ffff:127.0.0.1", "fe80::1%eth0", "224.0.0.1", "255.255.255.255"],  # noqa: S104
)
def test_row_39_one_private_address_among_public_ones_is_enough_to_refuse(private):
    client = Client(frozenset({"a.example"}), resolve=lambda *_: ["8.8.8.8", private])
    with pytest.raises(InputError, match="no public address"):
        client.get("https://a.example/x", params={})


def test_row_44_a_wall_clock_set_back_or_on_changes_no_wait(serve):  # noqa: F811
    fine = Time()
    clock, jumps = fine.clock(), iter([0, -3600, 7200, -86400] * 9)

    def jumping() -> dt.datetime:
        return clock.now() + dt.timedelta(seconds=next(jumps))

    script = serve((429, {"Retry-After": "7"}, b""), (500, {}, b""), ANSWERS["nominatim"])
    source = local(script, "nominatim", time=fine)
    source.client.clock = Clock(clock.monotonic, clock.sleep, jumping)
    found = geocode(rows("一", "二"), [source], units=toy.units())
    assert (found["location_status"] == "located").all()
    # seven seconds as asked, two before the third try, and the second that Nominatim wants between two questions
    assert fine.slept == [7.0, 2.0, 1.0]


def test_row_44_only_the_monotonic_clock_counts_time():
    found = {
        (name, whole)
        for name, path in MODULES.items()
        for called, _, whole in calls(path)
        if whole.startswith(
            ("time.time(", "datetime.now(", "datetime.utcnow(", "dt.datetime.now(", "dt.date.today(")
        )
        or called in {"utcnow", "today"}
    }
    found = {
        (name, whole) for name, whole in found if not name.startswith("desk/")
    }  # shows and offers today's date
    # the moment an answer was received is written beside it, and decides nothing; where a programme stands is asked of a day,
    # today's where none is named
    assert found == {
        ("_fetch.py", "dt.datetime.now(dt.UTC)"),
        ("cli/adopted.py", "dt.datetime.now().astimezone()"),
        ("cli/adopted.py", "dt.datetime.now()"),
    }
    assert "time.monotonic" in ast.unparse(ast.parse(MODULES["_fetch.py"].read_text(encoding="utf-8")))


def unpacked(content: bytes) -> bytes:
    """Return the bytes of a file, and those of all that is packed in it."""
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())
    return content


def test_row_36_a_whole_run_writes_its_key_nowhere(serve, tmp_path, monkeypatch, caplog, capfd):  # noqa: F811
    caplog.set_level(logging.DEBUG)
    script = serve((500, {}, b""), (429, {"Retry-After": "0"}, b""), ANSWERS["amap"])
    monkeypatch.setattr(Client, "_address", lambda *_: "127.0.0.1")
    monkeypatch.setattr(PROVIDERS["amap"], "address_url", script.url)
    monkeypatch.setattr("sy_coverage._fetch.time.sleep", lambda _: None)
    monkeypatch.setenv(KEY_NAMES["amap"], CANARY)
    path = toy.write_study(tmp_path)
    text = path.read_text(encoding="utf-8").replace("[siting]", '[geocoding]\nsources = ["amap"]\n[siting]')
    path.write_text(text, encoding="utf-8")
    table = pd.read_csv(tmp_path / "facilities.csv", dtype=str, keep_default_na=False)
    table["address"] = ["", "", "某路 3 号"]
    table.loc[2, ["lon", "lat"]] = ""
    table.to_csv(tmp_path / "facilities.csv", index=False, lineterminator="\n")

    study = read_study(path)
    study.save(tmp_path / "out")
    assert parse_qs(urlsplit(script.asked[-1]).query)["key"] == [CANARY], "the key was sent"
    assert study.facilities["located_by"].tolist().count("amap") == 1
    # what travels to other processes and machines, and what an error says
    sent = pickle.dumps(study.task) + pickle.dumps(study.findings)
    script.answers[:] = [(403, {}, CANARY.encode())]
    table.loc[2, "address"] = "别处"
    table.to_csv(tmp_path / "facilities.csv", index=False, lineterminator="\n")
    with pytest.raises(ServiceStoppedError) as caught:
        read_study(path).save(tmp_path / "out")
    written = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert {"manifest.json", "map.html", "coverage.gpkg"} <= {p.name for p in written}
    assert any(p.suffix == ".sqlite" for p in written), "the cache is among what is searched"
    holders = [str(p) for p, content in written.items() if CANARY.encode() in unpacked(content)]
    said = "".join(capfd.readouterr())
    for words in (caplog.text, said, repr(caught.value), repr(study.__dict__), sent.decode("latin-1")):
        assert CANARY not in words
    assert holders == []
    assert os.environ[KEY_NAMES["amap"]] == CANARY


def answered(serve, path):  # noqa: F811
    """Ask one question, keep its answer in the cache at `path`, and return the script that was asked."""
    script = serve(ANSWERS["amap"])
    found = geocode(rows("一"), [local(script)], units=toy.units(), cache=path)
    assert found.loc["F0", "location_status"] == "located"
    return script


@pytest.mark.parametrize(
    "damage",
    [
        "content = x'7b7d'",
        "content = 'text'",
        "content = substr(content, 1, 20)",
        "received = '2031-01-01'",
        "checksum = 'sha1:0'",
        "checksum = ''",
    ],
)
def test_row_74_any_damage_to_a_row_is_noticed_said_once_and_asked_again(serve, tmp_path, caplog, damage):  # noqa: F811
    path = tmp_path / "c.sqlite"
    answered(serve, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE answers SET {damage}")
    again, third = answered(serve, path), answered(serve, path)
    assert (len(again.asked), len(third.asked)) == (1, 0), "asked again, and then known"
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == [
        "a damaged answer in the cache is asked for again"
    ]


@pytest.mark.parametrize("damage", ["cut", "no database", "another version"])
def test_row_74_a_cache_that_is_no_cache_is_named_and_left_as_it_is(serve, tmp_path, damage):  # noqa: F811
    path = tmp_path / "c.sqlite"
    answered(serve, path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "no database":
        path.write_bytes(b"no database" * 1000)
    else:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("ALTER TABLE answers RENAME COLUMN checksum TO digest")
    before = path.read_bytes()
    with pytest.raises(CannotWriteError, match=r"c\.sqlite: cannot be used as a cache .*give another path"):
        answered(serve, path)
    assert path.read_bytes() == before
