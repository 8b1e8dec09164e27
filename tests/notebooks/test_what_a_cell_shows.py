"""What a reader sees who types a name into a cell: a line, never a page of data."""

from __future__ import annotations

import pandas as pd

from sy_coverage.outputs.maps import Map
from sy_coverage.siting import PlanFigures, SitingPlan


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
