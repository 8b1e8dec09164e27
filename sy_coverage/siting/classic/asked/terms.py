"""Read what a siting problem was asked: ids, weights, costs and numbers checked, everything in the order of the ids."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage._frames import require_ids
from sy_coverage.errors import InputError, some
from sy_coverage.roads.travel_times import TravelTimes
from sy_coverage.siting.classic import kernels
from sy_coverage.siting.solve.memory import require_room
from sy_coverage.siting.solve.watch import SolveOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sy_coverage.siting.classic.asked.decay import Decay

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


class Question(TypedDict, total=False):
    """Everything a classic problem can be asked with."""

    required: Iterable[str]
    """Ids of sites that must be in the plan."""
    forbidden: Iterable[str]
    """Ids of sites that must not be in the plan."""
    capacities: Any
    """How much weight each site can serve: a Series joined by label, or an array by position. `details["service"]` then says
    who serves whom, and only what is served counts as covered."""
    split: bool
    """With capacities: whether one demand point may be served by several sites (the default), or by one site alone."""
    options: SolveOptions | None
    """Time limit, gap, progress."""
    weights: Any
    cutoff: float | None
    p: Any
    budget: float | None
    costs: Any
    share: float | None
    k: Any
    decay: Decay | None
    unserved_min: float | None


@dataclass(frozen=True)
class Terms:
    """One problem as it was asked, every argument checked; sites and demand stand in the order of their ids as text."""

    problem: str
    times: TravelTimes
    weights: Floats
    required: Integers
    """Positions of the sites that must be in the plan."""
    allowed: Integers
    """Positions of the sites that may be in the plan: all but the forbidden."""
    cutoff: float | None = None
    p: int | None = None
    budget: float | None = None
    costs: Floats | None = None
    share: float | None = None
    capacities: Floats | None = None
    split: bool = True
    """With capacities: whether one demand point may be served by several sites."""
    k: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """How many sites must have each demand point in reach for it to count."""
    decay: Decay | None = None
    unserved_min: float | None = None
    """For p-median: minutes that a point without an open site counts for; None where everyone must be served."""
    options: SolveOptions = field(default_factory=SolveOptions)

    @property
    def open_ended(self) -> bool:
        """Whether pairs are missing that can be travelled, only not within the cutoff of the times."""
        rows, columns = self.times.minutes.shape
        return bool(np.isfinite(self.times.cutoff_min)) and self.times.minutes.nnz < rows * columns

    @property
    def known_min(self) -> float:
        """Return the minutes up to which all pairs are known."""
        return float(max(self.times.cutoff_min, self.times.minutes.data.max(initial=0.0)))

    @property
    def site_ids(self) -> tuple[str, ...]:
        """Return the ids of the sites, sorted as text."""
        return self.times.site_ids

    @property
    def whole(self) -> bool:
        """Whether what is covered always weighs a whole number, so that sums of it are exact."""
        return self.decay is None and bool(
            (self.weights == np.round(self.weights)).all() and self.weights.sum() < 2**53
        )

    @property
    def cover(self) -> Any:
        """Return the boolean CSR array sites × demand of the pairs within the cutoff; without one, of all that are known."""
        if self.cutoff is not None:
            return self.times.within(self.cutoff)
        known = self.times.minutes
        return sparse.csr_array(
            (np.ones(known.nnz, dtype=bool), known.indices, known.indptr), shape=known.shape
        )

    @property
    def needed(self) -> float:
        """Return the weight that `share` asks for: exact where weights are whole, where it is rounded up."""
        total = Fraction(str(float(self.share or 0.0))) * Fraction(float(self.weights.sum()))
        return float(-(-total.numerator // total.denominator)) if self.whole else float(total)


def in_order(times: TravelTimes) -> TravelTimes:
    """Return `times` with sites and demand sorted by id as text, so that the order they came in decides nothing.

    Raises
    ------
    InputError
        If `times` are no travel times.
    """
    if not isinstance(times, TravelTimes):
        raise InputError(
            f"times: must be TravelTimes, not {type(times).__name__}; "
            "TravelTimes.from_matrix makes them from a demand × sites table"
        )
    matrix = sparse.csr_array(times.minutes)
    rows, columns = np.argsort(np.array(times.site_ids)), np.argsort(np.array(times.demand_ids))
    sorted_already = (np.diff(rows) > 0).all() and (np.diff(columns) > 0).all()
    if sorted_already and matrix.has_sorted_indices:
        return times
    place = np.empty(len(columns), dtype=matrix.indices.dtype)
    place[columns] = np.arange(len(columns))
    matrix = sparse.csr_array((matrix.data, place[matrix.indices], matrix.indptr), shape=matrix.shape)[rows]
    matrix.sort_indices()
    return TravelTimes(
        matrix,
        tuple(times.site_ids[i] for i in rows),
        tuple(times.demand_ids[i] for i in columns),
        times.cutoff_min,
        times.mode,
    )


def terms(problem: str, times: TravelTimes, **asked: Unpack[Question]) -> Terms:
    """Return the terms of one problem, every argument checked.

    Raises
    ------
    InputError
        If the problem would not fit in this machine's memory. Else a ValueError that names the argument: NaN, negative or
        infinite numbers, missing labels, p below 1 or above the sites that are allowed, more required sites than p, a site
        both required and forbidden, a share outside 0…1, arguments that do not go together.
    UnknownIdError
        If a required or forbidden id is no site.
    CutoffError
        If the cutoff lies beyond what `times` hold.
    """
    # compiled loops are loaded, or compiled the first time, before any clock starts
    for name in kernels.LOOPS:
        if name != "median" or problem == "p_median":
            getattr(kernels, name)

    given, problem_p = times, asked.get("p")
    times = in_order(times)
    rows, columns = times.minutes.shape
    pairs = rows * columns if problem == "p_dispersion" else times.minutes.nnz
    require_room(problem, rows, columns, pairs)
    cutoff, costs, capacities = asked.get("cutoff"), asked.get("costs"), asked.get("capacities")
    if cutoff is not None:
        times.require_cutoff(cutoff)
    must, never = _ids(asked.get("required", ()), "required"), _ids(asked.get("forbidden", ()), "forbidden")
    require_ids(must, times.site_ids, "required")
    require_ids(never, times.site_ids, "forbidden")
    if must & never:
        raise InputError(f"sites both required and forbidden: {some(sorted(must & never))}; choose one")
    position = {site: i for i, site in enumerate(times.site_ids)}
    demand, sites = (given.demand_ids, times.demand_ids), (given.site_ids, times.site_ids)
    weights = asked.get("weights")
    made = Terms(
        problem,
        times,
        np.ones(len(times.demand_ids)) if weights is None else numbers(weights, *demand, "weights"),
        np.array(sorted(position[i] for i in must), dtype=np.int64),
        np.array([i for i, site in enumerate(times.site_ids) if site not in never], dtype=np.int64),
        None if cutoff is None else float(cutoff),
        budget=asked.get("budget"),
        costs=None if costs is None else numbers(costs, *sites, "costs"),
        share=asked.get("share"),
        capacities=None if capacities is None else numbers(capacities, *sites, "capacities"),
        split=asked.get("split", True),
        k=counts(asked.get("k", 1), *demand),
        decay=asked.get("decay"),
        unserved_min=asked.get("unserved_min"),
        options=asked.get("options") or SolveOptions(),
    )
    _check_together(made, problem_p)
    _check_money(made)
    return made if problem_p is None else replace(made, p=_count_of_sites(problem_p, made))


def _check_together(made: Terms, p: Any) -> None:
    """Refuse arguments that are good by themselves and do not go together."""
    if made.problem == "p_dispersion" and set(made.times.site_ids) != set(made.times.demand_ids):
        raise InputError(
            "p_dispersion: distances must run from the sites to the same sites, ids alike on both sides"
        )
    if made.problem == "mclp" and (p is None) == (made.budget is None):
        raise InputError("mclp: give p=, or budget= with costs=, and not both")
    if made.problem == "mclp" and made.budget is None and made.costs is not None:
        raise InputError("mclp: costs= need a budget=")
    if made.decay is not None:
        if (made.k != 1).any():
            raise InputError(
                f"{made.problem}: decay= and k= cannot be combined: the nearest site alone decides gradual coverage"
            )
        made.decay.share(np.empty(0), float(made.cutoff or 0.0))
    _check_unserved(made)
    if made.capacities is not None and (made.decay is not None or (made.k != 1).any()):
        raise InputError("capacities: cannot be combined with k= above 1 or decay=")
    if made.share is not None and not 0 <= made.share <= 1:
        hint = f"; did you mean {made.share / 100:g}?" if 1 < made.share <= 100 else ""
        raise InputError(f"share={made.share}: must lie between 0 and 1{hint}")


def _check_unserved(made: Terms) -> None:
    """Refuse a price for leaving somebody unserved that makes no sense."""
    if made.unserved_min is None:
        return
    if made.capacities is not None:
        raise InputError("p_median: unserved_min= cannot be combined with capacities=")
    longest = float(made.times.minutes.data.max(initial=0.0))
    if not longest <= made.unserved_min < np.inf:
        raise InputError(
            f"unserved_min={made.unserved_min}: must be a number of minutes, at least the longest of the travel times ({longest:g})"
        )


def _ids(ids: Iterable[str], what: str) -> set[str]:
    if isinstance(ids, str):
        raise InputError(f"{what}: give several ids, such as ({ids!r},), not one text")
    return {str(i) for i in ids}


def numbers(values: Any, given: tuple[str, ...], ordered: tuple[str, ...], what: str) -> Floats:
    """Return one finite number ≥ 0 for each of `ordered`: a Series or dict joined by label, an array by position of `given`.

    Raises
    ------
    InputError
        If labels are missing, double or unknown, the length is wrong, or a value is NaN, negative or infinite.
    """
    if isinstance(values, Mapping):
        values = pd.Series(values)
    if isinstance(values, pd.Series):
        labelled = values.set_axis(values.index.map(str))
        if labelled.index.has_duplicates:
            raise InputError(
                f"{what}: labels twice: {some(labelled.index[labelled.index.duplicated()].unique())}"
            )
        missing = [i for i in ordered if i not in labelled.index]
        if missing:
            raise InputError(f"{what}: no value for {some(missing)}; a Series is joined by its labels")
        if len(labelled) > len(ordered):
            raise InputError(
                f"{what}: labels that these travel times do not know: {some(labelled.index.difference(list(ordered)))}"
            )
        array = pd.to_numeric(labelled.reindex(list(ordered)), errors="coerce").to_numpy(dtype=np.float64)
    else:
        try:
            array = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"{what}: must be numbers") from None
        if array.shape != (len(given),):
            raise InputError(
                f"{what}: {array.shape} numbers for {len(given)} ids; give one each, or a Series with labels"
            )
        if given != ordered:
            array = array[pd.Index(given).get_indexer(list(ordered))]
    wrong = ~(np.isfinite(array) & (array >= 0))
    if wrong.any():
        rows = [ordered[i] for i in np.flatnonzero(wrong)]
        raise InputError(f"{what}: must be finite and 0 or more, but are not at {some(rows)}")
    checked: Floats = array
    return checked


def counts(k: Any, given: tuple[str, ...], ordered: tuple[str, ...]) -> Integers:
    """Return how many sites must reach each demand point: one number for all, or one each.

    Raises
    ------
    InputError
        If a number is not whole or is below 1.
    """
    if np.ndim(k) == 0 and not isinstance(k, Mapping):
        k = np.full(len(given), k)
    array = numbers(k, given, ordered, "k")
    if ((array < 1) | (array != np.round(array))).any():
        raise InputError("k: must be whole numbers of sites, 1 or more")
    whole: Integers = array.astype(np.int64)
    return whole


def _count_of_sites(p: Any, made: Terms) -> int:
    least = 2 if made.problem == "p_dispersion" else 1
    try:
        count = operator.index(p)
    except TypeError:
        raise InputError(f"p={p!r}: must be a whole number of sites") from None
    if isinstance(p, bool | np.bool_) or count < least:
        raise InputError(f"p={p!r}: must be a whole number of sites, {least} or more")
    if count > len(made.allowed):
        raise InputError(f"p={count}: there are only {len(made.allowed)} sites that may be chosen")
    if len(made.required) > count:
        raise InputError(
            f"p={count}: {len(made.required)} sites are required; raise p or require fewer of them"
        )
    return count


def _check_money(made: Terms) -> None:
    if made.budget is None:
        return
    if not 0 <= made.budget < np.inf:
        raise InputError(f"budget={made.budget}: must be a sum of money, 0 or more")
    if made.costs is None:
        raise InputError("budget: needs costs=, the cost of each site")
    asked = float(made.costs[made.required].sum())
    if asked > made.budget:
        raise InputError(f"budget={made.budget:g}: the required sites alone cost {asked:g}")
