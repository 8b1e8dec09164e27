"""Siting: how fast the classic problems are solved, and how near to proof, on seeded instances; spopt beside us."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from benchmarks import _memory
from benchmarks._instances import covering, like_or_library

if TYPE_CHECKING:
    import argparse


class Task(NamedTuple):
    """One problem on one instance, with the gap and the seconds that are allowed."""

    problem: str
    instance: str
    p: int
    gap: float
    limit_s: float


TASKS = (
    Task("lscp", "A", 0, 0.0, 20.0),
    Task("mclp", "A", 20, 0.0, 20.0),
    Task("mclp", "F", 60, 0.0, 60.0),
    Task("mclp", "B", 40, 0.01, 20.0),
    Task("mclp", "B", 80, 0.01, 60.0),
    Task("lscp", "B", 0, 0.0, 8.0),
    Task("mclp", "C", 50, 0.01, 20.0),
    Task("mclp", "D", 50, 0.01, 60.0),
    Task("mclp", "D", 100, 0.01, 60.0),
)
"""Covering, on the instances of covering_instances.py."""
NETWORKS = tuple(
    Task(problem, str(number), like, 0.0, 60.0)
    for number, like in ((1, 5), (2, 10), (4, 20), (5, 33))
    for problem in ("p_median", "p_center")
)
"""p-median and p-centre on graphs of 100 nodes made by the recipe of OR-Library."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the siting benchmark needs to know."""
    parser.add_argument(
        "--generator", type=Path, required=True, help="covering_instances.py, which makes the instances"
    )
    parser.add_argument("--only", nargs="*", default=[], help="such as mclp-A lscp-B p_median-1 mclp-B-80")
    parser.add_argument(
        "--or-library",
        nargs="*",
        type=int,
        default=[],
        help="numbers 1–40: p-median and p-centre by that recipe",
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often small tasks run; the median is shown"
    )
    parser.add_argument(
        "--stretch", type=float, default=1.0, help="how many times longer our limits are, on a busy machine"
    )
    parser.add_argument(
        "--peer", type=Path, nargs="*", default=[], help="Pythons with spopt, to solve the same with"
    )
    parser.add_argument("--peer-solver", nargs="*", default=["CBC", "HiGHS"], help="what spopt solves with")
    parser.add_argument(
        "--peer-limit", type=float, default=0.0, help="seconds the peer's solver may take; 0: as long as ours"
    )


def run(arguments: argparse.Namespace) -> None:
    """Solve every task and print a line for each: status, objective, bound, gap, seconds, memory."""
    from sy_coverage import siting
    from sy_coverage.roads.travel_times import TravelTimes

    # compiled loops are loaded before any clock starts
    tiny = TravelTimes.from_matrix(np.arange(12.0).reshape(4, 3))
    siting.mclp(tiny, 5, np.ones(4), p=1)
    siting.p_median(tiny, np.ones(4), p=1)
    print(
        "problem    instance  demand × sites      pairs    p  status     objective       bound   gap %"
        "    cpu s   wall s  peak MB"
    )
    tasks = [*TASKS, *NETWORKS] if not arguments.or_library else _by_recipe(arguments.or_library)
    for task in tasks:
        names = (f"{task.problem}-{task.instance}", f"{task.problem}-{task.instance}-{task.p}")
        if arguments.only and not set(names) & set(arguments.only):
            continue
        _solve(arguments, task)


def _forget_peak() -> None:
    """Count the most memory from now on, where the system can: making the instance is not ours."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _by_recipe(numbers: list[int]) -> list[Task]:
    return [Task(problem, str(n), 0, 0.0, 60.0) for n in numbers for problem in ("p_median", "p_center")]


def _solve(arguments: argparse.Namespace, task: Task) -> None:
    from sy_coverage import siting

    times, weights, radius, p = _instance(arguments.generator, task)
    options = siting.SolveOptions(time_limit_s=task.limit_s * arguments.stretch, gap=task.gap)
    ask = {
        "lscp": lambda: siting.lscp(times, radius, options=options),
        "mclp": lambda: siting.mclp(times, radius, weights, p=p, options=options),
        "p_median": lambda: siting.p_median(times, weights, p, options=options),
        "p_center": lambda: siting.p_center(times, p, options=options),
    }[task.problem]
    _forget_peak()
    cpu, wall, plan = [], [], None
    while len(cpu) < arguments.rounds and (len(cpu) < 1 or max(wall) < 2.0):
        began, clock = time.process_time(), time.monotonic()
        plan = ask()
        cpu.append(time.process_time() - began)
        wall.append(time.monotonic() - clock)
    sites, demand = times.minutes.shape
    peak = _memory.peak_mb()
    seconds = float(np.median(cpu))
    print(
        f"{task.problem:10s} {task.instance:>3s} {demand:12,d} × {sites:6,d} {times.minutes.nnz:10,d} {p:4d}  "
        f"{plan.status:8s} {plan.objective:12,.0f} {plan.bound:12,.0f} {100 * plan.gap:6.2f} {seconds:8.3f} "
        f"{float(np.median(wall)):8.2f} {peak:8d}",
        flush=True,
    )
    limit = arguments.peer_limit or task.limit_s
    for python in arguments.peer:
        for solver in arguments.peer_solver:
            _beside(arguments, (python, solver, limit), task._replace(p=p), plan, seconds)


def _beside(
    arguments: argparse.Namespace, peer: tuple[Path, str, float], task: Task, plan: Any, seconds: float
) -> None:
    """Solve the same instance with spopt and print its line: what it says, what that is worth, how much slower it was."""
    python, solver, limit = peer
    script = Path(__file__).with_name("_spopt.py")
    command = [python, script, arguments.generator, task.instance, task.problem, task.p, limit, solver]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"  {python} with {solver} failed: {done.stderr.strip().splitlines()[-1:]}", flush=True)
        return
    said = json.loads(done.stdout.strip().splitlines()[-1])
    in_time = said["waited_s"] < 0.95 * limit
    if plan.status == "optimal" and said["says"] == "Optimal" and in_time:
        apart = abs(said["objective"] - plan.objective) > 1e-6 * max(1.0, abs(plan.objective))
        if apart:
            raise SystemExit(f"both call it optimal, yet they differ: {said['objective']}, {plan.objective}")
    took = said["build_s"] + said["solve_s"]
    off = 100 * abs(said["objective"] - plan.bound) / max(abs(said["objective"]), 1e-9)
    print(
        f"  {said['peer']}: '{said['says']}'{'' if in_time else ', at its time limit'}, {said['objective']:,.0f} "
        f"({off:.2f} % from our bound), cpu {said['build_s']:.2f} + {said['solve_s']:.2f} s = "
        f"{took / seconds:.1f} × ours, {said['peak_mb']} MB",
        flush=True,
    )


def _instance(generator: Path, task: Task) -> tuple[Any, Any, float, int]:
    """Return travel times, weights, radius and p of a task."""
    from sy_coverage.roads.travel_times import TravelTimes

    if task.problem in {"p_median", "p_center"}:
        p, lengths = like_or_library(int(task.instance))
        return TravelTimes.from_matrix(lengths), np.ones(len(lengths)), 0.0, p
    made = covering(generator, task.instance)
    matrix = sparse.csr_array(made["M"])
    matrix.sort_indices()
    sites, demand = (tuple(f"{i:06d}" for i in range(n)) for n in matrix.shape)
    times = TravelTimes(matrix, sites, demand, float(made["r"]))
    if task.problem == "lscp":
        # a cover of all is asked for: demand that no site reaches is left out
        reached = np.unique(matrix.indices)
        times = times.select(demand=np.array(demand)[reached]) if len(reached) < len(demand) else times
    return times, made["w"], float(made["r"]), task.p
