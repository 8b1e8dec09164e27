"""Read who and what is where: units, facilities and candidates, each row located or with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import places
from sy_coverage._frames import CANDIDATES, checked
from sy_coverage.errors import UnknownIdError, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.policy import Policy
    from sy_coverage.study.config.inputs.boundaries import Boundaries
    from sy_coverage.study.config.inputs.candidates import Candidates
    from sy_coverage.study.config.inputs.facilities import Facilities
    from sy_coverage.study.config.inputs.geocoding import Geocoding
    from sy_coverage.study.steps.files import StudyFiles


def read_units(given: Boundaries, files: StudyFiles) -> GeoDataFrame:
    """Return streets and townships, indexed by `unit_id`."""
    return places.read_units(
        files.path(given.units),
        coordinate_system=given.coordinate_system,
        columns=given.columns,
        invalid=given.invalid,
        admin_level=given.admin_level,
        county_level=given.county_level,
        former=given.former,
        limits=files.limits,
    )


def read_facilities(
    given: Facilities, files: StudyFiles, *, units: GeoDataFrame, policy: Policy
) -> GeoDataFrame:
    """Return every facility row as it was read, before any address is looked up."""
    return places.read_facilities(
        files.paths(given.files),
        coordinate_system=given.coordinate_system,
        units=units,
        columns=given.columns,
        policy=policy,
        limits=files.limits,
    )


def read_candidates(
    given: Candidates, files: StudyFiles, *, units: GeoDataFrame, policy: Policy
) -> GeoDataFrame | None:
    """Return every row of the candidate lists as it was read, or None where no list was given."""
    if not given.files:
        return None
    return places.read_candidates(
        files.paths(given.files),
        coordinate_system=given.coordinate_system,
        units=units,
        columns=given.columns,
        policy=policy,
        limits=files.limits,
    )


def require_chosen(given: Geocoding, lists: Iterable[GeoDataFrame | None]) -> None:
    """Refuse choices between places for rows that are not there.

    Raises
    ------
    UnknownIdError
        Naming them.
    """
    unknown = set(given.choose).difference(*(frame.index for frame in lists if frame is not None))
    if unknown:
        raise UnknownIdError(f"[geocoding] choose: ids of no row: {some(sorted(unknown))}; see located.csv")


def located(
    frame: GeoDataFrame, sources: list[Any], *, units: GeoDataFrame, given: Geocoding
) -> GeoDataFrame:
    """Return rows with their points, each in a unit, as far as `sources` know them."""
    found = places.geocode(frame, sources, units=units, accept=given.accept, chosen=given.choose)
    return places.assign_units(found, units)


def no_candidates(facilities: GeoDataFrame) -> GeoDataFrame:
    """Return a frame of candidates without a row."""
    return checked(facilities.iloc[:0].assign(cost=pd.Series(dtype=float)), CANDIDATES)


def require_own_ids(candidates: GeoDataFrame, facilities: GeoDataFrame) -> GeoDataFrame:
    """Return `candidates`, none of which is called like a facility.

    Raises
    ------
    UnknownIdError
        Naming those that are.
    """
    clash = candidates.index.intersection(facilities.index)
    if len(clash):
        raise UnknownIdError(
            f"candidates: ids that are facilities' too: {some(clash)}; give each site an id of its own"
        )
    return candidates


def county_names(units: GeoDataFrame) -> dict[str, str]:
    """Return the names of the counties by `county_id`, in order of their ids."""
    named = units.drop_duplicates("county_id").set_index("county_id")["county"]
    return dict(sorted(named.items()))


def names_of(frames: Iterable[GeoDataFrame], counties: Mapping[str, str]) -> dict[str, str]:
    """Return the name of every row of `frames` and of every county by its id."""
    names: dict[str, str] = {}
    for frame in frames:
        names |= dict(zip(frame.index, frame["name"], strict=True))
    return {**names, **counties}
