"""Spread known totals of elders over villages so that sums stay exact, and carry them to a later year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage.errors import FrameError, InputError, UnknownIdError, some

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from pandas import Series

COUNTS = ("elders", "elders_65", "elders_80", "households")


def spread(
    demand: GeoDataFrame,
    totals: Series,
    *,
    column: str = "elders",
    by: str = "unit_id",
    weights: Series | None = None,
    at_most: Series | None = None,
) -> GeoDataFrame:
    """Return `demand` with the `totals` of units or counties spread over their villages; sums are exact.

    Parameters
    ----------
    demand
        Demand frame; `by` says to which total each village belongs.
    totals
        Whole numbers of persons, indexed by the ids in `by` (census by township or by county).
    column
        The column of `demand` to fill: ``"elders"``, ``"elders_65"``, ``"elders_80"`` or ``"households"``.
    by
        ``"unit_id"`` or ``"county_id"``.
    weights
        Indexed like `demand`, 0 or more: settled area, or persons of another age; None spreads evenly.
    at_most
        Indexed like `demand`: so many at most in each village, such as its elders when those of 80 and more are spread. Kept
        in every group whose most add up to its total or more.

    Returns
    -------
    spread
        Same index; `column` holds whole numbers that sum to each total (largest remainder, ties to the lowest id).

    Raises
    ------
    UnknownIdError
        If a total names an id without villages.
    FrameError
        If totals are no whole numbers of 0 or more, or weights are negative, missing or all 0 where a total is not.
    """
    ids = demand[by].astype(object)
    numbers = pd.to_numeric(totals, errors="coerce").astype("float64")
    wrong = ~(np.isfinite(numbers) & (numbers >= 0) & (numbers == np.floor(numbers)))
    if wrong.any():
        raise FrameError("totals", [f"must be whole numbers, 0 or more: {some(numbers.index[wrong])}"])
    unknown = sorted(set(map(str, totals.index)) - set(ids.dropna().map(str)))
    if unknown:
        raise UnknownIdError(f"totals: no village belongs to {some(unknown)}; check the column '{by}'")
    shares = (
        pd.Series(1.0, index=demand.index)
        if weights is None
        else weights.reindex(demand.index).astype("float64")
    )
    bad = ~(np.isfinite(shares) & (shares >= 0))
    if bad.any():
        raise FrameError("weights", [f"must be finite numbers, 0 or more: {some(demand.index[bad])}"])
    result = (
        pd.to_numeric(demand[column]).astype("float64")
        if column in demand.columns
        else pd.Series(np.nan, index=demand.index)
    )
    result = result.copy()
    for group_id, total in numbers.sort_index().items():
        members = demand.index[ids == group_id].sort_values()
        if total > 0 and shares[members].sum() == 0:
            raise FrameError("weights", [f"are all 0 where there are {total:.0f} persons: {group_id}"])
        most = None if at_most is None else at_most[members].to_numpy(dtype="float64")
        result[members] = apportioned(int(total), shares[members].to_numpy(), most)
    return demand.assign(**{column: result})


def apportioned(
    total: int, weights: NDArray[np.float64], at_most: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return whole numbers in proportion to `weights` that sum to `total`: largest remainder, ties to the first.

    None is above `at_most`, where these can hold the total; what goes beyond one goes to the next by remainder.
    """
    if total == 0 or not len(weights):
        return np.zeros(len(weights))
    exact = total * weights / weights.sum()
    room = np.full(len(weights), np.inf) if at_most is None else np.floor(at_most)
    if room.sum() < total:
        room = np.full(len(weights), np.inf)
    whole = np.minimum(np.floor(exact), room)
    # a stable sort gives ties to the first, whatever the machine
    order = np.argsort(-(exact - np.floor(exact)).round(9), kind="stable")
    left = total - int(whole.sum())
    while left > 0:
        taking = order[whole[order] < room[order]][:left]
        whole[taking] += 1
        left -= len(taking)
    return np.asarray(whole)


def project(demand: GeoDataFrame, *, years: int, growth: float | Mapping[str, float]) -> GeoDataFrame:
    """Return `demand` with its elders carried `years` ahead by a stated yearly growth.

    Parameters
    ----------
    demand
        Demand frame.
    years
        Whole years from the data's year to the target year, 0 or more.
    growth
        Yearly growth as a share (0.03 is 3 %), for all of ``"elders"``, ``"elders_65"``, ``"elders_80"``, or by column.

    Returns
    -------
    projected
        Same index; the named columns times (1 + growth) to the power of `years`, not rounded.

    Raises
    ------
    InputError
        If `years` is negative, or a growth is no share between -0.2 and 0.2.
    """
    rates = dict.fromkeys(COUNTS[:3], growth) if isinstance(growth, int | float) else dict(growth)
    if years < 0 or int(years) != years:
        raise InputError(f"years = {years}: say whole years, 0 or more")
    for column, rate in rates.items():
        if column not in COUNTS:
            raise InputError(f"growth: there is no column '{column}'; there are: {', '.join(COUNTS)}")
        if not (isinstance(rate, int | float) and -0.2 <= rate <= 0.2):
            raise InputError(
                f"growth of {column} is {rate}: say a share a year between -0.2 and 0.2, such as 0.03"
            )
    columns = {
        c: pd.to_numeric(demand[c]) * (1 + float(r)) ** years for c, r in rates.items() if c in demand.columns
    }
    return demand.assign(**columns)
