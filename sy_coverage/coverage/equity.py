"""Measure how evenly something is shared among people: Gini, Theil, Palma, the Lorenz curve, and gaps between groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage._frames import require_ids
from sy_coverage.errors import InputError, some

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from pandas import DataFrame, Series

    Floats = NDArray[np.float64]


def lorenz(values: ArrayLike | Series, weights: ArrayLike | Series | None = None) -> DataFrame:
    """Return the Lorenz curve: what share of the total the worst-served share of people has.

    Parameters
    ----------
    values
        What each place's people have, such as beds a person: finite, 0 or more.
    weights
        How many people each place has. None: one each. A Series beside a Series goes by label, else by position.

    Returns
    -------
    curve
        `population_share` and `value_share`, both from 0 to 1, from the worst served on; one row for each different
        value, after (0, 0). The `value_share` is missing when nobody has anything.

    Raises
    ------
    InputError
        If values or weights are missing, negative, not finite, of different lengths, or there are no people.
    """
    people, amount = _accumulated(values, weights)
    total = amount[-1]
    share = amount / total if total > 0 else np.full_like(amount, np.nan)
    return pd.DataFrame({"population_share": people / people[-1], "value_share": share})


def gini(values: ArrayLike | Series, weights: ArrayLike | Series | None = None) -> float:
    """Return the Gini coefficient: 0 when all have the same, towards 1 when one has all; missing when nobody has anything.

    Half the mean difference between two people, over the mean: Σᵢⱼ wᵢwⱼ|xᵢ−xⱼ| / (2·W²·μ). Parameters and errors
    are those of `lorenz`.
    """
    curve = lorenz(values, weights)
    people, share = curve["population_share"].to_numpy(), curve["value_share"].to_numpy()
    area = np.sum(np.diff(people) * (share[1:] + share[:-1]))
    return float("nan") if np.isnan(area) else float(max(0.0, 1.0 - area))


def theil(values: ArrayLike | Series, weights: ArrayLike | Series | None = None) -> float:
    """Return Theil's T: Σᵢ wᵢ/W · xᵢ/μ · ln(xᵢ/μ), 0 when all have the same; missing when nobody has anything.

    A value of 0 adds 0. Parameters and errors are those of `lorenz`.
    """
    x, w = _people(values, weights)
    mean = np.sum(w * x) / np.sum(w)
    if mean == 0:
        return float("nan")
    ratio = x[x > 0] / mean
    return float(max(0.0, np.sum(w[x > 0] * ratio * np.log(ratio)) / np.sum(w)))


def palma(values: ArrayLike | Series, weights: ArrayLike | Series | None = None) -> float:
    """Return the Palma ratio: what the best-served tenth has, over what the worst-served four tenths have.

    Read off the Lorenz curve by straight lines; 0.25 when all have the same, infinite when the worst-served have nothing,
    missing when nobody has anything. Parameters and errors are those of `lorenz`.
    """
    curve = lorenz(values, weights)
    low, high = np.interp([0.4, 0.9], curve["population_share"], curve["value_share"])
    if np.isnan(low):
        return float("nan")
    return float((1 - high) / low) if low > 0 else float("inf")


def gap(
    values: ArrayLike | Series, groups: ArrayLike | Series, weights: ArrayLike | Series | None = None
) -> DataFrame:
    """Return the mean of every group, weighted by people, and how far each lies from the mean of all.

    Parameters
    ----------
    values
        As in `lorenz`.
    groups
        Which group each place is in, such as its county, or street and township.
    weights
        As in `lorenz`.

    Returns
    -------
    gap
        Indexed by `group`, sorted: `people`, `mean` (missing in a group without people), `difference` from the mean of all, and
        `ratio` to it.

    Raises
    ------
    InputError
        As in `lorenz`, and if a place has no group.
    """
    if isinstance(values, pd.Series) and isinstance(groups, pd.Series):
        groups = groups.reindex(values.index)
    given: Any = pd.Series(np.asarray(groups, dtype=object))
    x, w = _aligned(values, weights)
    if len(given) != len(x) or given.isna().any():
        raise InputError("groups: give every place its group")
    frame = pd.DataFrame({"group": given, "people": w, "amount": w * x})
    sums = frame.groupby("group", sort=True)[["people", "amount"]].sum()
    mean = sums["amount"] / sums["people"].where(sums["people"] > 0)
    overall = sums["amount"].sum() / sums["people"].sum()
    ratio = mean / overall if overall > 0 else mean * float("nan")
    return pd.DataFrame(
        {"people": sums["people"], "mean": mean, "difference": mean - overall, "ratio": ratio}
    )


def equity_table(scores: Series, demand: DataFrame, units: DataFrame, *, elders: str = "elders") -> DataFrame:
    """Return how evenly a score is shared among elders: in all, within each county, and within each class of unit.

    Parameters
    ----------
    scores
        One score a demand point, such as `two_step_fca` returns, indexed by `demand_id`.
    demand
        Every point of `scores`, with `unit_id` and the column `elders`; points outside every unit count in all only.
    units
        Indexed by `unit_id`, with `kind`, `county_id`.
    elders
        Which column of `demand` says how many people a point has.

    Returns
    -------
    table
        Index (`group`, `member`): (``all``, ``all``), (``county``, `county_id`) …, (``kind``, ``street``) …; columns `people`,
        `mean`, `ratio` (to the mean of all), `gini`, `theil`, `palma`. Groups without people are left out.

    Raises
    ------
    UnknownIdError
        If `demand` lacks a point of `scores`.
    InputError
        As in `lorenz`.
    """
    require_ids(scores.index, demand.index, "demand lacks points of the scores")
    frame = pd.DataFrame({"score": scores, "people": demand[elders].reindex(scores.index)})
    known = units[~units.index.duplicated()]
    unit = demand["unit_id"].reindex(scores.index)
    members = {"all": pd.Series("all", index=scores.index)}
    for group, column in (("county", "county_id"), ("kind", "kind")):
        members[group] = unit.map(known[column].to_dict())
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for group, member in members.items():
        for name, own in frame.groupby(member, sort=True):
            if own["people"].sum() > 0:
                rows[group, str(name)] = _shared_among(own["score"], own["people"])
    index = pd.MultiIndex.from_tuples(list(rows), names=["group", "member"])
    table = pd.DataFrame(list(rows.values()), index=index)
    overall = table["mean"].iloc[0]
    table.insert(2, "ratio", table["mean"] / overall if overall > 0 else float("nan"))
    return table


def _shared_among(scores: Series, people: Series) -> dict[str, float]:
    x, w = _people(scores, people)
    return {
        "people": float(w.sum()),
        "mean": float(np.sum(w * x) / w.sum()),
        "gini": gini(scores, people),
        "theil": theil(scores, people),
        "palma": palma(scores, people),
    }


def _aligned(values: ArrayLike | Series, weights: ArrayLike | Series | None) -> tuple[Floats, Floats]:
    """Return values and weights as arrays of the same order, checked."""
    if isinstance(values, pd.Series) and isinstance(weights, pd.Series):
        lacking = values.index.difference(weights.index)
        if len(lacking) or weights.index.has_duplicates:
            raise InputError(f"weights: must name every id of the values once; without: {some(lacking)}")
        weights = weights.reindex(values.index)
    x = np.asarray(values, dtype=np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    if x.ndim != 1 or x.shape != w.shape:
        raise InputError(
            f"values of shape {x.shape} do not fit weights of shape {w.shape}; give one weight each"
        )
    for what, numbers in (("values", x), ("weights", w)):
        wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
        if len(wrong):
            names = values.index[wrong] if isinstance(values, pd.Series) else wrong
            raise InputError(f"{what}: must be finite and 0 or more in rows {some(names)}")
    if not w.sum() > 0:
        raise InputError("weights: there are no people to share anything among")
    return x, w


def _people(values: ArrayLike | Series, weights: ArrayLike | Series | None) -> tuple[Floats, Floats]:
    """Return each different value once, from the lowest on, and how many people have it."""
    x, w = _aligned(values, weights)
    order = np.lexsort(
        (w, x)
    )  # sums of floats depend on their order; this one is the same for every row order
    distinct, place = np.unique(x[order], return_inverse=True)
    return distinct, np.bincount(place, weights=w[order]).astype(np.float64)


def _accumulated(values: ArrayLike | Series, weights: ArrayLike | Series | None) -> tuple[Floats, Floats]:
    x, w = _people(values, weights)
    return np.r_[0.0, np.cumsum(w)], np.r_[0.0, np.cumsum(w * x)]
