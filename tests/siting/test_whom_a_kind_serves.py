"""Site homes and dementia units for those they are for, the destitute and the disabled, and count these alone."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest
from pydantic import ValidationError

from sy_coverage import coverage, siting
from tests.siting.policy_toys import POLICY, Road, planned, policy_of
from tests.siting.test_policy_choices import seeds

UNITS = {
    "u1": ("street", "A", 0.0, 20.0),
    "u2": ("township", "A", 20.0, 60.0),
    "u3": ("township", "B", 60.0, 120.0),
}
WHOM = {"regional_home": "elders_destitute", "dementia_unit": "elders_disabled"}
REACH = {kind: POLICY.kind(kind).cutoff_min for kind in WHOM}


def policy(whom: dict[str, str] = WHOM):
    own = policy_of(homes=1)
    kinds = {k: v.model_copy(update={"serves": whom.get(k)}) for k, v in own.kinds.items()}
    return own.model_copy(update={"kinds": kinds})


def road_of(seed: int) -> tuple[Road, dict[str, dict[str, float]]]:
    rng = np.random.default_rng(seed)
    villages = {f"v{i}": (round(float(rng.uniform(0, 119)), 1), int(rng.integers(50, 300))) for i in range(9)}
    people = {
        column: {v: float(rng.integers(0, 20)) for v in villages}
        for column in ("elders_destitute", "elders_disabled")
    }
    candidates = {f"c{i}": ("service_centre", km, 10.0) for i, km in enumerate((10.0, 40.0, 90.0))}
    for kind, name in (("regional_home", "r"), ("dementia_unit", "d")):
        for county, (low, high) in {"a": (0.0, 59.0), "b": (60.0, 119.0)}.items():
            for i in range(3):
                candidates[f"{name}{county}{i}"] = (kind, round(float(rng.uniform(low, high)), 1), 20.0)
    return Road(UNITS, villages, {"f": ("regional_home", 115.0)}, candidates, homes=1), people


def worth(road: Road, people, sites) -> tuple[float, float]:
    """Return how many of those whom homes and dementia units are for live within the cutoff of one of their own county, and minutes."""
    km, within, minutes = road.kilometres(), 0.0, 0.0
    for kind, column in WHOM.items():
        every = [s for s in km if road.kind_of(s) == kind]
        cap = max(abs(km[s] - x) for s in every for x, _ in road.villages.values())
        for v, (x, _) in road.villages.items():
            unit, county, *_ = UNITS[road.unit_at(x)]
            own = [s for s in (*road.facilities, *sites) if road.kind_of(s) == kind]
            own = [s for s in own if UNITS[road.unit_at(km[s])][1] == county]
            way = min((abs(km[s] - x) for s in own), default=cap)
            minutes += people[column][v] * way
            within += people[column][v] * (bool(own) and way <= REACH[kind][unit] + 1e-9)
    return within, minutes


def ask(road: Road, people, whom: dict[str, str] = WHOM, **rules) -> siting.SitingPlan:
    frames = road.frames()
    for column, of in people.items():
        frames["demand"][column] = [of[v] for v in frames["demand"].index]
    return planned(**frames, policy=policy(whom), times=road.times(), **rules)


@pytest.mark.parametrize("seed", seeds(8, 200))
def test_homes_are_near_the_destitute_and_dementia_units_near_the_disabled(seed):
    road, people = road_of(seed)
    plan = ask(road, people)
    # the street and a township of A need a centre, B's township too; one home (B has f) and one unit a county, all of one price
    best = None
    for ra, da, db in (
        (a, b, c) for a in ("ra0", "ra1", "ra2") for b in ("da0", "da1", "da2") for c in ("db0", "db1", "db2")
    ):
        within, minutes = worth(road, people, ("c0", "c1", "c2", ra, da, db))
        best = max(best, (within, -minutes)) if best else (within, -minutes)
    assert plan.status == "optimal"
    assert plan.figures.cost == 90.0
    stages = {s.objective_id: s.value for s in plan.certificate.stages}
    assert (stages["served"], stages["home_minutes"]) == pytest.approx((best[0], -best[1]))
    assert worth(road, people, plan.sites) == pytest.approx((best[0], -best[1]))
    table = plan.figures.served
    assert dict(table["serves"]) == WHOM
    assert table["within"].sum() == best[0]
    assert table.loc["regional_home", "people"] == sum(people["elders_destitute"].values())
    assert siting.verify(plan).figures["served"] == best[0]


def test_a_kind_that_nobody_counts_the_people_of_is_for_all_elders_and_says_so():
    road, people = road_of(0)
    plain, said = ask(road, {}, {}), ask(road, {})
    assert said.sites == plain.sites
    assert "served" not in {s.objective_id for s in said.certificate.stages}
    rows = siting.sentences(said.findings, "en")
    rows = rows[rows["reason_id"] == "served_not_said"]["sentence"]
    assert len(rows) == 2
    assert all("some of the elders" in sentence for sentence in rows)
    half = {"elders_destitute": people["elders_destitute"]}
    some = ask(road, half)
    assert set(some.figures.served.index) == {"regional_home"}


def test_beds_are_for_those_whom_homes_are_for():
    road, people = road_of(3)
    homes = dict.fromkeys(("regional_home", "township_home", "county_welfare_home"), "elders_destitute")
    frames = road.frames()
    for column, of in people.items():
        frames["demand"][column] = [of[v] for v in frames["demand"].index]
    for name in ("facilities", "candidates"):
        frames[name]["beds"] = 500.0
    plan = planned(**frames, policy=policy(homes), times=road.times(), beds_per_elder=0.5)
    there = plan.best.figures.beds
    own = dict.fromkeys(("A", "B"), 0.0)
    for v, (x, _) in road.villages.items():
        own[UNITS[road.unit_at(x)][1]] += 0.5 * people["elders_destitute"][v]
    assert dict(there["needed"]) == pytest.approx(own)


def test_access_to_homes_counts_those_they_are_for():
    road, people = road_of(5)
    frames = road.frames()
    frames["demand"]["elders_destitute"] = [people["elders_destitute"][v] for v in frames["demand"].index]
    by_unit = coverage.coverage_by_unit(
        frames["units"], frames["facilities"], frames["demand"], road.times()["regional_home"],
        policy=policy(), kind="regional_home",
    )  # fmt: skip
    for unit, (kind, _, a, b) in UNITS.items():
        mine = {v: x for v, (x, _) in road.villages.items() if a <= x < b}
        assert by_unit.loc[unit, "elders"] == sum(people["elders_destitute"][v] for v in mine)
        near = [v for v, x in mine.items() if abs(x - 115.0) <= REACH["regional_home"][kind]]
        assert by_unit.loc[unit, "elders_covered"] == sum(people["elders_destitute"][v] for v in near)


def test_a_kind_whose_access_the_rates_count_serves_whom_the_readings_say():
    data = POLICY.model_dump()
    data["kinds"]["service_centre"]["serves"] = "elders_destitute"
    with pytest.raises(ValidationError, match=r"readings\.elders"):
        type(POLICY).model_validate(data)
    data["kinds"]["service_centre"]["serves"] = None
    data["kinds"]["regional_home"]["serves"] = "elders_destitute"
    assert type(POLICY).model_validate(data).kind("regional_home").serves == "elders_destitute"


def test_every_subset_of_sites_is_counted_alike():
    road, people = road_of(7)
    plan = ask(road, people)
    for sites in chain.from_iterable(combinations(sorted(road.candidates), n) for n in (0, 1)):
        if sites:
            again = ask(road, people, require=sites)
            assert again.figures.served["within"].sum() == worth(road, people, again.sites)[0]
    assert plan.figures.served["within"].sum() == worth(road, people, plan.sites)[0]
