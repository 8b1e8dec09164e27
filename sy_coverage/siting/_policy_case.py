"""Put the frames of one plan in order: checked, joined by label, sorted by id, with minutes as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage import coverage
from sy_coverage._frames import CANDIDATES, DEMAND, FACILITIES, UNITS, checked, require_ids
from sy_coverage.errors import InputError, UnknownIdError, some
from sy_coverage.siting._stages import Scaled, scaled

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from sy_coverage.policy import Policy
    from sy_coverage.roads import TravelTimes
    from sy_coverage.siting._policy_marks import Criteria

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

T = TypeVar("T")
SCOPES = ("county", "city")
RULES = ("presence", "access", "both")
CITY = "city"
"""The `scope_id` of the whole area of the units given."""


@dataclass(frozen=True)
class Setting:
    """What a plan must keep besides the policy's targets; every choice a planner makes."""

    scope: Literal["county", "city"] = "county"
    """Whether the coverage rates must hold in every county, or over all units given."""
    rule: Literal["presence", "access", "both"] = "presence"
    share: float = 0.8
    """The share of a unit's elders that must be within the cutoff, for access."""
    spread_min: float | None = None
    """Two homes of a county are at least this many minutes apart, both ways."""
    medical_min: float | None = None
    medical: Literal["bar", "flag"] = "bar"
    budget: float | None = None
    """10⁴ yuan in all."""
    elders: str = "elders"
    """The column of demand that is counted."""
    station_walk_min: float | None = None
    """A new centre has a station of its unit within so many minutes of every village cluster; None: not asked."""
    floor_area: Literal["bar", "flag"] = "flag"
    """Whether a station whose premises are known to be too small is barred, or flagged."""
    beds_per_elder: float | None = None
    """Beds that each elder counts for, such as 0.03, in homes within the cutoff and of the same county; None: not asked."""
    conversion_cost: float | None = None
    """10⁴ yuan to turn one bed into a nursing bed; None: the share of nursing beds is not planned."""
    demonstration: tuple[tuple[str, Criteria], ...] = ()
    """Targets that count demonstration sites, each with what such a site must have."""

    def __post_init__(self) -> None:
        """Refuse what is not among the choices."""
        for name, value, allowed in (
            ("scope", self.scope, SCOPES),
            ("rule", self.rule, RULES),
            ("medical", self.medical, ("bar", "flag")),
            ("floor_area", self.floor_area, ("bar", "flag")),
        ):
            if value not in allowed:
                raise InputError(f"{name}={value!r}: must be one of {', '.join(allowed)}")
        if not 0 < self.share <= 1:
            raise InputError(f"share={self.share}: must be above 0 and at most 1")
        for name, number in (
            ("spread_min", self.spread_min),
            ("medical_min", self.medical_min),
            ("budget", self.budget),
            ("station_walk_min", self.station_walk_min),
            ("beds_per_elder", self.beds_per_elder),
            ("conversion_cost", self.conversion_cost),
        ):
            if number is not None and not (np.isfinite(number) and number >= 0):
                raise InputError(f"{name}={number}: must be a finite number, 0 or more")


@dataclass(frozen=True)
class Reach:
    """Minutes from demand to the sites of one kind, today and for each candidate."""

    minutes: Any
    """CSR, candidates (of every kind, in the order of the case) × demand; only pairs within the times' cutoff."""
    within: Any
    """CSR of ones: pairs within the cutoff of the class of unit the elders live in."""
    today_min: Floats
    """Minutes to the nearest open facility of the kind; inf where none is within the times' cutoff."""
    today: NDArray[np.bool_]
    """Whether an open facility is within the cutoff."""
    cap_min: float
    """Minutes that count for elders whom no site reaches: the longest that the times hold."""


@dataclass(frozen=True)
class Case:
    """Everything one plan is made from, every frame sorted by id."""

    policy: Policy
    setting: Setting
    units: GeoDataFrame
    facilities: GeoDataFrame
    """Open on the date, in these units and beyond."""
    candidates: GeoDataFrame
    """Usable ones: located, of a declared kind, in one of the counties of the units."""
    demand: GeoDataFrame
    times: Mapping[str, TravelTimes]
    between_homes: TravelTimes | None = None
    to_medical: TravelTimes | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    """Candidates that cannot be used: (reason_id, candidate_id)."""
    date: dt.date | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of the candidates, sorted as text."""
        return tuple(self.candidates.index)

    @cached_property
    def cost(self) -> Scaled:
        """Return the costs of the candidates in exact steps, of which the price of a bed is a multiple too."""
        return replace(self._money, counts=self._money.counts[: len(self.candidates)])

    @cached_property
    def _money(self) -> Scaled:
        return scaled(np.r_[self.candidates["cost"].to_numpy(float), self.setting.conversion_cost or 0.0])

    @property
    def bed_price(self) -> float:
        """Return what it costs to turn one bed into a nursing bed, in steps of `cost`."""
        return float(self._money.counts[-1])

    @cached_property
    def weight(self) -> Scaled:
        """Return the elders of the demand points in exact steps."""
        return scaled(self.demand[self.setting.elders].to_numpy(float))

    @cached_property
    def required(self) -> NDArray[np.bool_]:
        """Return which candidates must open."""
        return np.asarray(self.candidates["required"].to_numpy(bool))

    @cached_property
    def counties(self) -> dict[str, str]:
        """Return the names of the counties by id, in order of id."""
        named = self.units.drop_duplicates("county_id").set_index("county_id")["county"]
        return {str(k): str(v) for k, v in sorted(named.items())}

    @cached_property
    def county_of_site(self) -> NDArray[Any]:
        """Return the county of each candidate: its unit's, or the one it names."""
        return counties_of(self.candidates, self.units)

    @cached_property
    def county_of_facility(self) -> NDArray[Any]:
        """Return the county of each open facility, likewise."""
        return counties_of(self.facilities, self.units)

    def of_kind(self, *kinds: str) -> Integers:
        """Return the positions of the candidates of `kinds`."""
        return np.flatnonzero(self.candidates["kind"].isin(kinds).to_numpy())

    def position(self, site_id: str) -> int:
        """Return the position of the candidate `site_id`."""
        return int(self.candidates.index.get_loc(site_id))

    def reach(self, kind: str) -> Reach:
        """Return minutes and cover of `kind`; a kind without times reaches nobody."""
        cache: dict[str, Reach] = self.__dict__.setdefault("_reaches", {})
        if kind not in cache:
            cache[kind] = _reach(self, kind)
        return cache[kind]

    def once(self, what: str, work: Callable[[], T]) -> T:
        """Return what `work` computes of this frozen case, computed once."""
        cache: dict[str, Any] = self.__dict__.setdefault("_known", {})
        if what not in cache:
            cache[what] = work()
        return cache[what]  # type: ignore[no-any-return]  # what was put in under this name

    def but(self, **changes: Any) -> Case:
        """Return this case with another setting, such as ``scope="city"``; what was computed of minutes is kept."""
        other = replace(self, setting=replace(self.setting, **changes))
        other.__dict__["_reaches"] = self.__dict__.setdefault("_reaches", {})
        return other


def counties_of(frame: GeoDataFrame, units: GeoDataFrame) -> NDArray[Any]:
    """Return the county of each row: that of its unit, else the one its row names, else None."""
    of_unit = frame["unit_id"].map(units["county_id"])
    named = frame["county_id"].where(frame["county_id"].notna(), None)
    return np.asarray(of_unit.where(of_unit.notna(), named).to_numpy(dtype=object))


def without_blanks(candidates: GeoDataFrame) -> GeoDataFrame:
    """Return `candidates` with empty text in `host_id` and `upgrade_of` as missing: it names nothing."""
    named = {c: candidates[c].astype(object) for c in ("host_id", "upgrade_of")}
    return candidates.assign(**{c: v.where(v.notna() & (v != ""), None) for c, v in named.items()})


def read_case(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    candidates: GeoDataFrame,
    demand: GeoDataFrame,
    *,
    policy: Policy,
    times: Mapping[str, TravelTimes],
    setting: Setting,
    between_homes: TravelTimes | None = None,
    to_medical: TravelTimes | None = None,
    date: dt.date | None = None,
) -> Case:
    """Return the case of one plan.

    Raises
    ------
    FrameError
        If a frame breaks its contract.
    InputError
        If ids clash, a kind is not declared, or a required candidate cannot be used.
    UnknownIdError
        If the times lack a site or a demand point that the frames have.
    """
    units = checked(units, UNITS).sort_index()
    facilities = coverage.open_on(checked(facilities, FACILITIES), date).sort_index()
    candidates = without_blanks(checked(candidates, CANDIDATES)).sort_index()
    demand = checked(demand, DEMAND).sort_index()
    if units.empty:
        raise InputError("units: there are none; a plan needs at least one street or township")
    if setting.elders not in demand.columns or demand[setting.elders].isna().any():
        raise InputError(
            f"demand: column '{setting.elders}' must have a number in every row to be counted as elders"
        )
    clash = candidates.index.intersection(facilities.index)
    if len(clash):
        raise InputError(
            f"candidates: ids that are facilities' too: {some(clash)}; give each site an id of its own"
        )
    for name, frame in (("facilities", facilities), ("candidates", candidates)):
        unknown = frame.index[~frame["kind"].isin(list(policy.kinds))]
        if len(unknown):
            raise InputError(f"{name}: of kinds that the policy does not declare: {some(unknown)}")
    county = pd.Series(counties_of(candidates, units), index=candidates.index)
    ours = county.isin(units["county_id"])
    located = candidates.geometry.notna() & ~candidates.geometry.is_empty
    left_out = [("candidate_not_located", str(i)) for i in candidates.index[ours & ~located]]
    stuck = candidates.index[candidates["required"].astype(bool) & ours & ~located]
    if len(stuck):
        raise InputError(
            f"candidates: required, but without a location: {some(stuck)}; locate them or do not require them"
        )
    candidates = candidates[ours & located]
    demand = demand[demand["unit_id"].isin(units.index)]
    case = Case(
        policy,
        setting,
        units,
        facilities,
        candidates,
        demand,
        dict(times),
        between_homes,
        to_medical,
        tuple(left_out),
        date,
    )
    _require_times(case)
    return case


def _require_times(case: Case) -> None:
    for kind, times in sorted(case.times.items()):
        try:
            require_ids(case.demand.index, times.demand_ids, f"times of {kind}: demand")
            of_kind = case.candidates.index[case.candidates["kind"] == kind]
            require_ids(of_kind, times.site_ids, f"times of {kind}: candidates")
            here = case.facilities
            near = here[
                (here["kind"] == kind) & here["unit_id"].isin(case.units.index) & here.geometry.notna()
            ]
            require_ids(near.index, times.site_ids, f"times of {kind}: open facilities")
        except UnknownIdError as error:
            raise UnknownIdError(
                f"{error}; compute the times for all located sites and demand points"
            ) from None


def _reach(case: Case, kind: str) -> Reach:
    shape = (len(case.candidates), len(case.demand))
    times = case.times.get(kind)
    if times is None:
        nothing = sparse.csr_array(shape)
        nowhere = np.full(shape[1], np.inf)
        return Reach(nothing, nothing, nowhere, np.zeros(shape[1], dtype=bool), 0.0)
    of_kind = case.candidates.index[case.candidates["kind"] == kind]
    here = case.facilities.index[(case.facilities["kind"] == kind).to_numpy()]
    known = set(times.site_ids)
    here = here[[i in known for i in here]]
    mine = times.select(sites=of_kind, demand=case.demand.index)
    open_ = times.select(sites=here, demand=case.demand.index)
    near = open_.nearest_minutes().to_numpy(float)
    asked = case.policy.kind(kind)
    within = coverage.reached(case.demand, case.units, mine, kind=asked)
    today = coverage.reached(case.demand, case.units, open_, kind=asked)
    finite = times.minutes.data
    cap = times.cutoff_min if np.isfinite(times.cutoff_min) else float(finite.max()) if len(finite) else 0.0
    rows = case.candidates.index.get_indexer(of_kind)
    return Reach(
        _spread_out(mine.minutes, rows, shape),
        _spread_out(sparse.csr_array(within, dtype=np.float64), rows, shape),
        np.where(np.isnan(near), np.inf, near),
        np.asarray(today.sum(axis=0)).ravel() > 0,
        cap,
    )


def _spread_out(matrix: Any, rows: Integers, shape: tuple[int, int]) -> Any:
    """Return `matrix` with its rows at positions `rows` (ascending) of a taller one; stored zeros stay stored."""
    counts = np.zeros(shape[0], dtype=np.int64)
    counts[rows] = np.diff(matrix.indptr)
    return sparse.csr_array((matrix.data, matrix.indices, np.r_[0, np.cumsum(counts)]), shape=shape)
