"""Villages that no road of the file leads anywhere from are named in every output, and draw no site to where nobody gets."""

from __future__ import annotations

import re
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point

import sy_coverage as sy
from sy_coverage.outputs import reports
from sy_coverage.outputs.facts import Facts
from sy_coverage.study.check import check
from tests import toy


@pytest.fixture
def study_file(tmp_path):
    """The toy county with two more villages 3 km north of the road: W (506 elders) at a stub, V (300) at no road at all."""
    path = toy.write_study(tmp_path)
    at = gpd.GeoSeries(
        [
            Point(toy.EAST + x, toy.NORTH + y)
            for x, y in ((14_900, 3000), (15_100, 3000), (15_000, 3010), (25_000, 3010))
        ],
        crs=toy.CRS,
    ).to_crs(4326)
    nodes = "".join(
        f'<node id="{90 + i}" version="1" lat="{p.y:.7f}" lon="{p.x:.7f}"/>' for i, p in enumerate(at[:2])
    )
    way = '<way id="9" version="1"><nd ref="90"/><nd ref="91"/><tag k="highway" v="residential"/></way>'
    osm = tmp_path / "roads.osm"
    text = osm.read_text(encoding="utf-8").replace('<way id="1"', nodes + '<way id="1"')
    osm.write_text(text.replace("</osm>", way + "</osm>"), encoding="utf-8")
    villages = pd.read_csv(tmp_path / "villages.csv")
    like = villages.iloc[2:3]
    more = [
        like.assign(demand_id=name, name=f"{name}村", elders=elders, lon=p.x, lat=p.y, unit_id=unit)
        for name, elders, p, unit in (("W", 506, at[2], "990100100"), ("V", 300, at[3], "990100101"))
    ]
    pd.concat([villages, *more]).to_csv(tmp_path / "villages.csv", index=False)
    return path


def test_whom_no_road_reaches_is_named_on_screen_in_check_in_the_list_to_verify_and_in_a_layer(study_file):
    study = sy.read_study(study_file)
    found = study.findings
    assert found.roadless["elders"].to_dict() == {"V": 300, "W": 506}
    assert found.access_legs["note"].to_dict()["W"] == "stub"
    assert found.access_legs["note"].to_dict()["V"] == "too_far"
    assert found.access_legs["length_m"]["W"] == pytest.approx(10, abs=0.05)
    (notice,) = found.notices
    assert "2 个村（社区）的 806 位老年人（W村、V村）" in notice
    assert notice in check(study_file).remarks
    doubts = found.doubts[found.doubts["doubt_id"].str.startswith("road_")].set_index("row_id")
    assert doubts["doubt_id"].to_dict() == {"W": "road_stub", "V": "road_too_far"}
    assert "10 米" in doubts.loc["W", "sentence"]
    from sy_coverage.outputs import tables

    assert tables.layers(found)["access_legs"]["note"].value_counts().to_dict() == {
        "none": 8,
        "stub": 1,
        "too_far": 1,
    }
    english = study.but(study={"language": "en"}).findings.notices
    assert "806 elders in 2 villages (W村, V村) cannot be reached by any road of this file" in english[0]


def test_a_study_whose_villages_all_have_roads_says_nothing_of_them(tmp_path):
    found = sy.read_study(toy.write_study(tmp_path)).findings
    assert found.roadless.empty
    assert found.notices == ()


def test_no_generated_site_stands_where_no_road_leads(study_file):
    study = sy.read_study(study_file).but(candidates={"generate": 3, "generate_beside_listed": True})
    made = study.candidates[study.candidates["origin"] == "generated"]
    assert len(made)
    near = study.network.snap(made, mode="drive")
    assert (near["snap_m"] < 100).all()
    assert not made["name"].astype(str).str.contains("[WV]村").any()


# The toy has 1,600 elders; W (506) stands at a stub and V (300) at no road.
def test_the_headline_of_proposal_and_map_says_how_many_of_the_elders_no_road_reaches(study_file):
    study = sy.read_study(study_file)
    found = study.findings.of_county(toy.COUNTY)
    facts = Facts(found)
    assert (facts["elders_roadless"].value, facts["villages_roadless"].value) == (806, 2)
    said = "在2,406名老年人中，有806名（2个村、社区）是现有路网数据中任何道路都到达不了的"
    assert said in re.sub(r"<[^>]+>", "", reports.proposal_html(found))
    assert "806 人（2 个村）" in study.map().html()


def test_a_county_names_its_own_villages_only(study_file):
    found = sy.read_study(study_file).findings
    legs = found.access_legs.assign(county_id=lambda t: t["county_id"].where(t.index != "V", "990200"))
    (notice,) = replace(found, access_legs=legs).of_county(toy.COUNTY).notices
    assert "1 个村（社区）的 506 位老年人（W村）" in notice


def test_who_is_not_reached_lengthens_no_mean_and_no_worst_way(study_file):
    plan = sy.read_study(study_file).propose(toy.COUNTY)
    known = plan.figures
    assert known.worst_min < 40  # 40 km of road: nobody's way is as long as the 60 minutes the times hold
    assert known.elder_minutes > 806 * 60  # the objective still counts them
