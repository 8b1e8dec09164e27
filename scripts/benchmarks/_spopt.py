"""Solve one instance with spopt, in its own environment, and print what it said as one line of JSON.

Run by ``benchmark.py siting --peer``; needs spopt (0.7 on Python 3.11: ``pip install "spopt<0.8" "pulp<4"``; 0.8 from Python
3.12 on), and highspy to solve with HiGHS.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import _memory
import numpy as np


def main(generator: str, name: str, problem: str, p: int, limit: float, solver: str) -> None:
    """Build and solve; the objective is counted again from the sites that spopt chose."""
    import pulp
    import spopt

    cost, weights, radius = instance(generator, name, problem)
    before = spent()
    model = built(problem, cost, weights, radius, p)
    ready = spent()
    began = time.monotonic()
    how = pulp.HiGHS if solver == "HiGHS" else pulp.PULP_CBC_CMD
    model = model.solve(how(msg=False, timeLimit=limit, threads=1), results=False)
    solved, waited = spent(), time.monotonic() - began
    chosen = [i for i, v in enumerate(model.fac_vars) if (v.value() or 0.0) > 0.5]
    print(
        json.dumps(
            {
                "peer": f"spopt {spopt.__version__}, {solver}",
                "says": pulp.LpStatus[model.problem.status],
                "objective": worth(problem, cost[:, chosen], weights, radius),
                "build_s": ready - before,
                "solve_s": solved - ready,
                "waited_s": waited,
                "peak_mb": _memory.peak_mb(),
            }
        )
    )


def instance(generator: str, name: str, problem: str) -> tuple[Any, Any, float]:
    """Return the dense table demand × sites, the weights and the radius of one instance."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from _instances import covering, like_or_library

    if problem in {"p_median", "p_center"}:
        _, cost = like_or_library(int(name))
        return cost, np.ones(len(cost)), 0.0
    made = covering(generator, name)
    near, weights = made["M"].tocsr(), np.asarray(made["w"], dtype=float)
    if problem == "lscp":
        near = near[:, np.flatnonzero(np.diff(near.tocsc().indptr) > 0)]
    # what lies beyond the radius is far away
    cost = np.full(near.shape[::-1], 10.0 * made["r"])
    coo = near.tocoo()
    cost[coo.col, coo.row] = 0.5 * made["r"]
    return cost, weights[: len(cost)], float(made["r"])


def built(problem: str, cost: Any, weights: Any, radius: float, p: int) -> Any:
    """Return spopt's model of the problem."""
    from spopt.locate import LSCP, MCLP, PCenter, PMedian

    if problem == "lscp":
        return LSCP.from_cost_matrix(cost, radius)
    if problem == "mclp":
        return MCLP.from_cost_matrix(cost, weights, radius, p_facilities=p)
    if problem == "p_median":
        return PMedian.from_cost_matrix(cost, weights, p_facilities=p)
    return PCenter.from_cost_matrix(cost, p_facilities=p)


def worth(problem: str, cost: Any, weights: Any, radius: float) -> float:
    """Return what the chosen sites (columns of `cost`) are worth."""
    if not cost.shape[1]:
        return float("nan")
    nearest = cost.min(axis=1)
    if problem == "lscp":
        return float(cost.shape[1]) if (nearest <= radius).all() else float("nan")
    if problem == "mclp":
        return float(weights[nearest <= radius].sum())
    return float((weights * nearest).sum() if problem == "p_median" else nearest.max())


def spent() -> float:
    """Return the processor time of this process and of the solvers it has started."""
    return sum(
        u.ru_utime + u.ru_stime
        for u in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), sys.argv[6])
