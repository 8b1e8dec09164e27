"""Find the fewest or cheapest beds to turn into nursing beds, so that every share the policy asks for is met."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage import coverage
from sy_coverage.errors import InputError, some
from sy_coverage.policy.standards import exact
from sy_coverage.policy.targets import BedShare

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from sy_coverage.policy import Policy


def nursing_bed_conversions(
    homes: DataFrame, *, policy: Policy, cost_per_bed: float | Mapping[str, float] = 0.0
) -> DataFrame:
    """Return how many beds of each home to turn into nursing beds, at the least cost, then with the fewest beds.

    The share must hold where the policy's target says: in every county, over the whole area, or both. What a county asks
    for is taken from its cheapest beds first, what is then lacking over the whole area from the cheapest that are left:
    because the counties lie within the area, no other choice costs less (Edmonds 1971, greedy on nested sets). Of equal
    homes the first id gives its beds first.

    Parameters
    ----------
    homes
        Open homes, indexed by `facility_id`, with `kind`, `county_id`, `beds`, `nursing_beds` (whole numbers). Only kinds
        that the policy's reading counts take part; where more nursing beds than beds are listed, or either is missing,
        the home is left out of the count and says so.
    policy
        Its target on nursing beds says the share and the places.
    cost_per_bed
        10⁴ yuan to convert one bed: one number, or one by `facility_id`.

    Returns
    -------
    conversions
        Indexed by `facility_id`, sorted: `county_id`, `beds`, `nursing_beds`, `convert` (beds; missing where unknown),
        `cost` (10⁴ yuan), `basis` (``known`` or ``unknown``). Empty where no home counts.

    Raises
    ------
    InputError
        If the policy asks for no share of nursing beds, beds are no whole numbers, or a price is missing or negative.
    """
    target = next((t for t in policy.targets if isinstance(t.measure, BedShare)), None)
    if target is None or target.value is None or not isinstance(target.measure, BedShare):
        raise InputError(f"policy {policy.id}: no target asks for a share of nursing beds")
    share = exact(target.value)
    homes = coverage.without_rebuilt(homes, policy)
    counted = homes[homes["kind"].isin(policy.bed_kinds(target.measure))].sort_index()
    beds, nursing = (_whole(counted, c) for c in ("beds", "nursing_beds"))
    known = beds.notna() & nursing.notna() & (nursing <= beds)
    price = _prices(cost_per_bed, counted.index[known])
    order = sorted(counted.index[known], key=lambda i: (price[i], i))
    have, nursed = (
        dict(zip(counted.index[known], of[known].astype(int), strict=True)) for of in (beds, nursing)
    )
    county = dict(zip(counted.index, counted["county_id"], strict=True))
    convert = dict.fromkeys(order, 0)
    places: list[list[str]] = []
    if target.scope != "city":
        named = sorted({county[i] for i in order if pd.notna(county[i])})
        places += [[i for i in order if county[i] == c] for c in named]
    if target.scope in {"city", "city_and_county"}:
        places.append(order)
    for place in places:
        asked = share * sum(have[i] for i in place) - sum(nursed[i] + convert[i] for i in place)
        lacking = max(0, ceil(asked))
        for i in place:
            more = min(lacking, have[i] - nursed[i] - convert[i])
            convert[i] += more
            lacking -= more
    cost = {i: float(price[i] * convert[i]) for i in order}
    return pd.DataFrame(
        {
            "county_id": counted["county_id"],
            "beds": beds,
            "nursing_beds": nursing,
            "convert": pd.array([convert.get(i) for i in counted.index], dtype="Int64"),
            "cost": [cost.get(i, np.nan) for i in counted.index],
            "basis": np.where(known, "known", "unknown"),
        },
        index=counted.index.rename("facility_id"),
    )


def _whole(homes: DataFrame, column: str) -> Series:
    values = pd.to_numeric(homes[column]).astype("float64")
    wrong = values.notna() & ((values < 0) | (values != np.floor(values)) | np.isinf(values))
    if wrong.any():
        raise InputError(f"homes: {column} must be whole numbers of beds: {some(homes.index[wrong])}")
    return values


def _prices(given: float | Mapping[str, float], ids: Any) -> dict[str, Fraction]:
    """Return the price of a bed of each home, exact as it is written."""
    named = given if isinstance(given, Mapping) else dict.fromkeys(ids, given)
    missing = [i for i in ids if i not in named]
    if missing:
        raise InputError(f"cost_per_bed: no price for {some(missing)}")
    wrong = [i for i in ids if not (np.isfinite(named[i]) and named[i] >= 0)]
    if wrong:
        raise InputError(f"cost_per_bed: must be finite and 0 or more: {some(wrong)}")
    exactly = {value: Fraction(str(value)) for value in {named[i] for i in ids}}
    return {i: exactly[named[i]] for i in ids}
