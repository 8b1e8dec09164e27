"""Ask for every choice of a planner, and every two of them together, and hold the plan against all there is to try."""

from __future__ import annotations

from dataclasses import fields
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from sy_coverage import siting
from sy_coverage.errors import InputError
from tests.siting.every_choice import Choices
from tests.siting.policy_toys import Road, planned, policy_of

OPTIONS = (
    "slack",
    "worst_min",
    "running_budget",
    "prefer",
    "beds",
    "close",
    "move",
    "group",
    "forbid",
    "require",
    "spread_min",
    "phases",
    "carry",
    "paid_over",
    "counties",
    "access",
)


def choices(options: tuple[str, ...], seed: int) -> Choices:
    """Return a small county with these options."""
    rng = np.random.default_rng([seed, *(OPTIONS.index(o) for o in options)])
    units = {
        "u1": ("street", "A", 0.0, 14.0),
        "u2": ("township", "A", 14.0, 30.0),
        "u3": ("township", "A" if "counties" not in options else "B", 30.0, 50.0),
    }
    place = lambda low=0.0, high=49.9: round(float(rng.uniform(low, high)), 1)  # noqa: E731
    villages = {f"v{i}": (place(), int(rng.integers(0, 4)) * 100) for i in range(5)}
    facilities = {"f1": ("service_centre", place(0.0, 13.9)), "f2": ("regional_home", place())}
    candidates = {
        "c1": ("service_centre", place(0.0, 13.9), float(rng.integers(4, 8))),
        "c2": ("service_centre", place(14.0, 29.9), float(rng.integers(4, 8))),
        "c3": ("service_centre", place(30.0), float(rng.integers(4, 8))),
        "c4": ("service_centre", place(14.0), float(rng.integers(4, 8))),
        "d1": ("dementia_unit", place(0.0, 29.9), float(rng.integers(2, 4))),
        "r1": ("regional_home", place(0.0, 29.9), float(rng.integers(6, 9))),
    }
    if "counties" in options:
        candidates["d2"] = ("dementia_unit", place(30.0), 2.0)
        candidates["r2"] = ("regional_home", place(30.0), 6.0)
        del candidates["c4"]
    extra = {
        "running_cost": {i: float(rng.integers(0, 4)) for i in candidates},
        "group_id": {"c2": "g", "c4": "g"} if "group" in options else {},
        "beds": {i: float(rng.integers(1, 12)) for i in ("f2", "r1", "r2")},
    }
    rules: dict = {}
    for option in OPTIONS:
        if option in options:
            rules |= RULES.get(option, lambda rng, rules: {})(rng, rules)
    if {"phases", "carry", "paid_over", "counties"} & {*options}:
        rules["phases"] = years_of(rng, counties="counties" in options)
    if "r1" in rules.get("move", {}):
        extra["beds"]["r1"] = None
    return Choices(Road(units, villages, facilities, candidates, extra, homes=1), rules, extra["beds"])


def years_of(rng: np.random.Generator, *, counties: bool) -> dict:
    """Return two years with money, some with a number of sites, some with money of each county."""
    budget = float(rng.integers(8, 22))
    phases: dict = {2026: {"budget": budget}, 2027: {"budget": budget + 4.0}}
    if rng.random() < 0.3:
        phases[2026]["sites"] = 2
    own = {"A": float(rng.integers(6, 16)), "B": float(rng.integers(6, 16))}
    return {y: limits | ({"counties": own} if counties else {}) for y, limits in phases.items()}


def one_of(rng: np.random.Generator, *values: float) -> float:
    return float(rng.choice(values))


RULES = {
    "slack": lambda rng, _: {"slack": one_of(rng, 0.0, 0.1, 0.3)},
    "worst_min": lambda rng, _: {"worst_min": one_of(rng, 15.0, 25.0, 40.0)},
    "running_budget": lambda rng, _: {"running_budget": float(rng.integers(4, 10))},
    "prefer": lambda *_: {"prefer": "worst_min"},
    "beds": lambda rng, _: {"beds_per_elder": 0.02, "beds_share": one_of(rng, 0.5, 0.8, 1.0)},
    "close": lambda rng, _: {"close": {f: float(rng.integers(-2, 4)) for f in ("f1", "f2")}},
    "move": lambda rng, _: {"move": {"c1": "f1"} | ({"r1": "f2"} if rng.random() < 0.5 else {})},
    "forbid": lambda rng, rules: {
        "forbid": (str(rng.choice(["c1", "c2", "c3"])), *(("f1",) if "close" in rules else ()))
    },
    "require": lambda rng, rules: {
        "require": (str(rng.choice([i for i in ("c1", "d1", "r1") if i not in rules.get("forbid", ())])),)
    },
    "spread_min": lambda rng, _: {"spread_min": one_of(rng, 10.0, 20.0)},
    "carry": lambda *_: {"carry": True},
    "paid_over": lambda rng, _: {"paid_over": {"r1": 2, "c2": 2} | ({"c3": 3} if rng.random() < 0.5 else {})},
    "access": lambda *_: {"rule": "access"},
}


def ask(asked: Choices) -> siting.SitingPlan:
    road, frames = asked.road, asked.road.frames()
    for name in ("facilities", "candidates"):
        beds = pd.Series(asked.beds, dtype=float).reindex(frames[name].index)
        frames[name] = frames[name].assign(beds=beds)
    frames["candidates"]["running_cost"] = frames["candidates"]["running_cost"].astype(float)
    known = {f.name for f in fields(siting.PlanRules)}
    assert {*asked.rules} <= known
    return planned(
        **frames,
        policy=policy_of(homes=1),
        times=road.times(),
        between_homes=road.between_homes() if "spread_min" in asked.rules else None,
        **asked.rules,
    )


def reached(asked: Choices, plan: siting.SitingPlan) -> tuple[float, ...]:
    """Return what the plan's stages came to, as `Choices.best` gives them: the less the better."""
    stages = {s.objective_id: s.value for s in plan.certificate.stages}
    first = [stages["worst_min"]] if asked.get("prefer") else []
    if asked.get("phases"):
        return (*first, -stages["elder_years"], stages["cost"], -stages["open_years"])
    if asked.get("slack") is not None:
        return (*first, -stages["elders"], stages["cost"])
    return (stages["cost"], *first, -stages["elders"])


def hold(options: tuple[str, ...], seed: int) -> bool:
    """Whether there is a plan; fails where it is not the best there is."""
    asked = choices(options, seed)
    best = asked.best()
    try:
        plan = ask(asked)
    except InputError as error:  # what must open and what bars it are both the planner's own words
        if best is None and "required, but barred" in str(error):
            return False
        raise
    if best is None:
        assert plan.status == "infeasible", (options, seed)
        assert len(plan.findings)
        return False
    assert plan.status == "optimal", (options, seed)
    assert reached(asked, plan) == pytest.approx(best), (options, seed)
    assert siting.verify(plan).objective == plan.objective
    return True


ALL = [(o,) for o in OPTIONS] + list(combinations(OPTIONS, 2))
NIGHTLY = [pytest.param(n, marks=pytest.mark.nightly) for n in range(1, 30)]


@pytest.mark.parametrize("seed", [0, *NIGHTLY])
def test_every_choice_and_every_two_equal_brute_force(seed):
    plans = [hold(options, seed) for options in ALL]
    assert len(ALL) / 4 < sum(plans) < len(ALL)


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.nightly) for n in range(1, 60))])
def test_several_choices_together_equal_brute_force(seed):
    rng = np.random.default_rng(seed)
    for n in range(20):
        hold(
            tuple(sorted(rng.choice(OPTIONS, size=int(rng.integers(3, 8)), replace=False).tolist())),
            100 * seed + n,
        )
