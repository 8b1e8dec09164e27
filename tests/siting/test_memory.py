"""Where memory really runs out there is an answer that says so, or a refusal in words: never a traceback, never a half result."""

from __future__ import annotations

import pickle
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from sy_coverage import siting
from sy_coverage.errors import InputError
from sy_coverage.siting import classic
from sy_coverage.siting.solve import memory
from tests.siting.test_policy_plan import toy_plan

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="address space is limited and read as on Linux"
)
@pytest.mark.parametrize("problem", ["policy", "classic"])
def test_with_less_and_less_memory_an_answer_is_proved_or_says_that_memory_ran_out(problem):
    limits = ["8", "3", "0.5", "0.05"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.siting.short_of_memory", problem, *limits],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line.split("|") for line in done.stdout.splitlines() if "|" in line]
    assert len(lines) == len(limits)
    for _, status, *notes, objective in lines:
        assert status in {"optimal", "feasible", "no_answer", "refused"}
        if status == "feasible":
            assert "memory_limit" in notes
            assert float(objective) > 0
        if status == "refused":
            assert "memory ran out" in notes[0]
    assert {status for _, status, *_ in lines} - {"optimal"}  # it did run out


def test_a_policy_plan_that_would_not_fit_is_refused_before_it_is_built_with_an_estimate(monkeypatch):
    monkeypatch.setattr(memory, "memory_bytes", lambda: 1000)
    with pytest.raises(InputError, match=r"policy_plan: 9 sites × 8 points .* GB of this machine's"):
        toy_plan()


def test_a_limit_of_the_process_counts_where_it_is_less_than_the_machine_has(monkeypatch):
    whole = memory.memory_bytes()
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1_000_000, 2_000_000))
    assert memory.memory_bytes() == 1_000_000
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (resource.RLIM_INFINITY,) * 2)
    assert memory.memory_bytes() == whole


def test_memory_that_runs_out_outside_the_solver_is_a_refusal(monkeypatch):
    def crowded(*_given, **_named):
        raise MemoryError

    monkeypatch.setattr("sy_coverage.siting.classic.covering.terms", crowded)
    with pytest.raises(InputError, match="lscp: memory ran out"):
        siting.lscp(None, 5)


@pytest.mark.parametrize("name", [*classic.__all__, "policy_plan"])
def test_what_refuses_for_want_of_memory_can_still_be_handed_to_other_processes(name):
    ask = getattr(siting, name)
    assert pickle.loads(pickle.dumps(ask)) is ask  # noqa: S301  (our own bytes)


def test_a_plan_for_which_memory_was_too_little_says_that_it_was_not_the_time(monkeypatch):
    def crowded(*_given, **_named):
        raise MemoryError

    monkeypatch.setattr("sy_coverage.siting.solve.stages.Program.optimise", crowded)
    plan = toy_plan()
    assert plan.status == "no_answer"
    said = siting.sentences(plan.findings)["sentence"].item()
    assert said.startswith("内存不足，没有找到方案（9 个备选点）")
