"""What `[siting]` may ask of a plan besides the policy's targets, on the toy county of tests/toy.py."""

import pytest

import sy_coverage as sy
from sy_coverage.errors import ConfigError
from sy_coverage.outputs import maps, reports
from sy_coverage.outputs.reports.document import Paragraph
from tests import toy


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return sy.read_study(toy.write_study(tmp_path_factory.mktemp("toy")))


def test_a_walk_to_stations_that_nobody_offers_leaves_no_centre_to_open(study):
    # no station stands in the toy county and none could be opened, so that no township can have its centre
    asked = study.but(siting={"station_walk_min": 15})
    plan = asked.plans[toy.COUNTY]
    assert plan.status == "infeasible"
    assert "no_station_in_walk" in set(plan.findings["reason_id"])
    assert not {"c15", "c19", "c25", "c35"} & set(asked.chosen)
    assert any("步行15分钟内" in s.replace(" ", "") for s in asked.findings.left_out["sentence"])


def test_demonstration_sites_of_a_target_that_is_not_there_are_refused_with_what_is_allowed(study):
    asked = study.but(siting={"demonstration": {"urban_demo_site": {"has_medical": True}}})
    with pytest.raises(ConfigError, match=r"urban_demo_site; allowed: .*urban_demo_sites"):
        _ = asked.policy


def test_a_plan_that_money_keeps_from_the_targets_is_called_the_nearest_and_not_the_best(study):
    # all targets cost 700; with 300 the regional homes, 450 together, cannot both open
    asked = study.but(siting={"budget": 300})
    assert asked.plans[toy.COUNTY].status == "optimal"
    own = asked.presented.of_county(toy.COUNTY)
    said = " ".join(block.text for block in reports.proposal(own).blocks if isinstance(block, Paragraph))
    assert "没有任何其他方案更好" not in said
    assert "各项指标不能全部达到" in said
    assert "预算300万元不足：达到全部目标至少需700万元" in said.replace(" ", "")
    assert "各项指标不能全部达到，此为最接近的方案" in maps.draw(own).html()


def test_more_beds_than_the_homes_have_are_said_to_be_short_and_the_plan_beside_is_without_that_rule(study):
    plan = study.but(siting={"beds_per_elder": 1}).plans[toy.COUNTY]
    assert plan.status == "infeasible"
    assert "too_few_beds" in set(plan.findings["reason_id"])
    assert "beds" not in plan.best.certificate.rules
