"""Say where each unit and each target of the policy stands with given facilities, and so today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sy_coverage import coverage
from sy_coverage.study.steps.memory import Memory, Step
from sy_coverage.study.steps.roads import times

if TYPE_CHECKING:
    from collections.abc import Collection

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.policy import Kind
    from sy_coverage.roads import TravelTimes
    from sy_coverage.study.answers.asked import Asked
    from sy_coverage.study.answers.ground import Ground
    from sy_coverage.study.answers.lists import Lists
    from sy_coverage.study.answers.reach import Reach


@dataclass(frozen=True, eq=False)
class Standing:
    """Coverage and the scorecard, of any facilities and of those of today."""

    asked: Asked
    ground: Ground
    lists: Lists
    reach: Reach

    @property
    def memory(self) -> Memory:
        """What is known of the study so far."""
        return self.asked.memory

    def coverage_of(self, kind: str) -> GeoDataFrame:
        """Return coverage by unit of another kind of facility, such as ``meal_point``.

        Raises
        ------
        UnknownIdError
            If the policy declares no such kind.
        """
        return self.coverage_with(self.lists.open_facilities, self.ground.policy.kind(kind))

    def coverage_with(
        self, facilities: GeoDataFrame, kind: Kind, known: TravelTimes | None = None
    ) -> GeoDataFrame:
        """Return coverage by unit of a kind with these facilities; `known` are the minutes to them, where these are not of the plan."""
        minutes = self.reach.times.get(kind.id) if known is None else known
        return coverage.coverage_by_unit(
            self.ground.units,
            facilities,
            self.lists.demand,
            self.reach.minutes_from(kind, self.reach.open_sites(kind.id)) if minutes is None else minutes,
            policy=self.ground.policy,
            kind=kind.id,
            nearest_min=self.nearest_sites(facilities, kind)["nearest_min"],
            date=self.asked.config.study.date,
        )

    def nearest_sites(self, facilities: GeoDataFrame, kind: Kind) -> DataFrame:
        """Return, by `demand_id`, which of `facilities` of `kind` that is open is nearest (`site_id`) and the true minutes (`nearest_min`).

        Both are missing where no road leads to one.
        """
        opened = times.sites_of((kind.id,), coverage.open_on(facilities, self.asked.config.study.date))
        return self.ground.ways.nearest(opened, self.lists.demand, mode=kind.mode)

    def by_kind(self, facilities: GeoDataFrame, by_unit: GeoDataFrame) -> dict[str, GeoDataFrame]:
        """Return coverage by unit of every kind that a rate of the policy counts; that of the centre is known already."""
        own = self.ground.centre_kind.id
        counted = self.ground.policy.covered_kinds
        return {
            k: by_unit if k == own else self.coverage_with(facilities, self.ground.policy.kind(k))
            for k in counted
        }

    @Step
    def coverage(self) -> GeoDataFrame:
        """Where each unit stands on the study's date: presence and access side by side."""
        with self.asked.progress("coverage"):
            # no candidate is needed to say where things stand
            return self.coverage_with(self.lists.facilities, self.ground.centre_kind, self.reach.centre_times)

    @Step
    def access_beside(self) -> DataFrame:
        """By unit and travel mode of ``[access] beside``, the share of elders within the cutoff of a centre today: ``share_<mode>``."""
        centres, kind = self.reach.open_sites(self.ground.centre_kind.id), self.ground.centre_kind
        ways = self.ground.ways
        minutes = {
            str(mode): ways.nearest(centres, self.lists.demand, mode=mode, stated=mode != kind.mode)[
                "nearest_min"
            ]
            if ways.is_known(mode)
            else None
            for mode in self.asked.config.access.beside
        }
        return times.shares_within(minutes, self.lists.demand, self.ground.units, kind)

    def scorecard_with(
        self, facilities: GeoDataFrame, by_unit: GeoDataFrame, scope_ids: Collection[str] | None = None
    ) -> DataFrame:
        """Return the scorecard with these facilities, whose coverage by unit is `by_unit`; of all places, or of some."""
        return coverage.scorecard(
            self.ground.units,
            facilities,
            self.by_kind(facilities, by_unit),
            policy=self.ground.policy,
            counties=dict(self.ground.counties),
            date=self.asked.config.study.date,
            reported=self.asked.config.reported,
            demand=self.lists.demand,
            language=self.asked.config.study.language,
            scope_ids=scope_ids,
        )

    @Step
    def scorecard_today(self) -> DataFrame:
        """Every target of the policy as things stand: `value`, `target`, `met`, `needed`, …; plans nothing."""
        return self.scorecard_with(self.lists.facilities, self.coverage)
