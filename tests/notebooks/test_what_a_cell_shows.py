"""What a reader sees who types a name into a cell: a line, never a page of data."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace

import pandas as pd
import pytest

import sy_coverage as sy
from sy_coverage import roads, siting
from sy_coverage.outputs.maps import Map
from sy_coverage.siting import PlanFigures, SitingPlan
from sy_coverage.study.notebook import NotebookBars, bars_of
from tests import toy

BAD = "<img src=x onerror=alert(1)>"


def test_a_plan_shows_its_sites_its_value_and_its_bound():
    plan = SitingPlan(
        ("C-1", "C-2"),
        "optimal",
        630.0,
        630.0,
        0.0,
        None,
        assignment=pd.Series({"V1": "C-1"}),
        figures=PlanFigures(cost=630.0),
    )
    assert repr(plan) == (
        "SitingPlan(sites=('C-1', 'C-2'), status='optimal', objective=630.0, bound=630.0, gap=0.0, phase={})"
    )


def test_a_map_shows_itself_as_a_frame_and_its_title_as_text():
    drawn = Map("<!DOCTYPE html><p>a whole page</p>", "隆回县")
    assert repr(drawn) == "Map(title='隆回县')"
    assert drawn._repr_html_().startswith("<iframe ")
    assert "a whole page" in drawn.html()


@pytest.fixture(scope="module")
def hostile_study(tmp_path_factory):
    """Return the toy study whose county, units and sites bear a name that tries to be HTML."""
    folder = tmp_path_factory.mktemp("hostile")
    toy.write_study(folder)
    for file in ("candidates.csv", "facilities.csv"):
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(text.replace("示例", BAD), encoding="utf-8")
    return sy.read_study(folder / "study.toml")


def test_a_plan_in_a_cell_names_its_sites_units_costs_targets_and_proof_and_draws_them(hostile_study):
    plan = hostile_study.propose(toy.COUNTY)
    shown = plan._repr_html_()
    assert BAD not in shown
    cells = re.findall(r"<t[hd]>([^<]*)</t[hd]>", shown)
    for site in plan.best.sites:
        row = hostile_study.candidates.loc[site]
        assert html.escape(row["name"], quote=True) in cells
        assert hostile_study.units.loc[row["unit_id"], "name"] in cells
    assert "最优" in cells
    assert f"{plan.objective:g}" in cells
    assert any("街道" in cell and "中心" in cell for cell in cells), "targets have their names"
    assert cells.count("投资最少") == 1
    assert shown.count("<circle") >= len(plan.best.sites)
    assert shown.count("<path") == (hostile_study.units["county_id"] == toy.COUNTY).sum()
    assert plan.certificate._repr_html_().count("least cost") == 1


def test_what_cannot_be_met_shows_the_best_that_can_be_had(hostile_study):
    centres = hostile_study.candidates.query("kind == 'service_centre'").index
    plan = hostile_study.what_if(forbid=centres).propose(toy.COUNTY)
    assert plan.status == "infeasible"
    shown = plan._repr_html_()
    assert "无法达标" in shown
    assert plan.best.sites
    assert all(f"<td>{site}</td>" in shown for site in plan.best.sites)
    assert "<td>否</td>" in shown


def test_a_study_in_a_cell_draws_what_is_known_of_it(hostile_study):
    hostile_study.propose(toy.COUNTY)
    shown = hostile_study._repr_html_()
    assert shown.count("<path") == len(hostile_study.units)
    assert "<circle" in shown
    assert BAD not in shown


def test_a_classic_plan_and_its_times_say_what_they_hold():
    # three points, minutes to two sites; the third is reached by nobody within 10
    minutes = pd.DataFrame({"<b>S": [1.0, 4.0, 30.0], "T": [9.0, 2.0, 40.0]}, index=["v1", "v2", "v3"])
    times = roads.TravelTimes.from_matrix(minutes)
    shown = times._repr_html_()
    assert "<td>6</td>" in shown
    assert "median 2.0, longest 30.0" in shown
    plan = siting.mclp(times, 10, [5, 5, 5], p=1)
    assert "&lt;b&gt;S" in plan._repr_html_()
    assert "<b>" not in plan._repr_html_()


def test_a_network_in_a_cell_counts_its_roads_and_draws_them():
    nodes = pd.DataFrame({"node_id": ["a", "b", "c"], "x": [0.0, 1000.0, 1000.0], "y": [0.0, 0.0, 2000.0]})
    edges = pd.DataFrame({"u": ["a", "b", "b", "c"], "v": ["b", "a", "c", "b"], "length_m": [1000.0, 1000.0, 2000.0, 2000.0], "drive_min": 1.0})  # fmt: skip
    shown = roads.from_edges(nodes, edges)._repr_html_()
    assert "<td>3 km</td>" in shown
    assert "<td>drive</td>" in shown
    # 1 km east and 2 km north, on a map 420 units high
    assert "M0 420L210 420" in shown


class FakeScreen:
    """What a kernel shows beneath its cells, as a list of bundles by display."""

    def __init__(self) -> None:
        self.shown: list[list[dict[str, str]]] = []

    def display(self, bundle, **_):
        own = [bundle]
        self.shown.append(own)
        return SimpleNamespace(update=lambda later, **_: own.append(later))


def test_a_bar_beneath_a_cell_says_how_far_it_is_and_goes_when_all_is_done():
    screen, shell = FakeScreen(), SimpleNamespace(execution_count=1)
    bars = NotebookBars(shell, screen, "zh")
    with bars("plans", total=3) as advance:
        advance()
        bars.tell(SimpleNamespace(gap=0.0125))
        with bars("roads"):
            pass
    (beneath,) = screen.shown
    said = [bundle["text/plain"] for bundle in beneath]
    assert said == [
        "逐县求最优方案并证明 · 0/3",
        "逐县求最优方案并证明 · 1/3",
        "逐县求最优方案并证明 · 1/3 · 最好方案与界限相差 1.25%",
        "读取道路网络",
        "逐县求最优方案并证明 · 1/3",
        "",
    ]
    assert 'max="3" value="1"' in beneath[1]["text/html"]
    shell.execution_count = 2
    with bars("roads"):
        pass
    assert len(screen.shown) == 2, "another cell has a bar of its own"
    assert bars_of("zh") is None, "outside a notebook nothing is shown"
