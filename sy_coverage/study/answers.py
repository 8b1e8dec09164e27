"""Work out what a study says, step by step: each step a function of configuration and frames, computed once, kept."""

from __future__ import annotations

import time
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sy_coverage import _files, coverage, labels, places, roads, siting
from sy_coverage.errors import OfflineError, UnknownIdError
from sy_coverage.outputs.findings import in_china
from sy_coverage.outputs.text import words
from sy_coverage.study.plans import alternatives, citywide
from sy_coverage.study.progress import Progress, silent
from sy_coverage.study.steps import candidates as sites
from sy_coverage.study.steps import demand, locating, network, roadless, rules, times
from sy_coverage.study.steps import places as read
from sy_coverage.study.steps.files import StudyFiles, lists_and_layers
from sy_coverage.study.steps.memory import Memory, Step
from sy_coverage.study.steps.office import doubts as office_doubts
from sy_coverage.study.steps.office import rows
from sy_coverage.study.steps.office.answers import read_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.policy import Kind, Policy
    from sy_coverage.roads import RoadNetwork, TravelTimes
    from sy_coverage.siting import SitingPlan
    from sy_coverage.study.config.file import StudyConfig
    from sy_coverage.study.config.questions.compare import Compare

    Scope = str | None
    Tables = Mapping[str, DataFrame]

ASKED = "asked "
"""How rooms begin under which is kept what their readers ask."""
LAST = 16
"""So many plans of this study and of those asked of it are known by what was asked."""
_BOTH = ["scope", "value_today", "value_planned", "target", "met_today", "met_planned", "needed", "basis"]


def sentences_of(study: Answers, reasons: DataFrame) -> DataFrame:
    """Return reasons with a `sentence` in the study's language, costs in the money of its policy."""
    language = study.config.study.language
    money = words.spoken_money(words.at_home(study.policy, in_china=in_china(study.units)), language)
    return siting.sentences(reasons, language, names=dict(study.names), money=money)


class Answers:
    """What a study says. Frames are in EPSG:4326 and refuse to be changed in place; nothing is computed before it is asked for."""

    def __init__(
        self,
        config: StudyConfig,
        folder: Path,
        gate: _files.Gate,
        *,
        progress: Progress = silent,
        memory: Memory | None = None,
        proposed: deque[tuple[SitingPlan, Answers]] | None = None,
    ) -> None:
        """Hold `config`, whose relative paths start at `folder`; `gate` says who may be asked, `progress` is told of stages."""
        around: dict[str, Any] = {"services": gate.services, "databases": gate.databases}
        around |= dict.fromkeys(("counties", "plans", "roads", "sure_only"))
        self.memory = Memory(config, around) if memory is None else memory
        self.folder, self.told = folder, progress
        self.seconds: dict[str, float] = {}
        self.proposed: deque[tuple[SitingPlan, Answers]] = (
            deque(maxlen=LAST) if proposed is None else proposed
        )

    # --- the study itself ------------------------------------------------------------------------------------------

    @property
    def config(self) -> StudyConfig:
        """What the study file says; within a step, it is noted what is read of it."""
        return self.memory.config

    @property
    def gate(self) -> _files.Gate:
        """Who may be asked."""
        return _files.Gate(services=self.memory.around("services"), databases=self.memory.around("databases"))

    @property
    def offline(self) -> bool:
        """Whether no map service is asked."""
        return not self.gate.services

    @property
    def files(self) -> StudyFiles:
        """Where the files lie that the study names."""
        return StudyFiles(self.folder, self.gate, self.config.limits.of_files())

    @property
    def reports(self) -> dict[str, DataFrame]:
        """What the readers read, assumed, fixed and left out, by room."""
        return {room: report for room, report in self.memory.reports.items() if not room.startswith(ASKED)}

    @property
    def lists_and_layers(self) -> list[tuple[str, str]]:
        """What each file or table is for, and its path as the study writes it; roads are not among them."""
        return lists_and_layers(self.config)

    def path(self, written: str) -> str:
        """Return a path as the study file means it; see `StudyFiles.path`."""
        return self.files.path(written)

    def digest(self, room: str, written: str) -> str:
        """Return the SHA-256 of a file, or of the rows that were read for `room` from a table of a database."""
        return self.files.digest(room, written, self.reports)

    def words(self, key: str, **values: object) -> str:
        """Return a label in the study's language."""
        return labels.text(key, self.config.study.language, **values)

    @contextmanager
    def progress(self, stage: str, *, total: int = 1) -> Iterator[Callable[[], None]]:
        """Tell whoever waits that `stage` begins, and keep how long it took."""
        begun = time.monotonic()
        with self.told(stage, total=total) as advance:
            yield advance
        self.seconds[stage] = time.monotonic() - begun

    def heir(self, *, config: StudyConfig | None = None, **around: Any) -> Answers:
        """Return the answers of a study with another configuration or surroundings; what it reads alike is known to it."""
        memory = self.memory.heir(config=config, **around)
        return Answers(
            memory.config,
            self.folder,
            self.gate,
            progress=self.told,
            memory=memory,
            proposed=self.proposed,
        )

    def without_services(self) -> Answers:
        """Return the answers of the study as it is without asking any map service."""
        return self.heir(services=False)

    def _reported(self, room: str, frame: GeoDataFrame) -> GeoDataFrame:
        """Keep the report a reader attached to `frame`, and return the frame without it: pandas copies it at every step."""
        report = frame.attrs.pop("report", None)
        if report is not None:
            self.memory.report(room, report)
        asked = frame.attrs.pop("doubts", None)
        if asked is not None:
            self.memory.report(f"{ASKED}{room}", asked)
        return frame

    # --- what must be reached, who and what is where -----------------------------------------------------------------

    @Step
    def policy(self) -> Policy:
        """What must be reached, with the readings and reaches that the study chose in place of the policy's own."""
        return rules.read_policy(self.config, self.files)

    @Step
    def units(self) -> GeoDataFrame:
        """Streets and townships, indexed by `unit_id`."""
        with self.progress("units"):
            given = self.config.boundaries
            units = read.read_units(given, self.files)
            if given.admin_level is not None and given.county_level is None:
                # an extract that is one county says no name of it: the policy does
                units = units.assign(county=labels.pick(self.policy.area, self.config.study.language))
            return self._reported("units", units)

    @Step
    def counties(self) -> Mapping[str, str]:
        """Names of the counties by `county_id`, in order of their ids."""
        return read.county_names(self.units)

    @Step
    def demand(self) -> GeoDataFrame:
        """Villages with elders, indexed by `demand_id`, each in a unit."""
        with self.progress("demand"):
            found = demand.read_demand(
                self.config.demand,
                self.files,
                units=self.units,
                target_year=self.config.study.date.year,
                answers=self.office_answers,
                spots=self._where_roads_meet,
            )
            return self._reported("demand", found)

    def _where_roads_meet(self) -> GeoDataFrame | None:
        """Return the junctions of the roads, or None where these would have to be asked for and nobody may be."""
        try:
            return roads.junctions(self.network, mode=self.centre_kind.mode)
        except OfflineError:
            return None

    @Step
    def office_answers(self) -> DataFrame:
        """What the office answered to earlier doubts, contract `ANSWERS`, indexed by `doubt_id`."""
        return read_answers(self.config.answers, self.files, output=self.config.study.output)

    @Step
    def given_facilities(self) -> GeoDataFrame:
        """Every facility row as it was read, before any address is looked up."""
        given = self.config.facilities
        found = read.read_facilities(
            given, self.files, units=self.units, policy=self.policy, answers=self.office_answers
        )
        return self._reported("facilities", found)

    @Step
    def given_candidates(self) -> GeoDataFrame | None:
        """Every row of the candidate lists as it was read, or None where no list was given."""
        given = self.config.candidates
        found = read.read_candidates(
            given, self.files, units=self.units, policy=self.policy, answers=self.office_answers
        )
        return None if found is None else self._reported("candidates", found)

    @Step
    def location_sources(self) -> list[Any]:
        """What locates rows that have only an address, in the order they are tried."""
        return locating.location_sources(
            self.config.geocoding, self.files, units=self.units, demand=self.demand
        )

    def _located(self, frame: GeoDataFrame) -> GeoDataFrame:
        given = self.config.geocoding
        if given.choose:
            read.require_chosen(given, [self.given_facilities, self.given_candidates])
        return read.located(frame, self.location_sources, units=self.units, given=given)

    @Step
    def facility_rows(self) -> GeoDataFrame:
        """Every facility row that was given, located or with its reason, also those that cannot be used."""
        with self.progress("facilities"):
            return self._located(self.given_facilities)

    @Step
    def located_facilities(self) -> GeoDataFrame:
        """The facilities that count, before any is closed: not those of no known kind, nor those the office set aside."""
        found = rows.usable(self.facility_rows)
        return found[~found.index.isin(self.name_only)] if self.memory.around("sure_only") else found

    @Step
    def name_only(self) -> tuple[str, ...]:
        """Ids of facilities that count towards a target and are of their kind by their name alone, until the office answers."""
        counted = {kind for target in self.policy.targets for kind in target.measure.kinds}
        return office_doubts.name_only(self.open_doubts, self.facility_rows, counted)

    @Step
    def facilities(self) -> GeoDataFrame:
        """The facilities that count, located or with their reason, indexed by `facility_id`."""
        return read.closed(self.located_facilities, self.config.facilities.close)

    @Step
    def open_facilities(self) -> GeoDataFrame:
        """The facilities that are open on the study's date."""
        return coverage.open_on(self.facilities, self.config.study.date)

    @Step
    def doubts(self) -> DataFrame:
        """One row for everything in the facility lists that somebody should verify."""
        return places.doubts(self.facility_rows, self.units, policy=self.policy, villages=self.demand)

    @Step
    def candidate_rows(self) -> GeoDataFrame:
        """Every row of the candidate lists, located or with its reason; those that nobody priced cost the usual figure."""
        if self.given_candidates is None:
            return read.no_candidates(self.located_facilities)
        with self.progress("candidates"):
            found = self._located(self.given_candidates)
        return rows.completed(found, self.facility_rows, self.config.candidates)

    @Step
    def listed_candidates(self) -> GeoDataFrame:
        """The candidates of the lists that were given, located, indexed by `candidate_id`."""
        return sites.marked(rows.usable(self.candidate_rows), self.config.candidates, self.no_go)

    @Step
    def open_doubts(self) -> DataFrame:
        """Everything about the lists that nobody has answered, contract `DOUBTS`: what matters most comes first."""
        located = {"facilities": (self.facility_rows, self.doubts)}
        if self.given_candidates is not None:
            found = places.doubts(self.candidate_rows, self.units, policy=self.policy, villages=self.demand)
            located["candidates"] = (self.candidate_rows, found)
        asked = [
            self.memory.reports[f"{ASKED}{room}"]
            for room in ("facilities", "candidates", "demand")
            if f"{ASKED}{room}" in self.memory.reports
        ]
        return office_doubts.open_doubts(
            asked,
            located,
            units=self.units,
            demand=self.demand,
            policy=self.policy,
            answers=self.office_answers,
        )

    @Step
    def no_go(self) -> tuple[siting.NoGo, ...]:
        """The layers in which sites are barred or flagged."""
        return sites.read_no_go(self.config.candidates, self.files)

    @Step
    def names(self) -> Mapping[str, str]:
        """The name of every county, unit, village, facility and candidate by its id."""
        return read.names_of(
            (self.demand, self.units, self.located_facilities, self.candidates), self.counties
        )

    # --- roads and times -------------------------------------------------------------------------------------------

    @Step
    def network(self) -> RoadNetwork:
        """The roads, for every travel mode the policy's kinds use."""
        given, asked = self.config.roads, self.config.siting
        self.memory.around("roads")  # whoever asks OpenStreetMap again has other roads
        with self.progress("roads"):
            found = network.read_network(
                *(given, asked, self.files),
                units=self.units,
                policy=self.policy,
                beside=self.config.access.beside,
            )
            return network.with_changes(found, given, self.files)

    @Step
    def water(self) -> GeoDataFrame | None:
        """Rivers and lakes to draw, where the roads come from an OpenStreetMap extract."""
        return network.read_water(self.config.roads, self.files, units=self.units)

    @property
    def attribution(self) -> str:
        """Who must be named beside a map for its roads and water."""
        return network.attribution(self.config.roads)

    @property
    def to_road(self) -> dict[str, Any]:
        """How points are brought to the roads: how far at most, and how fast that is walked."""
        return vars(self._to_road)

    @property
    def _to_road(self) -> times.ToRoad:
        given = self.config.roads
        return times.ToRoad(given.max_snap_m, network.walk_m_per_s(given))

    @Step
    def centre_kind(self) -> Kind:
        """The kind of facility whose presence and access the coverage rates count."""
        return self.policy.kind(self.policy.coverage_kind)

    def _minutes(self, kind: Kind, places_: GeoDataFrame) -> TravelTimes:
        far = times.horizon_min(kind, self.config.siting, self.policy)
        return times.to_demand(self.network, places_, self.demand, kind=kind, far_min=far, by=self._to_road)

    def _open(self, kind: str) -> GeoDataFrame:
        return times.sites_of((kind,), self.open_facilities)

    def _sites(self, *kinds: str) -> GeoDataFrame:
        return times.sites_of(kinds, self.open_facilities, self.candidates)

    @Step
    def centre_times(self) -> TravelTimes:
        """Minutes from the villages to the centres that are open today."""
        return self._minutes(self.centre_kind, self._open(self.centre_kind.id))

    @Step
    def access_legs(self) -> GeoDataFrame:
        """The way of every village to the road that its minutes are counted on."""
        return roadless.access_legs(self.network, self.demand, kind=self.centre_kind, by=self._to_road)

    @Step
    def clustered(self) -> GeoDataFrame:
        """The demand with the cluster of every village, where centres must have stations."""
        return rules.clustered(self.config.siting, self.demand, self.units)

    @Step
    def candidates(self) -> GeoDataFrame:
        """The listed candidates, those generated besides and those added, indexed by `candidate_id`."""
        return read.with_added(
            self.listed_and_generated,
            self.config.candidates.add,
            units=self.units,
            facilities=self.located_facilities,
            policy=self.policy,
        )

    @Step
    def listed_and_generated(self) -> GeoDataFrame:
        """The listed candidates and those generated besides, indexed by `candidate_id`."""
        given, found = self.config.candidates, self.listed_candidates
        if not given.generate and not given.osm:
            return found
        with self.progress("generated"):
            ground = sites.Ground(self.units, self.open_facilities, self.demand, self.policy)
            if given.osm:
                source, language = self.config.roads.source, self.config.study.language
                found = sites.with_premises(
                    found, ground, given, self.files, source=source, language=language
                )
            if given.generate:
                made = self._generated(found, ground)
                found = sites.called_suggested(made, found, self.config.study.language)
            return found

    def _generated(self, found: GeoDataFrame, ground: sites.Ground) -> GeoDataFrame:
        given, walk_min = self.config.candidates, self.config.siting.station_walk_min
        nameless = bool(self.demand["name"].isna().any())
        # who stands where no road leads would draw sites to where nobody else gets
        people = roadless.on_a_road(self.demand, self.access_legs)
        found = sites.with_generated(
            found,
            replace(ground, demand=people),
            given,
            centre_times=self.centre_times.select(demand=list(people.index)),
            junctions=roads.junctions(self.network, mode=self.centre_kind.mode) if nameless else None,
            layers=self.no_go,
        )
        if walk_min is None or not self.policy.station_kinds:
            return found
        stations = {
            kind: self._minutes(self.policy.kind(kind), times.sites_of((kind,), self.open_facilities, found))
            for kind in self.policy.station_kinds
        }
        ground = replace(ground, demand=self.clustered)
        mode = self.policy.kind(self.policy.station_kinds[0]).mode
        junctions = roads.junctions(self.network, mode=mode) if nameless else None
        return sites.with_stations(
            found,
            ground,
            given,
            station_times=stations,
            walk_min=walk_min,
            junctions=junctions,
            layers=self.no_go,
        )

    @Step
    def times(self) -> Mapping[str, TravelTimes]:
        """Minutes from the villages to every open facility and candidate, by kind of facility."""
        needed = rules.kinds_needed(self.config.siting, self.policy)
        planned = sorted(set(self.candidates["kind"]) | {self.centre_kind.id} | needed)
        found = {}
        with self.progress("times", total=len(planned)) as advance:
            for kind in planned:
                found[kind] = self.minutes_to(kind)
                advance()
        return found

    def minutes_to(self, kind: str) -> TravelTimes:
        """Return the minutes from the villages to every open facility and candidate of `kind`."""
        sites, declared = self._sites(kind), self.policy.kind(kind)
        known = self.memory.get(("minutes", kind), lambda: self._minutes(declared, self._possible(kind)))
        new = sites[~sites.index.isin(known.site_ids)]
        return times.joined(known, self._minutes(declared, new) if len(new) else None, list(sites.index))

    def _possible(self, kind: str) -> GeoDataFrame:
        """Return the sites of `kind` before any is closed or added: their minutes hold for every scenario."""
        standing = coverage.open_on(self.located_facilities, self.config.study.date)
        return times.sites_of((kind,), standing, self.listed_and_generated)

    @Step
    def between_homes(self) -> TravelTimes | None:
        """Minutes between any two homes that must be apart, where the study asks for a spread."""
        spread = self.config.siting.spread_min
        if spread is None:
            return None
        homes = self._sites(*self.policy.home_kinds)
        return times.by_car(self.network, homes, homes, cutoff_min=spread, by=self._to_road)

    @Step
    def to_medical(self) -> TravelTimes | None:
        """Minutes from every home, standing or possible, to the medical institutions."""
        limit, kind = self.config.siting.medical_min, self.policy.medical_kind
        if limit is None or kind is None:
            return None
        homes = self._sites(*self.policy.home_kinds)
        return times.by_car(self.network, self._open(kind), homes, cutoff_min=limit, by=self._to_road)

    # --- where things stand ----------------------------------------------------------------------------------------

    def coverage_of(self, kind: str) -> GeoDataFrame:
        """Return coverage by unit of another kind of facility, such as ``meal_point``.

        Raises
        ------
        UnknownIdError
            If the policy declares no such kind.
        """
        return self._coverage(self.open_facilities, self.policy.kind(kind))

    def _coverage(
        self, facilities: GeoDataFrame, kind: Kind, known: TravelTimes | None = None
    ) -> GeoDataFrame:
        minutes = self.times.get(kind.id) if known is None else known
        return coverage.coverage_by_unit(
            self.units,
            facilities,
            self.demand,
            self._minutes(kind, self._open(kind.id)) if minutes is None else minutes,
            policy=self.policy,
            kind=kind.id,
            nearest_min=self.nearest_sites(facilities, kind)["nearest_min"],
            date=self.config.study.date,
        )

    def nearest_sites(self, facilities: GeoDataFrame, kind: Kind) -> DataFrame:
        """Return, by `demand_id`, which of `facilities` of `kind` that is open is nearest (`site_id`) and the true minutes (`nearest_min`).

        Both are missing where no road leads to one.
        """
        opened = times.sites_of((kind.id,), coverage.open_on(facilities, self.config.study.date))
        return times.nearest(self.network, opened, self.demand, kind=kind, by=self._to_road)

    def _by_kind(self, facilities: GeoDataFrame, by_unit: GeoDataFrame) -> dict[str, GeoDataFrame]:
        """Return coverage by unit of every kind that a rate of the policy counts; that of the centre is known already."""
        own = self.centre_kind.id
        counted = self.policy.covered_kinds
        return {k: by_unit if k == own else self._coverage(facilities, self.policy.kind(k)) for k in counted}

    @Step
    def coverage(self) -> GeoDataFrame:
        """Where each unit stands on the study's date: presence and access side by side."""
        with self.progress("coverage"):
            # no candidate is needed to say where things stand
            return self._coverage(self.facilities, self.centre_kind, self.centre_times)

    @Step
    def access_beside(self) -> DataFrame:
        """By unit and travel mode of ``[access] beside``, the share of elders within the cutoff of a centre today: ``share_<mode>``."""
        centres, kind = self._open(self.centre_kind.id), self.centre_kind
        minutes = {
            str(mode): times.nearest(
                self.network,
                centres,
                self.demand,
                kind=kind.model_copy(update={"mode": mode}),
                by=self._to_road,
            )["nearest_min"]
            for mode in self.config.access.beside
        }
        return times.shares_within(minutes, self.demand, self.units, kind)

    @Step
    def coverage_planned(self) -> GeoDataFrame:
        """Where each unit stands with the sites of every county's plan opened."""
        return self._coverage(self.planned_facilities, self.centre_kind)

    def _scorecard(
        self, facilities: GeoDataFrame, by_unit: GeoDataFrame, scope_ids: Collection[str] | None = None
    ) -> DataFrame:
        return coverage.scorecard(
            self.units,
            facilities,
            self._by_kind(facilities, by_unit),
            policy=self.policy,
            counties=dict(self.counties),
            date=self.config.study.date,
            reported=self.config.reported,
            demand=self.demand,
            language=self.config.study.language,
            scope_ids=scope_ids,
        )

    @Step
    def scorecard_today(self) -> DataFrame:
        """Every target of the policy as things stand: `value`, `target`, `met`, `needed`, …; plans nothing."""
        return self._scorecard(self.facilities, self.coverage)

    @Step
    def scorecard(self) -> DataFrame:
        """Every target of the policy, today and with the plan: `value_today`, `value_planned`, `target`, `met_today`, …."""
        return self._both_scorecards(self.scorecard_today)

    def scorecard_of(self, scope_ids: Collection[str]) -> DataFrame:
        """Return the rows of `scorecard` of some places only, counties or ``city``; no others are counted."""
        return self._both_scorecards(self._scorecard(self.facilities, self.coverage, scope_ids), scope_ids)

    def _both_scorecards(self, today: DataFrame, scope_ids: Collection[str] | None = None) -> DataFrame:
        planned = self._scorecard(self.planned_facilities, self.coverage_planned, scope_ids)
        both = today.rename(columns={"value": "value_today", "met": "met_today"}).join(
            planned[["value", "met"]].rename(columns={"value": "value_planned", "met": "met_planned"}),
            validate="one_to_one",
        )
        return both[[*_BOTH, *both.columns.difference(_BOTH, sort=False)]]

    def catchment(self, place: str | tuple[float, float], minutes: float, *, kind: str = "") -> GeoDataFrame:
        """Return from where a place is at most `minutes` away, and how many elders live there.

        Parameters
        ----------
        place
            Id or name of a facility or candidate, or longitude and latitude in degrees.
        kind
            How elders travel to it is that of this kind: by default the place's own, of a bare point that of a centre.

        Returns
        -------
        catchment
            Indexed by (`facility_id`, `cutoff_min`): `area_km2`, `elders` (by road, exactly), `kind`, the drawing.

        Raises
        ------
        UnknownIdError
            If there is no such place.
        """
        own = read.place_named(place, (self.facilities, self.candidates), kind or self.centre_kind.id)
        declared = self.policy.kind(kind or str(own["kind"].iloc[0]))
        return times.catchment(
            self.network, own, self.demand, minutes=minutes, kind=declared, by=self._to_road
        )

    # --- plans -----------------------------------------------------------------------------------------------------

    @Step
    def case(self) -> Mapping[str, Any]:
        """All that planning may look at, over the whole city: the arguments of `siting.policy_plan`."""
        stand = {"facilities": self.open_facilities, "candidates": self.candidates}
        return {
            "units": self.units,
            "facilities": self.facilities,
            "candidates": self.candidates[self.candidates.geometry.notna()],
            "demand": self.clustered,
            "policy": self.policy,
            "times": dict(self.times),
            "between_homes": self.between_homes,
            "to_medical": self.to_medical,
            "rules": citywide.plan_rules(self.config, self.policy, **stand),
            "options": siting.SolveOptions(time_limit_s=self.config.siting.time_limit_s),
        }

    @Step
    def task(self) -> tuple[dict[str, Any], Compare]:
        """All that a worker needs for the plan of any county and what stands beside it: `case`, and what `[compare]` asks."""
        return dict(self.case), self.config.compare.model_copy()

    def propose(self, county_id: str | None = None) -> SitingPlan:
        """Return the proved plan for one county, by its id or name, or (None) one plan for the whole city.

        Raises
        ------
        UnknownIdError
            If no unit lies in such a county.
        """
        own = None if county_id is None else read.county_id_of(county_id, self.counties)
        plan = self.memory.get(("plan", own), lambda: self._plan(own))
        self.proposed.append((plan, self))
        return plan

    def whose(self, plan: SitingPlan) -> tuple[Answers, Scope]:
        """Return the answers of the study that proposed `plan`, this or one asked of it, and the county it is for (None: the city).

        Raises
        ------
        UnknownIdError
            If it opens sites that this study does not know.
        """
        for asked in (self, *(answers for own, answers in reversed(self.proposed) if own is plan)):
            for scope, own in asked.known_plans.items():
                if own is plan:
                    return asked, scope
        # a plan that was made elsewhere says by its sites whose it is
        sites = list(plan.best.sites)
        if not sites or not set(sites) <= set(self.candidates.index):
            raise UnknownIdError("this plan is of another study: draw it with the study that proposed it")
        owners = self.candidates.loc[sites, "county_id"].unique()
        return self, str(owners[0]) if len(owners) == 1 else None

    def _plan(self, county_id: str | None) -> SitingPlan:
        options = replace(self.case["options"], progress=getattr(self.told, "tell", None))
        return alternatives.plan_county({**self.case, "options": options}, county_id)

    @property
    def scopes(self) -> list[Scope]:
        """What is planned by itself: every county by its id (or those asked for), or (None) the whole city at once."""
        if self.policy.readings.scope == "city":
            return [None]
        asked = self.memory.around("counties")
        return list(self.counties if asked is None else asked)

    @property
    def asked_counties(self) -> tuple[str, ...] | None:
        """The counties that are planned, where not all are."""
        asked: tuple[str, ...] | None = self.memory.around("counties")
        return asked

    def only(self, county_ids: Iterable[str]) -> Answers:
        """Return the answers of the study as it plans some counties only; of the whole city where it is planned at once.

        Raises
        ------
        UnknownIdError
            If no unit lies in one of these counties.
        """
        own = tuple(sorted({read.county_id_of(named, self.counties) for named in county_ids}))
        if self.policy.readings.scope == "city" or own == self.asked_counties:
            return self
        return self.heir(counties=own)

    def opening(self, plans: Mapping[str, SitingPlan]) -> Answers:
        """Return the answers of the study as it stands when only `plans`, by county, are carried out."""
        return self.heir(plans=MappingProxyType(dict(plans)))

    def adopt(
        self, plans: Mapping[Scope, SitingPlan], compared: Mapping[Scope, Tables] | None = None
    ) -> None:
        """Take plans, by county id or None, and what stands beside them, worked out from this study's `case` elsewhere.

        What they were made from did not travel with them: it is taken from this study when `siting.verify` or another asks.
        """
        for scope, plan in plans.items():
            whole = alternatives.with_case(plan, self.case, scope)
            self.memory.put(("plan", scope), whole, like=("case",))
        self.task  # noqa: B018  what they were made from is read of this study
        for scope, tables in (compared or {}).items():
            self.memory.put(("beside", scope), dict(tables), like=("task",))

    @Step
    def plans(self) -> Mapping[str, SitingPlan]:
        """The plan of every county by `county_id`; with scope ``city`` the one plan of the city, under each of them."""
        given: dict[str, SitingPlan] | None = self.memory.around("plans")
        if given is not None:
            return given
        known = self.known_plans
        waiting = [scope for scope in self.scopes if scope not in known]
        if waiting:
            with self.progress(
                "plans" if None not in waiting else "plan_of_city", total=len(waiting)
            ) as advance:
                for scope in waiting:
                    self.propose(scope)
                    advance()
        if None in self.scopes:
            return dict.fromkeys(self.counties, self.propose(None))
        return {county_id: self.propose(county_id) for county_id in self.scopes if county_id is not None}

    @property
    def known_plans(self) -> dict[Scope, SitingPlan]:
        """The plans that were worked out or adopted so far, by county id or None."""
        known = self.memory.known("plan").items()
        return {scope if scope is None else str(scope): plan for (_, scope), plan in known}

    @property
    def distinct_plans(self) -> list[SitingPlan]:
        """Every plan once."""
        return list({id(plan): plan for plan in self.plans.values()}.values())

    @property
    def proposed_plans(self) -> list[SitingPlan]:
        """Every plan once; where targets cannot all be met, the best plan that can be had meanwhile."""
        return [plan.best for plan in self.distinct_plans]

    @Step
    def compared(self) -> Mapping[Scope, Tables]:
        """What stands beside each plan, by county id or None: see `alternatives.compared`."""
        known = {scope for _, scope in self.memory.known("beside")}
        found: dict[Scope, Tables] = {scope: self._beside(scope) for scope in self.scopes if scope in known}
        waiting = [scope for scope in self.scopes if scope not in known]
        if waiting:
            with self.progress("compared", total=len(waiting)) as advance:
                for scope in waiting:
                    found[scope] = self._beside(scope)
                    advance()
        return {scope: found[scope] for scope in self.scopes}

    def _beside(self, scope: Scope) -> Tables:
        def work_out() -> Tables:
            return alternatives.compared(self.case, scope, self.propose(scope), self.config.compare)

        return self.memory.get(("beside", scope), work_out)

    @Step
    def other_scope(self) -> DataFrame:
        """What each county would build with the other scope of the coverage rates: see `alternatives.other_scope`."""
        with self.progress("other_scope"):
            return alternatives.other_scope(self.case, self.counties)

    @Step
    def county_sites(self) -> tuple[str, ...]:
        """Ids of the sites that the plans of the counties (or the one of the city) open, sorted."""
        return tuple(sorted(site for plan in self.proposed_plans for site in plan.sites))

    @Step
    def citywide(self) -> SitingPlan | None:
        """The plan of what is counted over the whole city, on top of the counties' plans, or the one plan of the city.

        None where there is no such thing. Where one plan decides all of the city, it decides this too (but for what no choice
        of sites could meet).
        """
        asked, policy = self.config.siting, self.policy
        if rules.in_one_model(policy):
            best = self.propose(None).best
            decides = (best.figures.demonstration, best.figures.conversions)
            return best if any(table is not None for table in decides) else None
        shown = rules.criteria(asked, policy)
        if not citywide.targets_of_city(policy, shown) or set(self.plans) != set(self.counties):
            return None
        kinds = rules.marked_kinds(policy)
        own = citywide.eligible_candidates(
            self.candidates, list(self.county_sites), kinds & set(policy.station_kinds)
        )
        minutes = {k: t for k, t in self.times.items() if k in set(own["kind"])}
        for kind in sorted((kinds if shown else set()) - set(minutes)):
            minutes[kind] = self.minutes_to(kind)
        with self.progress("citywide"):
            return citywide.programme(
                self.units,
                self.facilities,
                own,
                self.demand,
                policy=policy,
                asked=asked,
                times=minutes,
                shown=shown,
                date=self.config.study.date,
            )

    @Step
    def conversions(self) -> DataFrame:
        """The beds of each home that the plans turn into nursing beds, the city's plan before the counties'."""
        return citywide.conversions(self.proposed_plans if self.citywide is None else [self.citywide])

    @property
    def demonstration(self) -> DataFrame | None:
        """The sites that are to show the way, if a plan of the city chooses any."""
        return None if self.citywide is None else self.citywide.figures.demonstration

    @Step
    def chosen(self) -> tuple[str, ...]:
        """Ids of the sites that all plans open, sorted."""
        more = () if self.citywide is None else self.citywide.sites
        return tuple(sorted({*self.county_sites, *more}))

    @Step
    def planned_facilities(self) -> GeoDataFrame:
        """The facilities with the sites of every county's plan opened, beds converted and demonstration sites marked."""
        closed = {i for plan in self.proposed_plans for i in plan.figures.closed}
        stays = self.facilities[~self.facilities.index.isin(closed)]
        standing = citywide.opened(stays, self.candidates, self.chosen, self.policy)
        return citywide.applied(
            standing, converted=self.conversions, shown=self.demonstration, policy=self.policy
        )

    def why(self, plan: SitingPlan) -> DataFrame:
        """Return the reasons for each site of `plan`, indexed by `site_id`, with a `sentence` in the study's language."""
        return sentences_of(self, plan.why())
