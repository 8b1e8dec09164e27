"""Hold plans against the scorecard of the facilities they leave, and against every choice tried one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pandas as pd
import pytest

from sy_coverage import coverage, siting
from sy_coverage.siting.planning.check.figures import count, opened_with
from tests.siting.policy_toys import POLICY, TARGETS, Road, planned, policy_of

UNITS = {
    "u1": ("street", "A", 0.0, 8.0),
    "u2": ("township", "A", 8.0, 20.0),
    "u3": ("township", "A", 20.0, 34.0),
    "u4": ("township", "B", 34.0, 50.0),
    "u5": ("street", "B", 50.0, 60.0),
}


def random_road(rng: np.random.Generator) -> Road:
    """Return two counties with homes, wards, rebuilt homes, sizes of one place and hosts in all sorts of ways."""
    villages = {
        f"v{i}": (float(x), int(e))
        for i, (x, e) in enumerate(
            zip(rng.uniform(0, 59.9, 9).round(1), rng.integers(1, 200, 9), strict=True)
        )
    }
    kinds = ["service_centre", "regional_home", "dementia_unit"]
    facilities = {
        f"f{i}": (str(rng.choice(kinds)), round(float(rng.uniform(0, 59.9)), 1))
        for i in range(rng.integers(2, 6))
    }
    candidates = {
        f"k{i}": (
            str(rng.choice(kinds)),
            round(float(rng.uniform(0, 59.9)), 1),
            float(rng.integers(1, 9) * 5),
        )
        for i in range(7)
    }
    homes = [i for i, (kind, _) in facilities.items() if kind == "regional_home"]
    rebuilt = [i for i, (kind, _, _) in candidates.items() if kind == "regional_home"]
    extra: dict[str, dict[str, object]] = {
        "dementia_ward": {},
        "upgrade_of": {},
        "group_id": {},
        "host_id": {},
    }
    for site in rebuilt[:2]:
        if homes and rng.random() < 0.7:
            home = str(rng.choice(homes))
            extra["upgrade_of"][site] = home
            kind, _, cost = candidates[site]
            candidates[site] = (kind, facilities[home][1], cost)
        elif rng.random() < 0.5:
            extra["dementia_ward"][site] = True
    wards = [i for i, (kind, _, _) in candidates.items() if kind == "dementia_unit"]
    for site in wards[:2]:
        if homes and rng.random() < 0.6:
            extra["host_id"][site] = str(rng.choice(homes))
    for site in rng.choice(list(candidates), 3, replace=False):
        extra["group_id"][str(site)] = "place"
    return Road(UNITS, villages, facilities, candidates, extra, homes=int(rng.integers(1, 3)))


def frames_of(road: Road, rng: np.random.Generator) -> dict:
    """Return the frames, some facilities with a dementia ward."""
    frames = road.frames()
    ward = {
        i: True for i, (kind, _) in road.facilities.items() if kind == "regional_home" and rng.random() < 0.5
    }
    frames["facilities"]["dementia_ward"] = pd.Series(ward, dtype=object).reindex(frames["facilities"].index)
    for name in ("facilities", "candidates"):  # else the scorecard cannot know which home was rebuilt
        frames[name]["premises"] = "new"
    return frames


def policy_for(road: Road, **readings):
    upgrades = next(t for t in POLICY.targets if t.id == "regional_home_upgrades")
    few = policy_of(homes=road.homes)
    here = upgrades.model_copy(update={"counties": ("A县",)})
    return few.model_copy(update={"targets": (*few.targets, here)}).with_readings(**readings)


def after(frames: dict, plan: siting.SitingPlan):
    """Return the facilities that stand when a plan is carried out."""
    opened = frames["candidates"].loc[list(plan.sites)].assign(status="open")
    kept = frames["facilities"].drop(list(plan.figures.closed))
    return pd.concat([kept, opened.rename_axis("facility_id")]).sort_index()


def seeds(landing: int, nightly: int) -> list:
    late = [pytest.param(s, marks=pytest.mark.nightly) for s in range(landing, nightly)]
    return [*range(landing), *late]


@pytest.mark.parametrize("seed", seeds(40, 1500))
def test_the_targets_of_a_plan_are_the_scorecard_of_the_facilities_it_leaves(seed):
    rng = np.random.default_rng(seed)
    road = random_road(rng)
    frames = frames_of(road, rng)
    readings = {
        "rebuilt": ["leaves", "stays"][seed % 2],
        "rule": str(rng.choice(["presence", "access", "both"])),
        "scope": str(rng.choice(["county", "city"])),
    }
    policy = policy_for(road, **readings)
    closable = [i for i in road.facilities if rng.random() < 0.4]
    plan = planned(**frames, policy=policy, times=road.times(), close=closable).best
    if plan.objective is None:
        return
    facilities = after(frames, plan)
    by_unit = coverage.coverage_by_unit(
        frames["units"], facilities, frames["demand"], road.times()["service_centre"], policy=policy
    )
    card = coverage.scorecard(
        frames["units"], facilities, by_unit, policy=policy, counties={"A": "A县", "B": "B县"}
    )
    for row in plan.figures.targets.itertuples():
        line = card.loc[(row.target_id, row.scope_id)]
        if pd.isna(line["value"]):  # a place without such a unit asks for nothing
            assert (row.needed, row.met) == (0, True)
            continue
        kind = {"street_centre_coverage": "street", "township_centre_coverage": "township"}.get(row.target_id)
        units = frames["units"]
        if kind is None:
            whole = 1
        else:
            inside = (units["county_id"] == row.scope_id) | (row.scope_id == "city")
            whole = int(((units["kind"] == kind) & inside).sum())
        assert round(line["value"] * whole) == row.reached, (row, line)
        assert bool(line["met"]) == row.met


def subsets(ids):
    return chain.from_iterable(combinations(ids, n) for n in range(len(ids) + 1))


@pytest.mark.parametrize("seed", seeds(14, 400))
def test_closing_forbidding_and_sizes_are_as_cheap_as_any_choice_that_is_tried(seed):
    rng = np.random.default_rng(1000 + seed)
    road = random_road(rng)
    frames = frames_of(road, rng)
    policy = policy_for(
        road, rebuilt=["leaves", "stays"][seed % 2], rule=["presence", "access"][seed // 2 % 2]
    )
    closable = sorted(i for i in road.facilities if rng.random() < 0.6)
    close = {i: float(rng.choice([-10, 0, 5, 40])) for i in closable}
    forbid = [str(i) for i in rng.choice(sorted(road.candidates), 1)]
    movers = [
        i for i, (kind, *_) in road.candidates.items() if any(kind == k for k, _ in road.facilities.values())
    ]
    move = {}
    if movers and rng.random() < 0.5:
        site = str(rng.choice(movers))
        if site not in road.extra["upgrade_of"]:
            kind = road.candidates[site][0]
            move = {site: next(i for i, (k, _) in road.facilities.items() if k == kind)}
    asked = {"close": close, "forbid": forbid, "move": move}
    plan = planned(**frames, policy=policy, times=road.times(), **asked)
    case = siting.read_case(**frames, policy=policy, times=road.times(), rules=siting.PlanRules(**asked))
    best = None
    for sites in subsets(sorted(road.candidates)):
        if set(sites) & set(forbid) or clash(road, sites):
            continue
        rebuilt = {road.extra["upgrade_of"][s] for s in sites if s in road.extra["upgrade_of"]}
        left = rebuilt if policy.readings.rebuilt == "leaves" else set()
        moved = {move[s] for s in sites if s in move}
        for shut in subsets([i for i in closable if i not in moved | left]):
            gone = {*shut, *moved, *left}
            opened = opened_by(case, sites, gone)
            if any(not hosted(road, s, sites, gone, left) for s in sites):
                continue
            counted = count(case, opened)
            if not counted.met:
                continue
            saved = sum(close.get(i, 0.0) for i in gone)
            cost = sum(road.candidates[s][2] for s in sites) - saved
            value = (cost, -counted.elders_covered)
            best = value if best is None or value < best else best
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert (plan.figures.cost, -plan.figures.elders_covered) == pytest.approx(best)
    assert siting.verify(plan).objective == plan.objective
    if plan.figures.closed:
        with pytest.raises(siting_error()):
            siting.verify(replace(plan, figures=replace(plan.figures, closed=())))


def siting_error():
    from sy_coverage.errors import CertificateError

    return CertificateError


def clash(road: Road, sites) -> bool:
    """Whether two sizes of one place, or two that rebuild one home as the same kind, are among `sites`."""
    groups = [road.extra["group_id"][s] for s in sites if s in road.extra["group_id"]]
    homes = [road.extra["upgrade_of"][s] for s in sites if s in road.extra["upgrade_of"]]
    return len(groups) != len(set(groups)) or len(homes) != len(set(homes))


def hosted(road: Road, site: str, sites, gone: set[str], left: set[str]) -> bool:
    host = road.extra["host_id"].get(site)
    return host is None or host not in gone or host in left


def opened_by(case, sites, gone: set[str]):
    kept = [h for h in case.movable if h not in gone]
    return opened_with(case, [*sites, *kept])


def test_the_toys_ask_for_what_sites_decide():
    assert set(TARGETS) <= {t.id for t in policy_for(random_road(np.random.default_rng(0))).targets}
