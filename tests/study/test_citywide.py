"""What is counted over the whole city: after the counties' plans, or in the one plan of the city, and which of both is said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import sy_coverage as sy
from sy_coverage import policy, siting
from sy_coverage.outputs import reports
from tests import toy

# 城东街道 has a station A and the toy's centre; two could be opened: k3 (km 3, 40) and k9 (km 9, 10), both in the street.
# Two urban demonstration sites are asked. Dementia and homes need no site here: the targets are the two rates and the sites.
POLICY = """
[[targets]]
id = "urban_demo_sites"
name = { zh = "示范点", en = "demonstration sites" }
scope = "city"
rule = "count_at_least"
value = VALUE
section = "一"
quote = "示范点"
measure = { of = "facility_count", facility_kinds = ["station"], mark = "demonstration" }
"""


def study_of(folder, *, value=2):
    """Write the toy county with stations, under a policy that asks for `value` demonstration sites besides the two rates."""
    text = (Path(policy.__file__).parent / "shaoyang_2025.toml").read_text(encoding="utf-8")
    head, *targets = text.split("[[targets]]")
    kept = [t for t in targets if 'id = "street_centre' in t or 'id = "township_centre' in t]
    asked = POLICY.replace("VALUE", str(value))
    (folder / "policy.toml").write_text("[[targets]]".join([head, *kept]) + asked, encoding="utf-8")
    file = toy.write_study(folder, policy="policy.toml")
    for name, rows in (
        ("facilities", {"A": ("station", 2)}),
        ("candidates", {"k3": ("station", 3), "k9": ("station", 9)}),
    ):
        path = folder / f"{name}.csv"
        table = pd.read_csv(path, dtype=object)
        more = {"status": "open"} if name == "facilities" else {"cost": [40, 10]}
        place = toy.places(rows, table.columns[0], **more)
        flat = pd.DataFrame(place.drop(columns="geometry")).assign(lon=place.geometry.x, lat=place.geometry.y)
        pd.concat([table, flat.reset_index()]).to_csv(path, index=False)
    return sy.read_study(file)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return study_of(tmp_path_factory.mktemp("city"))


# Two of three townships: c35 (90) and c15 or c25 (100). The second demonstration site: k9 for 10. 200 in all.
def test_with_the_scope_of_the_city_one_plan_chooses_the_demonstration_sites_too(study):
    whole = study.but(siting={"scope": "city"})
    plan = whole.propose()
    assert plan.status == "optimal"
    assert plan.objective == 200.0
    assert "k9" in plan.sites
    assert sorted(plan.figures.demonstration.index) == ["A", "k9"]
    assert whole.citywide is plan
    assert siting.verify(plan).rules.loc["demonstration", "holds"]
    assert whole.planned_facilities["demonstration"].eq(other=True).sum() == 2


def test_with_the_scope_of_counties_they_are_chosen_after_the_counties_plans(study):
    plan = study.propose(toy.COUNTY)
    assert plan.objective == 190.0
    assert plan.figures.demonstration is None
    assert study.citywide.sites == tuple(sorted({*plan.sites, "k9"}))
    assert study.chosen == study.citywide.sites


@pytest.mark.parametrize(("scope", "said"), [("city", "同一个全市模型"), ("county", "先行逐县确定")])
def test_the_annex_of_a_proposal_says_whether_one_model_decided_it(study, scope, said):
    own = study.but(siting={"scope": scope}).presented
    words = " ".join(str(block) for block in reports.annex(own.of_county(toy.COUNTY)).blocks)
    assert said in words


def test_more_demonstration_sites_than_there_can_be_do_not_spoil_the_plan_of_the_city(tmp_path):
    whole = study_of(tmp_path, value=4).but(siting={"scope": "city"})
    plan = whole.propose()
    assert (plan.status, plan.objective) == ("optimal", 190.0)
    row = whole.scorecard.xs("urban_demo_sites", level="target_id").iloc[0]
    assert row["met_planned"] is not True  # nobody has marked one yet: not known
