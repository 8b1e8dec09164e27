"""Policy: how fast a policy plan of the sample is proved, county by county and for the whole city with thousands of candidates."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import _memory

if TYPE_CHECKING:
    import argparse

WHOLE = (
    ("county", "presence"),
    ("city", "presence"),
    ("county", "both"),
    ("city", "both"),
    ("county", "access"),
    ("city", "access"),
)
"""Scope and rule of each plan of the whole city."""
COUNTIES = ("430527", "430524")
"""An ordinary one (17 units, 241 villages, 61 sites) and one of the largest (25, 572, 92)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the benchmark of policy plans needs to know."""
    parser.add_argument("--candidates", type=int, default=2000, help="at least so many in the whole city")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often a county is planned; the median is shown"
    )
    parser.add_argument("--limit", type=float, default=120.0, help="seconds each plan may take")


def run(arguments: argparse.Namespace) -> None:
    """Plan two counties and the whole city of the shipped sample, and print a line for each."""
    import sy_coverage as sy

    print("plan                        candidates  status    objective        gap   wall s    cpu s  peak MB")
    study = sy.sample_study()
    for county_id in COUNTIES:
        _county(study, county_id, arguments.rounds)
    whole = _crowded(study, arguments.candidates)
    for scope, rule in WHOLE:
        options = sy.siting.SolveOptions(time_limit_s=arguments.limit)
        case = {**whole, "scope": scope, "rule": rule, "options": options}
        _line(f"whole city, {scope}, {rule}", case, [_timed(case)])


def _county(study: Any, county_id: str, rounds: int) -> None:
    """Print how long one county takes in all, and how much of it is the solver's stages."""
    from sy_coverage.siting.solve import stages
    from sy_coverage.study.plans.alternatives import narrowed

    case = narrowed(study.case, county_id)
    spent = [0.0]
    solve = stages.Program.optimise

    def counted(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return solve(*given, **named)
        finally:
            spent[0] += time.process_time() - began

    stages.Program.optimise = counted  # type: ignore[method-assign]  # a stopwatch around it
    times, solving = [], []
    for _ in range(rounds):
        spent[0] = 0.0
        times.append(_timed(case))
        solving.append(spent[0])
    stages.Program.optimise = solve  # type: ignore[method-assign]
    _line(f"county {county_id}", case, times)
    print(
        f"  of that the stages: {1000 * float(np.median(solving)):.0f} ms of processor time (median of {rounds})"
    )


def _crowded(study: Any, least: int) -> dict[str, Any]:
    """Return the case of the sample with at least `least` candidates, generated ones at every place that may have one."""
    per_unit = 20
    crowded = study.but(candidates={"generate": per_unit})
    while len(crowded.candidates) < least and per_unit < 50:
        per_unit += 10
        crowded = study.but(candidates={"generate": per_unit})
    return dict(crowded.case)


def _timed(case: dict[str, Any]) -> tuple[Any, float, float]:
    from sy_coverage import siting

    wall, cpu = time.perf_counter(), time.process_time()
    plan = siting.policy_plan(**case)
    return plan, time.perf_counter() - wall, time.process_time() - cpu


def _line(name: str, case: dict[str, Any], runs: list[tuple[Any, float, float]]) -> None:
    plan = runs[-1][0]
    wall, cpu = (float(np.median([r[n] for r in runs])) for n in (1, 2))
    peak = _memory.peak_mb()
    open_ties = " (ties open)" if plan.certificate and "ties_not_settled" in plan.certificate.notes else ""
    print(
        f"{name:28s} {len(case['candidates']):9,d}  {plan.status:8s} {plan.objective or float('nan'):10,.1f} "
        f"{100 * (plan.gap or 0.0):8.3f} % {wall:8.3f} {cpu:8.3f} {peak:8d}{open_ties}",
        flush=True,
    )
