"""Hold the plan of several futures against every set of sites: what it costs at most, what it reaches, what it costs more."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from sy_coverage import siting
from sy_coverage.errors import CertificateError, InputError
from tests.siting.policy_toys import Road, policy_of
from tests.siting.test_policy_choices import choosy_road, seeds

NAMES = ("as calibrated", "flooded", "2035, dearer")


def futures_of(seed: int) -> dict[str, Road]:
    """Return the same sites with slower roads (longer ways, told as a stretched road), and with other people and prices."""
    rng, road = np.random.default_rng(seed), choosy_road(seed)
    stretch = float(rng.choice([1.3, 1.6]))
    slow = replace(
        road,
        units={u: (k, c, a * stretch, b * stretch) for u, (k, c, a, b) in road.units.items()},
        villages={v: (km * stretch, e) for v, (km, e) in road.villages.items()},
        candidates={s: (k, km * stretch, cost) for s, (k, km, cost) in road.candidates.items()},
    )
    later = replace(
        road,
        villages={v: (km, int(e * rng.uniform(0.4, 1.6))) for v, (km, e) in road.villages.items()},
        candidates={
            s: (k, km, round(cost * float(rng.uniform(0.8, 1.2)), 1))
            for s, (k, km, cost) in road.candidates.items()
        },
    )
    return dict(zip(NAMES, (road, slow, later), strict=True))


def case_of(road: Road, rule: str = "access") -> siting.PlanCase:
    rules = siting.PlanRules(rule=rule)  # type: ignore[arg-type]
    return siting.read_case(**road.frames(), policy=policy_of(homes=1), times=road.times(), rules=rules)


def every(futures: dict[str, Road]) -> dict[tuple[str, ...], list[tuple[float, float]]]:
    """Return cost and elders in each future of every set of sites that meets all targets in all of them."""
    ids, found = sorted(next(iter(futures.values())).candidates), {}
    for n in range(len(ids) + 1):
        for sites in combinations(ids, n):
            values = []
            for road in futures.values():
                value = road.value(sites, rule="access")
                if value is None or value[0]:
                    break
                values.append((value[1], -value[2]))
            else:
                found[sites] = values
    return found


@pytest.mark.parametrize("seed", seeds(4, 150))
def test_no_set_of_sites_that_holds_in_all_futures_costs_less_in_the_dearest(seed):
    futures = futures_of(seed)
    plans, plan = every(futures), siting.robust_plan({n: case_of(r) for n, r in futures.items()})
    if not plans:
        assert (plan.status, plan.sites, plan.objective) == ("infeasible", (), None)
        return
    ids = sorted(next(iter(futures.values())).candidates)
    best = min(
        (round(max(c for c, _ in v), 6), -sum(e for _, e in v), sum(ids.index(i) + 1 for i in s), s)
        for s, v in plans.items()
    )
    assert plan.status == "optimal"
    assert plan.sites == best[3]
    assert [s.value for s in plan.stages] == pytest.approx([best[0], -best[1], best[2]])
    assert set(plan.verify()) == set(NAMES)
    for name, road in futures.items():
        row = plan.futures.loc[name]
        assert row["own_cost"] == pytest.approx(road.best(rule="access")[1][0])
        assert row["price"] == pytest.approx(row["cost"] - row["own_cost"])
        assert row["price"] >= -1e-9
    assert set(plan.stays.index[plan.stays["robust"]]) == set(plan.sites)
    for site, row in plan.stays.iterrows():
        assert row["futures"] == sum(site in own.sites for own in plan.own.values())


def test_one_future_is_the_plan_of_it():
    case = case_of(choosy_road(1))
    plan, alone = siting.robust_plan({"only": case}), siting.plan_case(case)
    assert plan.objective == alone.objective
    assert plan.futures.loc["only", "elders_covered"] == alone.figures.elders_covered


def test_a_plan_that_says_otherwise_of_a_future_is_caught():
    plan = siting.robust_plan({n: case_of(r) for n, r in futures_of(0).items()})
    assert plan.objective is not None
    with pytest.raises(CertificateError):
        replace(plan, sites=plan.sites[1:]).verify()
    with pytest.raises(CertificateError):
        replace(plan, futures=plan.futures.assign(cost=plan.futures["cost"] + 1)).verify()


def test_what_is_no_set_of_futures_is_refused():
    road = choosy_road(0)
    with pytest.raises(InputError, match="one future"):
        siting.robust_plan({})
    fewer = replace(road, candidates={k: v for k, v in road.candidates.items() if k != "c0"})
    with pytest.raises(InputError, match="c0"):
        siting.robust_plan({"a": case_of(road), "b": case_of(fewer)})
    with pytest.raises(InputError, match="slack"):
        siting.robust_plan({"a": case_of(road).but(slack=0.1)})
    with pytest.raises(InputError, match="required, but barred"):
        siting.robust_plan({"a": case_of(road).but(require=("c0",)), "b": case_of(road).but(forbid=("c0",))})
