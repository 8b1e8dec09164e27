"""Siting: how fast the classic problems are solved, and how near to proof, on seeded instances."""

from __future__ import annotations

import importlib.util
import json
import resource
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    import argparse

TASKS = (
    # problem, instance, p, gap, seconds
    ("lscp", "A", 0, 0.0, 20.0),
    ("mclp", "A", 20, 0.0, 20.0),
    ("mclp", "B", 40, 0.01, 20.0),
    ("mclp", "B", 80, 0.01, 60.0),
    ("lscp", "B", 0, 0.0, 20.0),
    ("mclp", "C", 50, 0.01, 20.0),
    ("mclp", "D", 50, 0.01, 60.0),
    ("mclp", "D", 100, 0.01, 60.0),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the siting benchmark needs to know."""
    parser.add_argument(
        "--generator", type=Path, required=True, help="covering_instances.py, which makes the instances"
    )
    parser.add_argument("--only", nargs="*", default=[], help="such as mclp-A lscp-B")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each small task runs; the median is shown"
    )
    parser.add_argument(
        "--peer", type=Path, default=None, help="a Python with spopt, to solve the same instances with"
    )
    parser.add_argument(
        "--peer-limit", type=float, default=0.0, help="seconds the peer's solver may take; 0: as long as ours"
    )


def run(arguments: argparse.Namespace) -> None:
    """Solve every task and print a line for each: status, objective, bound, gap, seconds, memory."""
    from sy_coverage import siting

    make = _generator(arguments.generator)
    print(
        "problem   demand × sites      pairs    p  status    objective      bound   gap %  cpu s    peak MB"
    )
    made: dict[str, tuple[Any, Any]] = {}
    for problem, name, p, gap, limit in TASKS:
        if arguments.only and f"{problem}-{name}" not in arguments.only:
            continue
        if name not in made:
            made = {name: _instance(make(name))}
        times, instance = made[name]
        options = siting.SolveOptions(time_limit_s=limit, gap=gap)
        seconds, plan = [], None
        for _ in range(arguments.rounds if name == "A" else 1):
            began = time.process_time()
            if problem == "lscp":
                plan = siting.lscp(_coverable(times), instance["r"], options=options)
            else:
                plan = siting.mclp(times, instance["r"], instance["w"], p=p, options=options)
            seconds.append(time.process_time() - began)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sites, demand = times.minutes.shape
        print(
            f"{problem:6s} {name} {demand:8,d} × {sites:6,d} {times.minutes.nnz:10,d} {p:4d}  {plan.status:8s} "
            f"{plan.objective:12,.0f} {plan.bound:12,.0f} {100 * plan.gap:6.2f} {np.median(seconds):8.2f} {peak:8d}",
            flush=True,
        )
        if arguments.peer is not None:
            _beside(
                arguments, (problem, name, p, arguments.peer_limit or limit), plan, float(np.median(seconds))
            )


def _beside(arguments: argparse.Namespace, task: tuple[Any, ...], plan: Any, seconds: float) -> None:
    """Solve the same instance with spopt and print its line: what it says, what that is worth, how much slower it was."""
    problem, name, p, limit = task
    script = Path(__file__).with_name("_spopt.py")
    command = [arguments.peer, script, arguments.generator, name, problem, str(p), str(limit)]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"  spopt failed: {done.stderr.strip().splitlines()[-1:]}", flush=True)
        return
    said = json.loads(done.stdout.strip().splitlines()[-1])
    both = plan.status == "optimal" and said["says"] == "Optimal" and said["waited_s"] < limit
    if both and said["objective"] != plan.objective:
        raise SystemExit(f"both call it optimal, yet they differ: {said['objective']} and {plan.objective}")
    proved = "" if said["waited_s"] < limit else ", at its time limit"
    took = said["build_s"] + said["solve_s"]
    off = 100 * abs(said["objective"] - plan.bound) / max(abs(said["objective"]), 1e-9)
    print(
        f"  {said['peer']}: '{said['says']}'{proved}, {said['objective']:,.0f} ({off:.2f} % from our bound), "
        f"cpu {said['build_s']:.2f} + {said['solve_s']:.2f} s = {took / seconds:.1f} × ours, {said['peak_mb']} MB",
        flush=True,
    )


def _generator(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make


def _instance(made: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    from sy_coverage.roads.travel_times import TravelTimes

    matrix = sparse.csr_array(made["M"])
    matrix.sort_indices()
    names = [tuple(f"{i:06d}" for i in range(n)) for n in matrix.shape]
    return TravelTimes(matrix, names[0], names[1], float(made["r"])), made


def _coverable(times: Any) -> Any:
    """Return the travel times without demand that no site reaches: a cover of all is asked for."""
    reached = np.zeros(len(times.demand_ids), dtype=bool)
    reached[times.minutes.indices] = True
    return times if reached.all() else times.select(demand=np.array(times.demand_ids)[reached])
