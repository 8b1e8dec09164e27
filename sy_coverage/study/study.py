"""Open a study, ask it, draw it and save it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sy_coverage import _files
from sy_coverage.errors import ConfigError, InputError
from sy_coverage.outputs import maps
from sy_coverage.study.answers import Answers
from sy_coverage.study.config.changes import changed, scenario_of, with_scenario
from sy_coverage.study.config.file import StudyConfig, read_config, study_file
from sy_coverage.study.config.questions.scenario import Scenario
from sy_coverage.study.notebook import bars_of, study_cell
from sy_coverage.study.progress import Progress, silent
from sy_coverage.study.results import gather, save
from sy_coverage.study.results.comparisons.compared import side_by_side
from sy_coverage.study.steps.memory import Handed
from sy_coverage.study.steps.places import county_id_of

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Mapping
    from contextlib import AbstractContextManager

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.maps import Map
    from sy_coverage.siting import SitingPlan


class Study:
    """One study: its inputs, where it stands today, and what to open next.

    Frames are in EPSG:4326 and refuse to be changed in place. Nothing is computed before it is asked for.
    """

    policy = Handed("answers", Answers.policy)
    units = Handed("answers", Answers.units)
    counties = Handed("answers", Answers.counties)
    demand = Handed("answers", Answers.demand)
    given_facilities = Handed("answers", Answers.given_facilities)
    given_candidates = Handed("answers", Answers.given_candidates)
    location_sources = Handed("answers", Answers.location_sources)
    office_answers = Handed("answers", Answers.office_answers)
    facility_rows = Handed("answers", Answers.facility_rows)
    facilities = Handed("answers", Answers.facilities)
    open_facilities = Handed("answers", Answers.open_facilities)
    doubts = Handed("answers", Answers.doubts)
    candidate_rows = Handed("answers", Answers.candidate_rows)
    open_doubts = Handed("answers", Answers.open_doubts)
    listed_candidates = Handed("answers", Answers.listed_candidates)
    candidates = Handed("answers", Answers.candidates)
    names = Handed("answers", Answers.names)
    network = Handed("answers", Answers.network)
    access_legs = Handed("answers", Answers.access_legs)
    access_beside = Handed("answers", Answers.access_beside)
    known_minutes = Handed("answers", Answers.known_minutes)
    water = Handed("answers", Answers.water)
    centre_kind = Handed("answers", Answers.centre_kind)
    centre_times = Handed("answers", Answers.centre_times)
    times = Handed("answers", Answers.times)
    between_homes = Handed("answers", Answers.between_homes)
    to_medical = Handed("answers", Answers.to_medical)
    coverage = Handed("answers", Answers.coverage)
    coverage_planned = Handed("answers", Answers.coverage_planned)
    scorecard_today = Handed("answers", Answers.scorecard_today)
    scorecard = Handed("answers", Answers.scorecard)
    case = Handed("answers", Answers.case)
    task = Handed("answers", Answers.task)
    plans = Handed("answers", Answers.plans)
    compared = Handed("answers", Answers.compared)
    other_scope = Handed("answers", Answers.other_scope)
    county_sites = Handed("answers", Answers.county_sites)
    citywide = Handed("answers", Answers.citywide)
    conversions = Handed("answers", Answers.conversions)
    chosen = Handed("answers", Answers.chosen)
    planned_facilities = Handed("answers", Answers.planned_facilities)

    def __init__(
        self,
        config: StudyConfig,
        folder: Path,
        *,
        progress: Progress = silent,
        offline: bool = False,
        databases: bool | None = None,
    ) -> None:
        """Hold `config`, whose relative paths start at `folder`; `progress` is told of every stage.

        With `offline` nothing leaves this machine: of map services what was answered before is used, and other rows stay without
        a point; a database is not asked, unless `databases` says so (None: where not `offline`).
        """
        gate = _files.Gate(services=not offline, databases=not offline if databases is None else databases)
        self.answers = Answers.to(config, folder, gate, progress=progress)

    @classmethod
    def of(cls, answers: Answers) -> Study:
        """Return the study that gives these answers."""
        study = cls.__new__(cls)
        study.answers = answers
        return study

    def __repr__(self) -> str:
        return f"<Study {self.config.study.title}>"

    def _repr_html_(self) -> str:
        """Return what the study is, and what it has planned so far; nothing is computed for it."""
        about = self.config.study
        counties = self.counties if self.known_plans else {}
        return study_cell(
            (about.title, f"{about.date} · {about.policy}"),
            {about.title if i is None else counties[i]: plan for i, plan in self.known_plans.items()},
            self.answers.memory.known("units").get(("units",)),
            self.answers.memory.known("candidates").get(("candidates",)),
            about.language,
        )

    # --- the study itself ------------------------------------------------------------------------------------------

    @property
    def config(self) -> StudyConfig:
        """What the study file says."""
        return self.answers.config

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.answers.folder

    @property
    def gate(self) -> _files.Gate:
        """Who may be asked."""
        return self.answers.gate

    @property
    def offline(self) -> bool:
        """Whether no map service is asked."""
        return self.answers.offline

    @property
    def reports(self) -> dict[str, DataFrame]:
        """What the readers read, assumed, fixed and left out, by room."""
        return self.answers.reports

    @property
    def seconds(self) -> dict[str, float]:
        """How long each stage took."""
        return self.answers.seconds

    @property
    def lists_and_layers(self) -> list[tuple[str, str]]:
        """What each file or table is for, and its path as the study writes it; roads are not among them."""
        return self.answers.lists_and_layers

    @property
    def attribution(self) -> str:
        """Who must be named beside a map for its roads and water."""
        return self.answers.attribution

    @property
    def scopes(self) -> list[str | None]:
        """What is planned by itself: every county by its id (or those asked for), or (None) the whole city at once."""
        return self.answers.scopes

    @property
    def known_plans(self) -> dict[str | None, SitingPlan]:
        """The plans that were worked out or adopted so far, by county id or None."""
        return self.answers.known_plans

    @property
    def distinct_plans(self) -> list[SitingPlan]:
        """Every plan once."""
        return self.answers.distinct_plans

    @property
    def proposed_plans(self) -> list[SitingPlan]:
        """Every plan once; where targets cannot all be met, the best plan that can be had meanwhile."""
        return self.answers.proposed_plans

    def path(self, written: str) -> str:
        """Return a path as the study file means it: relative to the file's own folder."""
        return self.answers.path(written)

    def county_id(self, named: str) -> str:
        """Return the id of a county that is given by its id or its name.

        Raises
        ------
        UnknownIdError
            If there is none.
        """
        return county_id_of(named, self.counties)

    def digest(self, room: str, written: str) -> str:
        """Return the SHA-256 of a file, or of the rows that were read for `room` from a table of a database."""
        return self.answers.digest(room, written)

    def words(self, key: str, **values: object) -> str:
        """Return a label in the study's language."""
        return self.answers.words(key, **values)

    def progress(self, stage: str, *, total: int = 1) -> AbstractContextManager[Any]:
        """Tell whoever waits that `stage` begins, and keep how long it took."""
        return self.answers.progress(stage, total=total)

    # --- other studies ---------------------------------------------------------------------------------------------

    def but(self, **sections: Mapping[str, Any]) -> Study:
        """Return this study with some keys of its file changed, such as ``siting={"rule": "access"}``.

        What the changed keys cannot touch is not computed again. None brings a key's default back; `phases` and
        `reported` are given whole.

        Raises
        ------
        ConfigError
            If a section or key is unknown, or its value not allowed.
        """
        return Study.of(self.answers.heir(config=changed(self.config, sections)))

    def what_if(
        self,
        scenario: Scenario | str | None = None,
        *,
        require: Iterable[str] = (),
        forbid: Iterable[str] = (),
        close: Iterable[str] = (),
        add: Iterable[Mapping[str, Any]] | GeoDataFrame = (),
        **sections: Mapping[str, Any],
    ) -> Study:
        """Return this study as it would be: sites required or forbidden, facilities closed, sites added, keys changed.

        Parameters
        ----------
        scenario
            A scenario, or the name of one of the study's own (``[what_if."…"]``); what else is given comes on top of it.
        require, forbid
            Candidates, by id or name.
        close
            Facilities, by id or name.
        add
            Sites that no list names: mappings with ``lon``, ``lat``, ``kind`` and ``cost`` (``name``, ``premises`` and
            ``candidate_id`` besides), or a frame of points with such columns. Their unit and county are found.
        **sections
            Keys of the study file, as for `but`: ``siting={"rule": "access"}``.

        Raises
        ------
        ConfigError
            If a key or value is not allowed, or there is no scenario of that name.
        UnknownIdError
            If there is no such candidate or facility: said when the study is asked.
        """
        base = self._scenario(scenario)
        asked = scenario_of(require=require, forbid=forbid, close=close, add=add, sections=sections)
        config = with_scenario(with_scenario(self.config, base), asked)
        return Study.of(self.answers.heir(config=config))

    def _scenario(self, given: Scenario | str | None) -> Scenario:
        if given is None:
            return Scenario()
        if isinstance(given, Scenario):
            return given
        known = self.config.what_if
        if given not in known:
            raise ConfigError(f"what_if: no scenario '{given}'; there are: {', '.join(known) or 'none'}")
        return known[given]

    def without_network(self) -> Study:
        """Return this study as it answers without asking any map service."""
        return Study.of(self.answers.without_services())

    def only(self, county_ids: Iterable[str]) -> Study:
        """Return this study as it plans some counties only; the whole city where it is planned at once.

        Raises
        ------
        UnknownIdError
            If no unit lies in one of these counties.
        """
        answers = self.answers.only(county_ids)
        return self if answers is self.answers else Study.of(answers)

    def beside(self, other: Study) -> DataFrame:
        """Return the sites of this study and of another, or of this one under another setting, side by side.

        See `side_by_side`: which sites both open, what differs, and in `.attrs["totals"]` what each comes to.
        """
        return side_by_side(self.answers, other.answers)

    # --- questions -------------------------------------------------------------------------------------------------

    def coverage_of(self, kind: str) -> GeoDataFrame:
        """Return coverage by unit of another kind of facility, such as ``meal_point``.

        Raises
        ------
        UnknownIdError
            If the policy declares no such kind.
        """
        return self.answers.coverage_of(kind)

    def catchment(self, place: str | tuple[float, float], minutes: float, *, kind: str = "") -> GeoDataFrame:
        """Return from where a place (id, name, or longitude and latitude) is at most `minutes` away, and the elders there.

        Raises
        ------
        UnknownIdError
            If there is no such place.
        """
        return self.answers.catchment(place, minutes, kind=kind)

    def scorecard_of(self, scope_ids: Collection[str]) -> DataFrame:
        """Return the rows of `scorecard` of some places only, counties or ``city``; no others are counted."""
        return self.answers.scorecard_of(scope_ids)

    def propose(self, county_id: str | None = None) -> SitingPlan:
        """Return the proved plan for one county, or (None) one plan for the whole city.

        Raises
        ------
        UnknownIdError
            If no unit lies in such a county.
        """
        return self.answers.propose(county_id)

    def why(self, plan: SitingPlan) -> DataFrame:
        """Return the reasons for each site of `plan`, indexed by `site_id`, with a `sentence` in the study's language."""
        return self.answers.why(plan)

    def adopt(
        self,
        plans: Mapping[str | None, SitingPlan],
        compared: Mapping[str | None, Mapping[str, DataFrame]] | None = None,
    ) -> None:
        """Take plans, by county id or None, and what stands beside them, worked out from this study's `case` elsewhere."""
        self.answers.adopt(plans, compared)

    # --- outputs ---------------------------------------------------------------------------------------------------

    @property
    def findings(self) -> Findings:
        """All that an output may say about the whole city; `.of_county(id)` narrows it."""
        return gather.findings(self.answers)

    @property
    def presented(self) -> Findings:
        """The findings with what stands beside each plan: alternatives, sensitivity, closures (see `[compare]`)."""
        return gather.presented(self.answers)

    def map(
        self,
        plan: SitingPlan | str | None = None,
        other: SitingPlan | None = None,
        *,
        layers: Iterable[Any] | Mapping[str, Any] = (),
        names: tuple[str, str] | None = None,
    ) -> Map:
        """Return the interactive map of the city, or of the county that `plan` (or the county's id or name) is for.

        A county's map opens the sites of its own plan only, and says so; no other county is planned for it. Without `plan` the map
        opens those of every county. It shows itself in Jupyter; `.save("map.html")` writes one self-contained file, `.embed()` gives an iframe.

        Parameters
        ----------
        plan
            A plan, or a county's id or name; None: the whole city.
        other
            A second plan of the same place, of this study or one asked of it (`what_if`): sites and units are coloured by what the
            two have in common.
        layers
            What is laid over the map; see `outputs.maps.draw`.
        names
            What the two plans are called.

        Raises
        ------
        UnknownIdError
            If there is no such county, or a plan is of another study.
        InputError
            If the two plans are of different places.
        """
        if isinstance(plan, str):
            county_id = self.county_id(plan)
            if self.policy.readings.scope == "city" and other is None:
                return maps.draw(self.findings.of_county(county_id), layers=layers)
            plan = self.propose(None if self.policy.readings.scope == "city" else county_id)
        if plan is None:
            return maps.draw(self.findings, layers=layers)
        shown, place = self._opened(plan)
        if other is None:
            return maps.draw(shown, layers=layers)
        beside, there = self._opened(other)
        if place != there:
            raise InputError(
                f"map: the plans are of different places ({place or 'the city'}, {there or 'the city'})"
            )
        return maps.draw(shown, layers=layers, beside=beside, names=names)

    def _opened(self, plan: SitingPlan) -> tuple[Findings, str | None]:
        """Return the findings of the place that `plan` is for with its sites alone opened, and the county."""
        answers, county_id = self.answers.whose(plan)
        plans = dict.fromkeys(self.counties, plan) if county_id is None else {county_id: plan}
        found = gather.findings(answers.opening(plans))
        return (found if county_id is None else found.of_county(county_id)), county_id

    def save(
        self, folder: str | os.PathLike[str] | None = None, *, counties: tuple[str, ...] | None = None
    ) -> Path:
        """Write everything into `folder` (default: the study's own `output`) and return it.

        Raises
        ------
        CannotWriteError
            If the folder cannot be written; every file under a final name is whole.
        """
        target = Path(self.path(self.config.study.output) if folder is None else folder)
        return save.save(self.answers, target, counties=counties)


def read_study(
    path: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    offline: bool = False,
    databases: bool | None = None,
) -> Study:
    """Return the study that a study file describes; with `offline` nothing leaves this machine.

    Databases are asked where it is not offline, or as `databases` says. `progress` is told of every stage; without it a notebook
    shows a bar, and anybody else nothing.

    Raises
    ------
    MissingFileError
        If the file is not there.
    ConfigError
        If it has unknown keys or values that are not allowed.
    """
    file = study_file(path).resolve()
    folder = file if file.is_dir() else file.parent
    config = read_config(path)
    told = bars_of(config.study.language) or silent if progress is None else progress
    return Study(config, folder, progress=told, offline=offline, databases=databases)


def sample_study(*, language: str | None = None, progress: Progress | None = None) -> Study:
    """Return the shipped Shaoyang sample; its facilities and roads are modelled, and every output says so."""
    study = read_study(_files.sample_folder() / "study.toml", progress=progress)
    return study if language is None else study.but(study={"language": language})
