"""The figures of an output, each once, and the headline: worked out by hand from the two toy counties of `conftest`."""

from dataclasses import replace

import pandas as pd
import pytest

from sy_coverage.outputs import reports
from sy_coverage.outputs.facts import Facts
from tests import toy
from tests.outputs.conftest import NORTH_COUNTY


def test_the_headline_of_the_city_counts_counties_that_meet_every_target_a_site_can_change(findings):
    # south meets all four with the plan; north lacks its dementia unit and its two homes
    head = Facts(findings).headline()
    assert head.counts == "counties"
    assert (head.today.value, head.planned.value, head.whole.value) == (0, 1, 2)
    assert not head.is_met
    rates = {r.target_id: (r.today.value, r.planned.value, r.goal.value) for r in head.rates}
    assert rates == {
        "county_dementia_unit": (0, 1, 2),
        "county_regional_home": (0, 1, 2),
        "street_centre_coverage": (1, 1, 1),  # north has no street: it is neither met nor missed
        "township_centre_coverage": (0, 2, 2),
    }


def test_the_headline_of_one_county_counts_its_targets(findings):
    south, north = (Facts(findings.of_county(c)).headline() for c in (toy.COUNTY, NORTH_COUNTY))
    assert (south.counts, south.today.value, south.planned.value, south.whole.value) == ("targets", 1, 4, 4)
    assert (north.today.value, north.planned.value, north.whole.value) == (0, 1, 3)
    assert south.is_met
    assert not north.is_met


def test_what_is_reported_and_what_is_unknown_stand_apart(findings):
    head = Facts(findings).headline()
    assert head.unknown == ("城市社区居家养老服务中心示范点", "特殊困难老年人月探访率")
    assert head.reported == ("特殊困难老年人月探访率",)
    assert not {"urban_demo_sites", "monthly_visits"} & {r.target_id for r in head.rates}


def test_a_target_unknown_today_that_the_plan_is_known_to_meet_is_part_of_the_headline(findings):
    card = findings.scorecard.copy()
    key = ("county_dementia_unit", toy.COUNTY)
    card.loc[key, ["value_today", "met_today", "basis"]] = [float("nan"), pd.NA, "unknown"]
    head = Facts(replace(findings, scorecard=card).of_county(toy.COUNTY)).headline()
    assert (head.today.value, head.planned.value, head.whole.value) == (1, 4, 4)


def test_mean_minutes_are_over_the_elders_whom_a_road_takes_and_say_how_many_that_are(findings):
    facts = Facts(findings.of_county(NORTH_COUNTY))
    # with the plan 丁镇: 200 elders at (120·4 + 80·1)/200; 戊镇: 200 of 240 at 4.0; no road takes the 40 of village P
    assert facts["minutes_planned"].value == pytest.approx((200 * 2.8 + 200 * 4.0) / 400)
    assert facts["share_reached_planned"].value == pytest.approx(400 / 440)
    assert facts["elders_no_road"].value == 40
    assert facts["minutes_today"].value is None
    assert facts["share_reached_today"].value == 0


def test_a_policy_that_counts_other_units_counts_those(findings):
    policy = findings.policy.model_dump()
    for target in policy["targets"]:
        if target["measure"]["of"] == "unit_coverage":
            target["measure"]["unit_kind"] = "other"
    other = type(findings.policy).model_validate(policy)
    units = findings.units.assign(kind="other")
    facts = Facts(replace(findings, policy=other, units=units))
    assert (facts["units_counted"].value, facts["units_covered_planned"].value) == (7, 5)
    text = " ".join(
        b.text
        for b in reports.summary(replace(findings, policy=other, units=units)).blocks
        if hasattr(b, "text")
    )
    assert "街道、乡镇" not in text


def test_every_figure_has_an_id_of_its_own(findings):
    table = pd.concat(
        [Facts(f).table() for f in (findings, *map(findings.of_county, findings.counties.index))]
    )
    assert table.index.is_unique
    assert "city.elders" in table.index
    assert f"{NORTH_COUNTY}.target.township_centre_coverage.planned" in table.index
    assert table.loc["city.cost", "text"] == "960"


def test_a_share_short_of_everything_never_reads_100_percent(findings):
    units = findings.units.assign(elders_covered_planned=findings.units["elders"])
    units.loc["990100001", "elders_covered_planned"] -= 0.1
    assert Facts(replace(findings, units=units))["share_within_planned"].text == "99.9\u00a0%"
