"""Solve one covering instance with spopt, in its own environment, and print what it said as one line of JSON.

Run by ``benchmark.py siting --peer``; needs spopt (0.7 on Python 3.11: ``pip install "spopt<0.8" "pulp<4"``).
"""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
import time
from pathlib import Path


def main(generator: str, name: str, problem: str, p: int, limit: float) -> None:
    """Build and solve; the objective is counted again from the sites that spopt chose."""
    import numpy as np
    import pulp
    import spopt
    from spopt.locate import LSCP, MCLP

    spec = importlib.util.spec_from_file_location("instances", generator)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.make(name)
    near = made["M"].tocsr().copy()
    near.data[:] = 1.0
    weights = np.asarray(made["w"], dtype=float)
    if problem == "lscp":
        near = near[:, np.flatnonzero(np.diff(near.tocsc().indptr) > 0)]
    # what lies beyond the radius is far away; spopt takes a dense table, demand × sites
    cost = np.full(near.shape[::-1], 10.0 * made["r"])
    coo = near.tocoo()
    cost[coo.col, coo.row] = 0.5 * made["r"]
    before = spent()
    if problem == "lscp":
        model = LSCP.from_cost_matrix(cost, made["r"])
    else:
        model = MCLP.from_cost_matrix(cost, weights[: cost.shape[0]], made["r"], p_facilities=p)
    built = spent()
    began = time.monotonic()
    model = model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=limit, threads=1), results=False)
    solved, waited = spent(), time.monotonic() - began
    chosen = [i for i, v in enumerate(model.fac_vars) if (v.value() or 0.0) > 0.5]
    hit = np.asarray(near[chosen].sum(axis=0)).ravel() > 0
    worth = float(len(chosen)) if problem == "lscp" else float(weights[hit].sum())
    print(
        json.dumps(
            {
                "peer": f"spopt {spopt.__version__}, CBC",
                "says": pulp.LpStatus[model.problem.status],
                "objective": worth,
                "complete": bool(problem != "lscp" or hit.all()),
                "build_s": built - before,
                "solve_s": solved - built,
                "waited_s": waited,
                "peak_mb": peak_mb(),
            }
        )
    )


def peak_mb() -> int:
    """Return the most memory this process has held; what it was forked from does not count."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return (
        next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        // 1024
    )


def spent() -> float:
    """Return the processor time of this process and of the solvers it has started."""
    return sum(
        u.ru_utime + u.ru_stime
        for u in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
