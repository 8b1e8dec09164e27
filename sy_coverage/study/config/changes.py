"""Change some keys of a study file, as somebody who edits it would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sy_coverage.study.config.file import checked_config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.study.config.file import StudyConfig

WHOLE = frozenset({"phases", "reported"})
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
