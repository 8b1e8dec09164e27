"""Follow the chain of referral home by home, and name the centres that bring nobody within the cutoff."""

from __future__ import annotations

import pandas as pd
import pytest

from sy_coverage import siting
from sy_coverage.errors import InputError
from sy_coverage.roads import TravelTimes
from tests.siting.policy_toys import Road, planned, policy_of
from tests.siting.test_policy_choices import choosy_road, seeds

UNITS = {"u1": ("street", "A", 0.0, 20.0), "u2": ("township", "A", 20.0, 50.0)}
ROAD = Road(
    UNITS,
    {"v1": (12.0, 100), "v2": (22.0, 200)},
    {"f": ("service_centre", 15.0), "h": ("regional_home", 40.0)},
    {
        "c": ("service_centre", 30.0, 10.0),
        "d": ("dementia_unit", 5.0, 4.0),
        "r": ("regional_home", 6.0, 20.0),
    },
    homes=2,
)


def table(rows: dict[str, dict[str, float]]) -> TravelTimes:
    """Return minutes from demand points (keys) to sites (keys of the rows); a pair that is missing is beyond the times."""
    return TravelTimes.from_long(
        pd.DataFrame(
            [(s, d, m) for d, of in rows.items() for s, m in of.items()],
            columns=["site_id", "demand_id", "minutes"],
        )
    )


def test_the_chain_goes_by_the_nearest_medical_institution_and_on_to_the_county_s():
    plan = planned(**ROAD.frames(), policy=policy_of(homes=2), times=ROAD.times())
    assert plan.sites == ("c", "d", "r")
    to_medical = table({"r": {"m1": 12.0, "m2": 9.0}, "h": {"m1": 7.0, "m2": 7.0}})
    to_county = table({"m1": {"k1": 30.0, "k2": 25.0}, "m2": {"k1": 18.0}, "r": {"k1": 20.0}})
    chain = siting.referral_chain(plan, to_medical=to_medical, to_county=to_county)
    assert list(chain.index) == ["h", "r"]
    # r: m2 is nearer (9), from there k1 (18); h: both 7 minutes, the first id, from there k2 (25)
    assert chain.loc["r", ["medical_id", "institution_id"]].tolist() == ["m2", "k1"]
    assert chain.loc["h", ["medical_id", "institution_id"]].tolist() == ["m1", "k2"]
    assert chain["chain_min"].to_dict() == {"h": 32.0, "r": 27.0}
    assert chain["planned"].to_dict() == {"h": False, "r": True}
    assert chain.loc["r", "direct_min"] == 20.0
    assert pd.isna(chain.loc["h", "direct_min"])
    with pytest.raises(InputError, match="to_medical"):
        siting.referral_chain(plan, to_county=to_county)


def test_a_centre_that_brings_nobody_near_says_for_which_target_it_is_in():
    plan = planned(**ROAD.frames(), policy=policy_of(homes=2), times=ROAD.times())
    # v1 is 3 and v2 7 minutes from f: c brings nobody, but the township must have a centre
    idle = siting.idle_centres(plan)
    assert list(idle.index) == ["c"]
    assert idle.loc["c"].to_dict() == {
        "cost": 10.0,
        "why": "targets",
        "targets": ("township_centre_coverage",),
        "units": ("u2",),
    }
    asked = planned(**ROAD.frames(), policy=policy_of(homes=2), times=ROAD.times(), require=("c",))
    assert siting.idle_centres(asked).loc["c", "why"] == "required"


@pytest.mark.parametrize("seed", seeds(4, 100))
def test_no_other_centre_can_leave_without_losing_an_elder(seed):
    road = choosy_road(seed)
    plan = planned(**road.frames(), policy=policy_of(homes=1), times=road.times())
    if plan.status == "infeasible":
        return
    idle = set(siting.idle_centres(plan).index)
    reached = -road.value(plan.sites)[2]
    for site in plan.sites:
        if road.kind_of(site) == "service_centre":
            left = -road.value(tuple(s for s in plan.sites if s != site))[2]
            assert (site in idle) == (left == reached)
