"""Change some keys of a study file, as somebody who edits it would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from geopandas import GeoDataFrame
from pydantic import ValidationError

from sy_coverage import _files
from sy_coverage._frames import CANDIDATES, GEOGRAPHIC
from sy_coverage.errors import ConfigError
from sy_coverage.study.config.file import checked_config
from sy_coverage.study.config.inputs.candidates import Added
from sy_coverage.study.config.questions.scenario import Scenario, sentences

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from sy_coverage.study.config.file import StudyConfig

WHOLE = frozenset({"phases", "reported", "what_if"})
"""Sections whose keys are data and no options: given again, they are given whole."""


def changed(config: StudyConfig, sections: Mapping[str, Mapping[str, Any]]) -> StudyConfig:
    """Return `config` with some keys changed; None brings a key's default back.

    Raises
    ------
    ConfigError
        Naming every key that is unknown or has a value that is not allowed.
    """
    given: dict[str, Any] = config.model_dump(exclude_unset=True)
    for name, keys in sections.items():
        before = {} if name in WHOLE else given.get(name, {})
        merged = {**before, **{str(key): value for key, value in keys.items()}}
        given[name] = {key: value for key, value in merged.items() if value is not None}
    return checked_config(given, ", ".join(f"[{name}]" for name in sections))


def with_scenario(config: StudyConfig, scenario: Scenario) -> StudyConfig:
    """Return `config` as it reads with a scenario laid over it.

    Raises
    ------
    ConfigError
        Naming every key of its sections that is unknown or has a value that is not allowed.
    """
    before = {
        "require": config.siting.require,
        "forbid": config.siting.forbid,
        "close": config.facilities.close,
        "add": tuple(site.model_dump(exclude_unset=True) for site in config.candidates.add),
    }
    return changed(config, scenario.changes(before))


def read_scenario(path: str | os.PathLike[str]) -> Scenario:
    """Return the scenario in a JSON file, as `Scenario.to_json`, a map or a desk wrote it.

    Raises
    ------
    MissingFileError, UnreadableFileError, ConfigError
        If there is none, or it is no scenario.
    """
    text, _ = _files.decode(_files.read_bytes(path), str(path))
    return Scenario.from_json(text, source=Path(path).name)


def scenario_of(
    *,
    require: Iterable[str] = (),
    forbid: Iterable[str] = (),
    close: Iterable[str] = (),
    add: Iterable[Mapping[str, Any]] | GeoDataFrame = (),
    sections: Mapping[str, Mapping[str, Any]] | None = None,
) -> Scenario:
    """Return the scenario that these choices make; `add` are mappings, or a frame of points with their columns.

    Raises
    ------
    ConfigError
        Naming what is not allowed.
    """
    lists = {"require": require, "forbid": forbid, "close": close}
    bare = [name for name, ids in lists.items() if isinstance(ids, str)]
    if bare:
        raise ConfigError(f"what_if: {', '.join(bare)}: a list of ids or names is needed, not one text")
    given: dict[str, Any] = {name: tuple(ids) for name, ids in lists.items()}
    given["add"] = tuple(_rows(add) if isinstance(add, GeoDataFrame) else map(dict, add))
    given["sections"] = {name: dict(keys) for name, keys in (sections or {}).items()}
    try:
        return Scenario.model_validate(given)
    except ValidationError as error:
        raise ConfigError(f"what_if: {'; '.join(sentences(error, Scenario, given))}") from None


def _rows(frame: GeoDataFrame) -> Iterator[dict[str, Any]]:
    points = frame.to_crs(GEOGRAPHIC).geometry
    for (row_id, row), point in zip(frame.iterrows(), points, strict=True):
        said = {key: row[key] for key in Added.model_fields if key in frame.columns and row[key] == row[key]}
        if frame.index.name == CANDIDATES.index:
            said["candidate_id"] = str(row_id)
        yield {**said, "lon": point.x, "lat": point.y}
