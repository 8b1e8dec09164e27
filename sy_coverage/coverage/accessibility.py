"""Score how well each demand point is served: what is near, how much of it, and how many share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage._frames import require_ids
from sy_coverage.errors import InputError, some
from sy_coverage.roads.travel_times import SLACK_MIN, within_cutoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray
    from pandas import DataFrame, Series

    from sy_coverage.roads.travel_times import TravelTimes

    Floats = NDArray[np.float64]

Decay = Literal["steps", "gaussian"] | Mapping[float, float]
"""How a minute more counts less: three steps, a Gaussian curve, or one's own steps ``{up to minutes: weight}``."""

STEP_WEIGHTS = (1.0, 0.68, 0.22)
"""Weights of the three equal thirds of the cutoff, as in Luo & Qi (2009)."""


def two_step_fca(
    times: TravelTimes, cutoff: float, *, supply: ArrayLike | Series, demand: ArrayLike | Series
) -> Series:
    """Return the two-step floating catchment area score of every demand point: supply per person in reach.

    First each site j shares its supply among all within its catchment, R_j = S_j / Σ_i P_i; then each point i adds what
    it can reach, A_i = Σ_j R_j. Σ_i P_i·A_i is the supply of all sites that have anybody in reach.

    Parameters
    ----------
    times
        Minutes between sites and demand.
    cutoff
        Minutes of the catchment, inclusive.
    supply
        Such as beds, by site: an array in the order of `times.site_ids`, or a Series by `site_id`.
    demand
        Such as elders, by point: an array in the order of `times.demand_ids`, or a Series by `demand_id`.

    Returns
    -------
    score
        Supply a person, indexed by `demand_id`; 0 where no site is in reach.

    Raises
    ------
    CutoffError
        If `cutoff` is longer than `times` holds.
    InputError
        If supply or demand is missing, negative, not finite, or of another length.
    UnknownIdError
        If a Series lacks an id of `times`.

    References
    ----------
    Luo W., Wang F. (2003): Measures of spatial accessibility to health care in a GIS environment.
    """
    weights = _ordered(times).within(cutoff).astype(np.float64)
    return _shared(times, weights, supply=supply, demand=demand, name="two_step_fca")


def enhanced_two_step_fca(
    times: TravelTimes,
    cutoff: float,
    *,
    supply: ArrayLike | Series,
    demand: ArrayLike | Series,
    decay: Decay = "steps",
) -> Series:
    """Return the enhanced 2SFCA score of every demand point: as `two_step_fca`, but a minute more counts less in both steps.

    R_j = S_j / Σ_i W_ij·P_i, A_i = Σ_j W_ij·R_j.

    Parameters
    ----------
    times, cutoff, supply, demand
        As in `two_step_fca`.
    decay
        ``steps``: weights 1, 0.68 and 0.22 for the three thirds of the cutoff; ``gaussian``: from 1 at 0 minutes to 0 at
        the cutoff; or steps of one's own, ``{10: 1.0, 20: 0.5}``, whose last must not lie beyond the cutoff.

    Returns
    -------
    score
        Supply a person, indexed by `demand_id`.

    Raises
    ------
    InputError
        As in `two_step_fca`, and if a step is no positive minute or its weight not in 0..1.

    References
    ----------
    Luo W., Qi Y. (2009): An enhanced two-step floating catchment area (E2SFCA) method. Dai D. (2010): Black residential
    segregation, disparities in spatial access to health care facilities (Gaussian decay).
    """
    weights = _decayed(times, cutoff, decay)
    return _shared(times, weights, supply=supply, demand=demand, name="enhanced_two_step_fca")


def three_step_fca(
    times: TravelTimes,
    cutoff: float,
    *,
    supply: ArrayLike | Series,
    demand: ArrayLike | Series,
    decay: Decay = "steps",
) -> Series:
    """Return the three-step FCA score of every demand point: sites in reach of the same people compete for them.

    First each point gives its people out among the sites in reach, G_ij = W_ij / Σ_k W_ik; then R_j = S_j / Σ_i G_ij·W_ij·P_i
    and A_i = Σ_j G_ij·W_ij·R_j. Parameters, result and errors are those of `enhanced_two_step_fca`.

    References
    ----------
    Wan N., Zou B., Sternberg T. (2012): A three-step floating catchment area method for analyzing spatial access to
    health services.
    """
    weights = _decayed(times, cutoff, decay)
    total = weights.sum(axis=0)
    split = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    chosen = weights.multiply(weights).multiply(split[None, :]).tocsr()
    return _shared(times, chosen, supply=supply, demand=demand, name="three_step_fca")


def cumulative_opportunities(
    times: TravelTimes, cutoff: float, *, supply: ArrayLike | Series | None = None
) -> Series:
    """Return how much is in reach of every demand point: the number of sites within `cutoff` minutes, or their supply.

    Indexed by `demand_id`. Parameters and errors are those of `two_step_fca`.
    """
    sites = _vector(np.ones(len(times.site_ids)) if supply is None else supply, times.site_ids, "supply")
    within = _ordered(times).within(cutoff).astype(np.float64)
    return _named(times, within.T @ sites, "cumulative_opportunities")


def gravity(
    times: TravelTimes,
    *,
    supply: ArrayLike | Series,
    decay_per_min: float,
    demand: ArrayLike | Series | None = None,
) -> Series:
    """Return the gravity score of every demand point, over all pairs that `times` holds: A_i = Σ_j S_j·exp(−b·t_ij).

    Parameters
    ----------
    times
        Minutes between sites and demand; pairs beyond its cutoff count nothing.
    supply
        By site, as in `two_step_fca`.
    decay_per_min
        Rate b: how fast interest fades, a minute; 0.1 halves it every 7 minutes.
    demand
        By point. If given, each site's supply is first divided by the potential demand on it, Σ_i P_i·exp(−b·t_ij), so that
        Σ_i P_i·A_i is the supply in reach.

    Returns
    -------
    score
        Indexed by `demand_id`.

    References
    ----------
    Hansen W. G. (1959): How accessibility shapes land use. Joseph A. E., Bantock P. R. (1982): Measuring potential
    physical accessibility to general practitioners in rural areas.
    """
    if not (np.isfinite(decay_per_min) and decay_per_min >= 0):
        raise InputError(f"decay_per_min {decay_per_min}: must be a finite number, 0 or more")
    minutes = _ordered(times).minutes
    weights = _with_data(minutes, np.exp(-decay_per_min * minutes.data))
    if demand is None:
        return _named(times, weights.T @ _vector(supply, times.site_ids, "supply"), "gravity")
    return _shared(times, weights, supply=supply, demand=demand, name="gravity")


def nearest_k(times: TravelTimes, k: int = 1) -> DataFrame:
    """Return the `k` nearest sites of every demand point and the minutes to them.

    Returns
    -------
    nearest
        Indexed by `demand_id`: `site_id_1`, `minutes_1`, … up to `k`, nearest first, ties by `site_id`; missing where fewer
        are within the cutoff of `times`.

    Raises
    ------
    InputError
        If `k` is less than 1.
    """
    if k < 1:
        raise InputError(f"k {k}: must be 1 or more")
    pairs = times.to_frame().sort_values(["demand_id", "minutes", "site_id"], ignore_index=True)
    pairs["rank"] = pairs.groupby("demand_id").cumcount() + 1
    index = pd.Index(times.demand_ids, name="demand_id", dtype=object)
    columns: dict[str, Series] = {}
    for rank in range(1, k + 1):
        near = pairs[pairs["rank"] == rank].set_index("demand_id")
        columns[f"site_id_{rank}"] = near["site_id"].reindex(index)
        columns[f"minutes_{rank}"] = near["minutes"].reindex(index)
    return pd.DataFrame(columns, index=index)


def _shared(
    times: TravelTimes, weights: Any, *, supply: ArrayLike | Series, demand: ArrayLike | Series, name: str
) -> Series:
    """Return A = Wᵀ·(S / W·P), sites × demand weights W; a site on which there is no demand gives nothing."""
    sites = _vector(supply, times.site_ids, "supply")
    people = _vector(demand, times.demand_ids, "demand")
    asked = weights @ people
    ratio = np.divide(sites, asked, out=np.zeros_like(sites), where=asked > 0)
    return _named(times, weights.T @ ratio, name)


def _ordered(times: TravelTimes) -> TravelTimes:
    """Return `times` in the order of ids, because a sum of floats depends on its order and no row order may show."""
    return times.select(sites=sorted(times.site_ids), demand=sorted(times.demand_ids))


def _named(times: TravelTimes, scores: Floats, name: str) -> Series:
    """Return scores that are in the order of ids as a Series in the order of `times`."""
    by_id = pd.Series(scores, index=sorted(times.demand_ids), name=name, dtype="float64")
    return by_id.reindex(pd.Index(times.demand_ids, name="demand_id", dtype=object))


def _with_data(matrix: Any, data: Floats) -> Any:
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _decayed(times: TravelTimes, cutoff: float, decay: Decay) -> Any:
    """Return the weights of all pairs within `cutoff`, sites × demand, both in the order of ids."""
    times.require_cutoff(cutoff)
    pairs = _ordered(times).minutes
    weight = _steps(decay, cutoff) if decay != "gaussian" else _gaussian(cutoff)
    return _with_data(pairs, np.where(within_cutoff(pairs.data, cutoff), weight(pairs.data), 0.0))


def _gaussian(cutoff: float) -> Callable[[Floats], Floats]:
    if not 0 < cutoff < float("inf"):
        raise InputError(f"cutoff {cutoff}: a Gaussian decay needs a finite number of minutes above 0")
    end = np.exp(-0.5)
    return lambda minutes: np.maximum(np.exp(-0.5 * (minutes / cutoff) ** 2) - end, 0.0) / (1 - end)


def _steps(decay: Decay, cutoff: float) -> Callable[[Floats], Floats]:
    if isinstance(decay, Mapping):
        steps = {float(upto): float(weight) for upto, weight in sorted(decay.items())}
    elif decay == "steps":
        if not 0 < cutoff < float("inf"):
            raise InputError(f"cutoff {cutoff}: steps need a finite number of minutes above 0")
        # the last step ends at the cutoff itself, which a third three times need not reach
        steps = dict(zip((cutoff / 3, cutoff * 2 / 3, float(cutoff)), STEP_WEIGHTS, strict=True))
    else:
        raise InputError(f"decay {decay!r}: must be 'steps', 'gaussian' or a mapping from minutes to weight")
    wrong = [f"{u:g}: {w:g}" for u, w in steps.items() if not (u > 0 and 0 <= w <= 1)]
    if wrong or not steps:
        raise InputError(f"decay: steps are positive minutes with weights in 0..1, not {some(wrong)}")
    ends = np.array(list(steps))
    if ends[-1] > cutoff:
        raise InputError(
            f"decay: the last step ends at {ends[-1]:g} minutes, beyond the cutoff of {cutoff:g}"
        )
    weights = np.array([*steps.values(), 0.0])
    return lambda minutes: weights[np.searchsorted(ends + SLACK_MIN, minutes)]


def _vector(values: ArrayLike | Series, ids: Sequence[str], what: str) -> Floats:
    """Return one finite number of 0 or more for each of `ids`, in the order of ids: arrays by position, Series by label."""
    if isinstance(values, pd.Series):
        series = values.set_axis(values.index.map(str))
        if series.index.has_duplicates:
            twice = series.index[series.index.duplicated()].unique()
            raise InputError(f"{what}: ids given more than once: {some(twice)}")
        require_ids(ids, series.index, f"{what} lacks ids of the travel times")
        values = series.reindex(list(ids)).to_numpy()
    try:
        vector = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{what}: must be numbers") from None
    if vector.shape != (len(ids),):
        raise InputError(
            f"{what}: {vector.shape} values for {len(ids)} ids; give one each, or a Series by id"
        )
    wrong = ~(np.isfinite(vector) & (vector >= 0))
    if wrong.any():
        named = np.asarray(ids, dtype=object)[wrong]
        raise InputError(f"{what}: must be finite and 0 or more for {some(named)}")
    return vector[np.argsort(np.asarray(ids, dtype=object), kind="stable")]
