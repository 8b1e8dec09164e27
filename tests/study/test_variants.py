"""A study asked again with some keys changed: what differs is done again, what cannot differ is the very same object."""

from __future__ import annotations

import pytest

import sy_coverage as sy
from sy_coverage.errors import ConfigError, UnknownIdError
from sy_coverage.siting import SitingPlan


@pytest.fixture(scope="module")
def study():
    study = sy.sample_study(language="en")
    assert len(study.units) == 206
    assert study.policy.readings.rule == "presence"
    return study


def test_another_rule_keeps_the_places_and_reads_the_policy_anew(study):
    other = study.but(siting={"rule": "access", "share": 0.9})
    assert other.units is study.units
    assert (other.policy.readings.rule, other.policy.readings.share) == ("access", 0.9)
    assert study.policy.readings.rule == "presence"


def test_keys_that_are_not_named_stay_as_they_were(study):
    other = study.but(siting={"rule": "access"})
    assert other.config.siting.spread_min == study.config.siting.spread_min == 20
    assert other.config.study == study.config.study


def test_none_brings_a_default_back(study):
    assert study.but(siting={"spread_min": None}).config.siting.spread_min is None
    assert study.but(candidates={"generate": None}).config.candidates.generate == 0


def test_years_are_given_whole_and_may_be_numbers(study):
    two = study.but(phases={2026: {"budget": 300.0}, 2027: {"sites": 4}})
    assert list(two.config.phases) == ["2026", "2027"]
    assert list(two.but(phases={2028: {"sites": 9}}).config.phases) == ["2028"]


def test_other_boundaries_are_read_again(study):
    other = study.but(boundaries={"invalid": "repair"})
    assert other.units is not study.units


def test_an_unknown_key_is_refused_by_name(study):
    with pytest.raises(
        ConfigError, match=r"\[siting\]: unknown key 'siting.rulle' \(did you mean 'rule'\?\)"
    ):
        study.but(siting={"rulle": "access"})
    with pytest.raises(ConfigError, match="unknown key 'sitting'"):
        study.but(sitting={"rule": "access"})


def test_a_plan_is_drawn_only_by_the_study_that_proposed_it(study):
    stranger = SitingPlan((), "no_answer", None, None, None, None)
    with pytest.raises(UnknownIdError, match="another study"):
        study.map(stranger)
    with pytest.raises(UnknownIdError, match="430599"):
        study.map("430599")
