"""Ask a study again with some keys of its file changed, without doing again what they cannot touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sy_coverage.study.config.file import checked_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sy_coverage.study.config.file import StudyConfig
    from sy_coverage.study.study import Study

_PLACES = frozenset({"study", "boundaries", "demand", "facilities", "geocoding"})
_SITES = _PLACES | {"candidates", "roads", "access", "siting"}

NEEDS: dict[str, frozenset[str]] = {
    "policy": frozenset({"study", "access", "siting"}),
    "units": frozenset({"boundaries"}),
    "demand": frozenset({"boundaries", "demand"}),
    "facilities": _PLACES,
    "open_facilities": _PLACES,
    "doubts": _PLACES,
    "listed_candidates": _PLACES | {"candidates"},
    "network": frozenset({"study", "boundaries", "roads", "access"}),
    "water": frozenset({"study", "boundaries", "roads"}),
    "candidates": _SITES,
    "times": _SITES,
    "between_homes": _SITES,
    "to_medical": _SITES,
    "coverage": _SITES,
}
"""The sections of a study file that each step reads, itself or through the steps before it."""

_WHOLE = frozenset({"phases", "reported"})
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
        before = {} if name in _WHOLE else given.get(name, {})
        merged = {**before, **{str(key): value for key, value in keys.items()}}
        given[name] = {key: value for key, value in merged.items() if value is not None}
    return checked_config(given, ", ".join(f"[{name}]" for name in sections))


def kept(study: Study, other: StudyConfig) -> Iterator[tuple[str, Any]]:
    """Yield what `study` has computed already and would compute alike with the configuration `other`."""
    differ = {
        name for name in type(other).model_fields if getattr(study.config, name) != getattr(other, name)
    }
    for step, needs in NEEDS.items():
        if step in vars(study) and not needs & differ:
            yield step, vars(study)[step]
