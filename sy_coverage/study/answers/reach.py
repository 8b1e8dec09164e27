"""Work out how many minutes people need to what stands and to what could stand, and where it could."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sy_coverage import coverage, roads
from sy_coverage.study.steps import candidates as sites
from sy_coverage.study.steps import places as read
from sy_coverage.study.steps import rules
from sy_coverage.study.steps.memory import Memory, Step
from sy_coverage.study.steps.roads import roadless, times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.policy import Kind
    from sy_coverage.roads import TravelTimes
    from sy_coverage.study.answers.asked import Asked
    from sy_coverage.study.answers.ground import Ground
    from sy_coverage.study.answers.lists import Lists


@dataclass(frozen=True, eq=False)
class Reach:
    """The candidates of a study and the minutes to every site."""

    asked: Asked
    ground: Ground
    lists: Lists

    @property
    def memory(self) -> Memory:
        """What is known of the study so far."""
        return self.asked.memory

    @Step
    def access_legs(self) -> GeoDataFrame:
        """The way of every village to the road that its minutes are counted on."""
        return roadless.access_legs(self.ground.ways, self.lists.demand, kind=self.ground.centre_kind)

    @Step
    def centre_times(self) -> TravelTimes:
        """Minutes from the villages to the centres that are open today."""
        return self.minutes_from(self.ground.centre_kind, self.open_sites(self.ground.centre_kind.id))

    @Step
    def candidates(self) -> GeoDataFrame:
        """The listed candidates, those generated besides and those added, indexed by `candidate_id`."""
        return read.with_added(
            self.listed_and_generated,
            self.asked.config.candidates.add,
            units=self.ground.units,
            facilities=self.lists.located_facilities,
            policy=self.ground.kinds,
        )

    @Step
    def listed_and_generated(self) -> GeoDataFrame:
        """The listed candidates and those generated besides, indexed by `candidate_id`."""
        given, found = self.asked.config.candidates, self.lists.listed_candidates
        if not given.generate and not given.osm:
            return found
        with self.asked.progress("generated"):
            ground = sites.Ground(
                self.ground.units, self.lists.open_facilities, self.lists.demand, self.ground.counts
            )
            if given.osm:
                source, language = self.asked.config.roads.source or "", self.asked.config.study.language
                found = sites.with_premises(
                    found, ground, given, self.asked.files, source=source, language=language
                )
            if given.generate:
                made = self._generated(found, ground)
                found = sites.called_suggested(made, found, self.asked.config.study.language)
            return found

    def _generated(self, found: GeoDataFrame, ground: sites.Ground) -> GeoDataFrame:
        given, walk_min = self.asked.config.candidates, self.asked.config.siting.station_walk_min
        nameless = bool(self.lists.demand["name"].isna().any())
        # who stands where no road leads would draw sites to where nobody else gets
        people = roadless.on_a_road(self.lists.demand, self.access_legs)
        found = sites.with_generated(
            found,
            replace(ground, demand=people),
            given,
            centre_times=self.centre_times.select(demand=list(people.index)),
            junctions=roads.junctions(self.ground.network, mode=self.ground.centre_kind.mode)
            if nameless
            else None,
            layers=self.lists.no_go,
        )
        if walk_min is None or not self.ground.kinds.station_kinds:
            return found
        stations = {
            kind: self.minutes_from(
                self.ground.kinds.kind(kind), times.sites_of((kind,), self.lists.open_facilities, found)
            )
            for kind in self.ground.kinds.station_kinds
        }
        ground = replace(ground, demand=self.lists.clustered)
        mode = self.ground.kinds.kind(self.ground.kinds.station_kinds[0]).mode
        junctions = roads.junctions(self.ground.network, mode=mode) if nameless else None
        return sites.with_stations(
            found,
            ground,
            given,
            station_times=stations,
            walk_min=walk_min,
            junctions=junctions,
            layers=self.lists.no_go,
        )

    @Step
    def times(self) -> Mapping[str, TravelTimes]:
        """Minutes from the villages to every open facility and candidate, by kind of facility."""
        needed = rules.kinds_needed(self.asked.config.siting, self.ground.policy)
        planned = sorted(set(self.candidates["kind"]) | {self.ground.centre_kind.id} | needed)
        found = {}
        with self.asked.progress("times", total=len(planned)) as advance:
            for kind in planned:
                found[kind] = self.minutes_to(kind)
                advance()
        return found

    def minutes_to(self, kind: str) -> TravelTimes:
        """Return the minutes from the villages to every open facility and candidate of `kind`."""
        sites, declared = self.sites(kind), self.ground.kinds.kind(kind)
        possible = self._possible(kind)
        # of the same points they are the same minutes, whatever led to the points
        known = self.asked.memory.get(
            ("minutes", kind, times.digest_of(possible)),
            lambda: self.minutes_from(self.ground.kinds.kind(kind), possible),
        )
        new = sites[~sites.index.isin(known.site_ids)]
        return times.joined(known, self.minutes_from(declared, new) if len(new) else None, list(sites.index))

    def _possible(self, kind: str) -> GeoDataFrame:
        """Return the sites of `kind` before any is closed or added: their minutes hold for every scenario."""
        standing = coverage.open_on(self.lists.located_facilities, self.asked.config.study.date)
        return times.sites_of((kind,), standing, self.listed_and_generated)

    def minutes_from(self, kind: Kind, points: GeoDataFrame) -> TravelTimes:
        """Return the minutes from the villages to points, as elders travel to such a kind."""
        far = times.horizon_min(kind, self.asked.config.siting, self.ground.kinds)
        return self.ground.ways.travel_times(points, self.lists.demand, mode=kind.mode, cutoff_min=far)

    def open_sites(self, kind: str) -> GeoDataFrame:
        """Return the facilities of a kind that are open on the study's date."""
        return times.sites_of((kind,), self.lists.open_facilities)

    def sites(self, *kinds: str) -> GeoDataFrame:
        """Return the open facilities and the candidates of some kinds."""
        return times.sites_of(kinds, self.lists.open_facilities, self.candidates)

    @Step
    def between_homes(self) -> TravelTimes | None:
        """Minutes between any two homes that must be apart, where the study asks for a spread."""
        spread = self.asked.config.siting.spread_min
        if spread is None:
            return None
        homes = self.sites(*self.ground.kinds.home_kinds)
        self.ground.ways.require_homes(homes.index, homes.index, key="spread_min")
        return self.ground.ways.travel_times(homes, homes, mode="drive", cutoff_min=spread)

    @Step
    def to_medical(self) -> TravelTimes | None:
        """Minutes from every home, standing or possible, to the medical institutions."""
        limit, kind = self.asked.config.siting.medical_min, self.ground.kinds.medical_kind
        if limit is None or kind is None:
            return None
        homes = self.sites(*self.ground.kinds.home_kinds)
        institutions = self.open_sites(kind)
        self.ground.ways.require_homes(homes.index, institutions.index, key="medical_min")
        return self.ground.ways.travel_times(institutions, homes, mode="drive", cutoff_min=limit)

    @Step
    def names(self) -> Mapping[str, str]:
        """The name of every county, unit, village, facility and candidate by its id."""
        return read.names_of(
            (self.lists.demand, self.ground.units, self.lists.located_facilities, self.candidates),
            self.ground.counties,
        )

    def catchment(self, place: str | tuple[float, float], minutes: float, *, kind: str = "") -> GeoDataFrame:
        """Return from where a place is at most `minutes` away, and how many elders live there, as `Study.catchment`."""
        own = read.place_named(
            place, (self.lists.facilities, self.candidates), kind or self.ground.centre_kind.id
        )
        declared = self.ground.kinds.kind(kind or str(own["kind"].iloc[0]))
        return times.catchment(
            self.ground.ways,
            own,
            self.lists.demand,
            minutes=minutes,
            kind=declared,
        )
