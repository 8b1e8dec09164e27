"""Read what a study configures, section by section: one error names every key that is unknown, missing or wrong."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator

from sy_coverage import _files
from sy_coverage.errors import ConfigError, CoverageError
from sy_coverage.study.config.sections import (
    About,
    Access,
    Boundaries,
    Candidates,
    Compare,
    Demand,
    Facilities,
    Geocoding,
    Limits,
    MapOptions,
    Phase,
    Roads,
    Section,
    Siting,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping


class StudyConfig(Section):
    """A study file as a whole."""

    study: About
    boundaries: Boundaries
    facilities: Facilities
    candidates: Candidates = Candidates()
    demand: Demand
    roads: Roads
    geocoding: Geocoding = Geocoding()
    access: Access = Access()
    siting: Siting = Siting()
    phases: dict[str, Phase] = Field(default_factory=dict)
    """By year: ``2026 = { budget = 3000 }``."""
    reported: dict[str, float | dict[str, float]] = Field(default_factory=dict)
    """Values of targets that no map can compute, by target id: one number for the city, or one a county."""
    compare: Compare = Compare()
    map: MapOptions = MapOptions()
    limits: Limits = Limits()

    @field_validator("phases")
    @classmethod
    def _years(cls, phases: dict[str, Phase]) -> dict[str, Phase]:
        wrong = [year for year in phases if not (year.isdigit() and len(year) == 4)]
        if wrong:
            raise ValueError(f"phases are years such as 2026, not {', '.join(wrong)}")
        return phases


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that stand beside the wrong one at `location`."""
    model: Any = StudyConfig
    for part in location[:-1]:
        field = (
            model.model_fields.get(str(part))
            if isinstance(model, type) and issubclass(model, BaseModel)
            else None
        )
        if field is None:
            return []
        model = field.annotation
    return sorted(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _sentence(problem: Any) -> str:
    location = problem["loc"]
    key = ".".join(str(part) for part in location)
    if problem["type"] == "extra_forbidden":
        allowed = _allowed_keys(location)
        near = difflib.get_close_matches(str(location[-1]), allowed, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"allowed are: {', '.join(allowed)}"
        return f"unknown key '{key}' ({hint})"
    if problem["type"] == "missing":
        return f"'{key}' is missing"
    message = problem["msg"].removeprefix("Value error, ")
    given = "" if isinstance(problem["input"], dict) else f", not {problem['input']!r}"
    return _files.without_password(f"'{key}': {message[0].lower()}{message[1:]}{given}")


def read_config(path: str | os.PathLike[str]) -> StudyConfig:
    """Return the configuration in a study file.

    Raises
    ------
    ConfigError
        Naming the file, and every key that is unknown, missing or has a value that is not allowed.
    """
    return checked_config(_files.read_toml(path), Path(path).name)


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
        raise ConfigError(f"{where}: " + "; ".join(_sentence(p) for p in error.errors())) from None


def language_of(path: str | os.PathLike[str]) -> Literal["zh", "en"]:
    """Return the language a study file asks for, even where the rest of it is wrong; Chinese where it cannot be told."""
    try:
        given = _files.read_toml(path).get("study")
    except CoverageError:
        return "zh"
    return "en" if isinstance(given, dict) and given.get("language") == "en" else "zh"
