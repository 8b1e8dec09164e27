"""Meet, exactly, answers that others computed or proved: San Francisco, the lattice, OR-Library."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.sparse.csgraph import floyd_warshall

from sy_coverage import siting
from sy_coverage.roads.travel_times import TravelTimes

TABLES = {
    "sf": ("sf_205x16_metres.csv", "sf_205_weights.csv", 18),
    "100x5": ("lattice_100x5.csv", "lattice_weights.csv", 41),
    "100x10": ("lattice_100x10.csv", "lattice_weights.csv", 41),
}


def oracle(shared_data, name):
    """Return the travel times, weights and the known answers of one data set."""
    folder = shared_data / "oracles"
    table, weights, _ = TABLES[name]
    known = json.loads((folder / ("sf.json" if name == "sf" else "lattice.json")).read_text(encoding="utf-8"))
    times = TravelTimes.from_matrix(np.loadtxt(folder / table, delimiter=","))
    return times, np.loadtxt(folder / weights), known if name == "sf" else known[name]


def asked(key):
    """Return the problem and its numbers from a key such as ``MCLP R=5000 p=3``."""
    problem, *numbers = key.split()
    values = dict(n.split("=") for n in numbers)
    return problem, float(values.get("R", "nan")), int(values.get("p", 0))


def solved(key, times, weights):
    problem, cutoff, p = asked(key)
    return {
        "LSCP": lambda: siting.lscp(times, cutoff),
        "LSCPB": lambda: siting.lscp_backup(times, cutoff),
        "MCLP": lambda: siting.mclp(times, cutoff, weights, p=p),
        "PMedian": lambda: siting.p_median(times, weights, p=p),
        "PCenter": lambda: siting.p_center(times, p=p),
    }[problem]()


@pytest.mark.parametrize("name", TABLES)
def test_every_known_answer_is_met_and_proved(shared_data, name):
    times, weights, known = oracle(shared_data, name)
    wrong = {}
    for key, answer in known.items():
        plan = solved(key, times, weights)
        if answer.get("status") == "infeasible":
            right = plan.status == "infeasible" and plan.sites == () and plan.objective is None
        else:
            value = answer.get("clients_covered_twice", answer.get("objective"))
            # the files round their objectives to six decimals, p-centre to fewer
            right = plan.status == "optimal" and plan.objective == pytest.approx(value, rel=1e-7, abs=1e-4)
        if not right:
            wrong[key] = (plan.status, plan.objective, answer)
    assert wrong == {}
    assert len(known) == TABLES[name][2]


def test_the_optimum_of_another_tool_is_worth_no_less_in_our_arithmetic(shared_data):
    times, weights, known = oracle(shared_data, "sf")
    ids = [str(i) for i in known["MCLP R=5000 p=3"]["sites_one_optimum"]]
    plan = siting.mclp(times, 5000, weights, p=3, required=ids)
    assert plan.objective == known["MCLP R=5000 p=3"]["objective"]
    assert set(plan.sites) == set(ids)


def graph(path):
    """Return p and the matrix of shortest paths of an OR-Library instance; a later line for an edge replaces an earlier one."""
    numbers = np.array(path.read_text(encoding="ascii").split(), dtype=int)
    n, _, p = numbers[:3]
    cost = np.zeros((n, n))
    for u, v, c in numbers[3:].reshape(-1, 3):
        cost[u - 1, v - 1] = cost[v - 1, u - 1] = c
    return int(p), floyd_warshall(cost, directed=False)


@pytest.mark.parametrize("number", range(1, 11))
def test_or_library_optima_are_found_and_proved(shared_data, number):
    folder = shared_data / "oracles" / "pmed"
    known = json.loads((folder / "optima.json").read_text(encoding="utf-8"))[f"pmed{number}"]
    p, minutes = graph(folder / f"pmed{number}.txt")
    times = TravelTimes.from_matrix(minutes)
    median = siting.p_median(times, np.ones(len(minutes)), p=p)
    center = siting.p_center(times, p=p)
    assert (median.status, median.objective, median.bound) == (
        "optimal",
        known["p_median"],
        known["p_median"],
    )
    assert (center.status, center.objective, center.bound) == (
        "optimal",
        known["p_center"],
        known["p_center"],
    )
