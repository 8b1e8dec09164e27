"""Measure where a study's counties stand: candidates, travel times, coverage and scorecard, each when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import coverage
from sy_coverage.study.steps import citywide
from sy_coverage.study.steps.generated import generated
from sy_coverage.study.steps.inputs import Inputs

if TYPE_CHECKING:
    from collections.abc import Collection

    from geopandas import GeoDataFrame
    from pandas import DataFrame, Series

    from sy_coverage.policy import Kind
    from sy_coverage.roads import TravelTimes

HORIZON = 2.0
"""Travel times reach this many cutoffs far, so that a plan can also shorten the way of elders beyond the cutoff."""


class Measured(Inputs):
    """What follows from a study's inputs before anything is planned. Frames must not be changed in place."""

    @cached_property
    def candidates(self) -> GeoDataFrame:
        """The listed candidates and those generated besides, indexed by `candidate_id`."""
        given = self.config.candidates
        listed = self.listed_candidates
        if not given.generate and not given.osm:
            return listed
        with self.progress("generated"):
            return generated(self, listed)

    # --- times ----------------------------------------------------------------------------------------------------

    def _open(self, kind: str) -> GeoDataFrame:
        frame = self.open_facilities
        return frame[(frame["kind"] == kind) & frame.geometry.notna()]

    def _times_of(self, kind: Kind, sites: GeoDataFrame) -> TravelTimes:
        horizon = HORIZON * kind.longest_min
        if kind.id in self.policy.station_kinds:
            horizon = max(horizon, self.config.siting.station_walk_min or 0.0)
        return self.network.travel_times(
            sites, self.demand, mode=kind.mode, cutoff_min=horizon, **self.to_road
        )

    @cached_property
    def centre_times(self) -> TravelTimes:
        """Minutes from the villages to the centres that are open today."""
        return self._times_of(self.centre_kind, self._open(self.centre_kind.id))

    def station_times(self, candidates: GeoDataFrame) -> dict[str, TravelTimes]:
        """Return the minutes from the villages to every open station and those of `candidates`, by kind."""
        found = {}
        for kind in self.policy.station_kinds:
            listed = candidates[(candidates["kind"] == kind) & candidates.geometry.notna()]
            sites = pd.concat([f[["kind", "geometry"]] for f in (self._open(kind), listed)]).sort_index()
            found[kind] = self._times_of(self.policy.kind(kind), sites)
        return found

    @cached_property
    def times(self) -> dict[str, TravelTimes]:
        """Minutes from the villages to every open facility and candidate, by kind of facility."""
        planned = sorted(set(self.candidates["kind"]) | {self.centre_kind.id} | citywide.kinds(self))
        with self.progress("times", total=len(planned)) as advance:
            found = {}
            for kind in planned:
                found[kind] = self.minutes_to(kind)
                advance()
        return found

    def minutes_to(self, kind: str) -> TravelTimes:
        """Return the minutes from the villages to every open facility and candidate of `kind`."""
        return self._times_of(self.policy.kind(kind), self._sites(kind))

    def _sites(self, *kinds: str) -> GeoDataFrame:
        """Return the located open facilities and candidates of `kinds` in one frame, ordered by id."""
        columns = ["kind", "geometry"]
        frames = [
            frame[frame["kind"].isin(kinds) & frame.geometry.notna()][columns] for frame in self._standing
        ]
        return pd.concat(frames).sort_index()

    @property
    def _standing(self) -> tuple[GeoDataFrame, GeoDataFrame]:
        return self.open_facilities, self.candidates

    def _site_times(self, sites: GeoDataFrame, points: GeoDataFrame, *, cutoff_min: float) -> TravelTimes:
        return self.network.travel_times(sites, points, mode="drive", cutoff_min=cutoff_min, **self.to_road)

    @cached_property
    def between_homes(self) -> TravelTimes | None:
        """Minutes between any two homes that must be apart, where the study asks for a spread."""
        spread = self.config.siting.spread_min
        if spread is None:
            return None
        homes = self._sites(*self.policy.home_kinds)
        return self._site_times(homes, homes, cutoff_min=spread)

    @cached_property
    def to_medical(self) -> TravelTimes | None:
        """Minutes from every home, standing or possible, to the medical institutions."""
        limit = self.config.siting.medical_min
        if limit is None or self.policy.medical_kind is None:
            return None
        return self._site_times(
            self._open(self.policy.medical_kind), self._sites(*self.policy.home_kinds), cutoff_min=limit
        )

    # --- coverage -------------------------------------------------------------------------------------------------

    def coverage_of(self, kind: str) -> GeoDataFrame:
        """Return coverage by unit of another kind of facility, such as ``meal_point``.

        Raises
        ------
        UnknownIdError
            If the policy declares no such kind.
        """
        return self._coverage(self.open_facilities, self.policy.kind(kind))

    def _coverage(
        self, facilities: GeoDataFrame, kind: Kind, times: TravelTimes | None = None
    ) -> GeoDataFrame:
        times = self.times.get(kind.id) if times is None else times
        if times is None:
            times = self._times_of(kind, self._open(kind.id))
        return coverage.coverage_by_unit(
            self.units,
            facilities,
            self.demand,
            times,
            policy=self.policy,
            kind=kind.id,
            nearest_min=self.nearest_minutes(facilities, kind),
            date=self.config.study.date,
        )

    def nearest_sites(self, facilities: GeoDataFrame, kind: Kind) -> DataFrame:
        """Return, by `demand_id`, which of `facilities` of `kind` that is open is nearest (`site_id`) and the true minutes (`nearest_min`).

        Both are missing where no road leads to one.
        """
        counted = coverage.open_on(facilities, self.config.study.date)
        sites = counted[(counted["kind"] == kind.id) & counted.geometry.notna()]
        if sites.empty or self.demand.empty:
            return pd.DataFrame({"site_id": None, "nearest_min": float("nan")}, index=self.demand.index)
        return self.network.nearest(sites, self.demand, mode=kind.mode, **self.to_road)

    def nearest_minutes(self, facilities: GeoDataFrame, kind: Kind) -> Series:
        """Return, by `demand_id`, the true minutes to the nearest of `facilities` of `kind` that is open; missing where no road leads to one."""
        minutes: Series = self.nearest_sites(facilities, kind)["nearest_min"]
        return minutes

    def _by_kind(self, facilities: GeoDataFrame, by_unit: GeoDataFrame) -> dict[str, GeoDataFrame]:
        """Return coverage by unit of every kind that a rate of the policy counts; that of the centre is known already."""
        return {
            kind: by_unit
            if kind == self.centre_kind.id
            else self._coverage(facilities, self.policy.kind(kind))
            for kind in self.policy.covered_kinds
        }

    @cached_property
    def coverage(self) -> GeoDataFrame:
        """Where each unit stands on the study's date: presence and access side by side."""
        with self.progress("coverage"):
            # no candidate is needed to say where things stand
            return self._coverage(self.facilities, self.centre_kind, self.centre_times)

    def _scorecard(
        self, facilities: GeoDataFrame, by_unit: GeoDataFrame, scope_ids: Collection[str] | None = None
    ) -> DataFrame:
        return coverage.scorecard(
            self.units,
            facilities,
            self._by_kind(facilities, by_unit),
            policy=self.policy,
            counties=self.counties,
            date=self.config.study.date,
            reported=self.config.reported,
            demand=self.demand,
            language=self.config.study.language,
            scope_ids=scope_ids,
        )

    @cached_property
    def scorecard_today(self) -> DataFrame:
        """Every target of the policy as things stand: `value`, `target`, `met`, `needed`, …; plans nothing."""
        return self._scorecard(self.facilities, self.coverage)
