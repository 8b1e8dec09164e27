"""A map service that changes its mind is shown, and used only when that is asked for."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from sy_coverage._fetch import Cache, Client
from sy_coverage.places import from_wgs84
from sy_coverage.places.locating.providers import Amap
from sy_coverage.study import read_study
from sy_coverage.study.config.changes import changed
from sy_coverage.study.results.lists import located as geocoding
from tests import toy
from tests.study.test_cli import change


class Scripted(Client):
    """A client that takes its answers from a script instead of the network, and counts the requests."""

    answer = b""
    asked = 0

    def _asked(self, url, query, pause_s, accept):
        from sy_coverage._fetch import Reply

        assert accept(self.answer) is None
        type(self).asked += 1
        return Reply(self.answer, "2026-01-01T00:00:00+00:00", cached=False)


def at(metres_north):
    """Return Amap's answer for the road at km 12, so many metres north of it."""
    import geopandas as gpd
    from shapely import Point

    spot = gpd.GeoSeries([Point(toy.EAST + 12_000, toy.NORTH + metres_north)], crs=toy.CRS).to_crs(
        "EPSG:4326"
    )[0]
    lon, lat = from_wgs84(spot.x, spot.y, "gcj02")
    place = {"formatted_address": "某地", "location": f"{float(lon):.6f},{float(lat):.6f}", "level": "门牌号"}
    answer = {"status": "1", "info": "OK", "infocode": "10000", "count": "1", "geocodes": [place]}
    return json.dumps(answer).encode()


@pytest.fixture
def study(tmp_path, monkeypatch):
    path = toy.write_study(tmp_path)
    change(path, "[siting]", '[geocoding]\nsources = ["amap"]\n[siting]')
    (tmp_path / "facilities.csv").write_text(
        "facility_id,name,kind,address\nS1,某站,station,某某路1号\n", encoding="utf-8"
    )

    def scripted(name, *, key, offline, lenient):
        assert name == "amap"
        return Amap(
            Scripted(frozenset({"restapi.amap.com"}), offline=offline), SecretStr("k"), lenient=lenient
        )

    monkeypatch.setattr("sy_coverage.places.provider", scripted)
    monkeypatch.setattr(Scripted, "asked", 0)
    return lambda: read_study(path).answers


def test_row_42_changed_answers_are_listed_and_used_only_when_adopted(study, monkeypatch):
    monkeypatch.setattr(Scripted, "answer", at(0))
    before = geocoding.locate(study()).rows
    pinned = geocoding.answers_digest(study())
    monkeypatch.setattr(Scripted, "answer", at(300))
    assert geocoding.locate(study()).rows.equals(before)  # the answer that is kept
    assert Scripted.asked == 1
    _, changes = geocoding.refreshed(study())
    assert Scripted.asked == 2
    assert changes[["id", "moved_m"]].to_numpy().tolist() == [["S1", 300.0]]
    assert geocoding.answers_digest(study()) == pinned
    assert geocoding.locate(study()).rows.equals(before)
    geocoding.refreshed(study())
    assert Scripted.asked == 3  # it had come to its end, and asks again
    geocoding.adopt(study())
    assert geocoding.answers_digest(study()) != pinned
    assert not geocoding.locate(study()).rows.equals(before)
    assert not geocoding.fresh_path(study()).exists()
    assert Scripted.asked == 3


def test_a_refresh_that_was_interrupted_goes_on_from_what_was_answered(study, monkeypatch):
    monkeypatch.setattr(Scripted, "answer", at(0))
    geocoding.locate(study())
    geocoding.locate(
        study().heir(
            config=changed(study().config, {"geocoding": {"cache": str(geocoding.fresh_path(study()))}})
        )
    )
    assert Scripted.asked == 2  # as far as the refresh came before it was killed
    geocoding.refreshed(study())
    assert Scripted.asked == 2
    geocoding.refreshed(study())
    assert Scripted.asked == 3


def test_a_refresh_without_a_change_says_so(study, monkeypatch):
    monkeypatch.setattr(Scripted, "answer", at(0))
    geocoding.locate(study())
    _, changes = geocoding.refreshed(study())
    assert changes.empty
    assert isinstance(Cache(geocoding.cache_path(study())).digest(), str)
