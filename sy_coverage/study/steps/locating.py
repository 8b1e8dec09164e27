"""Locate rows that have only an address: with names known offline, and the map services a study names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from sy_coverage import places
from sy_coverage.places.locating.providers import KEY_NAMES

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.study.config.inputs.geocoding import Geocoding
    from sy_coverage.study.steps.files import StudyFiles

GAZETTEER = "gazetteer"


def location_sources(
    given: Geocoding, files: StudyFiles, *, units: GeoDataFrame, demand: GeoDataFrame
) -> list[Any]:
    """Return what locates rows, in order: the gazetteer, and the map services that are named, with their keys.

    Raises
    ------
    ConfigError
        If a service needs a key and the environment holds none.
    """
    found: list[Any] = []
    for name in given.sources:
        if name == GAZETTEER:
            found.append(places.gazetteer(units, demand))
            continue
        is_offline = not files.gate.services
        service = places.provider(name, key=_key(name), offline=is_offline, lenient=is_offline)
        if given.contact:
            service = service.told_contact(given.contact)
        found.append(service.with_cache(cache_path(given, files)))
    return found


def _key(service: str) -> SecretStr | None:
    held = os.environ.get(KEY_NAMES.get(service, ""), "").strip()
    return SecretStr(held) if held else None


def cache_path(given: Geocoding, files: StudyFiles) -> Path:
    """Return where the answers of map services are kept."""
    return Path(files.path(given.cache))
