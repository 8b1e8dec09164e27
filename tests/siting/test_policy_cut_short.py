"""A policy plan cut short by Ctrl-C or memory keeps the stages that are done, says so, and never claims more than is proved."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import highspy
import numpy as np
import pytest

from sy_coverage import siting
from sy_coverage.siting import verify
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.stages import Program
from tests.siting.test_classic_proofs import HARD
from tests.siting.test_policy_plan import strict, toy_plan

RUNS = 8
"""How often the solver runs for `strict()`; its last stages only choose among equal plans."""


def in_place_of_run(monkeypatch, number, event):
    """Let `event` happen in the solver's run of that number; return how many runs there were."""
    runs = [0]
    honest = highspy.Highs.run

    def run(self):
        runs[0] += 1
        if runs[0] == number:
            event()
        return honest(self)

    monkeypatch.setattr(highspy.Highs, "run", run)
    return runs


def no_memory():
    raise MemoryError


def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def listening():
    former = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(("event", "note"), [(no_memory, "memory_limit"), (ctrl_c, "interrupted")])
@pytest.mark.parametrize("number", range(1, RUNS))
def test_a_plan_cut_short_is_what_its_stages_prove(monkeypatch, event, note, number):
    whole = strict()
    runs = in_place_of_run(monkeypatch, number, event)
    plan = strict()
    monkeypatch.undo()
    assert number <= runs[0] <= RUNS
    if plan.status == "no_answer":  # nothing was found yet
        assert (plan.sites, plan.objective, plan.certificate) == ((), None, None)
        return
    assert verify(plan).objective == plan.objective
    assert plan.figures.targets_met
    full = [s.objective_id for s in whole.certificate.stages]
    held = [s.objective_id for s in plan.certificate.stages]
    assert held == full[: len(held)]
    for ours, best in zip(plan.certificate.stages, whole.certificate.stages, strict=False):
        assert not ours.proved or ours.value == pytest.approx(best.value, rel=1e-9)
    if plan.status == "optimal":  # only which of equal plans it is was left open
        assert set(full) - set(held) <= {"site_ranks"}
    else:
        assert plan.status == "feasible"
        assert note in plan.certificate.notes


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(("event", "note"), [(no_memory, "memory_limit"), (ctrl_c, "interrupted")])
def test_a_plan_of_several_years_cut_short_says_so(monkeypatch, event, note):
    phases = {2025: {"budget": 400}, 2026: {"budget": 400}}
    in_place_of_run(monkeypatch, 3, event)
    plan = toy_plan(phases=phases)
    monkeypatch.undo()
    assert plan.status == "feasible"
    assert note in plan.certificate.notes
    assert verify(plan).objective == plan.objective


def test_a_stage_that_cannot_even_be_written_in_memory_leaves_those_before_it(monkeypatch):
    write = Program.rows

    def crowded(self, *given, **named):
        if self.solved:
            raise MemoryError
        return write(self, *given, **named)

    monkeypatch.setattr(Program, "rows", crowded)
    plan = strict()
    monkeypatch.undo()
    assert plan.status in {"feasible", "no_answer"}
    assert plan.status == "no_answer" or "memory_limit" in plan.certificate.notes


def test_the_solver_s_own_memory_limit_is_no_proof(monkeypatch):
    monkeypatch.setattr(highspy.Highs, "getModelStatus", lambda _self: highspy.HighsModelStatus.kMemoryLimit)
    plan = strict()
    assert plan.status in {"feasible", "no_answer"}
    classic = siting.lscp(HARD, 5, options=siting.SolveOptions(time_limit_s=2.0))
    assert classic.status == "feasible"
    assert classic.gap > 0
    assert "memory_limit" in classic.certificate.notes


def test_a_classic_plan_without_memory_for_the_solver_is_what_our_own_search_found(monkeypatch):
    in_place_of_run(monkeypatch, 1, no_memory)
    plan = siting.lscp(HARD, 5)
    assert plan.status == "feasible"
    assert plan.bound < plan.objective
    assert "memory_limit" in plan.certificate.notes


@pytest.mark.parametrize(
    ("constant", "off", "status"),
    [(22_292.5, 8e-6, "optimal"), (0.0, 8e-6, "feasible"), (22_292.5, 1e-3, "feasible")],
)
def test_real_numbers_meet_their_bound_relative_to_all_that_is_counted(monkeypatch, constant, off, status):
    # 1,605.5 minutes saved of so many: a bound that rounding puts 0.000008 above is 4e-10 of what is left
    honest = highs.solve

    def rounded(model, **given):
        answer = honest(model, **given)
        return replace(answer, status="feasible", bound=answer.objective + off)

    monkeypatch.setattr(highs, "solve", rounded)
    program = Program()
    columns = program.columns(2, integer=True)
    program.row(columns, upper=1.0)
    watch = highs.Watch(highs.SolveOptions())
    found, said = program.attempt(
        lambda: (np.array([1605.5, 3.0]), constant), "max", whole=False, watch=watch
    )
    assert (found.status, found.value, said) == (status, 1605.5, constant)
