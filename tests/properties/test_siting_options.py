"""Hold every classic problem, asked with all it can be told at once, against brute force; and count every plan again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage import siting
from sy_coverage.errors import InputError
from tests.properties.test_siting_classic import (
    CUTOFF,
    NEEDS,
    PERSONS,
    PRICES,
    ROOMS,
    Case,
    best,
    cases,
    flow,
    holds,
    in_reach,
    single,
)

SHARES = st.sampled_from([0.0, 0.3, 0.5, 0.65, 0.9, 1.0])
BUDGETS = st.sampled_from([0.0, 1.0, 2.5, 4.0, 6.0, 100.0])
DECAYS = st.sampled_from(["", "steps", "linear"])


def decay_of(name):
    """Return how coverage fades within 5 minutes: what siting is told, and the same by hand."""
    if name == "steps":
        told = siting.StepDecay(((0.0, 1.0), (2.0, 0.75), (3.5, 0.25)))
        return told, lambda t: 1.0 if t <= 0 else 0.75 if t <= 2 else 0.25 if t <= 3.5 else 0.0
    return siting.LinearDecay(1.0), lambda t: min(1.0, max(0.0, (5.0 - t) / 4.0)) if t <= 5 else 0.0


def graded(case, choice, by_hand):
    return math.fsum(w * by_hand(t) for w, t in zip(case.weights, case.nearest(choice), strict=True))


@given(cases(), CUTOFF, PRICES, BUDGETS, NEEDS, st.booleans(), DECAYS)
def test_a_budget_with_needs_or_decay_equals_brute_force(
    case, cutoff, prices, budget, needs, with_needs, fading
):
    costs = np.array(prices[: len(case.site_ids)])
    asked = {"weights": case.weights, "budget": budget, "costs": costs, **case.rules}
    affordable = [c for c in case.choices() if costs[list(c)].sum() <= budget]
    if fading:
        cutoff = 5.0
        asked["decay"], by_hand = decay_of(fading)
        worth = [graded(case, c, by_hand) for c in affordable]
    else:
        k = np.array(needs[: len(case.weights)]) if with_needs else np.ones(len(case.weights), dtype=int)
        asked["k"] = k
        worth = [float(case.weights[case.hits(c, cutoff) >= k].sum()) for c in affordable]
    if not affordable:
        with pytest.raises(InputError):
            siting.mclp(case.times, cutoff, **asked)
        return
    plan = siting.mclp(case.times, cutoff, **asked)
    holds(plan, best(worth, "max"))
    assert siting.verify(plan, case.times, cutoff=cutoff, **asked).objective == plan.objective


@given(cases(), SHARES, PRICES, st.booleans(), st.sampled_from(["steps", "linear"]))
def test_a_share_of_gradual_coverage_equals_brute_force(case, share, prices, with_costs, fading):
    told, by_hand = decay_of(fading)
    asked = {"weights": case.weights, "share": share, "decay": told, **case.rules}
    if with_costs:
        asked["costs"] = np.array(prices[: len(case.site_ids)])
    plan = siting.partial_cover(case.times, 5.0, **asked)
    needed = share * case.weights.sum()
    worth = [
        float(asked["costs"][list(c)].sum()) if with_costs else float(len(c))
        for c in case.choices()
        if graded(case, c, by_hand) >= needed - 1e-9 * max(1.0, needed)
    ]
    holds(plan, best(worth, "min"))
    assert siting.verify(plan, case.times, cutoff=5.0, **asked).objective == plan.objective


def small(case):
    """Return the case with at most four points and four sites: every way to serve them is looked at."""
    ids = case.site_ids[:4]
    return Case(
        case.cost[:4, :4],
        case.weights[:4],
        ids,
        tuple(i for i in case.required if i in ids),
        tuple(i for i in case.forbidden if i in ids),
    )


def ways(case, choice, persons, rooms, cutoff, *, split):
    """Return (persons served, person-minutes, worst minutes, all served) of every way worth looking at."""
    if not split:
        return single(case, choice, persons, rooms, cutoff)
    found = []
    for step in np.unique(np.r_[case.cost[np.isfinite(case.cost) & (case.cost <= cutoff)], 0.0]):
        served, cost = flow(case, choice, persons, rooms, step)
        everyone = served == persons.sum() and in_reach(case, choice, step)
        found.append((served, cost, float(step), everyone))
    return found


@given(cases(), CUTOFF, PERSONS, ROOMS, PRICES, BUDGETS, SHARES, st.booleans())
def test_room_and_money_together_equal_brute_force(
    case, cutoff, persons, rooms, prices, budget, share, split
):
    case = small(case)
    n = len(case.site_ids)
    w, room, costs = np.array(persons[: len(case.weights)]), np.array(rooms[:n]), np.array(prices[:n])
    given_rules = {"capacities": room, "split": split, **case.rules}
    every = {c: ways(case, c, w, room, cutoff, split=split) for c in case.choices()}
    price = {c: float(costs[list(c)].sum()) for c in every}
    full = [c for c, seen in every.items() if any(way[3] for way in seen)]
    cheapest = siting.lscp(case.times, cutoff, weights=w, costs=costs, **given_rules)
    holds(cheapest, best([price[c] for c in full], "min"))
    needed = share * w.sum() - 1e-9
    enough = [price[c] for c, seen in every.items() if max(way[0] for way in seen) >= needed]
    partial = siting.partial_cover(case.times, cutoff, w, share, costs=costs, **given_rules)
    holds(partial, best(enough, "min"))
    backup = siting.lscp_backup(case.times, cutoff, w, **given_rules)
    fewest = [c for c in full if len(c) == min(map(len, full))]
    holds(backup, best([float(w[case.hits(c, cutoff) >= 2].sum()) for c in fewest], "max"))
    affordable = [c for c in every if price[c] <= budget]
    if affordable:
        most = siting.mclp(case.times, cutoff, w, budget=budget, costs=costs, **given_rules)
        holds(most, best([float(max(way[0] for way in every[c])) for c in affordable], "max"))
        again = {"cutoff": cutoff, "weights": w, "budget": budget, "costs": costs, **given_rules}
        assert siting.verify(most, case.times, **again).objective == most.objective
    for plan, more in (
        (cheapest, {"costs": costs}),
        (partial, {"costs": costs, "share": share}),
        (backup, {}),
    ):
        again = siting.verify(plan, case.times, cutoff=cutoff, weights=w, **more, **given_rules)
        assert again.objective == plan.objective


@given(cases(), PERSONS, ROOMS, st.integers(1, 4), st.booleans())
def test_room_and_travel_together_equal_brute_force(case, persons, rooms, p, split):
    case = small(case)
    w, room = np.array(persons[: len(case.weights)]), np.array(rooms[: len(case.site_ids)])
    if not len(case.required) <= p <= len(case.site_ids) - len(case.forbidden):
        return
    given_rules = {"capacities": room, "split": split, "p": p, **case.rules}
    every = [way for c in case.choices(p) for way in ways(case, c, w, room, math.inf, split=split) if way[3]]
    median = siting.p_median(case.times, w, **given_rules)
    holds(median, best([float(way[1]) for way in every], "min"))
    center = siting.p_center(case.times, weights=w, **given_rules)
    holds(center, best([float(way[2]) for way in every], "min"))
    for plan in (median, center):
        assert siting.verify(plan, case.times, weights=w, **given_rules).objective == plan.objective
