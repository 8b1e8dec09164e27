"""Read what a study configures, section by section: one error names every key that is unknown, missing or wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from sy_coverage import _files
from sy_coverage._models import Problem, problems
from sy_coverage.errors import ConfigError, CoverageError
from sy_coverage.study.config.form import config_of_folder
from sy_coverage.study.config.inputs.about import About
from sy_coverage.study.config.inputs.answers import OfficeAnswers
from sy_coverage.study.config.inputs.boundaries import Boundaries
from sy_coverage.study.config.inputs.candidates import Candidates
from sy_coverage.study.config.inputs.demand import Demand
from sy_coverage.study.config.inputs.facilities import Facilities
from sy_coverage.study.config.inputs.geocoding import Geocoding
from sy_coverage.study.config.inputs.roads import Roads
from sy_coverage.study.config.inputs.times import Times
from sy_coverage.study.config.questions.access import Access
from sy_coverage.study.config.questions.compare import Compare
from sy_coverage.study.config.questions.limits import Limits
from sy_coverage.study.config.questions.map import MapOptions
from sy_coverage.study.config.questions.outputs import OutputOptions
from sy_coverage.study.config.questions.phases import Phase
from sy_coverage.study.config.questions.scenario import Scenario
from sy_coverage.study.config.questions.siting import Siting
from sy_coverage.study.config.section import Section

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping


STUDY_FILE = "study.toml"


class StudyConfig(Section):
    """A study file as a whole."""

    parts: ClassVar[frozenset[str]] = frozenset({"kinds_otherwise", "counts_otherwise"})

    study: About
    boundaries: Boundaries
    facilities: Facilities
    candidates: Candidates = Candidates()
    demand: Demand
    roads: Roads = Roads()
    times: Times = Times()
    geocoding: Geocoding = Geocoding()
    access: Access = Access()
    siting: Siting = Siting()
    phases: dict[str, Phase] = Field(default_factory=dict)
    """By year: ``2026 = { budget = 3000 }``."""
    reported: dict[str, float | dict[str, float]] = Field(default_factory=dict)
    """Values of targets that no map can compute, by target id: one number for the city, or one a county."""
    policy: dict[str, Any] = Field(default_factory=dict)
    """What is read otherwise than in the policy file: a target by its id, ``township_centre_coverage = 0.8`` or
    ``{ value = 0.8, by = 2028-12-31 }``, or keys of its sections ``targets``, ``kinds`` and ``readings``."""
    what_if: dict[str, Scenario] = Field(default_factory=dict)
    """Scenarios by name, that are planned beside the study: ``[what_if."…"]`` with ``require``, ``forbid``, ``close`` and
    ``add``, and sections of the file with the keys that change."""
    compare: Compare = Compare()
    map: MapOptions = MapOptions()
    outputs: OutputOptions = OutputOptions()
    answers: OfficeAnswers = OfficeAnswers()
    limits: Limits = Limits()

    @property
    def kinds_otherwise(self) -> dict[str, Any]:
        """What `policy` changes of kinds and of what targets count, but for numbers and readings: what lists and roads are read by."""
        targets = {
            target_id: {key: value for key, value in change.items() if key not in {"value", "by"}}
            for target_id, change in self._targets_otherwise.items()
            if isinstance(change, dict) and set(change) - {"value", "by"}
        }
        kinds = self.policy.get("kinds", {})
        return ({"kinds": kinds} if kinds else {}) | ({"targets": targets} if targets else {})

    @property
    def counts_otherwise(self) -> dict[str, Any]:
        """What `policy` changes but for readings that say how a rate is counted: what sites are suggested by."""
        readings = {
            k: v
            for k, v in self.policy.get("readings", {}).items()
            if k not in {"rule", "scope", "share", "nursing_bed_base"}
        }
        return {**{k: v for k, v in self.policy.items() if k != "readings"}, "readings": readings}

    @property
    def _targets_otherwise(self) -> dict[str, Any]:
        own = {k: v for k, v in self.policy.items() if k not in {"targets", "kinds", "readings"}}
        return {**self.policy.get("targets", {}), **own}

    @field_validator("what_if", mode="before")
    @classmethod
    def _sections_of_scenarios(cls, given: Any) -> Any:
        """Gather the sections that stand beside the other keys of a scenario."""
        if not isinstance(given, dict):
            return given
        return {name: _gathered(keys, set(cls.model_fields)) for name, keys in given.items()}

    @model_validator(mode="after")
    def _some_way(self) -> StudyConfig:
        """Refuse a study that knows no way to go, or wants roads that it has not."""
        if self.roads.source is not None:
            return self
        if self.times.table is None:
            raise ValueError(
                "'roads.source' is missing; or give a table of minutes: [times] table = \"od.csv\""
            )
        wanted = [key for key in ("generate", "osm") if getattr(self.candidates, key)]
        if wanted:
            raise ValueError(
                f"'candidates.{wanted[0]}' needs roads: no table has minutes to sites that it does not name; give roads.source, "
                f"or list sites and leave {wanted[0]} out"
            )
        return self

    @field_validator("phases")
    @classmethod
    def _years(cls, phases: dict[str, Phase]) -> dict[str, Phase]:
        wrong = [year for year in phases if not (year.isdigit() and len(year) == 4)]
        if wrong:
            raise ValueError(f"phases are years such as 2026, not {', '.join(wrong)}")
        return phases


def _gathered(keys: Any, sections: set[str]) -> Any:
    if not isinstance(keys, dict):
        return keys
    own = {name: keys[name] for name in keys if name in sections and name not in Scenario.model_fields}
    # a table of its own is a section's even where a scenario has a key of that name
    own |= {name: keys[name] for name in ("roads", "times") if isinstance(keys.get(name), dict)}
    rest = {name: value for name, value in keys.items() if name not in own}
    return {**rest, "sections": {**rest.get("sections", {}), **own}} if own else rest


def _sentence(problem: Problem) -> str:
    key, words = problem.key, problem.words
    if problem.kind == "extra_forbidden":
        allowed = f"allowed are: {', '.join(problem.allowed)}" if problem.allowed else "take it out"
        hint = f"did you mean '{problem.nearest}'?" if problem.nearest else allowed
        return f"unknown key '{key}' ({hint})"
    if problem.kind == "missing":
        return f"'{key}' is missing"
    if not problem.key:
        return words
    given = f", not {problem.given}" if problem.given else ""
    return _files.without_password(f"'{key}': {words[:1].lower()}{words[1:]}{given}")


def read_config(path: str | os.PathLike[str]) -> StudyConfig:
    """Return the configuration in a study file.

    Raises
    ------
    ConfigError
        Naming the file, and every key that is unknown, missing or has a value that is not allowed.
    """
    file = study_file(path)
    given = config_of_folder(file) if file.is_dir() else _files.read_toml(file)
    if given and not given.keys() & StudyConfig.model_fields.keys():  # what it holds is not repeated
        raise ConfigError(
            f"{file.name}: is no study: it has none of the sections of one; give the right file"
        )
    return checked_config(given, file.name)


def study_file(path: str | os.PathLike[str]) -> Path:
    """Return the study file that is meant by itself or by its folder; a folder without one stands for its workbook."""
    file = Path(path)
    return file / STUDY_FILE if file.is_dir() and _files.is_there(file / STUDY_FILE) else file


def checked_config(given: Mapping[str, Any], where: str) -> StudyConfig:
    """Return the configuration that `given` describes, section by section; `where` it stands begins the message.

    Raises
    ------
    ConfigError
        Naming every key that is unknown, missing or has a value that is not allowed.
    """
    try:
        return StudyConfig.model_validate(given)
    except ValidationError as error:
        said = dict.fromkeys(_sentence(problem) for problem in problems(error, StudyConfig, given))
        raise ConfigError(f"{where}: " + "; ".join(said)) from None


def language_of(path: str | os.PathLike[str]) -> Literal["zh", "en"]:
    """Return the language a study file asks for, even where the rest of it is wrong; Chinese where it cannot be told."""
    try:
        file = study_file(path)
        given = (config_of_folder(file) if file.is_dir() else _files.read_toml(file)).get("study")
    except CoverageError:
        return "zh"
    return "en" if isinstance(given, dict) and given.get("language") == "en" else "zh"
