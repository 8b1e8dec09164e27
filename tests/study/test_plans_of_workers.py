"""A plan that another process worked out can be looked at again like one's own: verified, compared, closed site by site."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pandas as pd
import pytest

from sy_coverage import counties, read_study, siting
from sy_coverage.errors import CertificateError, InputError
from sy_coverage.siting.planning.explain.sites import Told
from tests import counties_toy


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return read_study(counties_toy.write_study(tmp_path_factory.mktemp("study"), counties=2))


@pytest.fixture(scope="module")
def run(study):
    """The same study after its counties were planned by two processes."""
    other = study.but()
    with counties.crew_of(workers=2) as crew:
        assert counties.plan_with(other, crew) == {}
    return other


def test_every_plan_of_a_run_with_workers_is_verified_afterwards(study, run):
    for county_id, plan in run.plans.items():
        own = study.propose(county_id)
        again, ours = siting.verify(plan), siting.verify(own)
        assert again.objective == ours.objective == plan.objective
        pd.testing.assert_frame_equal(again.rules, ours.rules)
        assert {k: v for k, v in again.figures.items() if k != "targets"} == {
            k: v for k, v in ours.figures.items() if k != "targets"
        }


def test_a_false_word_in_a_worker_s_plan_is_caught(run):
    plan = run.plans["990100"]
    with pytest.raises(CertificateError):
        siting.verify(replace(plan, sites=plan.sites[1:]))
    with pytest.raises(CertificateError, match="cost"):
        siting.verify(replace(plan, figures=replace(plan.figures, cost=plan.figures.cost - 1)))


def test_closures_curve_and_comparison_of_a_worker_s_plan_are_those_of_one_s_own(study, run):
    own, plan = study.propose("990100"), run.plans["990100"]
    pd.testing.assert_frame_equal(siting.closures(plan), siting.closures(own))
    pd.testing.assert_frame_equal(siting.trade_off(plan, points=4), siting.trade_off(own, points=4))
    assert siting.compare_plans(plan, own).eval("in_one and in_other").all()
    pd.testing.assert_frame_equal(plan.why(), own.why())


def test_a_plan_that_cannot_keep_its_rules_is_verified_through_the_best_meanwhile(study):
    short = study.but(siting={"beds_per_elder": 1})
    plan = short.propose("990100")
    assert plan.status == "infeasible"
    told = replace(plan.best, reasons=Told(pd.DataFrame()))
    short.adopt({"990100": replace(plan, figures=replace(plan.figures, attainable=told))})
    adopted = short.propose("990100")
    assert adopted is not plan
    assert siting.verify(adopted).objective == siting.verify(plan).objective == plan.best.objective


def test_a_plan_without_its_study_is_verified_with_what_it_was_asked_for(study, run):
    alone = pickle.loads(pickle.dumps(run.plans["990100"]))  # noqa: S301  (our own)
    with pytest.raises(InputError, match="study"):
        siting.verify(alone)
    frames = ("units", "candidates", "demand")
    own = {k: v[v["county_id"] == "990100"] if k in frames else v for k, v in study.case.items()}
    assert siting.verify_policy(alone, **own).objective == alone.objective
    dearer = {**own, "candidates": own["candidates"].assign(cost=own["candidates"]["cost"] + 1)}
    with pytest.raises(CertificateError, match="cost"):
        siting.verify_policy(alone, **dearer)


def test_the_findings_that_workers_are_sent_hold_no_way_back_to_the_study(run):
    assert len(pickle.dumps(dict(run.plans))) < 200_000
