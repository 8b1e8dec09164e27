"""The main job, as a newcomer runs it: counted again from the files alone, made twice, opened with the network cut."""

import csv
import io
import json
import math
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

CENTRE, DEMENTIA, HOME = "service_centre", "dementia_unit", "regional_home"


def demo(out: Path, workers: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sy_coverage", "demo", "--out", out, "--workers", str(workers)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """Return the folder of a run on two processes and what it printed."""
    out = tmp_path_factory.mktemp("main_job") / "out"
    return out, demo(out, 2)


@pytest.fixture(scope="module")
def layers(job):
    out, _ = job
    names = ("units", "facilities", "demand", "catchments", "proposals")
    return {name: gpd.read_file(out / "coverage.gpkg", layer=name) for name in names}


@pytest.fixture(scope="module")
def manifest(job):
    return json.loads((job[0] / "manifest.json").read_text(encoding="utf-8"))


def open_or_proposed(layers, county_id):
    facilities, proposals = layers["facilities"], layers["proposals"]
    opens = pd.to_datetime(facilities["opens_on"])
    by_date = opens <= pd.Timestamp("2027-12-31")
    # what is open, and what is being built and opens in time
    is_open = (facilities["status"] == "open") & (opens.isna() | by_date)
    standing = facilities[is_open | ((facilities["status"] == "planned") & by_date)]
    both = pd.concat(
        [
            standing[["kind", "unit_id", "county_id", "dementia_ward"]],
            proposals[["kind", "unit_id", "county_id"]],
        ]
    )
    return both[both["county_id"] == county_id]


def test_counted_again_from_the_geopackage_every_county_meets_the_policy(layers, manifest):
    counties = sorted(layers["units"]["county_id"].unique())
    assert len(counties) == 12
    for county_id in counties:
        units = layers["units"][layers["units"]["county_id"] == county_id]
        there = open_or_proposed(layers, county_id)
        with_centre = set(there.loc[there["kind"] == CENTRE, "unit_id"])
        streets = set(units.loc[units["kind"] == "street", "unit_id"])
        townships = set(units.loc[units["kind"] == "township", "unit_id"])
        assert streets <= with_centre
        assert len(townships & with_centre) >= math.ceil(0.65 * len(townships) - 1e-9)
        wards = there["dementia_ward"].eq(1)
        assert ((there["kind"] == DEMENTIA) | wards).sum() >= 1
        assert (there["kind"] == HOME).sum() >= 2
        own = layers["proposals"][layers["proposals"]["county_id"] == county_id]
        plan = manifest["plans"][county_id]
        assert plan["status"] == "optimal"
        assert plan["objective"] == plan["bound"] == pytest.approx(own["cost"].sum(), abs=1e-6)


def test_all_units_villages_and_elders_of_the_census_are_in_the_result(layers):
    assert len(layers["units"]) == 206
    assert layers["units"]["kind"].value_counts().to_dict() == {"township": 166, "street": 36, "other": 4}
    assert len(layers["demand"]) == 3675
    assert layers["demand"]["elders"].sum() == layers["units"]["elders"].sum() == 1_361_739


def test_the_sample_is_not_easy_on_itself(layers):
    units = layers["units"]
    # presence and access disagree: a centre that most cannot reach in time, and none where all reach a neighbour's
    assert (units["has_centre"] & (units["share_covered"] < 0.5)).any()
    assert (~units["has_centre"] & (units["share_covered"] == 1.0)).any()
    assert (layers["proposals"]["candidate_id"].str.startswith("G-")).any()


def test_the_scorecard_opens_in_excel_and_shows_today_and_planned_beside_the_target(job):
    content = (job[0] / "scorecard.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    asked = {
        "value_today",
        "value_planned",
        "target",
        "met_today",
        "met_planned",
        "needed",
        "basis",
        "citation",
    }
    assert asked <= set(rows[0])
    assert {row["basis"] for row in rows} == {"computed", "reported", "not_applicable", "unknown"}
    blank = [row for row in rows if row["basis"] in {"unknown", "not_applicable"}]
    assert blank
    assert all(row["value_today"] == "" and row["reason"] for row in blank)


def test_every_listed_output_is_there_and_nothing_else(job, manifest):
    out, _ = job
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert files - {"manifest.json", ".lock"} == set(manifest["outputs"])
    for county_id in manifest["plans"]:
        for suffix in ("html", "docx", "xlsx", "geojson"):
            assert f"proposals/{county_id}.{suffix}" in files
        assert f"maps/{county_id}.html" in files


def test_the_closing_table_names_every_county_and_the_warning(job):
    _, printed = job
    for county in ("双清区", "隆回县", "城步苗族自治县", "邵东市"):
        assert county in printed
    assert "12/12" in printed
    assert "不可用于决策" in printed


def test_a_second_run_in_one_process_gives_the_same_bytes(manifest, tmp_path):
    demo(tmp_path / "again", 1)
    again = json.loads((tmp_path / "again" / "manifest.json").read_text(encoding="utf-8"))
    assert {k: v for k, v in again.items() if k != "timings"} == {
        k: v for k, v in manifest.items() if k != "timings"
    }


def test_the_map_opens_with_the_network_cut_and_without_complaint(job, opened):
    out, _ = job
    seen = opened((out / "map.html").read_text(encoding="utf-8"))
    assert not seen.complaints
    assert [url for url in seen.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    words = seen.run("document.body.innerText")
    for said in ("示例数据", "街道/乡镇综合养老服务中心", "无中心", "审图号"):
        assert said in words
    # a former name: the town was divided into two streets
    seen.page.fill(".sy-search input", "桃洪镇")
    listed = seen.page.locator(".sy-search li").all_inner_texts()
    assert [row.split("\n") for row in listed] == [["桃洪镇", "今桃花坪街道"], ["桃洪镇", "今花门街道"]]
    seen.page.locator(".sy-search li").first.click()
    assert seen.page.locator(".sy-pop h3").inner_text() == "桃花坪街道"


def test_every_map_is_small_and_opens_and_compares_without_complaint(job, opened):
    out, _ = job
    assert (out / "map.html").stat().st_size < 8_000_000
    counties = sorted((out / "maps").glob("*.html"))
    assert len(counties) == 12
    for path in counties:
        assert path.stat().st_size < 3_000_000
        seen = opened(path.read_text(encoding="utf-8"))
        seen.page.locator(".sy-compare").click()
        assert not seen.complaints
        assert [url for url in seen.requests if not url.startswith(("file:", "data:", "blob:"))] == []
        seen.page.close()


def test_a_proposal_opens_as_a_page_with_the_network_cut(job, opened):
    out, _ = job
    seen = opened((out / "proposals" / "430524.html").read_text(encoding="utf-8"), ready="body")
    assert not seen.complaints
    assert [url for url in seen.requests if not url.startswith(("file:", "data:"))] == []
    words = seen.run("document.body.innerText")
    for said in ("隆回县", "不可用于决策", "65"):
        assert said in words
