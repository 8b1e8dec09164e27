"""Whoever waits for a long solve is told how far the best answer is from the bound."""

from __future__ import annotations

import io
import pickle
from contextlib import contextmanager

import pytest
from rich.console import Console

import sy_coverage as sy
from sy_coverage import siting
from sy_coverage.cli import screen
from sy_coverage.siting.solve import highs
from tests import toy


@pytest.mark.parametrize(("language", "said"), [("zh", "相差 2.50%"), ("en", "within 2.50% of the bound")])
def test_a_bar_says_how_far_the_best_answer_is_from_the_bound_until_its_stage_is_done(language, said):
    page = io.StringIO()
    console = Console(file=page, force_terminal=True, width=160)
    with screen.bars(console, language) as progress, progress("plans", total=1) as advance:
        progress.tell(siting.Progress(3.0, 100.0, 97.5, 0.025))
        progress.tell(siting.Progress(4.0, None, 97.5, None))
        assert said in page.getvalue()
        advance()
        page.truncate(0)
    assert said not in page.getvalue()


def test_a_study_hands_what_a_solve_says_to_its_progress_and_keeps_nothing_of_it(tmp_path, monkeypatch):
    told = []

    @contextmanager
    def progress(stage, *, total=1):
        del stage, total
        yield lambda: None

    progress.tell = told.append
    honest = highs.solve

    def slow(model, *, watch, **more):
        watch.say(2.0, 1.0)
        return honest(model, watch=watch, **more)

    monkeypatch.setattr(highs, "solve", slow)
    study = sy.read_study(toy.write_study(tmp_path), progress=progress)
    plan = study.propose(toy.COUNTY)
    assert told
    assert {(seen.objective, seen.bound, seen.gap) for seen in told} == {(2.0, 1.0, 0.5)}
    again = pickle.loads(pickle.dumps(plan))  # noqa: S301  (our own)
    assert siting.verify(again).objective == plan.objective


@pytest.mark.parametrize(("scope", "stage"), [("county", "plans"), ("city", "plan_of_city")])
def test_a_plan_of_the_whole_city_is_not_announced_as_planning_county_by_county(tmp_path, scope, stage):
    entered = []

    @contextmanager
    def progress(stage, *, total=1):
        entered.append((stage, total))
        yield lambda: None

    study = sy.read_study(toy.write_study(tmp_path), progress=progress).but(siting={"scope": scope})
    assert study.plans
    assert [s for s in entered if s[0].startswith("plan")] == [(stage, 1)]
