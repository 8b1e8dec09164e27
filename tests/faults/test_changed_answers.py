"""A map service that answers otherwise next month changes nothing until somebody says so."""

import json

import geopandas as gpd
import pandas as pd
import pytest

from sy_coverage import _fetch
from sy_coverage.places import from_wgs84
from sy_coverage.places.locating.providers import KEY_NAMES
from sy_coverage.study import read_study
from sy_coverage.study.results.lists import located as geocoding
from tests import toy


@pytest.fixture
def asked(monkeypatch):
    """Let Amap answer with a point that a test may change, and keep every address that was asked."""
    answered = {"km": 3.0, "asked": []}

    def once(client, url, query, address):
        answered["asked"].append(query["address"])
        point = gpd.GeoSeries([toy.at(answered["km"])], crs=toy.CRS)
        degrees = point.to_crs("EPSG:4326").iloc[0]
        lon, lat = (float(x) for x in from_wgs84(degrees.x, degrees.y, "gcj02"))
        place = {"formatted_address": "某地", "location": f"{lon:.6f},{lat:.6f}", "level": "门牌号"}
        answer = {"status": "1", "info": "OK", "infocode": "10000", "count": "1", "geocodes": [place]}
        return _fetch._Got(200, {}, json.dumps(answer).encode())

    monkeypatch.setattr(_fetch.Client, "_once", once)
    monkeypatch.setattr(_fetch.Client, "_address", lambda *_: "127.0.0.1")
    monkeypatch.setattr(_fetch.Client, "_pause", lambda *_: None)
    monkeypatch.setenv(KEY_NAMES["amap"], "canary")
    return answered


@pytest.fixture
def study_file(tmp_path):
    path = toy.write_study(tmp_path)
    text = path.read_text(encoding="utf-8").replace("[siting]", '[geocoding]\nsources = ["amap"]\n[siting]')
    path.write_text(text, encoding="utf-8")
    table = pd.read_csv(tmp_path / "facilities.csv", dtype=str, keep_default_na=False)
    table["address"] = ["", "", "某路 3 号"]
    table.loc[2, ["lon", "lat"]] = ""
    table.to_csv(tmp_path / "facilities.csv", index=False, lineterminator="\n")
    return path


def points(study):
    return study.facilities.geometry.to_wkt().to_dict()


def test_row_42_a_changed_answer_is_shown_and_used_only_when_it_is_adopted(asked, study_file):
    first = points(read_study(study_file))
    assert len(asked["asked"]) == 1
    asked["km"] = 8.0  # the service has changed its mind: five kilometres on
    assert points(read_study(study_file)) == first
    assert len(asked["asked"]) == 1, "a rerun asks nothing"

    study = read_study(study_file).answers
    kept = geocoding.cache_path(study).read_bytes()
    _, changes = geocoding.refreshed(study)
    # five kilometres east, and 750 m across, where the road zigzags: √(5000² + 750²)
    assert changes["moved_m"].tolist() == [5056.0]
    assert geocoding.cache_path(study).read_bytes() == kept
    assert points(read_study(study_file)) == first, "what is only shown is not used"

    geocoding.adopt(study)
    assert points(read_study(study_file)) != first
    assert len(asked["asked"]) == 2
