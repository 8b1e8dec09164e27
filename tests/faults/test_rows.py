"""Rows of the table of faults that belong to no single room: degrees, unions, memory, other files beside the results."""

import gzip
import json
import re
import subprocess
import tomllib

import geopandas as gpd
import pandas as pd
import pytest
from pyproj import CRS
from shapely import box

from sy_coverage import coverage, policy, roads
from sy_coverage._frames import metric_crs, require_same_crs
from sy_coverage.errors import CRSMismatchError, MissingCRSError, UnreadableFileError
from sy_coverage.roads import TravelTimes
from tests import toy
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def shaoyang():
    return policy.load_policy("shaoyang_2025")


def times(sites: gpd.GeoDataFrame, demand: gpd.GeoDataFrame) -> TravelTimes:
    network = roads.from_edges(toy.road_nodes(), toy.road_edges(), crs=toy.CRS)
    return network.travel_times(sites, demand, mode="drive", cutoff_min=60.0)


def test_row_20_an_area_in_degrees_is_an_error_in_every_test():
    with pytest.raises(UserWarning, match="geographic CRS"):
        _ = toy.units().area


def test_row_20_areas_and_distances_are_taken_in_metres_chosen_from_the_longitude():
    assert CRS(metric_crs(toy.units())).is_projected
    square = gpd.GeoSeries([box(111.0, 27.0, 111.1, 27.1)], crs="EPSG:4326")
    metres = square.to_crs(metric_crs(square.to_frame("geometry")))
    # 0.1° by 0.1° at 27.05° north on the ellipsoid is 109.86 km²
    assert metres.area.iloc[0] / 1e6 == pytest.approx(109.86, rel=2e-3)
    with pytest.raises(MissingCRSError):
        metric_crs(toy.units().set_crs(None, allow_override=True))


def test_row_21_a_county_across_two_zones_has_one_system_in_which_areas_and_distances_hold():
    # 112.5° E is the border between the 3-degree zones of 111° and 114°; half a degree lies on each side
    halves = gpd.GeoDataFrame(
        geometry=[box(112.0, 27.0, 112.5, 27.5), box(112.5, 27.0, 113.0, 27.5)], crs=4326
    )
    crs = metric_crs(halves)
    assert metric_crs(halves.iloc[::-1]) == crs
    metres = halves.to_crs(crs)
    # half a degree square at 27.25° north on the ellipsoid is 2,740.8 km²
    geod = CRS(4326).get_geod()
    for flat, round_ in zip(metres.area, halves.geometry, strict=True):
        true = abs(geod.geometry_area_perimeter(round_)[0])
        assert true / 1e6 == pytest.approx(2740.8, rel=1e-3)
        assert flat == pytest.approx(true, rel=1e-3)
    assert metres.geometry.iloc[0].distance(metres.geometry.iloc[1]) == 0


def test_row_26_a_village_in_no_unit_is_listed_and_said_and_its_elders_count_in_none(tmp_path):
    from sy_coverage.study import read_study

    study_file = toy.write_study(tmp_path)
    table = pd.read_csv(tmp_path / "villages.csv", dtype=str, keep_default_na=False)
    # six kilometres north of the last village, and one beyond the units
    lost = gpd.GeoSeries([toy.at(38)], crs=toy.CRS).translate(0, 6000).to_crs(4326).iloc[0]
    row = {
        "demand_id": "Z",
        "name": "远村",
        "elders": "70",
        "unit_id": "",
        "county_id": "",
        "lon": lost.x,
        "lat": lost.y,
    }
    twin = row | {"demand_id": "Y", "name": "邻村", "elders": "30"}
    pd.concat([table, pd.DataFrame([row, twin])]).to_csv(
        tmp_path / "villages.csv", index=False, lineterminator="\n"
    )
    study = read_study(study_file)
    findings = study.findings
    assert findings.units["elders"].sum() == 1600
    assert findings.demand.loc["Z", ["elders", "covered", "covered_planned"]].tolist() == [70, False, False]
    outside = findings.doubts[findings.doubts["doubt_id"] == "outside_all_units"]
    listed = outside.set_index("row_id").loc["Z"]
    assert (listed["frame"], listed["subject"]) == ("demand", "丙乡")
    assert float(listed["value"]) == pytest.approx(2500, abs=30)
    assert any("2 个村（社区）、100 位老年人" in notice for notice in findings.notices)
    study.save(tmp_path / "out")
    page = (tmp_path / "out" / "map.html").read_text(encoding="utf-8")
    assert "100 位老年人" in page
    kept = gpd.read_file(tmp_path / "out" / "coverage.gpkg", layer="demand").set_index("demand_id")
    assert kept.loc["Z", "elders"] == 70


def test_row_37_a_candidate_that_was_placed_by_its_town_only_or_lies_far_away_is_listed_in_a_run(tmp_path):
    from sy_coverage.study import read_study

    study_file = toy.write_study(tmp_path)
    table = pd.read_csv(tmp_path / "candidates.csv", dtype=str, keep_default_na=False).set_index(
        "candidate_id"
    )
    table.loc["c19", ["lon", "lat"]] = ""
    table.loc["r04", ["lon", "lat"]] = ["-70.0", "27.1"]
    table.to_csv(tmp_path / "candidates.csv", lineterminator="\n")
    with study_file.open("a", encoding="utf-8") as file:
        file.write('[geocoding]\naccept = ["village", "town"]\n')
    findings = read_study(study_file).findings
    listed = findings.doubts.set_index(["row_id", "doubt_id"])["sentence"].sort_index()
    assert list(listed.index) == [("c19", "town_only"), ("r04", "outside_area"), ("r04", "town_only")]
    assert set(findings.doubts["frame"]) == {"candidates"}
    assert set(findings.doubts["county_id"]) == {toy.COUNTY}
    # what it is, where it was said to be, and what to do
    assert "示例r04" in listed["r04", "outside_area"]
    assert "-70.00000, 27.10000" in listed["r04", "outside_area"]
    assert "未采用；请在名录中更正" in listed["r04", "outside_area"]
    assert "示例c19" in listed["c19", "town_only"]


@pytest.mark.parametrize(("name", "row"), [("facilities", "T1"), ("candidates", "r04")])
def test_row_37_check_names_the_list_and_the_row_whose_coordinates_were_refused(tmp_path, name, row):
    from sy_coverage.study.check import check

    study_file = toy.write_study(tmp_path)
    path = tmp_path / f"{name}.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[table.iloc[:, 0] == row, ["lon", "lat"]] = ["-70.0", "27.1"]
    table.to_csv(path, index=False, lineterminator="\n")
    word = {"facilities": "设施", "candidates": "备选点位"}[name]
    assert f"待核实·{word}·坐标远离研究范围：1 行（{row}）" in check(study_file).remarks


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", ["c15、c19、c25、c35、d05等，另有 2 个", "2 个乡镇街道没有任何老年人口（城东街道、甲镇）"]),
        ("en", ["c15, c19, c25, c35, d05 and 2 more)", "2 units without any elders (城东街道, 甲镇)"]),
    ],
)
def test_row_37_check_lists_the_first_five_and_says_how_many_more_there_are(tmp_path, language, said):
    from sy_coverage.study.check import check

    study_file = toy.write_study(tmp_path)
    text = study_file.read_text(encoding="utf-8")
    study_file.write_text(text.replace("date = ", f'language = "{language}"\ndate = '), encoding="utf-8")
    path = tmp_path / "candidates.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[table.index[:7], ["lon", "lat"]] = ["-70.0", "27.1"]
    table.to_csv(path, index=False, lineterminator="\n")
    villages = pd.read_csv(tmp_path / "villages.csv", dtype=str, keep_default_na=False)
    left = villages[~villages["unit_id"].isin(["990100001", "990100100"])]
    left.to_csv(tmp_path / "villages.csv", index=False, lineterminator="\n")
    remarks = "\n".join(check(study_file).remarks)
    assert [words for words in said if words not in remarks] == []


def test_row_30_elders_within_reach_of_two_centres_are_counted_once(shaoyang):
    one = toy.facilities()
    twice = pd.concat([one, one.loc[["S1"]].rename(index={"S1": "S2"})])
    covered = {}
    for name, facilities in (("one", one), ("twice", twice)):
        centres = facilities[facilities["kind"] == "service_centre"]
        found = coverage.coverage_by_unit(
            toy.units(), facilities, toy.demand(), times(centres, toy.demand()), policy=shaoyang
        )
        covered[name] = found["elders_covered"]
        assert (found["elders_covered"] <= found["elders"]).all()
    pd.testing.assert_series_equal(covered["one"], covered["twice"])
    assert covered["one"].sum() > 0


def test_row_30_catchments_of_neighbours_overlap_and_their_union_is_less_than_their_sum():
    network = roads.from_edges(toy.road_nodes(), toy.road_edges(), crs=toy.CRS)
    sites = toy.places({"S1": ("service_centre", 5), "S2": ("service_centre", 8)}, "facility_id")
    sheds = network.catchments(sites, mode="drive", cutoffs_min=(5,)).to_crs(toy.CRS)
    # each is as wide as one can still walk: a rhombus from km 0 to 10, and from 3 to 13. Both hold one of 7 km instead of 10,
    # of (7/10)² their area: together they hold 2 − 0.49 of the 2 that they add up to
    union = sheds.geometry.union_all().area
    assert union == pytest.approx(sheds.area.sum() * 1.51 / 2, rel=0.05)


def test_row_65_a_table_of_all_pairs_too_large_for_memory_is_never_made():
    """A million villages by ten thousand sites, few pairs within reach: kept as those pairs, not as a table."""
    import numpy as np
    from scipy.sparse import csr_matrix

    sites, villages, pairs = 10_000, 1_000_000, 50_000
    rng = np.random.default_rng(5)
    minutes = csr_matrix(
        (np.full(pairs, 10.0), (rng.integers(0, sites, pairs), rng.integers(0, villages, pairs))),
        shape=(sites, villages),
    )
    ids = np.arange(sites).astype(str), np.arange(villages).astype(str)
    found = TravelTimes(minutes, ids[0], ids[1], cutoff_min=15.0, mode="drive")
    held = found.minutes.data.nbytes + found.minutes.indices.nbytes + found.minutes.indptr.nbytes
    assert held < 5_000_000
    assert len(found.to_frame()) == minutes.nnz


def test_row_70_a_layer_file_carries_no_time_of_writing_and_a_geojson_no_name_of_its_file(tmp_path):
    from sy_coverage import _files

    _files.write_layers(tmp_path / "a.gpkg", {"units": toy.units()})
    _files.write_layers(tmp_path / "b" / "a.gpkg", {"units": toy.units()})
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b" / "a.gpkg").read_bytes()
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as connection:
        changed = connection.execute("SELECT last_change FROM gpkg_contents").fetchall()
    assert changed == [("2000-01-01T00:00:00.000Z",)]
    from sy_coverage.outputs import tables
    from sy_coverage.study import read_study

    findings = read_study(toy.write_study(tmp_path)).findings.of_county(toy.COUNTY)
    collection = json.loads(tables.proposal_geojson(findings))
    # the name of the collection is the study's, whatever the file is called, and its only date is the study's
    assert collection["name"] == "试验县养老服务设施布局"
    assert collection["date"] == "2027-12-31"
    assert not re.search(r"20\d\d-\d\d-\d\dT", json.dumps(collection))


def test_row_77_no_notebook_is_kept_with_outputs():
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            assert not cell.get("outputs"), f"{path.name} is kept with outputs; clear them"
            assert cell.get("execution_count") is None, f"{path.name} is kept with counts; clear them"


KEYS = re.compile(
    r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|gh[pousr]_[A-Za-z0-9]{36}|sk-[A-Za-z0-9]{32}"
    r"|(?i:\b(?:tk|ak|key|api_?key|token|secret|password)\b\s*[=:]\s*[\"']?[0-9a-f]{32}\b)"
)


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False
    ).stdout.split("\n")
    return [name for name in listed if name and (ROOT / name).is_file()]


def test_row_77_no_key_of_a_service_is_kept_in_any_file():
    assert KEYS.search("tk = " + "0123456789abcdef" * 2), "the scan knows a key when it sees one"
    found = []
    for name in tracked():
        content = (ROOT / name).read_bytes()
        text = (gzip.decompress(content) if name.endswith(".gz") else content).decode("utf-8", "replace")
        found += [f"{name}: {match[0][:12]}…" for match in KEYS.finditer(text)]
    assert found == []


def test_row_78_every_dependency_has_a_lowest_version_and_an_exact_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [re.match(r"[\w.-]+", d)[0].lower() for d in project["dependencies"]]
    assert all(">=" in d for d in project["dependencies"])
    constraints = ROOT / "constraints.txt"
    lines = [line.partition("#")[0].strip() for line in constraints.read_text(encoding="utf-8").splitlines()]
    pinned = {re.match(r"[\w.-]+", line)[0].lower() for line in lines if line}
    assert all("==" in line for line in lines if line)
    assert set(asked) <= pinned


def test_row_19_a_join_of_frames_in_two_systems_is_refused():
    with pytest.raises(CRSMismatchError):
        require_same_crs(toy.demand(), toy.units().to_crs(toy.CRS), "villages and units")
    with pytest.raises(
        UserWarning, match="CRS"
    ):  # and what GeoPandas only warns of is an error in every test
        gpd.sjoin(toy.demand(), toy.units().to_crs(toy.CRS))


def test_row_51_part_of_an_extract_is_no_extract(tmp_path):
    """An answer that was cut short, or carries a remark in place of roads, is never taken for a network."""
    whole = toy.roads_xml()
    for broken in (
        whole[: len(whole) // 2],
        '<?xml version="1.0"?><osm version="0.6"><remark>runtime error: Query timed out</remark></osm>',
        '{"version": 0.6, "remark": "runtime error: Query timed out", "elements": []}',
    ):
        path = tmp_path / "roads.osm"
        path.write_text(broken, encoding="utf-8")
        with pytest.raises((UnreadableFileError, ValueError)):
            roads.read_osm(path)


def test_row_68_a_column_called_like_a_script_reaches_no_output(tmp_path):
    from sy_coverage.outputs import maps, reports, tables
    from sy_coverage.study import read_study

    study_file = toy.write_study(tmp_path)
    hostile = ["</script><script>alert(1)</script>", "{{ 7*7 }}", "{#1}", "=cmd|'/c calc'!A0", "geometry "]
    table = pd.read_csv(tmp_path / "facilities.csv", dtype=str, keep_default_na=False)
    for column in hostile:
        table[column] = "x"
    table.to_csv(tmp_path / "facilities.csv", index=False, lineterminator="\n")
    findings = read_study(study_file).findings
    made = maps.draw(findings).html() + tables.proposal_geojson(findings.of_county(toy.COUNTY))
    made += "".join(c for layer in tables.layers(findings).values() for c in layer.columns)
    made += reports.summary_html(findings)
    assert [column for column in hostile[:4] if column in made] == []
