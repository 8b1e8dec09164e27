"""Derive again, by trying every subset of small policy problems, all that is said beside a plan: curve, closures, reasons, ways out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from math import ceil, inf

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sy_coverage import siting
from tests import toy
from tests.siting.policy_toys import CUTOFF, Road
from tests.siting.test_policy_plan import clash_of_required, roads, solved

FEW = settings(
    max_examples=max(1, settings().max_examples // 10),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""Every example looks at hundreds of subsets and solves several models: six by day, two hundred by night."""
RULES = st.sampled_from(["presence", "presence", "access", "both"])
SCOPES = st.sampled_from(["county", "city"])
SHARE = 0.8


@dataclass(frozen=True)
class Seen:
    """What a set of open facilities and sites comes to, counted from kilometres."""

    elders: float
    covered: frozenset[str]
    targets: dict[tuple[str, str], tuple[int, int]]
    """By target and place: how many count, and how many must."""

    @property
    def lacks(self) -> int:
        return sum(max(0, needed - reached) for reached, needed in self.targets.values())


def seen(road: Road, open_: list[str], *, rule: str, scope: str) -> Seen:
    km = road.kilometres()
    centres = [s for s in open_ if road.kind_of(s) == "service_centre"]

    def near(v: str) -> bool:
        at = road.villages[v][0]
        return min((abs(at - km[s]) for s in centres), default=inf) <= CUTOFF[road.units[road.unit_at(at)][0]]

    inside = {v for v in road.villages if near(v)}
    covered = set()
    for unit in road.units:
        people = [v for v, (at, _) in road.villages.items() if road.unit_at(at) == unit]
        whole = sum(road.villages[v][1] for v in people)
        part = sum(road.villages[v][1] for v in people if v in inside)
        present = any(road.unit_at(km[s]) == unit for s in centres)
        reached = 10 * part >= 8 * whole
        if {"presence": present, "access": reached, "both": present and reached}[rule]:
            covered.add(unit)
    counties = sorted({c for _, c, _, _ in road.units.values()})
    places = {c: [c] for c in counties} if scope == "county" else {"city": counties}
    targets = {}
    for target, kind, percent in (
        ("street_centre_coverage", "street", 100),
        ("township_centre_coverage", "township", 65),
    ):
        for name, own in places.items():
            mine = {u for u, (k, c, _, _) in road.units.items() if k == kind and c in own}
            targets[target, name] = (len(covered & mine), ceil(percent * len(mine) / 100))
    for target, kind, needed in (
        ("county_dementia_unit", "dementia_unit", 1),
        ("county_regional_home", "regional_home", road.homes),
    ):
        for county in counties:
            have = sum(
                road.kind_of(s) == kind and road.units[road.unit_at(km[s])][1] == county for s in open_
            )
            targets[target, county] = (have, needed)
    return Seen(float(sum(road.villages[v][1] for v in inside)), frozenset(covered), targets)


def subsets(road: Road, **options):
    """Return the value of every set of sites that keeps the rules: what it lacks, cost, −elders, minutes, …."""
    found = {}
    for n in range(len(road.candidates) + 1):
        for sites in combinations(sorted(road.candidates), n):
            value = road.value(sites, **options)
            if value is not None:
                found[sites] = value
    return found


def test_the_two_ways_of_counting_agree():
    road = Road(
        units={"u": ("street", "c", 0, 10), "w": ("township", "c", 10, 20)},
        villages={"a": (2.0, 100), "b": (14.0, 50)},
        candidates={"x": ("service_centre", 5.0, 1.0), "d": ("dementia_unit", 1.0, 1.0)},
        homes=0,
    )
    for sites in ((), ("x",), ("d", "x")):
        for rule in ("presence", "access", "both"):
            ours = seen(road, list(sites), rule=rule, scope="county")
            assert ours.lacks == road.value(sites, rule=rule)[0]
            assert ours.elders == -road.value(sites, rule=rule)[2]


# --- the curve of cost and elders -------------------------------------------------------------------------------------


def front(values) -> list[tuple[float, float]]:
    """Return the pairs (cost, elders) that no other pair beats, by cost."""
    best: list[tuple[float, float]] = []
    for cost, elders in sorted({(round(v[1], 6), -v[2]) for v in values}, key=lambda p: (p[0], -p[1])):
        if not best or elders > best[-1][1]:
            best.append((cost, elders))
    return best


@FEW
@given(roads(most=5), RULES, SCOPES, st.booleans(), st.sampled_from([None, 10.0]))
def test_the_curve_is_every_point_that_no_other_beats(road, rule, scope, keep, spread):
    assume(not clash_of_required(road, spread))
    plan = solved(road, rule=rule, scope=scope, spread_min=spread)
    assume(plan.status == "optimal")
    values = subsets(road, rule=rule, scope=scope, spread=spread)
    expected = front(v for v in values.values() if not keep or v[0] == 0)
    curve = siting.trade_off(plan, points=60, keep_targets=keep)
    got = list(zip(curve["cost"].round(6), curve["elders_covered"], strict=True))
    assert got == expected
    for row in curve.itertuples():
        lacks, cost, less_elders, *_ = values[tuple(sorted(row.sites))]
        assert (round(cost, 6), -less_elders, lacks == 0) == (
            round(row.cost, 6),
            row.elders_covered,
            row.targets_met,
        )
    few = siting.trade_off(plan, points=3, keep_targets=keep)
    some_points = list(zip(few["cost"].round(6), few["elders_covered"], strict=True))
    assert set(some_points) <= set(expected)
    assert len(some_points) == min(3, len(expected))
    assert (some_points[0], some_points[-1]) == (expected[0], expected[-1])


# --- closures ---------------------------------------------------------------------------------------------------------


@FEW
@given(roads(), RULES, SCOPES)
def test_each_closure_leaves_what_counting_without_it_gives(road, rule, scope):
    plan = solved(road, rule=rule, scope=scope)
    assume(plan.status == "optimal")
    open_ = [*road.facilities, *plan.sites]
    whole = seen(road, open_, rule=rule, scope=scope)
    assert whole.lacks == 0
    table = siting.closures(plan)
    assert list(table.index) == sorted(s for s in open_ if road.kind_of(s) == "service_centre")
    for site_id, row in table.iterrows():
        left = seen(road, [s for s in open_ if s != site_id], rule=rule, scope=scope)
        assert row["planned"] == (site_id in plan.sites)
        assert (row["elders_left"], row["elders_lost"]) == (left.elders, whole.elders - left.elders)
        assert set(row["units_lost"]) == whole.covered - left.covered
        missed = {t for (t, _), (reached, needed) in left.targets.items() if reached < needed}
        assert set(row["targets_lost"]) == missed


# --- why this site ----------------------------------------------------------------------------------------------------


def reasons(plan, site):
    return plan.why().loc[[site]].set_index("reason_id")


@FEW
@given(roads(), RULES, SCOPES, st.sampled_from([None, None, 30.0, 45.0]))
def test_a_site_is_called_in_every_optimum_where_every_optimum_has_it(road, rule, scope, budget):
    options = {"rule": rule, "scope": scope}
    plan = solved(road, budget=budget, **options)
    assume(plan.status == "optimal")
    short = not plan.figures.targets_met  # with too little money: nearest to the targets, then most elders
    values = subsets(road, **options, budget=budget)

    def rank(value):
        return (value[0], value[2]) if short else (round(value[1], 6), value[2])

    ranked = {s: rank(v) for s, v in values.items() if short or v[0] == 0}
    best = min(ranked.values())
    optima = [s for s, r in ranked.items() if r == best]
    assert tuple(sorted(plan.sites)) in optima
    first = "towards_targets" if short else "cost"
    for site in plan.sites:
        found = set(reasons(plan, site).index)
        words = {r for r in found if r.startswith("in_every_optimum")}
        if road.extra["required"].get(site):
            assert "required" in found
            assert not words | ({"exchangeable", "cannot_do_without"} & found)
            continue
        without = [r for s, r in ranked.items() if site not in s]
        if not without:
            assert "cannot_do_without" in found
            continue
        assert ("exchangeable" in found) == any(site not in s for s in optima)
        least = min(without)
        if least[0] != best[0]:
            assert words == {f"in_every_optimum_{first}"}
            assert reasons(plan, site).loc[f"in_every_optimum_{first}", "value"] == pytest.approx(
                least[0] - best[0]
            )
        elif least[1] != best[1]:
            assert words == {"in_every_optimum_elders"}
            assert reasons(plan, site).loc["in_every_optimum_elders", "value"] == least[1] - best[1]


@FEW
@given(roads(), RULES, SCOPES, st.sampled_from([None, 10.0]))
def test_the_nearest_alternative_is_the_nearest_that_keeps_every_rule_and_costs_what_is_said(
    road, rule, scope, spread
):
    assume(not clash_of_required(road, spread))
    plan = solved(road, rule=rule, scope=scope, spread_min=spread)
    assume(plan.status == "optimal")
    km = road.kilometres()

    def county(site):
        return road.units[road.unit_at(km[site])][1]

    for site in plan.sites:
        others = [
            s
            for s in sorted(road.candidates)
            if s not in plan.sites and road.kind_of(s) == road.kind_of(site) and county(s) == county(site)
        ]
        # in the plane, to the decimetre: the road zigzags
        metres = {s: round(toy.at(km[s]).distance(toy.at(km[site])), 1) for s in others}
        others.sort(key=lambda s, metres=metres: (metres[s], s))

        def swapped(other, site=site):
            sites = tuple(sorted({*plan.sites, other} - {site}))
            return road.value(sites, rule=rule, scope=scope, spread=spread)

        good = [s for s in others if (v := swapped(s)) is not None and v[0] == 0]
        found = reasons(plan, site)
        named = [r for r in found.index if r.startswith("alternative_") and r != "alternative_fewer_elders"]
        if not good:
            assert "no_alternative" in found.index
            assert not named
            continue
        more = road.candidates[good[0]][2] - road.candidates[site][2]
        fewer = swapped(good[0])[2] - road.value(plan.sites, rule=rule, scope=scope, spread=spread)[2]
        if more <= 0 and fewer > 0 and road.kind_of(site) == "service_centre":
            row = found.loc["alternative_fewer_elders"]
            assert not named
            assert (row["subject"], row["value"]) == (good[0], fewer)
        else:
            row = found.loc[named[0]]
            word = "dearer" if more > 0 else "cheaper" if more < 0 else "same_cost"
            assert (named, row["subject"]) == ([f"alternative_{word}"], good[0])
            assert row["value"] == pytest.approx(abs(more))
        assert row["other"] == pytest.approx(metres[good[0]] / 1000, abs=1e-3)


@FEW
@given(roads(), RULES, SCOPES)
def test_what_a_site_alone_covers_is_what_is_lost_without_it(road, rule, scope):
    plan = solved(road, rule=rule, scope=scope)
    assume(plan.status == "optimal")
    open_ = [*road.facilities, *plan.sites]
    whole = seen(road, open_, rule=rule, scope=scope)
    for site in plan.sites:
        left = seen(road, [s for s in open_ if s != site], rule=rule, scope=scope)
        why = plan.why().loc[[site]]
        alone = set(why.loc[why["reason_id"] == "covers_alone", "subject"])
        assert alone == (whole.covered - left.covered if road.kind_of(site) == "service_centre" else set())
        failed = why[why["reason_id"] == "target_fails_without"]
        assert {(r.target_id, r.scope_id): (int(r.value), int(r.other)) for r in failed.itertuples()} == {
            key: pair for key, pair in left.targets.items() if pair[0] < pair[1]
        }
        only = why.loc[why["reason_id"] == "elders_only_here", "value"]
        if road.kind_of(site) == "service_centre":
            assert (only.item() if len(only) else 0.0) == whole.elders - left.elders


@FEW
@given(roads(), RULES, SCOPES)
def test_every_unit_without_cover_is_said_and_why(road, rule, scope):
    plan = solved(road, rule=rule, scope=scope)
    assume(plan.status == "optimal")
    now = seen(road, [*road.facilities, *plan.sites], rule=rule, scope=scope)
    counted = {u for u, (kind, *_) in road.units.items() if kind in {"street", "township"}}
    said = plan.findings[plan.findings["reason_id"].str.startswith("left_out")].set_index("subject")
    assert set(said.index) == counted - now.covered
    for unit, row in said.iterrows():
        here = [
            s
            for s in road.candidates
            if road.kind_of(s) == "service_centre" and road.unit_at(road.kilometres()[s]) == unit
        ]
        kind, county, *_ = road.units[unit]
        own = [
            road.candidates[s][2]
            for s in plan.sites
            if road.kind_of(s) == "service_centre"
            and road.units[road.unit_at(road.kilometres()[s])][0] == kind
            and (scope == "city" or road.units[road.unit_at(road.kilometres()[s])][1] == county)
        ]
        least = min((road.candidates[s][2] for s in here), default=inf)
        if not here and rule != "access":
            assert row["reason_id"] == "left_out_no_candidate"
        elif here and own and least > max(own):
            assert (row["reason_id"], row["value"], row["other"]) == ("left_out_dearer", least, max(own))
        else:
            assert row["reason_id"] == "left_out_not_needed"


# --- when it cannot be done -------------------------------------------------------------------------------------------


@FEW
@given(roads(most=2), RULES, SCOPES, st.sampled_from([None, 10.0, 25.0]))
def test_the_smallest_change_makes_it_possible_and_no_smaller_one_does(road, rule, scope, spread):
    assume(not clash_of_required(road, spread))
    plan = solved(road, rule=rule, scope=scope, spread_min=spread)
    values = subsets(road, rule=rule, scope=scope, spread=spread)
    assume(values and min(v[0] for v in values.values()) > 0)
    assert plan.status == "infeasible"
    change = plan.findings[plan.findings["reason_id"] == "smallest_change"]
    relaxed = {(r.target_id, r.scope_id): int(r.value) for r in change.itertuples()}
    asked = {(r.target_id, r.scope_id): int(r.other) for r in change.itertuples()}
    # one change of the same kind is to ask less of targets: in all, so much less and no less
    assert sum(asked.values()) - sum(relaxed.values()) == min(v[0] for v in values.values())

    def possible(sites):
        reached = seen(road, [*road.facilities, *sites], rule=rule, scope=scope).targets
        return all(reached[key][0] >= relaxed.get(key, needed) for key, (_, needed) in reached.items())

    assert possible(plan.best.sites)
    ways = [s for s in values if possible(s)]
    assert min(values[s][1] for s in ways) == pytest.approx(plan.best.figures.cost)
    # and with the sites of the best plan meanwhile, the cheapest of those that lack least
    least = min((v[0], round(v[1], 6), v[2]) for v in values.values())
    got = values[tuple(sorted(plan.best.sites))]
    assert (got[0], round(got[1], 6), got[2]) == least


@FEW
@given(roads(most=3), st.sampled_from(["access", "both"]), SCOPES)
def test_the_smallest_cutoff_reaches_the_unit_and_no_shorter_one_does(road, rule, scope):
    plan = solved(road, rule=rule, scope=scope)
    said = plan.findings[plan.findings["reason_id"] == "smallest_cutoff"]
    km = road.kilometres()
    centres = [s for s in km if road.kind_of(s) == "service_centre"]
    for row in said.itertuples():
        people = [(at, elders) for at, elders in road.villages.values() if road.unit_at(at) == row.subject]
        whole = sum(e for _, e in people)
        reach = {at: min(abs(at - km[s]) for s in centres) for at, _ in people}

        def within(minutes, people=people, reach=reach):
            return 10 * sum(e for at, e in people if reach[at] <= minutes + 1e-9)

        assert within(row.value) >= 8 * whole
        assert within(row.value - 1e-6) < 8 * whole
        assert row.other == CUTOFF[road.units[row.subject][0]] < row.value


@FEW
@given(roads(most=2), st.sampled_from([10.0, 25.0, 40.0]))
def test_the_smallest_spread_is_that_of_the_two_homes_farthest_apart(road, spread):
    assume(not clash_of_required(road, spread))
    plan = solved(road, spread_min=spread)
    said = plan.findings[plan.findings["reason_id"] == "smallest_spread"]
    km = road.kilometres()
    for row in said.itertuples():

        def two_open(asked, county=row.scope_id):
            homes = [
                s
                for s in road.candidates
                if road.kind_of(s) == "regional_home" and road.units[road.unit_at(km[s])][1] == county
            ]
            standing = [
                s
                for s in road.facilities
                if road.kind_of(s) == "regional_home" and road.units[road.unit_at(km[s])][1] == county
            ]
            return any(
                abs(km[a] - km[b]) >= asked - 1e-9
                and all(abs(km[x] - km[s]) >= spread for x in (a, b) for s in standing)
                for a, b in combinations(homes, 2)
            )

        assert not two_open(spread)
        assert two_open(row.value)
        assert not two_open(row.value + 1e-6)


@FEW
@given(roads(), RULES, st.sampled_from([0.0, 20.0, 35.0]))
def test_the_least_budget_is_enough_and_none_below_it_is(road, rule, budget):
    values = subsets(road, rule=rule)
    enough = [v[1] for v in values.values() if v[0] == 0]
    affordable = subsets(road, rule=rule, budget=budget)
    assume(enough and min(enough) > budget and affordable)
    plan = solved(road, rule=rule, budget=budget)
    said = plan.findings.set_index("reason_id").loc["budget_too_small"]
    assert (said["value"], said["other"]) == (budget, pytest.approx(min(enough)))
    assert plan.figures.least_cost == pytest.approx(min(enough))
    assert solved(road, rule=rule, budget=min(enough)).figures.targets_met
    assert not solved(road, rule=rule, budget=min(enough) - 0.05).figures.targets_met
    assert min((v[0], v[2]) for v in affordable.values()) == (
        values[tuple(sorted(plan.sites))][0],
        -plan.figures.elders_covered,
    )


# --- years ------------------------------------------------------------------------------------------------------------


@FEW
@given(
    roads(most=3),
    st.sampled_from([15.0, 30.0, 60.0]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(["presence", "access"]),
)
def test_the_plan_of_two_years_is_the_best_of_all_assignments_in_every_stage(road, budget, sites, rule):
    names = sorted(road.candidates)
    assume(len(names) <= 6)
    values = {s: road.value(s, rule=rule) for n in range(len(names) + 1) for s in combinations(names, n)}
    # what must open need not open in the first year
    early = Road(**{**vars(road), "extra": {**road.extra, "required": {}}})
    first = {s: early.value(s, rule=rule) for s in values}
    best = None
    for when in product((1, 2, 3), repeat=len(names)):  # 3: never
        by = [tuple(n for n, w in zip(names, when, strict=True) if w <= t) for t in (1, 2)]
        spent = [
            sum(road.candidates[n][2] for n, w in zip(names, when, strict=True) if w == t) for t in (1, 2)
        ]
        if first[by[0]] is None or values[by[1]] is None or values[by[1]][0]:
            continue
        if max(spent) > budget or (sites is not None and max(when.count(1), when.count(2)) > sites):
            continue
        years = sum(len(b) for b in by)
        ranks = sum(i + 1 for b in by for i, n in enumerate(names) if n in b)
        elders = first[by[0]][2] + values[by[1]][2]
        value = (elders, round(values[by[1]][1], 6), -years, ranks)
        best = value if best is None else min(best, value)
    plan = solved(road, rule=rule, phases={y: {"budget": budget, "sites": sites} for y in (2025, 2026)})
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    found = {s.objective_id: s.value for s in plan.certificate.stages}
    assert found["elder_years"] == -best[0]
    assert round(found["cost"], 6) == best[1]
    assert (found["open_years"], found["site_ranks"]) == (-best[2], best[3])
