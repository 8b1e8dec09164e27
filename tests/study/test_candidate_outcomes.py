"""A listed candidate never disappears: every one is in the outputs with what became of it, and suggested ones are called so."""

from __future__ import annotations

import csv
import io

import geopandas as gpd
import pytest

import sy_coverage as sy
from sy_coverage.outputs import reports, tables
from sy_coverage.outputs.tables.candidates import candidates_csv
from tests import toy


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return the toy study without the listed centres of 丙乡, with a row that has no place, and one suggested site a unit."""
    folder = tmp_path_factory.mktemp("toy")
    file = toy.write_study(folder)
    path = folder / "candidates.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    header = lines[0].strip().split(",")
    empty = {"candidate_id": "x1", "name": "示例无位置", "kind": "service_centre", "cost": "60"}
    kept = [line for line in lines if not line.startswith("c35,")]
    path.write_text("".join(kept) + ",".join(empty.get(c, "") for c in header) + "\n", encoding="utf-8")
    return sy.read_study(file).but(candidates={"generate": 1}, siting={"forbid": ["c19"]})


def test_row_97_every_row_of_the_lists_is_there_with_its_outcome_in_words(study):
    table = study.presented.extras["candidates"].set_index("candidate_id")
    listed = set(toy.candidates().index) - {"c35"} | {"x1"}
    assert listed <= set(table.index)
    assert table.loc["x1", "reason"] == "not_located"
    assert table.loc["c19", "sentence"] == "不得采用：研究文件已排除"
    sites = set(study.plans[toy.COUNTY].sites)
    assert set(table.index[table["outcome"] == "chosen"]) == sites
    assert "投资至多增加" in table.loc["d05", "sentence"]
    suggested = table[table["origin"] == "程序推荐，须落实房源"]
    assert len(suggested)
    assert suggested["name"].str.contains("程序推荐，须落实房源").all()
    assert set(suggested["unit"]) == {"丙乡"}  # the others have listed ones


def test_the_outcomes_stand_in_the_csv_the_workbook_and_the_layer(study):
    findings = study.presented
    rows = list(csv.DictReader(io.StringIO(candidates_csv(findings).decode("utf-8-sig"))))
    assert len(rows) == len(findings.extras["candidates"])
    assert {row["编号"] for row in rows} >= {"x1", "c19", "r36"}
    layer = tables.layers(findings)["candidates"]
    assert isinstance(layer, gpd.GeoDataFrame)
    assert layer.geometry["x1"] is None
    assert layer.geometry.notna().sum() == len(layer) - 1


# with c15, c25 and the suggested site (80) the plan takes 80 and 100; with listed ones only both c15 and c25: 20 more
def test_the_proposal_says_what_the_plan_would_cost_with_listed_sites_only(study):
    own = study.presented.of_county(toy.COUNTY)
    row = own.extras["listed_only"].squeeze()
    assert row["listed_cost"] - row["cost"] == 20.0
    said = " ".join(str(block) for block in reports.proposal(own).blocks)
    assert "只用名录内的备选点" in said
