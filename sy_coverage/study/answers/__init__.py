"""Answer what a study asks, each step computed once and kept: the ground, the lists, the minutes, where things stand, the plans."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sy_coverage import siting
from sy_coverage.errors import UnknownIdError
from sy_coverage.outputs.findings import in_china
from sy_coverage.outputs.text import words
from sy_coverage.study.answers.asked import Asked
from sy_coverage.study.answers.ground import Ground
from sy_coverage.study.answers.lists import Lists
from sy_coverage.study.answers.planned import Planned
from sy_coverage.study.answers.reach import Reach
from sy_coverage.study.answers.standing import Standing
from sy_coverage.study.progress import Progress, silent
from sy_coverage.study.steps import places as read
from sy_coverage.study.steps.memory import Handed, Memory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage import _files
    from sy_coverage.policy import Kind
    from sy_coverage.roads import TravelTimes
    from sy_coverage.siting import SitingPlan
    from sy_coverage.study.config.file import StudyConfig
    from sy_coverage.study.steps.files import StudyFiles
    from sy_coverage.study.steps.roads.ways import Ways

    Scope = str | None
    Tables = Mapping[str, DataFrame]

LAST = 16
"""So many plans of this study and of those asked of it are known by what was asked."""


def sentences_of(study: Answers, reasons: DataFrame) -> DataFrame:
    """Return reasons with a `sentence` in the study's language, costs in the money of its policy."""
    language = study.config.study.language
    money = words.spoken_money(words.at_home(study.policy, in_china=in_china(study.units)), language)
    return siting.sentences(reasons, language, names=dict(study.names), money=money)


class Answers:
    """What a study says. Frames are in EPSG:4326 and refuse to be changed in place; nothing is computed before it is asked for."""

    policy = Handed("ground", Ground.policy)
    units = Handed("ground", Ground.units)
    counties = Handed("ground", Ground.counties)
    centre_kind = Handed("ground", Ground.centre_kind)
    network = Handed("ground", Ground.network)
    known_minutes = Handed("ground", Ground.known_minutes)
    water = Handed("ground", Ground.water)
    demand = Handed("lists", Lists.demand)
    clustered = Handed("lists", Lists.clustered)
    office_answers = Handed("lists", Lists.office_answers)
    given_facilities = Handed("lists", Lists.given_facilities)
    given_candidates = Handed("lists", Lists.given_candidates)
    location_sources = Handed("lists", Lists.location_sources)
    facility_rows = Handed("lists", Lists.facility_rows)
    located_facilities = Handed("lists", Lists.located_facilities)
    name_only = Handed("lists", Lists.name_only)
    unsettled = Handed("lists", Lists.unsettled)
    facilities = Handed("lists", Lists.facilities)
    open_facilities = Handed("lists", Lists.open_facilities)
    doubts = Handed("lists", Lists.doubts)
    candidate_rows = Handed("lists", Lists.candidate_rows)
    listed_candidates = Handed("lists", Lists.listed_candidates)
    open_doubts = Handed("lists", Lists.open_doubts)
    no_go = Handed("lists", Lists.no_go)
    access_legs = Handed("reach", Reach.access_legs)
    centre_times = Handed("reach", Reach.centre_times)
    candidates = Handed("reach", Reach.candidates)
    listed_and_generated = Handed("reach", Reach.listed_and_generated)
    times = Handed("reach", Reach.times)
    between_homes = Handed("reach", Reach.between_homes)
    to_medical = Handed("reach", Reach.to_medical)
    names = Handed("reach", Reach.names)
    coverage = Handed("standing", Standing.coverage)
    access_beside = Handed("standing", Standing.access_beside)
    scorecard_today = Handed("standing", Standing.scorecard_today)
    case = Handed("planned", Planned.case)
    task = Handed("planned", Planned.task)
    plans = Handed("planned", Planned.plans)
    compared = Handed("planned", Planned.compared)
    other_scope = Handed("planned", Planned.other_scope)
    county_sites = Handed("planned", Planned.county_sites)
    citywide = Handed("planned", Planned.citywide)
    conversions = Handed("planned", Planned.conversions)
    chosen = Handed("planned", Planned.chosen)
    planned_facilities = Handed("planned", Planned.planned_facilities)
    coverage_planned = Handed("planned", Planned.coverage_planned)
    scorecard = Handed("planned", Planned.scorecard)

    def __init__(self, asked: Asked, *, proposed: deque[tuple[SitingPlan, Answers]] | None = None) -> None:
        """Answer what is asked; `proposed` are the plans of studies it was asked of, and whose they are."""
        self.asked = asked
        self.ground = Ground(asked)
        self.lists = Lists(asked, self.ground)
        self.reach = Reach(asked, self.ground, self.lists)
        self.standing = Standing(asked, self.ground, self.lists, self.reach)
        self.planned = Planned(asked, self.ground, self.lists, self.reach, self.standing, made=self._remember)
        self.proposed: deque[tuple[SitingPlan, Answers]] = (
            deque(maxlen=LAST) if proposed is None else proposed
        )

    @classmethod
    def to(
        cls, config: StudyConfig, folder: Path, gate: _files.Gate, *, progress: Progress = silent
    ) -> Answers:
        """Return the answers to `config`, whose relative paths start at `folder`; `gate` says who may be asked, `progress` is told of stages."""
        around: dict[str, Any] = {"services": gate.services, "databases": gate.databases}
        around |= dict.fromkeys(("counties", "plans", "roads", "reading", "part"))
        return cls(Asked(Memory(config, around), folder, progress))

    def _remember(self, plan: SitingPlan) -> None:
        self.proposed.append((plan, self))

    # --- what is asked ---------------------------------------------------------------------------------------------

    @property
    def memory(self) -> Memory:
        """What is known of the study so far."""
        return self.asked.memory

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.asked.folder

    @property
    def seconds(self) -> dict[str, float]:
        """How long each stage took."""
        return self.asked.seconds

    @property
    def config(self) -> StudyConfig:
        """What the study file says; within a step, it is noted what is read of it."""
        return self.asked.config

    @property
    def gate(self) -> _files.Gate:
        """Who may be asked."""
        return self.asked.gate

    @property
    def offline(self) -> bool:
        """Whether no map service is asked."""
        return self.asked.offline

    @property
    def files(self) -> StudyFiles:
        """Where the files lie that the study names."""
        return self.asked.files

    @property
    def reports(self) -> dict[str, DataFrame]:
        """What the readers read, assumed, fixed and left out, by room."""
        return self.asked.reports

    @property
    def lists_and_layers(self) -> list[tuple[str, str]]:
        """What each file or table is for, and its path as the study writes it; roads are not among them."""
        return self.asked.lists_and_layers

    @property
    def attribution(self) -> str:
        """Who must be named beside a map for its roads and water."""
        return self.ground.attribution

    @property
    def ways(self) -> Ways:
        """How people get to places: by the table of minutes, and on the roads."""
        return self.ground.ways

    @property
    def to_road(self) -> dict[str, Any]:
        """How points are brought to the roads: how far at most, and how fast that is walked."""
        return self.ground.to_road

    @property
    def scopes(self) -> list[Scope]:
        """What is planned by itself: every county by its id (or those asked for), or (None) the whole city at once."""
        return self.planned.scopes

    @property
    def asked_counties(self) -> tuple[str, ...] | None:
        """The counties that are planned, where not all are."""
        return self.planned.asked_counties

    @property
    def known_plans(self) -> dict[Scope, SitingPlan]:
        """The plans that were worked out or adopted so far, by county id or None."""
        return self.planned.known_plans

    @property
    def distinct_plans(self) -> list[SitingPlan]:
        """Every plan once."""
        return self.planned.distinct_plans

    @property
    def proposed_plans(self) -> list[SitingPlan]:
        """Every plan once; where targets cannot all be met, the best plan that can be had meanwhile."""
        return self.planned.proposed_plans

    @property
    def demonstration(self) -> DataFrame | None:
        """The sites that are to show the way, if a plan of the city chooses any."""
        return self.planned.demonstration

    # --- questions -------------------------------------------------------------------------------------------------

    def progress(self, stage: str, *, total: int = 1) -> AbstractContextManager[Any]:
        """Tell whoever waits that `stage` begins, and keep how long it took."""
        return self.asked.progress(stage, total=total)

    def path(self, written: str) -> str:
        """Return a path as the study file means it; see `StudyFiles.path`."""
        return self.asked.path(written)

    def digest(self, room: str, written: str) -> str:
        """Return the SHA-256 of a file, or of the rows that were read for `room` from a table of a database."""
        return self.asked.digest(room, written)

    def words(self, key: str, **values: object) -> str:
        """Return a label in the study's language."""
        return self.asked.words(key, **values)

    def minutes_to(self, kind: str) -> TravelTimes:
        """Return the minutes from the villages to every open facility and candidate of `kind`."""
        return self.reach.minutes_to(kind)

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
        return self.reach.catchment(place, minutes, kind=kind)

    def coverage_of(self, kind: str) -> GeoDataFrame:
        """Return coverage by unit of another kind of facility, such as ``meal_point``.

        Raises
        ------
        UnknownIdError
            If the policy declares no such kind.
        """
        return self.standing.coverage_of(kind)

    def nearest_sites(self, facilities: GeoDataFrame, kind: Kind) -> DataFrame:
        """Return, by `demand_id`, which of `facilities` of `kind` that is open is nearest (`site_id`) and the true minutes (`nearest_min`).

        Both are missing where no road leads to one.
        """
        return self.standing.nearest_sites(facilities, kind)

    def propose(self, county_id: str | None = None) -> SitingPlan:
        """Return the proved plan for one county, by its id or name, or (None) one plan for the whole city.

        Raises
        ------
        UnknownIdError
            If no unit lies in such a county.
        """
        return self.planned.propose(county_id)

    def adopt(
        self, plans: Mapping[Scope, SitingPlan], compared: Mapping[Scope, Tables] | None = None
    ) -> None:
        """Take plans, by county id or None, and what stands beside them, worked out from this study's `case` elsewhere.

        What they were made from did not travel with them: it is taken from this study when `siting.verify` or another asks.
        """
        self.planned.adopt(plans, compared)

    def scorecard_of(self, scope_ids: Collection[str]) -> DataFrame:
        """Return the rows of `scorecard` of some places only, counties or ``city``; no others are counted."""
        return self.planned.scorecard_of(scope_ids)

    # --- other studies, and whose a plan is --------------------------------------------------------------------------

    def heir(self, *, config: StudyConfig | None = None, **around: Any) -> Answers:
        """Return the answers of a study with another configuration or surroundings; what it reads alike is known to it."""
        memory = self.memory.heir(config=config, **around)
        return Answers(Asked(memory, self.folder, self.asked.told), proposed=self.proposed)

    def untold(self) -> Answers:
        """Return these answers as they are, with nobody told of progress, who could stop them."""
        return Answers(replace(self.asked, told=silent), proposed=self.proposed)

    def without_services(self) -> Answers:
        """Return the answers of the study as it is without asking any map service."""
        return self.heir(services=False)

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

    def why(self, plan: SitingPlan) -> DataFrame:
        """Return the reasons for each site of `plan`, indexed by `site_id`, with a `sentence` in the study's language."""
        return sentences_of(self, plan.why())
