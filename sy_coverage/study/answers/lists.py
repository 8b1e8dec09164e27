"""Read who lives where and what stands where, with what the office answered, and say what is doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sy_coverage import coverage, places, roads, siting
from sy_coverage.errors import OfflineError
from sy_coverage.study.answers.asked import ASKED
from sy_coverage.study.steps import candidates as sites
from sy_coverage.study.steps import demand, locating, rules
from sy_coverage.study.steps import places as read
from sy_coverage.study.steps.memory import Memory, Step
from sy_coverage.study.steps.office import doubts as office_doubts
from sy_coverage.study.steps.office import rows
from sy_coverage.study.steps.office.answers import read_answers

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.study.answers.asked import Asked
    from sy_coverage.study.answers.ground import Ground


@dataclass(frozen=True, eq=False)
class Lists:
    """The villages, the facilities and the listed candidates of a study, each row with its place or its reason."""

    asked: Asked
    ground: Ground

    @property
    def memory(self) -> Memory:
        """What is known of the study so far."""
        return self.asked.memory

    @Step
    def demand(self) -> GeoDataFrame:
        """Villages with elders, indexed by `demand_id`, each in a unit."""
        with self.asked.progress("demand"):
            found = demand.read_demand(
                self.asked.config.demand,
                self.asked.files,
                units=self.ground.units,
                target_year=self.asked.config.study.date.year,
                answers=self.office_answers,
                spots=self._where_roads_meet,
            )
            return self.asked.reported("demand", found)

    def _where_roads_meet(self) -> GeoDataFrame | None:
        """Return the junctions of the roads, or None where these would have to be asked for and nobody may be."""
        if self.asked.config.roads.source is None:
            return None
        try:
            return roads.junctions(self.ground.network, mode=self.ground.centre_kind.mode)
        except OfflineError:
            return None

    @Step
    def clustered(self) -> GeoDataFrame:
        """The demand with the cluster of every village, where centres must have stations."""
        return rules.clustered(self.asked.config.siting, self.demand, self.ground.units)

    @Step
    def office_answers(self) -> DataFrame:
        """What the office answered to earlier doubts, contract `ANSWERS`, indexed by `doubt_id`."""
        found = read_answers(
            self.asked.config.answers, self.asked.files, output=self.asked.config.study.output
        )
        return self.asked.reported("answers", found)

    @Step
    def given_facilities(self) -> GeoDataFrame:
        """Every facility row as it was read, before any address is looked up."""
        given = self.asked.config.facilities
        found = read.read_facilities(
            given,
            self.asked.files,
            units=self.ground.units,
            policy=self.ground.kinds,
            answers=self.office_answers,
        )
        return self.asked.reported("facilities", found)

    @Step
    def given_candidates(self) -> GeoDataFrame | None:
        """Every row of the candidate lists as it was read, or None where no list was given."""
        given = self.asked.config.candidates
        found = read.read_candidates(
            given,
            self.asked.files,
            units=self.ground.units,
            policy=self.ground.kinds,
            answers=self.office_answers,
        )
        return None if found is None else self.asked.reported("candidates", found)

    @Step
    def location_sources(self) -> list[Any]:
        """What locates rows that have only an address, in the order they are tried."""
        return locating.location_sources(
            self.asked.config.geocoding, self.asked.files, units=self.ground.units, demand=self.demand
        )

    def _located(self, frame: GeoDataFrame) -> GeoDataFrame:
        given = self.asked.config.geocoding
        if given.choose:
            read.require_chosen(given, [self.given_facilities, self.given_candidates])
        return read.located(frame, self.location_sources, units=self.ground.units, given=given)

    @Step
    def facility_rows(self) -> GeoDataFrame:
        """Every facility row that was given, located or with its reason, also those that cannot be used."""
        with self.asked.progress("facilities"):
            return self._located(self.given_facilities)

    @Step
    def located_facilities(self) -> GeoDataFrame:
        """The facilities that count, before any is closed: not those of no known kind, nor those the office set aside."""
        found = rows.usable(self.facility_rows)
        reading = self.asked.memory.around("reading")
        if reading == rows.LEAST:
            return found[~found.index.isin(self.name_only)]
        return (
            rows.with_unsettled(found, self.facility_rows, self.unsettled) if reading == rows.MOST else found
        )

    @Step
    def name_only(self) -> tuple[str, ...]:
        """Ids of facilities that count towards a target and are of their kind by their name alone, until the office answers."""
        counted = {kind for target in self.ground.kinds.targets for kind in target.measure.kinds}
        return office_doubts.name_only(self.open_doubts, self.facility_rows, counted)

    @Step
    def unsettled(self) -> DataFrame:
        """The facilities that do not count until the office answers, by id: the `kind` and `unit_id` they would have."""
        return office_doubts.unsettled(
            self.open_doubts,
            self.facility_rows,
            units=self.ground.units,
            kind=self.ground.policy.coverage_kind,
        )

    @Step
    def facilities(self) -> GeoDataFrame:
        """The facilities that count, located or with their reason, indexed by `facility_id`."""
        return read.closed(self.located_facilities, self.asked.config.facilities.close)

    @Step
    def open_facilities(self) -> GeoDataFrame:
        """The facilities that are open on the study's date."""
        return coverage.open_on(self.facilities, self.asked.config.study.date)

    @Step
    def doubts(self) -> DataFrame:
        """One row for everything in the facility lists that somebody should verify."""
        return places.doubts(
            self.facility_rows, self.ground.units, policy=self.ground.kinds, villages=self.demand
        )

    @Step
    def candidate_rows(self) -> GeoDataFrame:
        """Every row of the candidate lists, located or with its reason; those that nobody priced cost the usual figure."""
        if self.given_candidates is None:
            return read.no_candidates(self.located_facilities)
        with self.asked.progress("candidates"):
            found = self._located(self.given_candidates)
        return rows.completed(found, self.facility_rows, self.asked.config.candidates)

    @Step
    def listed_candidates(self) -> GeoDataFrame:
        """The candidates of the lists that were given, located, indexed by `candidate_id`."""
        return sites.marked(rows.usable(self.candidate_rows), self.asked.config.candidates, self.no_go)

    @Step
    def open_doubts(self) -> DataFrame:
        """Everything about the lists that nobody has answered, contract `DOUBTS`: what matters most comes first."""
        located = {"facilities": (self.facility_rows, self.doubts)}
        if self.given_candidates is not None:
            found = places.doubts(
                self.candidate_rows, self.ground.units, policy=self.ground.kinds, villages=self.demand
            )
            located["candidates"] = (self.candidate_rows, found)
        asked = [
            self.asked.memory.reports[f"{ASKED}{room}"]
            for room in ("facilities", "candidates", "demand")
            if f"{ASKED}{room}" in self.asked.memory.reports
        ]
        return office_doubts.open_doubts(
            asked,
            located,
            units=self.ground.units,
            demand=self.demand,
            policy=self.ground.kinds,
            answers=self.office_answers,
        )

    @Step
    def no_go(self) -> tuple[siting.NoGo, ...]:
        """The layers in which sites are barred or flagged."""
        return sites.read_no_go(self.asked.config.candidates, self.asked.files)
