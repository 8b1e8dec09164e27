"""Hold every classic siting problem against brute force on thousands of small cases with ties, zeros and unreachable pairs."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage import siting
from sy_coverage.errors import InputError
from sy_coverage.roads.travel_times import TravelTimes

IDS = st.permutations(["a", "b", "c", "10", "2", "Z"])
MINUTES = st.sampled_from([0.0, 1.0, 2.0, 2.0, 3.5, 5.0, math.inf])
WEIGHTS = st.sampled_from([0.0, 1.0, 1.0, 2.0, 3.0, 10.0, 0.5])


@dataclass(frozen=True)
class Case:
    """A small problem: `cost` is demand × sites."""

    cost: np.ndarray
    weights: np.ndarray
    site_ids: tuple[str, ...]
    required: tuple[str, ...]
    forbidden: tuple[str, ...]

    @property
    def times(self) -> TravelTimes:
        return TravelTimes.from_matrix(self.cost, site_ids=self.site_ids)

    @property
    def rules(self) -> dict[str, tuple[str, ...]]:
        return {"required": self.required, "forbidden": self.forbidden}

    def choices(self, p: int | None = None) -> list[tuple[int, ...]]:
        """Return every choice of sites that keeps required, forbidden and, if given, p."""
        must = {self.site_ids.index(s) for s in self.required}
        may = [j for j, s in enumerate(self.site_ids) if s not in self.forbidden]
        sizes = range(len(may) + 1) if p is None else [p]
        every = [c for size in sizes for c in itertools.combinations(may, size)]
        return [c for c in every if must <= set(c)]

    def nearest(self, choice: tuple[int, ...]) -> np.ndarray:
        if not choice:
            return np.full(len(self.weights), math.inf)
        return self.cost[:, list(choice)].min(axis=1)

    def hits(self, choice: tuple[int, ...], cutoff: float) -> np.ndarray:
        return (self.cost[:, list(choice)] <= cutoff).sum(axis=1)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sites, demand = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    ids = tuple(draw(IDS)[:sites])
    cost = draw(st.lists(st.lists(MINUTES, min_size=sites, max_size=sites), min_size=demand, max_size=demand))
    weights = draw(st.lists(WEIGHTS, min_size=demand, max_size=demand))
    role = draw(
        st.lists(st.sampled_from(["", "", "", "required", "forbidden"]), min_size=sites, max_size=sites)
    )
    return Case(
        np.array(cost),
        np.array(weights),
        ids,
        tuple(i for i, r in zip(ids, role, strict=True) if r == "required"),
        tuple(i for i, r in zip(ids, role, strict=True) if r == "forbidden"),
    )


CUTOFF = st.sampled_from([0.0, 1.0, 2.0, 3.5, 4.0, 5.0])
PRICES = st.lists(st.sampled_from([0.0, 1.0, 1.0, 2.5, 4.0]), min_size=6, max_size=6)
NEEDS = st.lists(st.integers(1, 3), min_size=7, max_size=7)


def best(values: list[float], sense: str) -> float | None:
    return (min(values) if sense == "min" else max(values)) if values else None


def holds(plan: siting.SitingPlan, expected: float | None) -> None:
    """Assert that the plan is proved and worth what brute force found, or proved not to exist."""
    if expected is None:
        assert plan.status == "infeasible"
        assert plan.sites == ()
        assert plan.objective is None
        assert len(plan.findings)
        return
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert plan.gap == 0.0
    assert plan.bound == plan.objective
    assert plan.certificate is not None
    assert plan.certificate.proved
    assert list(plan.sites) == sorted(plan.sites)


def sites_of(case: Case, plan: siting.SitingPlan) -> tuple[int, ...]:
    return tuple(case.site_ids.index(s) for s in plan.sites)


@given(cases(), CUTOFF, NEEDS, PRICES, st.booleans(), st.booleans())
def test_lscp_equals_brute_force(case, cutoff, needs, prices, with_costs, with_needs):
    k = np.array(needs[: len(case.weights)]) if with_needs else np.ones(len(case.weights), dtype=int)
    costs = np.array(prices[: len(case.site_ids)]) if with_costs else None
    plan = siting.lscp(case.times, cutoff, k=k, costs=costs, **case.rules)
    worth = [
        len(c) if costs is None else costs[list(c)].sum()
        for c in case.choices()
        if (case.hits(c, cutoff) >= k).all()
    ]
    holds(plan, best(worth, "min"))
    if plan.sites:
        assert (case.hits(sites_of(case, plan), cutoff) >= k).all()


@given(cases(), CUTOFF, NEEDS, st.integers(1, 6), st.booleans())
def test_mclp_with_p_equals_brute_force(case, cutoff, needs, p, with_needs):
    k = np.array(needs[: len(case.weights)]) if with_needs else np.ones(len(case.weights), dtype=int)
    if p > len(case.site_ids) - len(case.forbidden) or p < len(case.required):
        with pytest.raises(InputError):
            siting.mclp(case.times, cutoff, case.weights, p=p, **case.rules)
        return
    plan = siting.mclp(case.times, cutoff, case.weights, p=p, k=k, **case.rules)
    worth = [case.weights[case.hits(c, cutoff) >= k].sum() for c in case.choices(p)]
    holds(plan, best(worth, "max"))
    assert len(plan.sites) == p


@given(cases(), CUTOFF, PRICES, st.sampled_from([0.0, 1.0, 3.0, 4.5, 100.0]))
def test_mclp_with_a_budget_equals_brute_force(case, cutoff, prices, budget):
    costs = np.array(prices[: len(case.site_ids)])
    worth = [
        case.weights[case.hits(c, cutoff) >= 1].sum()
        for c in case.choices()
        if costs[list(c)].sum() <= budget
    ]
    if not worth:
        with pytest.raises(InputError):
            siting.mclp(case.times, cutoff, case.weights, budget=budget, costs=costs, **case.rules)
        return
    plan = siting.mclp(case.times, cutoff, case.weights, budget=budget, costs=costs, **case.rules)
    holds(plan, best(worth, "max"))


@given(cases(), st.integers(1, 6), st.booleans())
def test_gradual_mclp_equals_brute_force(case, p, by_steps):
    if p > len(case.site_ids) - len(case.forbidden) or p < len(case.required):
        return
    decay = siting.StepDecay(((0.0, 1.0), (2.0, 0.75), (3.5, 0.25))) if by_steps else siting.LinearDecay(1.0)

    def share(minutes: float) -> float:
        if by_steps:
            return 1.0 if minutes <= 0 else 0.75 if minutes <= 2 else 0.25 if minutes <= 3.5 else 0.0
        return min(1.0, max(0.0, (5.0 - minutes) / 4.0)) if minutes <= 5 else 0.0

    plan = siting.mclp(case.times, 5.0, case.weights, p=p, decay=decay, **case.rules)
    worth = [
        math.fsum(w * share(t) for w, t in zip(case.weights, case.nearest(c), strict=True))
        for c in case.choices(p)
    ]
    holds(plan, best(worth, "max"))


@given(
    cases(), CUTOFF, st.sampled_from([0.0, 0.3, 0.65, 0.9, 1.0]), PRICES, st.booleans(), NEEDS, st.booleans()
)
def test_partial_cover_equals_brute_force(case, cutoff, share, prices, with_costs, needs, with_needs):
    k = np.array(needs[: len(case.weights)]) if with_needs else np.ones(len(case.weights), dtype=int)
    costs = np.array(prices[: len(case.site_ids)]) if with_costs else None
    plan = siting.partial_cover(case.times, cutoff, case.weights, share, costs=costs, k=k, **case.rules)
    asked = share * case.weights.sum() - 1e-9
    worth = [
        len(c) if costs is None else costs[list(c)].sum()
        for c in case.choices()
        if case.weights[case.hits(c, cutoff) >= k].sum() >= asked
    ]
    holds(plan, best(worth, "min"))


@given(cases(), st.integers(1, 6))
def test_p_median_equals_brute_force(case, p):
    if p > len(case.site_ids) - len(case.forbidden) or p < len(case.required):
        with pytest.raises(InputError):
            siting.p_median(case.times, case.weights, p=p, **case.rules)
        return
    plan = siting.p_median(case.times, case.weights, p=p, **case.rules)
    reach = [case.nearest(c) for c in case.choices(p)]
    worth = [float((case.weights * t).sum()) for t in reach if np.isfinite(t).all()]
    holds(plan, best(worth, "min"))
    assert plan.objective is None or len(plan.sites) == p


@given(cases(), st.integers(1, 6))
def test_p_center_equals_brute_force(case, p):
    if p > len(case.site_ids) - len(case.forbidden) or p < len(case.required):
        with pytest.raises(InputError):
            siting.p_center(case.times, p=p, **case.rules)
        return
    plan = siting.p_center(case.times, p=p, **case.rules)
    worst = [case.nearest(c).max() for c in case.choices(p)]
    holds(plan, best([float(w) for w in worst if np.isfinite(w)], "min"))
    assert plan.objective is None or len(plan.sites) == p


@given(cases(), CUTOFF, st.booleans())
def test_lscp_backup_equals_brute_force(case, cutoff, weighted):
    plan = siting.lscp_backup(case.times, cutoff, case.weights if weighted else None, **case.rules)
    covers = [c for c in case.choices() if (case.hits(c, cutoff) >= 1).all()]
    fewest = [c for c in covers if len(c) == min(map(len, covers))]
    weights = case.weights if weighted else np.ones(len(case.weights))
    holds(plan, best([weights[case.hits(c, cutoff) >= 2].sum() for c in fewest], "max"))
    if fewest:
        assert len(plan.sites) == len(fewest[0])


@given(cases(), st.integers(2, 6))
def test_p_dispersion_equals_brute_force(case, p):
    n = min(case.cost.shape)
    apart = case.cost[:n, :n]
    ids = case.site_ids[:n]
    rules = {
        "required": tuple(i for i in case.required if i in ids),
        "forbidden": tuple(i for i in case.forbidden if i in ids),
    }
    times = TravelTimes.from_matrix(apart, demand_ids=ids, site_ids=ids)
    if p > n - len(rules["forbidden"]) or p < len(rules["required"]):
        with pytest.raises(InputError):
            siting.p_dispersion(times, p=p, **rules)
        return
    plan = siting.p_dispersion(times, p=p, **rules)
    must = {ids.index(i) for i in rules["required"]}
    choices = [
        c
        for c in itertools.combinations([j for j in range(n) if ids[j] not in rules["forbidden"]], p)
        if must <= set(c)
    ]
    worth = max(min(min(apart[a, b], apart[b, a]) for a, b in itertools.combinations(c, 2)) for c in choices)
    assert (plan.status, plan.objective, plan.bound) == ("optimal", worth, worth)
    assert len(plan.sites) == p


ROOMS = st.lists(st.sampled_from([0, 1, 2, 3, 5, 9]), min_size=6, max_size=6)
PERSONS = st.lists(st.sampled_from([0, 1, 1, 2, 3]), min_size=7, max_size=7)


def flow(case, choice, persons, rooms, cutoff, *, cheapest=False):
    """Return (persons served, person-minutes) of the best sharing out among the sites of `choice`, by network simplex."""
    graph = nx.DiGraph()
    graph.add_edge("all", "end", capacity=0)
    for i, w in enumerate(persons):
        graph.add_edge("all", ("demand", i), capacity=w, weight=0)
        for j in choice:
            if case.cost[i, j] <= cutoff and np.isfinite(case.cost[i, j]):
                graph.add_edge(("demand", i), ("site", j), weight=int(case.cost[i, j] * 2))
    for j in choice:
        graph.add_edge(("site", j), "end", capacity=int(rooms[j]), weight=0)
    sent = nx.max_flow_min_cost(graph, "all", "end")
    return sum(sent["all"].values()), nx.cost_of_flow(graph, sent) / 2


def single(case, choice, persons, rooms, cutoff):
    """Return every (persons served, person-minutes, worst minutes, all served) with one site, or none, for each point."""
    found = []
    options = [
        [None, *(j for j in choice if case.cost[i, j] <= cutoff and np.isfinite(case.cost[i, j]))]
        for i in range(len(persons))
    ]
    for picks in itertools.product(*options):
        load = dict.fromkeys(choice, 0)
        for i, j in enumerate(picks):
            if j is not None:
                load[j] += persons[i]
        if all(load[j] <= rooms[j] for j in choice):
            given_to = [(i, j) for i, j in enumerate(picks) if j is not None]
            found.append(
                (
                    sum(persons[i] for i, _ in given_to),
                    sum(persons[i] * case.cost[i, j] for i, j in given_to),
                    max([case.cost[i, j] for i, j in given_to], default=0.0),
                    len(given_to) == len(persons),
                )
            )
    return found


def in_reach(case, choice, cutoff):
    return bool((case.hits(choice, min(cutoff, 1e9)) >= 1).all())


@given(cases(), CUTOFF, PERSONS, ROOMS, st.integers(1, 4))
def test_shared_demand_with_capacities_equals_brute_force(case, cutoff, persons, rooms, p):
    w, room = np.array(persons[: len(case.weights)]), np.array(rooms[: len(case.site_ids)])
    given_rules = {"capacities": room, **case.rules}
    every = {c: flow(case, c, w, room, cutoff) for c in case.choices()}
    full = [c for c, (served, _) in every.items() if served == w.sum() and in_reach(case, c, cutoff)]
    lscp = siting.lscp(case.times, cutoff, weights=w, **given_rules)
    holds(lscp, best([float(len(c)) for c in full], "min"))
    backup = siting.lscp_backup(case.times, cutoff, w, **given_rules)
    fewest = [c for c in full if len(c) == min(map(len, full))]
    holds(backup, best([float(w[case.hits(c, cutoff) >= 2].sum()) for c in fewest], "max"))
    share = siting.partial_cover(case.times, cutoff, w, 0.6, **given_rules)
    enough = [float(len(c)) for c, (served, _) in every.items() if served >= 0.6 * w.sum() - 1e-9]
    holds(share, best(enough, "min"))
    if len(case.required) <= p <= len(case.site_ids) - len(case.forbidden):
        most = siting.mclp(case.times, cutoff, w, p=p, **given_rules)
        holds(most, best([float(every[c][0]) for c in case.choices(p)], "max"))
        far = {c: flow(case, c, w, room, math.inf) for c in case.choices(p)}
        median = siting.p_median(case.times, w, p=p, **given_rules)
        served = [cost for c, (all_, cost) in far.items() if all_ == w.sum() and in_reach(case, c, math.inf)]
        holds(median, best(served, "min"))
        center = siting.p_center(case.times, p=p, weights=w, **given_rules)
        worst = [
            step
            for step in np.unique(case.cost[np.isfinite(case.cost)])
            for c in case.choices(p)
            if flow(case, c, w, room, step)[0] == w.sum() and in_reach(case, c, step)
        ]
        holds(center, best([float(v) for v in worst], "min"))


@given(cases(), CUTOFF, PERSONS, ROOMS, st.integers(1, 3))
def test_single_source_capacities_equal_brute_force(case, cutoff, persons, rooms, p):
    few = slice(0, 4)
    case = Case(case.cost[few, :4], case.weights[few], case.site_ids[:4], (), case.forbidden[:0])
    w, room = np.array(persons[: len(case.weights)]), np.array(rooms[: len(case.site_ids)])
    options = {"capacities": room, "split": False}
    every = {c: single(case, c, w, room, cutoff) for c in case.choices()}
    full = [float(len(c)) for c, ways in every.items() if any(way[3] for way in ways)]
    holds(siting.lscp(case.times, cutoff, weights=w, **options), best(full, "min"))
    share = [
        float(len(c)) for c, ways in every.items() if any(way[0] >= 0.6 * w.sum() - 1e-9 for way in ways)
    ]
    holds(siting.partial_cover(case.times, cutoff, w, 0.6, **options), best(share, "min"))
    if p <= len(case.site_ids):
        most = [float(max(way[0] for way in every[c])) for c in case.choices(p)]
        holds(siting.mclp(case.times, cutoff, w, p=p, **options), best(most, "max"))
        far = [way for c in case.choices(p) for way in single(case, c, w, room, math.inf) if way[3]]
        holds(siting.p_median(case.times, w, p=p, **options), best([float(way[1]) for way in far], "min"))
        holds(
            siting.p_center(case.times, p=p, weights=w, **options),
            best([float(way[2]) for way in far], "min"),
        )
