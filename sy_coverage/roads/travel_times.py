"""Hold the minutes from demand to sites: sparse, only pairs within the cutoff, joined by label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage._frames import require_ids
from sy_coverage.errors import CutoffError, InputError, some
from sy_coverage.roads.forms import cells
from sy_coverage.roads.forms.od_table import pair_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pandas import DataFrame, Series

    from sy_coverage.roads.forms.od_table import PairTable


def _ids(ids: Sequence[object] | None, count: int | None, what: str) -> tuple[str, ...]:
    if ids is None:
        return tuple(str(i) for i in range(count or 0))
    names = tuple(str(i) for i in ids)
    if count is not None and len(names) != count:
        raise InputError(f"{what}: {len(names)} ids for {count} rows; give one id each")
    if len(set(names)) != len(names):
        twice = pd.Series(names)[pd.Series(names).duplicated()].unique()
        raise InputError(f"{what}: ids given more than once: {some(twice)}")
    return names


def _among(ids: tuple[str, ...], chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of `ids` that are among `chosen`."""
    if not ids:
        return ()
    known = set(chosen)
    return tuple(i for i in ids if i in known)


SLACK_MIN = 1e-9
"""How far a sum of minutes may lie beyond a cutoff and be within it: 1.1 + 2.2 is within 3.3."""


def within_cutoff(minutes: Any, cutoff: Any) -> Any:
    """Return whether `minutes` are at most `cutoff` minutes, inclusive whatever the last digit of a sum: the one rule for all cutoffs."""
    return minutes <= cutoff + SLACK_MIN


def _require_table(table: Any, shape: tuple[int, int], cutoff_min: float) -> None:
    """Refuse a table that is no CSR array of `shape` with every row in order, or whose minutes cannot be."""
    if not (sparse.issparse(table) and table.format == "csr"):
        raise InputError(
            "travel times: the minutes must be a scipy CSR array, sites × demand; see from_matrix"
        )
    if table.shape != shape:
        raise InputError(
            f"travel times of shape {table.shape} do not fit {shape[0]} sites × {shape[1]} demand points"
        )
    start, column, minutes = table.indptr, table.indices, table.data
    pairs = len(minutes)
    is_whole = len(start) == shape[0] + 1 and start[0] == 0 and start[-1] == pairs == len(column)
    if not is_whole or (np.diff(start) < 0).any():
        raise InputError("travel times: the rows of the table do not fit together; make it anew with scipy")
    if pairs and not (column.min() >= 0 and column.max() < shape[1]):
        raise InputError(f"travel times: pairs with demand points that are not there (there are {shape[1]})")
    rising = np.diff(column) > 0
    firsts = start[1:-1]
    rising[firsts[(firsts > 0) & (firsts < pairs)] - 1] = True
    if not rising.all():
        raise InputError("travel times: rows must be in order and no pair given twice; call sum_duplicates()")
    # NaN is neither 0 or more nor within the cutoff
    if pairs and not (
        minutes.min() >= 0 and np.isfinite(minutes.max()) and within_cutoff(minutes.max(), cutoff_min)
    ):
        site = np.repeat(np.arange(shape[0]), np.diff(start))
        wrong = np.flatnonzero(~((minutes >= 0) & np.isfinite(minutes) & within_cutoff(minutes, cutoff_min)))
        cells = [(int(site[i]), int(column[i])) for i in wrong[:5]]
        raise InputError(
            f"travel times: minutes must be known, 0 or more and within {cutoff_min:g} at (site, demand) {some(cells)}; "
            f"{len(wrong)} are not"
        )


def _require_metres(metres: Any, minutes: Any) -> None:
    """Refuse metres that are not those of the very pairs that `minutes` holds."""
    fits = (
        sparse.issparse(metres)
        and metres.format == "csr"
        and metres.shape == minutes.shape
        and np.array_equal(metres.indptr, minutes.indptr)
        and np.array_equal(metres.indices, minutes.indices)
    )
    if not fits:
        raise InputError("travel times: metres must be a CSR array of the same pairs as the minutes")
    # NaN is a pair whose metres nobody knows
    if (metres.data < 0).any():
        raise InputError("travel times: metres must be 0 or more")


def _table(row: Any, column: Any, values: Any, shape: tuple[int, int]) -> Any:
    """Return values at their rows and columns as a CSR array with every row in order; an explicit 0 stays."""
    order = np.lexsort((column, row))
    start = np.r_[0, np.cumsum(np.bincount(row, minlength=shape[0]))]
    return sparse.csr_array((values[order], column[order].astype(np.int32), start), shape=shape)


@dataclass(frozen=True)
class TravelTimes:
    """Minutes between sites (rows) and demand points (columns); a missing pair means *beyond the cutoff*.

    An explicit 0 is a real 0. `cutoff_min` is inclusive; it is infinite when every pair is known.
    """

    minutes: Any
    """scipy CSR array, sites × demand, float64, sorted column indices, zeros stored."""
    site_ids: tuple[Any, ...]
    """Text; between nodes what the caller called them, as in `RoadNetwork.to_networkx`."""
    demand_ids: tuple[Any, ...]
    cutoff_min: float
    mode: str = ""
    unreachable_sites: tuple[str, ...] = ()
    """Sites too far from any road the mode may use; none of their pairs is here."""
    unreachable_demand: tuple[str, ...] = ()
    """Demand points too far from any road the mode may use."""
    metres: Any = None
    """Metres of the same pairs, a CSR array of the same structure as `minutes`; None where nobody knows them."""

    @classmethod
    def from_long(
        cls,
        frame: DataFrame,
        *,
        mode: str | None = None,
        cutoff_min: float = float("inf"),
        site_ids: Sequence[object] | None = None,
        demand_ids: Sequence[object] | None = None,
    ) -> TravelTimes:
        """Return the travel times of a table with one row a pair: from where elders start, to where they go, minutes.

        Parameters
        ----------
        frame
            Columns `from`, `to` and `minutes`, and optionally `metres` and `mode`; or those of a matrix of Amap or Baidu:
            `origin_id`, `dest_id`, `duration` (seconds), `distance` (metres). Any order, millions of rows, any pairs missing;
            a row without minutes is a pair that cannot be travelled.
        mode
            Which rows, where the table has several modes.
        cutoff_min
            As far as the table tells: a pair that is not in it is farther than this. Without it the pairs that are not
            there count as out of reach at any cutoff.
        site_ids, demand_ids
            All of them, in the order they shall have; rows of others are left out. None takes those of the table, sorted.

        Returns
        -------
        times
            Sites × demand; ids are text.

        Raises
        ------
        FrameError
            If columns are missing, ids are empty, minutes or metres are no numbers of 0 or more, or a pair has two times.
        InputError
            If the table has several modes and none is named, or not the one that is.

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame({"from": ["A", "B"], "to": ["S", "S"], "minutes": [4.5, 12.0]})
        >>> TravelTimes.from_long(table).to_dense()
        array([[ 4.5, 12. ]])
        """
        pairs = pair_table(frame, mode=mode)
        return cls._of_pairs(
            pairs,
            site_ids=_ids(pairs.target_ids if site_ids is None else site_ids, None, "site_ids"),
            demand_ids=_ids(pairs.origin_ids if demand_ids is None else demand_ids, None, "demand_ids"),
            cutoff_min=float(cutoff_min),
            mode=mode or "",
        )

    @classmethod
    def _of_pairs(
        cls,
        pairs: PairTable,
        *,
        site_ids: tuple[str, ...],
        demand_ids: tuple[str, ...],
        cutoff_min: float,
        mode: str,
    ) -> TravelTimes:
        row, column = pairs.among(site_ids, demand_ids)
        kept = np.flatnonzero(
            (row >= 0) & (column >= 0) & np.isfinite(pairs.minutes) & within_cutoff(pairs.minutes, cutoff_min)
        )
        shape = (len(site_ids), len(demand_ids))
        return cls(
            minutes=_table(row[kept], column[kept], pairs.minutes[kept], shape),
            site_ids=site_ids,
            demand_ids=demand_ids,
            cutoff_min=cutoff_min,
            mode=mode,
            metres=None
            if pairs.metres is None
            else _table(row[kept], column[kept], pairs.metres[kept], shape),
        )

    def with_pairs(self, pairs: PairTable) -> TravelTimes:
        """Return these travel times with the pairs that a table has in place of their own; metres are left out.

        A pair that the table says cannot be travelled is not here either. Sites and demand points that the table reaches are
        no longer unreachable.
        """
        row, column = pairs.among(self.site_ids, self.demand_ids)
        known = np.flatnonzero((row >= 0) & (column >= 0))
        row, column, minutes = row[known], column[known], pairs.minutes[known]
        own, wide = self.minutes.tocoo(), max(len(self.demand_ids), 1)
        stays = ~np.isin(own.row.astype(np.int64) * wide + own.col, row * wide + column)
        ends = np.isfinite(minutes)
        near = ends & within_cutoff(minutes, self.cutoff_min)
        reached = {self.site_ids[i] for i in set(row[ends].tolist())}
        leaves = {self.demand_ids[i] for i in set(column[ends].tolist())}
        return replace(
            self,
            minutes=_table(
                np.r_[own.row[stays], row[near]],
                np.r_[own.col[stays], column[near]],
                np.r_[own.data[stays], minutes[near]],
                self.minutes.shape,
            ),
            metres=None,
            unreachable_sites=tuple(i for i in self.unreachable_sites if i not in reached),
            unreachable_demand=tuple(i for i in self.unreachable_demand if i not in leaves),
        )

    @classmethod
    def from_matrix(
        cls,
        cost: Any,
        demand_ids: Sequence[object] | None = None,
        site_ids: Sequence[object] | None = None,
        *,
        mode: str = "",
    ) -> TravelTimes:
        """Return travel times from a dense demand × sites array in any unit; stored transposed.

        Parameters
        ----------
        cost
            Array-like of shape (demand, sites), or a DataFrame whose labels become the ids.
            Every pair is known, so no cutoff is too long; ``inf`` marks a pair that cannot be travelled.

        Raises
        ------
        InputError
            If `cost` is not two-dimensional, holds NaN or negative values, or ids do not fit.
        """
        if isinstance(cost, pd.DataFrame):
            demand_ids = cost.index if demand_ids is None else demand_ids
            site_ids = cost.columns if site_ids is None else site_ids
        dense = np.asarray(cost, dtype=np.float64)
        if dense.ndim != 2:
            raise InputError(f"cost: must be a demand × sites table, not of {dense.ndim} dimensions")
        wrong = np.argwhere(np.isnan(dense) | (dense < 0))
        if len(wrong):
            raise InputError(
                f"cost: must be 0 or more and known at (demand, site) {some(map(tuple, wrong.tolist()))}"
            )
        reached = np.isfinite(dense.T)
        demand = np.nonzero(reached)[1]
        matrix = sparse.csr_array(
            (dense.T[reached], demand, np.r_[0, np.cumsum(reached.sum(axis=1))]), shape=dense.T.shape
        )
        return cls(
            minutes=matrix,
            site_ids=_ids(site_ids, dense.shape[1], "site_ids"),
            demand_ids=_ids(demand_ids, dense.shape[0], "demand_ids"),
            cutoff_min=float("inf"),
            mode=mode,
        )

    def __post_init__(self) -> None:
        """Refuse what are no travel times.

        Raises
        ------
        InputError
            If ids repeat, the table is no CSR array of their size with rows in order, or minutes are not known, negative, or
            beyond the cutoff.
        """
        for what in ("site_ids", "demand_ids"):
            given = getattr(self, what)
            texts = _ids(given, len(given), what)
            # nodes keep the numbers their caller gave them; all else is called by text
            ids = tuple(i if isinstance(i, int) else text for i, text in zip(given, texts, strict=True))
            object.__setattr__(self, what, ids)
        if not self.cutoff_min >= 0:
            raise InputError(f"cutoff_min {self.cutoff_min}: must be a number of minutes, 0 or more")
        _require_table(self.minutes, (len(self.site_ids), len(self.demand_ids)), self.cutoff_min)
        if self.metres is not None:
            _require_metres(self.metres, self.minutes)

    @cached_property
    def site_at(self) -> dict[Any, int]:
        """Return the row of each site by its id."""
        return {site_id: row for row, site_id in enumerate(self.site_ids)}

    @cached_property
    def demand_at(self) -> dict[Any, int]:
        """Return the column of each demand point by its id."""
        return {demand_id: column for column, demand_id in enumerate(self.demand_ids)}

    def _repr_html_(self) -> str:
        """Return what a notebook shows: how many pairs, how far, and how near the nearest sites are."""
        facts = {
            "sites": f"{len(self.site_ids):,}",
            "demand": f"{len(self.demand_ids):,}",
            "pairs": f"{self.minutes.nnz:,}",
        }
        facts |= {
            "mode": self.mode,
            "cutoff": f"{self.cutoff_min:g} min" if np.isfinite(self.cutoff_min) else "none",
        }
        lost = (*self.unreachable_sites, *self.unreachable_demand)
        if lost:
            facts["too far from any road"] = some(lost)
        return cells.times_cell(facts, shortest(self.minutes))

    def to_frame(self) -> DataFrame:
        """Return the pairs as a long frame: `site_id`, `demand_id`, `minutes` (and `metres`), ordered by site then demand."""
        coo = self.minutes.tocoo()
        pairs = {
            "site_id": np.asarray(self.site_ids, dtype=object)[coo.row],
            "demand_id": np.asarray(self.demand_ids, dtype=object)[coo.col],
            "minutes": coo.data,
        }
        return pd.DataFrame(pairs if self.metres is None else {**pairs, "metres": self.metres.data})

    def to_dense(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return a sites × demand array; ``inf`` where the pair is beyond the cutoff."""
        dense = np.full(self.minutes.shape, np.inf)
        coo = self.minutes.tocoo()
        dense[coo.row, coo.col] = coo.data
        return dense

    def within(self, cutoff: float) -> Any:
        """Return a boolean CSR array, sites × demand: the pair is at most `cutoff` minutes (inclusive).

        Raises
        ------
        CutoffError
            If `cutoff` is NaN, negative, or longer than `cutoff_min`.
        """
        self.require_cutoff(cutoff)
        keep = within_cutoff(self.minutes.data, cutoff)
        indptr = np.r_[0, np.cumsum(keep)][self.minutes.indptr]
        return sparse.csr_array(
            (np.ones(int(keep.sum()), dtype=bool), self.minutes.indices[keep], indptr),
            shape=self.minutes.shape,
        )

    def require_cutoff(self, cutoff: float) -> None:
        """Raise CutoffError unless `cutoff` is a number of minutes that these travel times can answer for."""
        if not cutoff >= 0:
            raise CutoffError(f"cutoff {cutoff}: must be a number of minutes, 0 or more")
        if not within_cutoff(cutoff, self.cutoff_min):
            raise CutoffError(
                f"cutoff {cutoff:g}: these travel times were computed only up to {self.cutoff_min:g} minutes; "
                "compute them with a longer cutoff_min"
            )

    def select(
        self, *, sites: Iterable[str] | None = None, demand: Iterable[str] | None = None
    ) -> TravelTimes:
        """Return the travel times of some `sites` and `demand` points only, in the order given.

        Raises
        ------
        UnknownIdError
            If an id is not among these travel times.
        """
        site_ids = self.site_ids if sites is None else tuple(sites)
        demand_ids = self.demand_ids if demand is None else tuple(demand)
        require_ids(site_ids, self.site_at, "sites")
        rows = [self.site_at[i] for i in site_ids]
        columns = None
        if demand_ids != self.demand_ids:
            require_ids(demand_ids, self.demand_at, "demand")
            columns = [self.demand_at[i] for i in demand_ids]

        def chosen(table: Any) -> Any:
            part = table[rows] if columns is None else table[rows][:, columns]
            part.sort_indices()
            return part

        return replace(
            self,
            minutes=chosen(self.minutes),
            metres=None if self.metres is None else chosen(self.metres),
            site_ids=site_ids,
            demand_ids=demand_ids,
            unreachable_sites=_among(self.unreachable_sites, site_ids),
            unreachable_demand=_among(self.unreachable_demand, demand_ids),
        )

    def nearest_minutes(self) -> Series:
        """Return the minutes to the nearest site by `demand_id`; missing where none is within the cutoff."""
        best = shortest(self.minutes)
        best[np.isinf(best)] = np.nan
        return pd.Series(
            best, index=pd.Index(self.demand_ids, name="demand_id", dtype=object), name="nearest_min"
        )


def shortest(minutes: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the least of the stored minutes in each column of a sparse table of sites × demand; inf where none is stored."""
    pairs = minutes.tocoo()
    best = np.full(minutes.shape[1], np.inf)
    np.minimum.at(best, pairs.col, pairs.data)
    return best
