"""A study whose villages have no coordinates runs: located by a layer of villages, else spread over their units, and said."""

from __future__ import annotations

import pandas as pd
import pytest

import sy_coverage as sy
from tests import toy


@pytest.fixture
def nameless(tmp_path):
    """Return a toy study whose list of villages gives names and units only."""
    file = toy.write_study(tmp_path)
    listed = pd.read_csv(tmp_path / "villages.csv", dtype=str)
    named = listed["name"].tolist()
    units = [toy.UNITS[toy.unit_at(toy.VILLAGES[name.removesuffix("村")][0])][0] for name in named]
    table = pd.DataFrame({"村（社区）": named, "乡镇": units, "60周岁以上": listed["elders"]})
    table.to_csv(tmp_path / "villages.csv", index=False)
    return sy.read_study(file)


def test_villages_without_points_stop_nothing_and_are_a_doubt(nameless):
    demand = nameless.demand
    assert demand.groupby("unit_id")["elders"].sum().tolist() == [600, 400, 300, 300]
    assert (demand["position_quality"] == "estimated").all()
    assert nameless.coverage["elders"].sum() == 1600
    doubts = nameless.answers.open_doubts
    asked = doubts[doubts["kind"] == "villages_estimated"].squeeze()
    assert asked["value"] == "8"
    assert "甲镇 2" in asked["subject"]


def test_a_layer_of_villages_gives_their_points_by_name(nameless, tmp_path):
    sure = toy.demand().reset_index()[["name", "unit_id", "geometry"]]
    sure.to_file(tmp_path / "positions.gpkg")
    found = nameless.but(demand={"positions": "positions.gpkg"}).demand.set_index("name").geometry
    for name, point in zip(sure["name"], sure.geometry, strict=True):
        assert found[name].distance(point) < 1e-9
