"""Plans over years, by hand and against every assignment of small problems."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sy_coverage.errors import CertificateError, InputError
from sy_coverage.siting import verify
from sy_coverage.siting.solve import highs
from tests.siting.test_policy_plan import roads, solved, tampered, toy_plan, with_x


# The plan costs 700 at least (c15 or c25 100, c35 90, d15 60, r15 150, r36 300); H is reached once c35 (or c25, 13 min, or
# c15, 23 min) stands. 300 a year: year one can pay a centre, so 1,600 elders in each of three years = 4,800.
def test_a_plan_over_three_years_reaches_elders_as_early_as_money_allows():
    plan = toy_plan(phases={2025: {"budget": 300}, 2026: {"budget": 300}, 2027: {"budget": 300}})
    assert plan.status == "optimal"
    assert plan.objective == plan.bound == 4800.0
    assert plan.figures.cost == 700.0
    assert plan.phase["r36"] in {2026, 2027}
    assert set(plan.phase) == set(plan.sites)
    years = plan.figures.years
    assert (years["cost"] <= 300).all()
    assert years["cost"].sum() == 700.0
    assert years.loc[2025, "elders_gained"] == 100.0
    assert years["targets_met"].tolist() == [False, False, True]


def test_a_number_of_sites_a_year_is_kept():
    plan = toy_plan(phases={2025: {"sites": 1}, 2026: {"sites": 2}, 2027: {"sites": 2}})
    assert plan.figures.years["new_sites"].tolist() == [1, 2, 2]
    assert plan.figures.targets_met


def test_years_without_enough_money_say_so_and_come_as_near_as_they_can():
    # 200 in all against 700; c35 and d15 (or c15) fit, one each year
    plan = toy_plan(phases={2025: {"budget": 100}, 2026: {"budget": 100}})
    assert plan.status == "infeasible"
    assert plan.sites == ()
    found = plan.findings.set_index("reason_id").loc["phase_budget_too_small"]
    assert (found["value"], found["other"]) == (200.0, 700.0)
    meanwhile = plan.figures.attainable
    assert meanwhile.figures.cost <= 200
    assert (
        meanwhile.certificate.stages[0].value == 3.0
    )  # the street, and two more of townships and dementia unit


def test_money_that_is_carried_over_makes_a_plan_of_what_no_year_alone_can_pay():
    # the cheapest centres of 甲镇, 乙镇, 丙乡 and the homes cost 700; no year of 250 can pay r36 (300) by itself
    phases = {year: {"budget": 250} for year in (2025, 2026, 2027)}
    alone = toy_plan(phases=phases)
    assert alone.status == "infeasible"
    assert "phase_budget_not_carried" in set(alone.findings["reason_id"])
    carried = toy_plan(phases=phases, carry=True)
    assert (carried.status, carried.figures.cost) == ("optimal", 700.0)
    spent = carried.figures.years["cost"].cumsum().tolist()
    assert all(s <= 250 * n for n, s in enumerate(spent, start=1))
    assert verify(carried).objective == carried.objective


@pytest.mark.parametrize("phases", [{2025: {}}, {2025: {"money": 3}}, {2025: {"budget": -1}}])
def test_a_year_that_makes_no_sense_is_refused(phases):
    with pytest.raises(InputError, match="2025"):
        toy_plan(phases=phases)


def test_a_solver_that_forgets_what_it_opened_is_caught(monkeypatch):
    tampered(monkeypatch, lambda answer, model: with_x(answer, answer.x * ~model.integer))
    with pytest.raises(CertificateError):
        toy_plan(phases={2025: {"budget": 300}, 2026: {"budget": 300}, 2027: {"budget": 300}})


def test_each_site_says_when_it_opens():
    plan = toy_plan(phases={2025: {"sites": 3}, 2026: {"sites": 3}})
    said = plan.why()
    opens = said[said["reason_id"] == "opens_in"]["value"]
    assert {s: int(y) for s, y in opens.items()} == dict(plan.phase)


@settings(max_examples=12)
@given(roads(most=3), st.sampled_from([15.0, 30.0, 60.0]), st.sampled_from([None, 1, 2]), st.booleans())
def test_no_assignment_to_years_beats_the_plan(road, budget, sites, carry):
    names = sorted(road.candidates)
    if len(names) > 6 or any(road.extra["required"].values()):
        return
    best = None
    values: dict = {}
    host = road.extra.get("host_id", {})
    for when in product((1, 2, 3), repeat=len(names)):  # 3: never
        by = [tuple(n for n, w in zip(names, when, strict=True) if w <= t) for t in (1, 2)]
        for s in by:
            if s not in values:
                values[s] = road.value(s)
        if values[by[0]] is None or values[by[1]] is None or values[by[1]][0]:
            continue
        spent = [
            sum(road.candidates[n][2] for n, w in zip(names, when, strict=True) if w == t) for t in (1, 2)
        ]
        within = spent[0] <= budget and (sum(spent) <= 2 * budget if carry else spent[1] <= budget)
        if not within or (sites is not None and max(when.count(1), when.count(2)) > sites):
            continue
        value = (values[by[0]][2] + values[by[1]][2], values[by[1]][1])
        best = value if best is None else min(best, value)
    del host
    phases = {y: {"budget": budget, "sites": sites} for y in (2025, 2026)}
    plan = solved(road, phases=phases, carry=carry)
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert plan.objective == -best[0]
    assert plan.figures.cost == pytest.approx(best[1])


def test_the_solver_is_the_one_the_tests_tamper_with():
    assert callable(highs.solve)
