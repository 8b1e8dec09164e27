"""What sites that no list names cost, and how a proposal says so."""

from __future__ import annotations

import sy_coverage as sy
from tests import toy


def test_a_proposal_prints_what_sites_that_no_list_prices_were_taken_to_cost_and_who_said_so(tmp_path):
    study = sy.read_study(toy.write_study(tmp_path)).but(
        candidates={
            "generate": 2,
            "generate_beside_listed": True,
            "costs": {"service_centre": {"village_office": 77}},
        }
    )
    printed = study.findings.parameters.set_index("name")[["value", "unit", "source"]]
    costs = printed[printed.index.str.startswith("未列价备选点的估算投资：")]
    centre = "未列价备选点的估算投资：街道/乡镇综合养老服务中心（村（社区）办公用房）"
    assert costs.loc[centre].tolist() == [77.0, "万元", "研究文件"]
    # every price that a site has is printed, and none that no site has
    made = study.candidates[study.candidates["located_by"] == "generated"]
    assert sorted(costs["value"]) == sorted(made.groupby(["kind", "priced_as"])["cost"].first())
    usual = study.but(candidates={"costs": {}}).findings.parameters.set_index("name")
    assert usual.loc[centre, ["value", "source"]].tolist() == [80.0, "程序默认值"]


def test_a_proposal_without_such_sites_prints_no_such_cost(tmp_path):
    printed = sy.read_study(toy.write_study(tmp_path)).findings.parameters["name"]
    assert not printed.str.startswith("未列价备选点的估算投资").any()
