"""Put the frames of one plan in order: checked, joined by label, sorted by id, with minutes as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage import coverage
from sy_coverage._frames import CANDIDATES, DEMAND, FACILITIES, UNITS, checked, require_ids
from sy_coverage.errors import InputError, UnknownIdError, some
from sy_coverage.policy.targets import CITY
from sy_coverage.roads.travel_times import shortest
from sy_coverage.siting.planning.rules.columns import (
    columns_of,
    movable_facilities,
    require_movable,
    without_blanks,
)
from sy_coverage.siting.planning.rules.plan_rules import PlanRules, with_rules
from sy_coverage.siting.sites import Sites, among
from sy_coverage.siting.solve.memory import require_room
from sy_coverage.siting.solve.stages import Scaled, scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from sy_coverage.policy import Policy
    from sy_coverage.roads import TravelTimes

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

T = TypeVar("T")


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
class PlanCase:
    """Everything one plan is made from, every frame sorted by id."""

    policy: Policy
    rules: PlanRules
    """As asked, with the policy's readings where nothing was said."""
    units: GeoDataFrame
    open_facilities: GeoDataFrame
    """Open on the date, in these units and beyond."""
    listed: GeoDataFrame
    """Candidates that can be used: located, of a declared kind, in one of the counties of the units."""
    demand: GeoDataFrame
    times: Mapping[str, TravelTimes]
    between_homes: TravelTimes | None = None
    to_medical: TravelTimes | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    """Candidates that cannot be used: (reason_id, candidate_id)."""

    def cutoffs(self, kind: str) -> Floats:
        """Return the cutoff of `kind` for each demand point, by the class of the unit its elders live in."""
        about = self.policy.kind(kind)
        return self.once(
            f"cutoffs of {kind}", lambda: coverage.cutoffs_of(self.demand, self.units, kind=about)
        )

    @property
    def share(self) -> float:
        """Return the share of a unit's elders that must be within the cutoff, for access."""
        return self.policy.readings.share if self.rules.share is None else self.rules.share

    @property
    def elders_column(self) -> str:
        """Return the column of demand that is counted."""
        return self.rules.elders or self.policy.readings.elders

    @cached_property
    def movable(self) -> dict[str, tuple[str, ...]]:
        """Return the standing facilities that the plan decides about, each with the candidates that take its place."""
        frames = (self.open_facilities, self.listed, self.units)
        return movable_facilities(*frames, policy=self.policy, rules=self.rules)

    @cached_property
    def facilities(self) -> GeoDataFrame:
        """Return the open facilities that stay whatever is chosen."""
        return self.open_facilities[~self.open_facilities.index.isin(list(self.movable))]

    @cached_property
    def candidates(self) -> GeoDataFrame:
        """Return the columns of the plan, sorted by id: the listed candidates, and the facilities that it decides about.

        Of such a facility, `cost` is what closing it would save.
        """
        return columns_of(self.open_facilities, self.listed, self.movable, rules=self.rules)

    @cached_property
    def stands(self) -> NDArray[np.bool_]:
        """Return which columns are facilities that stand."""
        return among(self.sites.ids, self.movable)

    @cached_property
    def saved(self) -> Fraction:
        """Return what closing every facility that may close would save, exactly, in 10⁴ yuan."""
        costs = self.candidates["cost"].to_numpy()[self.stands]
        return sum((Fraction(str(cost)) for cost in costs.tolist()), start=Fraction(0))

    @cached_property
    def ranks(self) -> Floats:
        """Return the rank of each candidate in the list of their ids; 0 for facilities that stand."""
        return np.where(self.stands, 0.0, np.cumsum(~self.stands))

    def sites_changed(self, sites: Iterable[str]) -> int:
        """Return how many sites differ from the plan that is under way: left out, or new."""
        opened = {s for s in sites if s not in self.movable}
        return len(opened ^ set(self.rules.adopted)) if self.rules.adopted else 0

    def cost_within(self, least: float, slack: float) -> float:
        """Return what a plan may cost that costs no more than `least` and this share of it, in whole steps of cost."""
        most = Fraction(str(least)) + Fraction(str(slack)) * abs(Fraction(str(least)))
        if not self.cost.exact:
            return float(most)
        return float((most // self.cost.step) * self.cost.step)

    def sites_differing(self, sites: Iterable[str]) -> int:
        """Return how many sites of the nearest of the plans to differ from are not among `sites`."""
        opened = set(sites)
        return min((len(set(earlier) - opened) for earlier in self.rules.differ_from), default=0)

    def rank_sum(self, sites: Iterable[str]) -> float:
        """Return the sum of the ranks of `sites` in the list of candidates."""
        return float(sum(self.ranks[self.position(s)] for s in sites))

    def with_kept(self, sites: Iterable[str], closed: Iterable[str] = ()) -> tuple[str, ...]:
        """Return the open columns when `sites` are opened and `closed` ones closed: also what stands and is not replaced."""
        opened, gone = set(sites), set(closed)
        kept = (h for h, heirs in self.movable.items() if h not in gone and not opened & set(heirs))
        return tuple(sorted({*opened, *kept}))

    def opened_in(self, sites: Iterable[str]) -> tuple[str, ...]:
        """Return those of the open columns `sites` that are opened, not kept."""
        return tuple(s for s in sites if s not in self.movable)

    def closed_in(self, sites: Iterable[str]) -> tuple[str, ...]:
        """Return the facilities that close or move when the columns `sites` are open; not those that a site is rebuilt from."""
        opened = set(sites)
        leaves = self.policy.readings.rebuilt == "leaves"
        rebuilt = {self.sites.upgrade_of[self.position(s)] for s in opened} if leaves else set()
        return tuple(h for h in self.movable if h not in opened and h not in rebuilt)

    @cached_property
    def every(self) -> GeoDataFrame:
        """Return the facilities that stay and behind them the columns, in one frame."""
        wanted = {"kind", "unit_id", "county_id", "host_id", "upgrade_of", "premises", "address", "geometry"}
        measures = [t.measure for t in self.policy.targets if t.measure.of == "facility_count"]
        wanted |= {name for m in measures for name in (m.also_flag, m.mark) if name is not None}
        frames = [
            frame[[c for c in frame.columns if c in wanted]].astype(
                {c: object for c in wanted - {"geometry"} if c in frame}
            )
            for frame in (
                self.facilities,
                coverage.with_inherited(self.candidates, self.open_facilities, self.policy),
            )
        ]
        together = pd.concat([frame for frame in frames if len(frame)] or frames[:1])
        return together.assign(county_id=np.r_[self.standing.county, self.sites.county])

    @cached_property
    def row_of_every(self) -> dict[str, int]:
        """Return the position in `every` of each facility and candidate by its id."""
        return {str(site_id): row for row, site_id in enumerate(self.every.index)}

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of the columns, sorted as text."""
        return tuple(self.candidates.index)

    @cached_property
    def cost(self) -> Scaled:
        """Return the costs of the candidates in exact steps, of which the price of a bed is a multiple too."""
        return replace(self._money, counts=self._money.counts[: len(self.candidates)])

    @cached_property
    def _money(self) -> Scaled:
        return scaled(np.r_[self.candidates["cost"].to_numpy(float), self.rules.conversion_cost or 0.0])

    @property
    def bed_price(self) -> float:
        """Return what it costs to turn one bed into a nursing bed, in steps of `cost`."""
        return float(self._money.counts[-1])

    @cached_property
    def weight(self) -> Scaled:
        """Return the elders of the demand points in exact steps."""
        return scaled(self.demand[self.elders_column].to_numpy(float))

    @cached_property
    def running_costs(self) -> Floats:
        """Return what each candidate costs to run a year; 0 for what stands, and where nobody says."""
        if "running_cost" not in self.candidates.columns:
            return np.zeros(len(self.ids))
        costs = pd.to_numeric(self.candidates["running_cost"]).fillna(0.0).to_numpy(float)
        return np.where(self.stands, 0.0, costs)

    @cached_property
    def required(self) -> NDArray[np.bool_]:
        """Return which candidates must open."""
        return np.asarray(self.candidates["required"].to_numpy(bool)) | among(
            self.sites.ids, self.rules.require
        )

    @cached_property
    def forbidden(self) -> NDArray[np.bool_]:
        """Return which candidates must stay closed."""
        return among(self.sites.ids, self.rules.forbid)

    @cached_property
    def counties(self) -> dict[str, str]:
        """Return the names of the counties by id, in order of id."""
        named: dict[str, str] = {}
        for county_id, name in zip(self.units["county_id"], self.units["county"], strict=True):
            named.setdefault(str(county_id), str(name))
        return dict(sorted(named.items()))

    @cached_property
    def sites(self) -> Sites:
        """Return what rules ask of the candidates, in their order."""
        return Sites.of(self.candidates, self.units)

    @cached_property
    def standing(self) -> Sites:
        """Return what rules ask of the open facilities, in their order."""
        return Sites.of(self.facilities, self.units)

    @property
    def county_of_site(self) -> NDArray[Any]:
        """Return the county of each candidate: its unit's, or the one it names."""
        return self.sites.county

    @property
    def county_of_facility(self) -> NDArray[Any]:
        """Return the county of each open facility, likewise."""
        return self.standing.county

    @cached_property
    def unit_of_demand(self) -> Integers:
        """Return the position of the unit of each demand point."""
        return np.asarray(self.units.index.get_indexer(self.demand["unit_id"]), dtype=np.int64)

    @cached_property
    def county_of_demand(self) -> NDArray[Any]:
        """Return the county of each demand point."""
        return np.asarray(self.units["county_id"].to_numpy(dtype=object)[self.unit_of_demand])

    @cached_property
    def elders(self) -> Floats:
        """Return the elders of each demand point."""
        return np.asarray(self.demand[self.elders_column], dtype=np.float64)

    def people(self, kind: str) -> Floats:
        """Return of each demand point how many people facilities of `kind` are for."""
        about, column = self.policy.kind(kind), self.elders_column
        return self._kept(
            "_people", kind, lambda: coverage.served_by(self.demand, about, elders=column).to_numpy(float)
        )

    def counted(self, unit_kind: str, scope_id: str) -> NDArray[np.bool_]:
        """Return which units are of a class and in a county, or (``city``) anywhere."""
        inside = self.units["kind"] == unit_kind
        if scope_id != CITY:
            inside &= self.units["county_id"] == scope_id
        return np.asarray(inside, dtype=bool)

    def of_kind(self, *kinds: str) -> Integers:
        """Return the positions of the candidates of `kinds`."""
        return np.flatnonzero(self.sites.of_kind(*kinds))

    def position(self, site_id: str) -> int:
        """Return the position of the candidate `site_id`."""
        return self.sites.row_of[site_id]

    def reach(self, kind: str) -> Reach:
        """Return minutes and cover of `kind`; a kind without times reaches nobody."""
        return self._kept("_reaches", kind, lambda: _reach(self, kind))

    def own_times(self, kind: str) -> TravelTimes:
        """Return the minutes from the demand to the candidates and open facilities of `kind`, which has times; candidates first."""
        return self._kept("_own_times", kind, lambda: _own_times(self, kind))

    def _kept(self, where: str, what: str, work: Callable[[], T]) -> T:
        cache: dict[str, T] = self.__dict__.setdefault(where, {})
        if what not in cache:
            cache[what] = work()
        return cache[what]

    def once(self, what: str, work: Callable[[], T]) -> T:
        """Return what `work` computes of this frozen case, computed once."""
        return self._kept("_known", what, work)

    def but(self, **changes: Any) -> PlanCase:
        """Return this case under other rules, such as ``scope="city"``; what was computed of minutes is kept."""
        other = replace(self, rules=with_rules(self.rules, **changes))
        for name in ("require", "forbid", "adopted"):
            new = set(getattr(other.rules, name)) - set(getattr(self.rules, name))
            require_ids(new - {*other.rules.close}, self.listed.index, f"rules.{name}: candidates")
        require_movable(other.rules, self.open_facilities, self.listed)
        kept: tuple[str, ...] = ()
        if set(changes) <= _OF_THE_CHOICE:
            kept = ("_reaches", "_own_times", "_known", *_OF_THE_FRAMES)
        elif other.movable == self.movable:
            same = not set(changes) & {"close", "move", "elders"}
            kept = ("_reaches", "_own_times", *(_OF_THE_FRAMES if same else ()))
        for name in kept:
            if name.startswith("_"):
                self.__dict__.setdefault(name, {})
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        return other


_OF_THE_CHOICE = frozenset(
    {"require", "forbid", "budget", "slack", "cost_limit", "differ_from", "adopted", "prefer"}
)
"""Rules that only choose among sets of sites: nothing that a case computes of its frames and other rules depends on them."""
_OF_THE_FRAMES = (
    "movable",
    "facilities",
    "candidates",
    "stands",
    "every",
    "row_of_every",
    "ids",
    "weight",
    "counties",
    "sites",
    "standing",
    "unit_of_demand",
    "county_of_demand",
    "elders",
)
"""What a case computes of its frames alone, whatever the rules are that do not change them."""


def read_case(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    candidates: GeoDataFrame,
    demand: GeoDataFrame,
    *,
    policy: Policy,
    times: Mapping[str, TravelTimes],
    between_homes: TravelTimes | None = None,
    to_medical: TravelTimes | None = None,
    rules: PlanRules | None = None,
) -> PlanCase:
    """Return the case of one plan.

    Raises
    ------
    FrameError
        If a frame breaks its contract.
    InputError
        If ids clash, a kind is not declared, or a required candidate cannot be used.
    UnknownIdError
        If the times lack a site or a demand point that the frames have, or `rules` name a candidate that is none.
    """
    rules = (rules or PlanRules()).as_read(policy, between_homes)
    require_room("policy_plan", len(candidates), len(demand), sum(t.minutes.nnz for t in times.values()))
    if not policy.home_kinds and (
        rules.medical_min is not None or (rules.spread_min is not None and not between_homes)
    ):
        raise InputError(
            f"rules: spread_min and medical_min ask of homes, and policy {policy.id} names none; "
            "name their kinds there (homes = […]), or do not ask"
        )
    units = _in_order(checked(units, UNITS))
    facilities = _in_order(coverage.open_on(checked(facilities, FACILITIES), rules.date))
    candidates = _in_order(without_blanks(checked(candidates, CANDIDATES)))
    demand = _in_order(checked(demand, DEMAND))
    if units.empty:
        raise InputError("units: there are none; a plan needs at least one street or township")
    if rules.elders not in demand.columns or demand[rules.elders].isna().any():
        raise InputError(
            f"demand: column '{rules.elders}' must have a number in every row to be counted as elders"
        )
    clash = sorted(set(candidates.index) & set(facilities.index))
    if clash:
        raise InputError(
            f"candidates: ids that are facilities' too: {some(clash)}; give each site an id of its own"
        )
    for name, frame in (("facilities", facilities), ("candidates", candidates)):
        unknown = frame.index[~among(frame["kind"], policy.kinds)]
        if len(unknown):
            raise InputError(f"{name}: of kinds that the policy does not declare: {some(unknown)}")
    ours = among(coverage.county_of(candidates, units).to_numpy(), units["county_id"])
    asked_of = ("require", "forbid", "adopted", "paid_over")
    for name, ids in ((name, getattr(rules, name)) for name in asked_of):
        require_ids(set(ids) - {*rules.close}, candidates.index, f"rules.{name}: candidates")
    require_movable(rules, facilities, candidates)
    located = (candidates.geometry.notna() & ~candidates.geometry.is_empty).to_numpy()
    left_out = [("candidate_not_located", str(i)) for i in candidates.index[ours & ~located]]
    must = candidates["required"].to_numpy(bool) | candidates.index.isin(rules.require)
    stuck = candidates.index[must & ours & ~located]
    if len(stuck):
        raise InputError(
            f"candidates: required, but without a location: {some(stuck)}; locate them or do not require them"
        )
    candidates = candidates[ours & located]
    demand = demand[among(demand["unit_id"], units.index)]
    case = PlanCase(
        policy,
        rules,
        units,
        facilities,
        candidates,
        demand,
        dict(times),
        between_homes,
        to_medical,
        tuple(left_out),
    )
    _require_times(case)
    return case


def _in_order(frame: GeoDataFrame) -> GeoDataFrame:
    """Return `frame` sorted by its ids, which are plain Python text: a plan looks thousands of them up one by one."""
    return frame.set_axis(frame.index.astype(object)).sort_index()


def _require_times(case: PlanCase) -> None:
    sites, standing = case.sites, case.standing
    near = (standing.unit >= 0) & case.facilities.geometry.notna().to_numpy()
    at_home = (sites.unit >= 0) & case.stands & case.candidates.geometry.notna().to_numpy()
    for kind, times in sorted(case.times.items()):
        try:
            require_ids(case.demand.index, times.demand_at, f"times of {kind}: demand")
            asked = sites.ids[sites.of_kind(kind) & ~case.stands]
            require_ids(asked, times.site_at, f"times of {kind}: candidates")
            here = [*standing.ids[near & standing.of_kind(kind)], *sites.ids[at_home & sites.of_kind(kind)]]
            require_ids(here, times.site_at, f"times of {kind}: open facilities")
        except UnknownIdError as error:
            raise UnknownIdError(
                f"{error}; compute the times for all located sites and demand points"
            ) from None


def _own_times(case: PlanCase, kind: str) -> TravelTimes:
    times, standing = case.times[kind], case.standing
    here = [i for i in standing.ids[standing.of_kind(kind)] if i in times.site_at]
    return times.select(sites=[*case.sites.ids[_timed(case, kind)], *here], demand=case.demand.index)


def _timed(case: PlanCase, kind: str) -> Integers:
    """Return the positions of the columns of `kind` of which the times know; a facility without a point may be among the others."""
    at = case.times[kind].site_at
    return np.array([j for j in case.of_kind(kind) if case.ids[j] in at], dtype=np.int64)


def _reach(case: PlanCase, kind: str) -> Reach:
    shape = (len(case.candidates), len(case.demand))
    if kind not in case.times:
        nothing = sparse.csr_array(shape)
        nowhere = np.full(shape[1], np.inf)
        return Reach(nothing, nothing, nowhere, np.zeros(shape[1], dtype=bool), 0.0)
    times, rows = case.own_times(kind), _timed(case, kind)
    mine, today = slice(0, len(rows)), slice(len(rows), None)
    within = coverage.reached(case.demand, case.units, times, kind=case.policy.kind(kind))
    near = shortest(times.minutes[today])
    known = case.times[kind].minutes.data
    cap = times.cutoff_min if np.isfinite(times.cutoff_min) else float(known.max()) if len(known) else 0.0
    return Reach(
        _spread_out(times.minutes[mine], rows, shape),
        _spread_out(sparse.csr_array(within[mine], dtype=np.float64), rows, shape),
        near,
        np.bincount(within[today].indices, minlength=shape[1]) > 0,
        cap,
    )


def _spread_out(matrix: Any, rows: Integers, shape: tuple[int, int]) -> Any:
    """Return `matrix` with its rows at positions `rows` (ascending) of a taller one; stored zeros stay stored."""
    counts = np.zeros(shape[0], dtype=np.int64)
    counts[rows] = np.diff(matrix.indptr)
    return sparse.csr_array((matrix.data, matrix.indices, np.r_[0, np.cumsum(counts)]), shape=shape)
