"""The rules a planner may add to a policy plan, each against every subset of small random problems."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from math import ceil, inf

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sy_coverage import siting
from sy_coverage.errors import CertificateError, InputError
from sy_coverage.roads import TravelTimes
from sy_coverage.siting import Criteria, verify
from tests.siting.policy_toys import CUTOFF, POLICY, Road, planned

FEW = settings(max_examples=max(12, settings().max_examples // 5))
"""Every example solves a plan and tries every subset; the nightly run tries hundreds."""
WALK = 3
RATE = 0.1
PRICE = 1.5
KINDS = ("service_centre", "dementia_unit", "regional_home", "station", "village_station", "township_home")
SITES = (
    "county_dementia_unit",
    "county_regional_home",
    "street_centre_coverage",
    "township_centre_coverage",
)


def policy_with(*ids: str, homes: int = 0, dementia: int = 1, shown: int = 1, base: str = "destitute_homes"):
    values = {
        "county_regional_home": float(homes),
        "county_dementia_unit": float(dementia),
        "urban_demo_sites": float(shown),
    }
    kept = [t for t in POLICY.targets if t.id in {*SITES, *ids}]
    kept = [t.model_copy(update={"value": values.get(t.id, t.value)}) for t in kept]
    readings = POLICY.readings.model_copy(update={"nursing_bed_base": base})
    return POLICY.model_copy(update={"targets": tuple(kept), "readings": readings})


def times_of(road: Road) -> dict[str, TravelTimes]:
    every, found = road.kilometres(), {}
    for kind in KINDS:
        sites = [i for i in every if road.kind_of(i) == kind]
        table = {s: {v: abs(km - every[s]) for v, (km, _) in road.villages.items()} for s in sites}
        frame = pd.DataFrame(table, index=list(road.villages), columns=sites, dtype=float)
        found[kind] = TravelTimes.from_matrix(frame)
    return found


def ask(road: Road, policy, *, facilities: dict | None = None, demand: dict | None = None, **options):
    frames = road.frames()
    for name, extra in (("facilities", facilities), ("demand", demand)):
        for column, values in (extra or {}).items():
            frames[name][column] = pd.Series(values, dtype=object).reindex(frames[name].index)
            if column in {"households", "beds", "nursing_beds", "floor_area_m2"}:
                frames[name][column] = pd.to_numeric(frames[name][column])
    for column in {"beds", "nursing_beds", "floor_area_m2"} & set(road.extra):
        frames["candidates"][column] = pd.to_numeric(frames["candidates"][column])
    return planned(**frames, policy=policy, times=times_of(road), **options)


def best(road: Road, allowed, price=lambda sites: 0.0):
    """Return the least cost of all subsets that lack nothing and are `allowed`; None where there is none."""
    costs = []
    for n in range(len(road.candidates) + 1):
        for sites in combinations(sorted(road.candidates), n):
            value = road.value(sites)
            if value is not None and value[0] == 0 and allowed(sites):
                costs.append(value[1] + price(sites))
    return min(costs, default=None)


def same(plan, least) -> None:
    if least is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(least, abs=1e-9)
    assert verify(plan).objective == plan.objective


UNITS = {"T1": ("township", "A", 0.0, 10.0), "T2": ("township", "A", 10.0, 20.0)}


@st.composite
def roads(draw, kinds: tuple[str, ...], most: int = 7, standing: tuple[str, ...] = ()) -> Road:
    spots = st.integers(0, 19).map(lambda k: k + 0.5)
    villages = {f"v{n}": (draw(spots), draw(st.integers(0, 9)) * 10) for n in range(draw(st.integers(1, 4)))}
    candidates = {
        f"c{n}": (draw(st.sampled_from(kinds)), draw(spots), float(draw(st.integers(1, 9))))
        for n in range(draw(st.integers(1, most)))
    }
    facilities = {
        f"f{n}": (draw(st.sampled_from(standing)), draw(spots))
        for n in range(draw(st.integers(0, 2)) if standing else 0)
    }
    candidates["d"] = ("dementia_unit", 5.5, 1.0)
    return Road(UNITS, villages, facilities, candidates, homes=0)


# --- centre and stations ------------------------------------------------------------------------------------------------


def served(road: Road, sites, clusters: dict[str, str] | None = None) -> bool:
    km, clusters = road.kilometres(), clusters or {}
    for centre in (s for s in sites if road.kind_of(s) == "service_centre"):
        unit = road.unit_at(km[centre])
        stations = [
            s
            for s in (*road.facilities, *sites)
            if road.kind_of(s) in {"station", "village_station"} and road.unit_at(km[s]) == unit
        ]
        people = [v for v, (x, e) in road.villages.items() if e and road.unit_at(x) == unit]
        reached = {
            clusters.get(v, v) for v in people for s in stations if abs(km[s] - road.villages[v][0]) <= WALK
        }
        if {clusters.get(v, v) for v in people} - reached:
            return False
    return True


@given(
    roads(
        ("service_centre", "service_centre", "station", "village_station", "dementia_unit"),
        standing=("station", "service_centre"),
    ),
    st.booleans(),
)
@FEW
def test_a_new_centre_opens_only_with_stations_near_every_village_cluster(road: Road, together: bool):
    names = {v: f"cluster of {road.unit_at(km)}" for v, (km, _) in road.villages.items()} if together else {}
    plan = ask(road, policy_with(), station_walk_min=WALK, demand={"cluster_id": names})
    same(plan, best(road, lambda sites: served(road, sites, names)))
    if plan.status == "optimal":
        assert "stations" in plan.certificate.rules


def test_a_centre_without_any_station_in_the_walk_is_said_so():
    road = Road(
        UNITS, {"v": (2.5, 10)}, {}, {"c": ("service_centre", 2.5, 1.0), "s": ("station", 9.5, 1.0)}, homes=0
    )
    plan = ask(road, policy_with(dementia=0), station_walk_min=WALK)
    assert plan.status == "infeasible"
    said = siting.sentences(plan.findings, "en")
    row = said[said["reason_id"] == "no_station_in_walk"].iloc[0]
    assert row["subject"] == "T1"
    assert row["places"] == ("v",)
    assert row["sentence"].startswith("No centre can open in T1: 1 village clusters")


def test_villages_within_a_stones_throw_of_each_other_form_one_cluster():
    road = Road(
        UNITS, {"a": (1.5, 1), "b": (2.4, 1), "c": (5.5, 1), "d": (10.5, 1), "e": (9.9, 1)}, {}, {}, homes=0
    )
    frames = road.frames()
    clusters = siting.village_clusters(frames["demand"], frames["units"], within_m=1000)
    # a and b are 900 m apart; d and e 600 m, but of two units
    assert clusters.to_dict() == {"a": "a", "b": "a", "c": "c", "d": "d", "e": "e"}
    with pytest.raises(InputError, match="within_m"):
        siting.village_clusters(frames["demand"], frames["units"], within_m=-1)


# --- floor area -----------------------------------------------------------------------------------------------------------


@given(
    roads(("service_centre", "station"), most=6),
    st.lists(st.sampled_from([None, 100.0, 300.0, 400.0]), min_size=8, max_size=8),
    st.lists(st.integers(0, 4), min_size=4, max_size=4),
)
@FEW
def test_a_station_too_small_for_its_households_is_barred(road: Road, areas, households):
    floor = {c: areas[n] for n, c in enumerate(sorted(road.candidates))}
    homes = {v: households[n] * 500.0 for n, v in enumerate(road.villages)}
    road = replace(road, extra={"floor_area_m2": floor})

    def asked(site: str) -> float:
        km = road.kilometres()[site]
        own = [v for v, (x, _) in road.villages.items() if road.unit_at(x) == road.unit_at(km)]
        near = min(own, key=lambda v: (abs(road.villages[v][0] - km), v), default=None)
        return max(300.0, homes[near] * 20 / 100 if near else 0.0)

    def large(sites) -> bool:
        return not any(
            road.kind_of(s) == "station" and floor[s] is not None and floor[s] < asked(s) for s in sites
        )

    options = {"station_walk_min": WALK, "demand": {"households": homes}}
    policy = policy_with("old_estate_floor_area")
    same(ask(road, policy, floor_area="bar", **options), best(road, lambda s: large(s) and served(road, s)))
    flagged = ask(road, policy, **options)
    same(flagged, best(road, lambda s: served(road, s)))
    if flagged.status == "optimal":
        said = flagged.findings[flagged.findings["reason_id"] == "floor_area_small"]
        assert set(said["subject"]) == {s for s in flagged.sites if not large((s,))}


# --- beds -----------------------------------------------------------------------------------------------------------------


def housed(road: Road, sites, beds: dict[str, float], share: str = "1") -> bool:
    """Hall's condition: every set of villages finds as many beds in its reach as it needs, but for the share that may go without."""
    km = road.kilometres()
    homes = [i for i in (*road.facilities, *sites) if road.kind_of(i) in {"regional_home", "township_home"}]
    limit = {"regional_home": 60, "township_home": CUTOFF["township"]}
    people = [v for v, (_, e) in road.villages.items() if e]
    whole = sum(Fraction(road.villages[v][1]) * Fraction(str(RATE)) for v in people)
    for n in range(1, len(people) + 1):
        for some in combinations(people, n):
            need = sum(Fraction(road.villages[v][1]) * Fraction(str(RATE)) for v in some)
            near = {
                h for h in homes for v in some if abs(km[h] - road.villages[v][0]) <= limit[road.kind_of(h)]
            }
            if need - sum(Fraction(beds.get(h) or 0) for h in near) > (1 - Fraction(share)) * whole:
                return False
    return True


@given(
    roads(("regional_home", "township_home", "service_centre"), most=6, standing=("township_home",)),
    st.lists(st.integers(0, 9), min_size=8, max_size=8),
    st.integers(1, 3),
    st.sampled_from(["1", "1", "0.8", "0.5"]),
)
@FEW
def test_elders_find_the_beds_they_need_within_the_cutoff(road: Road, beds, stretch, share):
    # villages and homes up to 60 km apart, so that not everything is in reach
    def wide(km: float) -> float:
        return km * stretch

    units = {u: (k, c, a * stretch, b * stretch) for u, (k, c, a, b) in road.units.items()}
    road = Road(
        units,
        {v: (wide(km), e) for v, (km, e) in road.villages.items()},
        {f: (k, wide(km)) for f, (k, km) in road.facilities.items()},
        {c: (k, wide(km), cost) for c, (k, km, cost) in road.candidates.items()}
        | {"s1": ("service_centre", wide(1.5), 1.0), "s2": ("service_centre", wide(11.5), 1.0)},
        homes=0,
    )
    room = dict(zip([*road.candidates, *road.facilities], [float(b) for b in beds] * 2, strict=False))
    road = replace(road, extra={"beds": {c: room.get(c) for c in road.candidates}})
    plan = ask(
        road,
        policy_with("nursing_bed_share"),
        beds_per_elder=RATE,
        beds_share=float(share),
        facilities={"beds": {f: room[f] for f in road.facilities}},
    )
    least = best(road, lambda sites: housed(road, sites, room, share))
    same(plan, least)
    if least is None:
        assert "too_few_beds" in set(plan.findings["reason_id"])
    else:
        there = plan.figures.beds
        assert (there["short"] <= (1 - float(share)) * there["needed"] + 1e-6).all()
        unserved = plan.findings[plan.findings["reason_id"] == "no_bed_in_reach"]
        assert all(there.loc[row.subject, "short"] > 0 for row in unserved.itertuples())


# --- nursing beds -----------------------------------------------------------------------------------------------------------


@given(
    roads(("regional_home", "service_centre"), most=5, standing=("township_home",)),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=8, max_size=8),
    st.sampled_from(["destitute_homes", "destitute_and_regional_homes"]),
    st.integers(0, 1),
)
@FEW
def test_beds_are_converted_at_the_least_cost_together_with_the_sites(road: Road, numbers, base, homes):
    road = replace(
        road,
        homes=homes,
        candidates={
            **road.candidates,
            "s1": ("service_centre", 1.5, 1.0),
            "s2": ("service_centre", 11.5, 1.0),
        },
    )
    every = [*road.facilities, *road.candidates]
    beds = {i: (float(max(pair)), float(min(pair))) for i, pair in zip(every, numbers, strict=False)}
    column = {
        name: {i: beds[i][n] for i in road.candidates if i in beds}
        for n, name in enumerate(("beds", "nursing_beds"))
    }
    road = replace(road, extra=column)
    counted = {"township_home"} | ({"regional_home"} if base != "destitute_homes" else set())

    def price(sites) -> float:
        there = [beds[i] for i in (*road.facilities, *sites) if road.kind_of(i) in counted and i in beds]
        lacking = ceil(Fraction(3, 4) * int(sum(b for b, _ in there))) - int(sum(n for _, n in there))
        return PRICE * max(0, lacking)

    known = {f: beds[f] for f in road.facilities}
    plan = ask(
        road,
        policy_with("nursing_bed_share", homes=homes, base=base),
        conversion_cost=PRICE,
        facilities={
            name: {f: pair[n] for f, pair in known.items()} for n, name in enumerate(("beds", "nursing_beds"))
        },
    )
    same(plan, best(road, lambda sites: True, price))
    if plan.status == "optimal":
        assert plan.figures.conversion_cost == pytest.approx(price(plan.sites))


# --- demonstration sites ------------------------------------------------------------------------------------------------------


@given(
    roads(("station", "service_centre"), most=6, standing=("station", "service_centre")),
    st.lists(st.sampled_from([None, 200.0, 300.0]), min_size=10, max_size=10),
    st.integers(0, 3),
)
@FEW
def test_demonstration_sites_meet_the_criteria_and_are_near_most_elders(road: Road, areas, count):
    floor = dict(zip([*road.candidates, *road.facilities], areas, strict=False))
    road = replace(road, extra={"floor_area_m2": {c: floor[c] for c in road.candidates}})
    criteria = {"urban_demo_sites": Criteria(floor_area_m2=300.0)}
    plan = ask(
        road,
        policy_with("urban_demo_sites", shown=count),
        demonstration=criteria,
        facilities={"floor_area_m2": {f: floor[f] for f in road.facilities}},
    )

    def eligible(sites) -> list[str]:
        return [s for s in (*road.facilities, *sites) if road.kind_of(s) == "station" and floor[s] == 300.0]

    same(plan, best(road, lambda sites: len(eligible(sites)) >= count))
    if plan.status != "optimal" or not count:
        return
    km = road.kilometres()

    def near(chosen) -> int:
        return sum(
            e
            for x, e in road.villages.values()
            if min((abs(km[s] - x) for s in chosen), default=inf) <= CUTOFF["township"]
        )

    chosen = plan.figures.demonstration.index
    most = max(near(some) for some in combinations(eligible(plan.sites), count))
    assert len(chosen) == count
    assert near(chosen) == most
    assert plan.certificate.stages[-1].value == most


def test_a_plan_that_names_a_demonstration_site_which_is_none_is_caught():
    road = Road(
        UNITS,
        {"v": (2.5, 10)},
        {"f": ("station", 2.0), "g": ("station", 3.0)},
        {"c": ("service_centre", 2.5, 1.0), "k": ("service_centre", 12.5, 1.0)},
        homes=0,
    )
    area = {"floor_area_m2": {"f": 300.0, "g": 100.0}}
    plan = ask(
        road,
        policy_with("urban_demo_sites", dementia=0),
        demonstration={"urban_demo_sites": Criteria(floor_area_m2=300)},
        facilities=area,
    )
    assert list(plan.figures.demonstration.index) == ["f"]
    verify(plan)
    false = plan.figures.demonstration.rename(index={"f": "g"})
    with pytest.raises(CertificateError, match="demonstration:g"):
        verify(replace(plan, figures=replace(plan.figures, demonstration=false)))


def test_a_plan_that_converts_a_bed_too_few_is_caught():
    road = Road(
        UNITS,
        {"v": (2.5, 10)},
        {"f": ("township_home", 2.0)},
        {"c": ("service_centre", 2.5, 1.0), "k": ("service_centre", 12.5, 1.0)},
        homes=0,
    )
    beds = {"beds": {"f": 40.0}, "nursing_beds": {"f": 10.0}}
    plan = ask(road, policy_with("nursing_bed_share", dementia=0), conversion_cost=PRICE, facilities=beds)
    # ⌈0.75 · 40⌉ − 10 = 20 beds at 1.5, two centres at 1
    assert plan.objective == 32.0
    table = plan.figures.conversions.assign(convert=19)
    with pytest.raises(CertificateError, match="nursing_beds:A"):
        verify(replace(plan, figures=replace(plan.figures, conversions=table)))


def test_years_buy_conversions_with_what_sites_leave():
    road = Road(
        UNITS,
        {"v": (2.5, 10), "w": (12.5, 10)},
        {"f": ("township_home", 2.0)},
        {"c": ("service_centre", 2.5, 5.0), "k": ("service_centre", 12.5, 5.0)},
        homes=0,
    )
    beds = {"beds": {"f": 40.0}, "nursing_beds": {"f": 10.0}}
    policy = policy_with("nursing_bed_share", dementia=0)
    # 20 beds at 1.5 are 30, the two centres 10: 40 in all. With 20 and 21 both centres open at once, with 6 beds (9); 14 (21) follow
    short = ask(
        road,
        policy,
        conversion_cost=PRICE,
        facilities=beds,
        phases={2026: {"budget": 20}, 2027: {"budget": 19}},
    )
    assert short.status == "infeasible"
    plan = ask(
        road,
        policy,
        conversion_cost=PRICE,
        facilities=beds,
        phases={2026: {"budget": 20}, 2027: {"budget": 21}},
    )
    assert plan.status == "optimal"
    assert plan.figures.years["beds_converted"].to_list() == [6, 14]
    assert plan.figures.years["cost"].to_list() == [19.0, 21.0]
    assert verify(plan).rules["holds"].all()
    late = dict.fromkeys(plan.sites, 2027)
    with pytest.raises(CertificateError):
        verify(replace(plan, phase=late))
