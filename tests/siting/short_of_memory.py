"""Plan within less and less memory, and say for each what came of it; run as a process of its own, whose limit it sets."""

from __future__ import annotations

import resource
import sys

import numpy as np

from sy_coverage import siting
from sy_coverage.errors import InputError
from sy_coverage.roads import TravelTimes
from tests.siting.policy_toys import Road, policy_of

PAGE = resource.getpagesize()


def held() -> int:
    """Return the address space that this process has taken."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  (once, as plain as can be)
        return int(file.read().split()[0]) * PAGE


def policy_problem():
    """Return what asks for a plan of 20 townships, 400 villages and 80 places for centres, by access."""
    rng = np.random.default_rng(0)
    units = {f"u{i:02d}": ("township", "c", 2.0 * i, 2.0 * i + 2) for i in range(20)}
    villages = {f"v{i:03d}": (float(x), 1 + i % 90) for i, x in enumerate(rng.uniform(0, 40, 400).round(3))}
    sites = {
        f"c{i:02d}": ("service_centre", float(x), 10.0 + i % 30)
        for i, x in enumerate(rng.uniform(0, 40, 80).round(3))
    }
    sites |= {"d": ("dementia_unit", 5.0, 10.0), "r": ("regional_home", 5.0, 10.0)}
    road = Road(units, villages, {}, sites, homes=1)
    near = policy_of(homes=1).with_access(
        cutoff_min={"street": 3, "township": 3, "other": 3}, kind="service_centre"
    )
    asked = {**road.frames(), "policy": near, "times": road.times(), "rules": siting.PlanRules(rule="access")}
    return lambda: siting.policy_plan(**asked), siting.verify


def classic_problem():
    """Return what asks which 8 of 80 places with room for 140 are nearest to 727 people; our own searches and HiGHS are both needed."""
    rng = np.random.default_rng(1)
    at, of = rng.random((160, 2)), rng.random((80, 2))
    minutes = np.abs(at[:, None, :] - of[None, :, :]).sum(axis=2).round(3) * 60
    times, weights = TravelTimes.from_matrix(minutes), rng.integers(1, 9, 160).astype(float)
    room = np.full(80, 140.0)
    asked = {"weights": weights, "p": 8, "capacities": room}
    return lambda: siting.p_median(times, **asked), lambda plan: siting.verify(plan, times, **asked)


def main() -> None:
    ask, verify = {"policy": policy_problem, "classic": classic_problem}[sys.argv[1]]()
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    ask()  # once with all memory: libraries are loaded, loops compiled
    for megabytes in map(float, sys.argv[2:]):
        resource.setrlimit(resource.RLIMIT_AS, (held() + int(megabytes * 1e6), most))
        try:
            plan = ask()
            said = (plan.status, *(plan.certificate.notes if plan.certificate else ()))
        except InputError as error:
            plan, said = None, ("refused", str(error))
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        if plan is not None and plan.objective is not None:
            assert verify(plan).objective == plan.objective
        words = [str(megabytes), *said, "" if plan is None else str(plan.objective)]
        sys.stdout.write("|".join(words) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
