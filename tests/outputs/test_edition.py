"""The public edition says no cost, no contact, nothing that was not chosen and no small number, in any output; the internal one says that it is."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace

import pandas as pd
import pytest

from sy_coverage.outputs import edition, maps, reports, store, tables
from sy_coverage.outputs.facts import Facts

PHONE = "13987654321"
COST = 73913.0
"""Of every proposed site; written in any form it holds these digits."""


@pytest.fixture
def told(findings):
    """Return findings with a cost, a contact and a doubt that would be known anywhere."""
    proposals = findings.proposals.assign(cost=COST, 联系电话=PHONE)
    reasons = pd.concat([findings.reasons, pd.DataFrame({"site_id": ["c15"], "reason_id": ["alternative_dearer"], "subject": ["x"], "value": [1.0], "sentence": ["最近的替代点为未选中学，投资要多 73,913 万元。"]})])  # fmt: skip
    return replace(
        findings,
        proposals=proposals,
        reasons=reasons,
        counties=findings.counties.assign(cost=[COST * 5, COST * 2]),
        facilities=findings.facilities.assign(联系电话=PHONE),
        demand=findings.demand.assign(
            elders=findings.demand["elders"].where(findings.demand["elders"] > 50, 3.0)
        ),
        recounts={"990100": "{}"},
    )


def texts(findings) -> dict[str, str]:
    """Return the text of every output that is made of findings."""
    county = findings.of_county("990100")

    def unzipped(content: bytes) -> str:
        with zipfile.ZipFile(io.BytesIO(content)) as held:
            return "\n".join(
                held.read(name).decode("utf-8", "replace")
                for name in held.namelist()
                if name.endswith((".xml", ".rels"))
            )

    document = reports.proposal(county)
    return {
        "map": maps.draw(replace(county, recounts={})).html(),
        "city": maps.draw(findings).html(),
        "proposal": re.sub(r"data:[^\"]+", "", reports.html(document)),
        "docx": unzipped(reports.docx(document)),
        "xlsx": unzipped(tables.proposal_xlsx(county)),
        "geojson": tables.proposal_geojson(county),
        "summary": re.sub(r"data:[^\"]+", "", reports.html(reports.summary(findings))),
        "scorecard": tables.scorecard_csv(findings).decode("utf-8-sig"),
        "layers": "\n".join(frame.to_csv() for frame in tables.layers(findings).values()),
    }


def test_no_output_of_the_public_edition_says_a_cost_or_a_contact(told):
    secret = re.compile(rf"73,?913|369,?565|517,?391|147,?826|{PHONE}|未选中学")
    internal, public = texts(told), texts(edition.public(told))
    assert {name for name, text in internal.items() if secret.search(text)} >= {
        "map",
        "xlsx",
        "geojson",
        "layers",
        "proposal",
    }
    assert {name: secret.findall(text)[:3] for name, text in public.items() if secret.search(text)} == {}


def test_costs_are_said_to_be_withheld_and_are_not_zero(told):
    public = edition.public(told)
    fact = Facts(public)["cost"]
    assert (fact.value, fact.text) == (None, "不公开")
    shown = {row["label"]: row["values"] for row in maps.draw(public).content["facts"]}
    assert set(shown["投资"][1:]) == {"不公开"}
    assert shown["建议设施"][-1] == "7 处"
    assert "不公开" in reports.html(reports.proposal(public.of_county("990100")))


def test_small_numbers_of_elders_are_coarse_and_the_rest_is_as_it_was(told):
    public = edition.public(told)
    small = told.demand["elders"] == 3.0
    assert small.any()
    assert (public.demand.loc[small, "elders"] == 10).all()
    assert public.demand.loc[~small, "elders"].tolist() == told.demand.loc[~small, "elders"].tolist()


def test_what_was_not_chosen_and_the_model_are_left_out(told):
    public = edition.public(told)
    assert dict(public.recounts) == dict(public.extras) == {}
    assert public.doubts.empty
    assert len(told.doubts)
    assert "cost" not in [
        stage.objective_id
        for plan in public.plans.values()
        if plan.certificate
        for stage in plan.certificate.stages
    ]
    assert edition.of(told, "internal") is told
    assert (
        store.unpacked(
            store.packed(replace(public, catchments=public.catchments.assign(elders=1.0))), file="x"
        ).edition
        == "public"
    )


def test_the_page_says_which_edition_it_is(told):
    internal, public = (
        maps.draw(found).content for found in (replace(told, recounts={}), edition.public(told))
    )
    assert internal["edition"] == "内部版，不公开"
    assert public["edition"] == ""
    assert any("公开版" in sentence for sentence in public["statements"])


def test_small_numbers_of_elders_are_coarse_wherever_they_are_counted(findings):
    few = findings.proposals.assign(elders_gained=3.0)
    units = findings.units.assign(elders_covered=[4.0, 0.0, *findings.units["elders_covered"].iloc[2:]])
    told = edition.public(
        replace(findings, proposals=few, units=units, catchments=findings.catchments.assign(elders=9.0))
    )
    assert set(told.proposals["elders_gained"]) == {10.0}
    assert told.units["elders_covered"].iloc[:2].tolist() == [10.0, 0.0]
    assert set(told.catchments["elders"]) == {10.0}


def test_no_parameter_is_an_amount_of_money(told):
    more = pd.DataFrame([{"name": "未列价备选点的估算投资：中心（新建）", "value": COST, "unit": "万元", "source": "软件包"}, {"name": "每张床", "value": 2, "unit": "万元/张", "source": ""}])  # fmt: skip
    public = edition.public(replace(told, parameters=pd.concat([told.parameters, more], ignore_index=True)))
    assert not public.parameters["unit"].str.contains("万元").any()
    assert len(public.parameters)
