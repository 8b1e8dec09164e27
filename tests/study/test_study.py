"""A study walks the toy county through the rooms; its answers are worked out in tests/toy.py."""

import pytest

import sy_coverage as sy
from sy_coverage.errors import UnknownIdError
from tests import toy


@pytest.fixture
def study(tmp_path):
    return sy.read_study(toy.write_study(tmp_path))


def test_only_the_street_of_the_toy_county_has_a_centre_today(study):
    assert study.coverage["has_centre"].to_dict() == {
        "990100001": True,
        "990100100": False,
        "990100101": False,
        "990100200": False,
    }


def test_the_plan_of_the_toy_county_is_the_cheapest_that_meets_every_target(study):
    plan = study.propose(toy.COUNTY)
    # 65 % of three townships is two, and one centre is open in none of them: the two cheapest townships are
    # 丙乡 (c35, 90) and 甲镇 or 乙镇 (c15 or c25, 100 each); a dementia unit (d15, 60); two homes at least ten minutes
    # apart: r15 (150) and r36 (300)
    assert plan.status == "optimal"
    assert plan.objective == plan.bound == 90 + 100 + 60 + 150 + 300
    assert {"c35", "d15", "r15", "r36"} <= set(plan.sites)
    # c15 and c25 cost the same; both are within 30 minutes of everybody, and with c35 the ways are shortest from c15:
    # C D E F have 3 3 7 7 minutes with c15 (100·3 + 300·3 + 150·7 + 150·7 = 3,300), and 7 7 3 3 with c25 (3,700)
    assert "c15" in plan.sites


def test_a_saved_network_gives_the_plan_that_the_extract_gives(study, tmp_path):
    study.network.save(tmp_path / "roads.network")
    text = (tmp_path / "study.toml").read_text(encoding="utf-8").replace("roads.osm", "roads.network")
    (tmp_path / "saved.toml").write_text(text, encoding="utf-8")
    saved = sy.read_study(tmp_path / "saved.toml")
    assert saved.propose(toy.COUNTY).sites == study.propose(toy.COUNTY).sites


def test_a_county_that_no_unit_lies_in_is_refused(study):
    with pytest.raises(UnknownIdError, match="999999"):
        study.propose("999999")


def test_the_readings_of_the_study_take_the_place_of_the_policys(study):
    assert study.policy.readings.rule == "presence"
    by_access = study.but(siting={"rule": "access"})
    assert by_access.policy.readings.rule == "access"
    # only H (33 minutes) is farther than 30 minutes from the one centre: 丙乡 has 200 of its 300 elders in reach, below 80 %
    assert by_access.coverage["covered"].to_dict() == {
        "990100001": True,
        "990100100": True,
        "990100101": True,
        "990100200": False,
    }


def test_the_map_of_one_county_plans_no_other_and_says_whose_sites_it_counts():
    study = sy.sample_study()
    plan = study.propose("430511")
    page = study.map(plan).html()
    assert set(study.known_plans) == {"430511"}
    assert "未计入邻县方案的设施" in page
    assert study.map("430511").html() == page


def test_a_study_is_called_by_its_name_in_the_language_it_speaks():
    chinese, english = sy.sample_study(), sy.sample_study(language="en")
    assert repr(chinese) == "<Study 邵阳市养老服务设施布局（示例）>"
    assert repr(english) == "<Study Elder-care facilities of Shaoyang (sample)>"
    assert english.but(study={"name_en": None}).config.study.title == chinese.config.study.title
