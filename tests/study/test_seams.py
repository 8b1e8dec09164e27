"""A scenario goes to JSON and back as it was; a job says where it is and stops when it is asked to."""

import json
import math

import pytest

import sy_coverage as sy
from sy_coverage.errors import CancelledError, ConfigError
from sy_coverage.study.config.questions.scenario import Added, Scenario
from sy_coverage.study.progress.job import Job, Moment
from tests import toy

FULL = Scenario(
    require=("C-1", "C-2"),
    forbid=("C-3",),
    close=("F-1",),
    add=(Added(lon=111.4, lat=27.2, kind="service_centre", cost=60, name="周旺镇"),),
    sections={"siting": {"rule": "access"}, "phases": {"2026": {"budget": 300}}},
    roads="changes.geojson",
    times="od.csv",
    made_from="abc",
)


@pytest.mark.parametrize("scenario", [Scenario(), FULL, Scenario(close=("新邵 1",))])
def test_a_scenario_comes_back_from_json_as_it_was(scenario):
    assert Scenario.from_json(scenario.to_json()) == scenario
    assert scenario.to_json() == Scenario.from_json(scenario.to_json()).to_json()


def test_an_empty_scenario_says_nothing():
    assert json.loads(Scenario().to_json()) == {"version": 1}


def test_a_scenario_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        FULL.require = ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not valid JSON"), ("[1]", "no scenario of version 1"), ('{"require": []}', "says None"),
        ('{"version": 2}', "says 2"), ('{"version": 1, "requires": []}', "unknown key 'requires'"),
        ('{"version": 1, "add": [{"lon": 1}]}', r"add\[1\].lat': is missing"),
        ('{"version": 1, "add": [{"lon": 1, "lat": 95, "kind": "x", "cost": 1}]}', "less than or equal to 90"),
        ('{"version": 1, "require": ["a"], "forbid": ["a"]}', "required and forbidden at once: a"),
        ('{"version": 1, "require": "a"}', "require"), ("[" * 100_000, "not valid JSON"),
    ],
)  # fmt: skip
def test_what_is_no_scenario_is_refused_in_one_sentence(text, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        Scenario.from_json(text, source="choice.json")
    assert str(caught.value).startswith("choice.json: ")
    assert "\n" not in str(caught.value)


def test_a_job_says_where_a_study_is_and_how_long_it_was_silent(tmp_path):
    now, heard = iter(range(1000)), []
    job = Job(listen=heard.append, clock=lambda: float(next(now)))
    study = sy.read_study(toy.write_study(tmp_path), progress=job)
    study.coverage  # noqa: B018
    stages = [moment.stage for moment in heard]
    assert {"units", "demand", "coverage"} <= set(stages)
    assert heard[-1] == Moment(stage="coverage", done=1, total=1, heartbeat_s=heard[-1].heartbeat_s)
    assert [m.heartbeat_s for m in heard] == sorted(m.heartbeat_s for m in heard)
    assert job.silent_s() == 1.0


def test_a_cancelled_job_stops_at_its_next_step_and_leaves_nothing_half_done(tmp_path):
    job = Job()

    def listen(moment):
        if moment.stage == "plans" and moment.done == 1:
            job.cancel()

    job.listen = listen
    study = sy.read_study(toy.write_study(tmp_path), progress=job)
    with pytest.raises(CancelledError, match="plans"):
        study.save(tmp_path / "out")
    assert job.is_cancelled
    assert not (tmp_path / "out").exists()
    assert CancelledError.exit_code == 130


def test_a_job_hears_how_far_a_solve_is():
    from sy_coverage.siting import Progress

    job = Job()
    job.tell(Progress(seconds=1.0, objective=5.0, bound=4.0, gap=0.2))
    assert (job.moment.best, job.moment.gap) == (5.0, 0.2)
    assert math.isfinite(job.silent_s())
