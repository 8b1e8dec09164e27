"""What stands beside a plan: its answers for the toy county are worked out from tests/toy.py."""

import pandas as pd
import pytest

import sy_coverage as sy
from sy_coverage.errors import UnknownIdError
from sy_coverage.study.plans import alternatives
from sy_coverage.study.results.comparisons import beside
from tests import counties_toy, toy


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return sy.read_study(toy.write_study(tmp_path_factory.mktemp("toy")))


def test_the_curve_begins_with_opening_nothing_and_ends_with_all_the_elders_that_can_be_had(study):
    curve = study.compared[toy.COUNTY]["trade_off"]
    # today only H (100 elders, 33 minutes) is beyond 30 minutes; the cheapest centre that reaches it is c35 (90)
    assert curve[["cost", "elders_covered"]].to_numpy().tolist() == [[0, 1500], [90, 1600]]
    assert curve["targets_met"].tolist() == [False, False]


def test_other_readings_are_solved_again_and_stand_below_the_plan_itself(study):
    own = study.presented.of_county(toy.COUNTY).beside("sensitivity").set_index("reading")
    # by presence a shorter or longer cutoff changes no cost, and with a centre in 丙乡 everybody is near one; by access two
    # townships of three are covered today, so that only the dementia unit (60) and two homes (150 + 300) are opened
    assert own["cost"].to_dict() == {
        "本方案": 700,
        "出行时限缩短20%（街道12分钟、乡镇24分钟）": 700,
        "出行时限延长20%（街道18分钟、乡镇36分钟）": 700,
        "改按可达认定覆盖（80%以上的老年人在时限内可达）": 510,
    }
    assert own["new_sites"].tolist() == [5, 5, 5, 3]
    # by access H stays beyond the cutoff; within 36 minutes it is near enough to the centre there is
    assert own["elders_covered"].tolist() == [1600, 1600, 1600, 1500]


def test_what_is_not_asked_for_is_not_computed(study):
    quiet = study.but(
        compare={
            "trade_off_points": 0,
            "cutoff_factors": [],
            "rule": False,
            "scope": False,
            "closures": False,
        }
    )
    assert quiet.compared == {toy.COUNTY: {}}
    # what is decided over the whole city is no comparison
    assert not set(quiet.presented.extras) - {"candidates", "conversions", "demonstration", "listed_only"}


def test_the_citys_curve_is_the_best_sums_of_one_point_from_each_county():
    one = pd.DataFrame(
        {"cost": [0.0, 5], "elders_covered": [10.0, 20], "new_sites": [0, 1], "targets_met": [False, True]}
    )
    other = pd.DataFrame(
        {
            "cost": [0.0, 3, 9],
            "elders_covered": [0.0, 4, 6],
            "new_sites": [0, 1, 2],
            "targets_met": [False, False, True],
        }
    )
    # the sums are 0:10, 3:14, 9:16, 5:20, 8:24 and 14:26; 9:16 reaches fewer than 5:20
    curve = beside.city_curve([one, other])
    assert curve[["cost", "elders_covered"]].to_numpy().tolist() == [
        [0, 10],
        [3, 14],
        [5, 20],
        [8, 24],
        [14, 26],
    ]
    assert curve["targets_met"].tolist() == [False, False, False, False, True]
    assert beside.city_curve([one, other], most=2)["cost"].tolist() == [0, 14]


def test_where_the_targets_cannot_be_met_the_best_plan_meanwhile_is_proposed(tmp_path):
    path = toy.write_study(tmp_path)
    listed = tmp_path / "candidates.csv"
    rows = listed.read_text(encoding="utf-8").splitlines()
    # without a dementia unit to open, the target of one in the county stays unmet; all else can be had as before
    listed.write_text("\n".join(row for row in rows if not row.startswith(("d05", "d15"))), encoding="utf-8")
    study = sy.read_study(path)
    assert study.plans[toy.COUNTY].status == "infeasible"
    assert study.chosen == ("c15", "c35", "r15", "r36")
    own = study.presented.of_county(toy.COUNTY)
    assert own.counties["cost"].tolist() == [90 + 100 + 150 + 300]
    assert own.beside("trade_off")["cost"].tolist() == [0, 90]
    # of the two homes and the dementia unit only the homes remain by access
    assert own.beside("sensitivity")["cost"].tolist() == [640, 640, 640, 450]
    assert set(own.beside("sensitivity")["status"]) == {"infeasible"}


def test_a_study_of_some_counties_plans_no_other(tmp_path):
    study = sy.read_study(counties_toy.write_study(tmp_path, counties=2))
    _one, two = study.counties
    own = study.only([two])
    assert list(own.plans) == [two]
    assert own.only([two]) is own  # what was worked out is not worked out again
    assert own.plans[two].sites == study.plans[two].sites
    assert list(own.presented.counties.query("new_sites > 0").index) == [two]
    with pytest.raises(UnknownIdError, match="999999"):
        study.only(["999999"])


def test_the_other_scope_is_the_countys_part_of_one_plan_for_all(tmp_path):
    study = sy.read_study(counties_toy.write_study(tmp_path, counties=2))
    parts = alternatives.other_scope(study.case, study.counties)
    whole = study.but(siting={"scope": "city"}).propose()
    assert set(parts["reading_id"]) == {"scope_city"}
    assert parts["cost"].sum() == whole.objective
    assert parts["new_sites"].sum() == len(whole.sites)
