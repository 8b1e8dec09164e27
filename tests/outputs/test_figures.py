"""Figures are the same bytes each time, read in grey, and draw hostile or rare names without harm."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sy_coverage.outputs import figures
from sy_coverage.outputs.figures import canvas, curves
from tests.outputs.conftest import HOSTILE, NORTH_COUNTY
from tests.outputs.test_tables import shuffled

CITY = (figures.city_map, figures.coverage_bars, figures.lorenz, figures.timeline)
COUNTY = (figures.county_map, figures.coverage_bars, figures.lorenz, figures.timeline, figures.trade_off)


def test_every_figure_of_the_city_is_a_picture(findings):
    curve = findings.extras["trade_off"].assign(county_id="city")
    whole = replace(findings, extras={"trade_off": curve})
    made = {name: make() for name, make in figures.all_of(whole).items()}
    assert set(made) == {"city_map", "coverage_bars", "lorenz", "timeline", "trade_off"}
    for content in made.values():
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.width > 600
            assert len(np.unique(np.asarray(picture.convert("L").resize((60, 60))))) > 8  # not a blank page


@pytest.mark.parametrize("make", COUNTY)
def test_a_figure_is_the_same_bytes_again_and_from_rows_in_another_order(county, make):
    once = make(county)
    assert once == make(county)
    assert once == make(shuffled(county))


@pytest.mark.parametrize("make", COUNTY)
def test_figures_carry_no_date_and_no_software_name(county, make):
    with Image.open(io.BytesIO(make(county))) as picture:
        assert not {"Software", "Creation Time", "date"} & set(picture.info)
    drawing = make(county, format="svg").decode()
    assert drawing == make(county, format="svg").decode()
    assert "<dc:date>" not in drawing
    assert "Matplotlib v" not in drawing


@pytest.mark.parametrize("make", CITY)
def test_hostile_names_are_drawn_without_harm(findings, make):
    counties = findings.counties.assign(county=[HOSTILE, "$\\frac{1}{0}$"])
    units = findings.units.assign(county=HOSTILE, name=HOSTILE)
    assert make(replace(findings, counties=counties, units=units, notices=(HOSTILE,)))


def test_the_three_states_keep_apart_when_printed_in_grey():
    def grey(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    today, plan, none = (grey(c) for c in (canvas.TODAY, canvas.PLAN, canvas.NONE))
    assert plan - today > 0.25
    assert none - plan > 0.1


def test_estimated_borders_are_said_to_be_estimated_and_official_ones_are_not(findings):
    from sy_coverage.outputs.figures import still_map as still

    north, south = findings.of_county(NORTH_COUNTY), findings.of_county("990100")
    estimated = "乡级界（估算，非官方界线）"
    assert estimated in [e.get_label() for e in still.state_entries(north)]
    assert estimated not in [e.get_label() for e in still.state_entries(south)]


def test_the_shipped_face_has_gb_2312_and_every_name_of_the_sample():
    names = "邵阳市双清区大祥区北塔区新邵县隆回县洞口县绥宁县新宁县城步苗族自治县武冈市邵东市桃洪镇"
    level_1_and_2 = bytes(b for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF) for b in (row, cell))
    assert canvas.missing_characters([names]) == ()
    hanzi = set(level_1_and_2.decode("gb2312", errors="ignore"))
    assert len(hanzi) == 6763
    assert hanzi <= canvas._shipped_characters()


def test_a_character_no_face_has_is_reported_and_drawn_as_geta(county, caplog):
    nameless = "\U0010fffd"  # private use: no face draws it
    units = county.units.assign(name=[f"甲{nameless}", *county.units["name"].iloc[1:]])
    odd = replace(county, units=units)
    assert figures.missing_glyphs(odd) == (nameless,)
    assert figures.missing_glyphs(county) == ()
    with caplog.at_level("WARNING"):
        figures.county_map(odd)
    assert canvas.drawable(f"甲{nameless}") == "甲〓"
    assert nameless in caplog.text


def test_the_lorenz_curve_of_the_toy_county_is_the_one_worked_out_by_hand(county):
    # 1,600 elders; 丙乡 (300) has 200 within the cutoff, the others all: 1,500 in all
    points = curves.lorenz_points(county).to_numpy()
    assert points[1] == pytest.approx([300 / 1600, 200 / 1500])
    assert points[-1] == pytest.approx([1, 1])
    # area under the line (0,0)-(x,y)-(1,1) is (1 + y − x) / 2, so Gini is x − y
    assert curves.gini(county) == pytest.approx(300 / 1600 - 200 / 1500)
    assert curves.gini(county, "_planned") == pytest.approx(0)


def test_where_nobody_is_within_the_cutoff_there_is_no_curve(findings):
    north = findings.of_county(NORTH_COUNTY)
    assert curves.lorenz_points(north) is None
    assert curves.lorenz_points(north, "_planned") is not None
    bare = north.units.assign(elders_covered_planned=0.0)
    assert not figures.has_lorenz(replace(north, units=bare))


def test_a_trade_off_of_many_counties_is_no_one_curve(findings):
    table = findings.extras["trade_off"]
    two = table.assign(county_id=[*["990100"] * 2, *[NORTH_COUNTY] * 2])
    assert not figures.has_trade_off(replace(findings, extras={"trade_off": two}))
    assert figures.has_trade_off(replace(findings, extras={"trade_off": two}).of_county("990100"))
    with pytest.raises(ValueError, match="trade_off"):
        figures.trade_off(replace(findings, extras={}))


def test_bars_have_no_length_where_a_share_is_not_known(findings):
    north = findings.of_county(NORTH_COUNTY)
    assert np.isnan(north.units["share_covered"]["990200200"])
    assert figures.coverage_bars(north)


def test_a_map_shows_units_without_any_proposal(county):
    bare = replace(county, proposals=county.proposals.iloc[:0], facilities=county.facilities.iloc[:0])
    assert figures.county_map(bare) != figures.county_map(county)
