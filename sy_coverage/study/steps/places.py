"""Read who and what is where: units, facilities and candidates, each row located or with its reason."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from sy_coverage import places
from sy_coverage._frames import CANDIDATES, GEOGRAPHIC, checked
from sy_coverage.errors import ConfigError, UnknownIdError, some

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.policy import Policy
    from sy_coverage.study.config.inputs.boundaries import Boundaries
    from sy_coverage.study.config.inputs.candidates import Added, Candidates
    from sy_coverage.study.config.inputs.facilities import Facilities
    from sy_coverage.study.config.inputs.geocoding import Geocoding
    from sy_coverage.study.steps.files import StudyFiles

ADDED = "added"
"""How the ids begin of sites that a scenario adds without an id of their own."""


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
    given: Facilities,
    files: StudyFiles,
    *,
    units: GeoDataFrame,
    policy: Policy,
    answers: pd.DataFrame,
) -> GeoDataFrame:
    """Return every facility row as it was read, before any address is looked up."""
    return places.read_facilities(
        files.lists(given.files),
        coordinate_system=given.coordinate_system,
        units=units,
        columns=given.columns,
        policy=policy,
        limits=files.limits,
        answers=answers,
        strict=given.strict,
    )


def read_candidates(
    given: Candidates,
    files: StudyFiles,
    *,
    units: GeoDataFrame,
    policy: Policy,
    answers: pd.DataFrame,
) -> GeoDataFrame | None:
    """Return every row of the candidate lists as it was read, or None where no list was given."""
    if not given.files:
        return None
    return places.read_candidates(
        files.lists(given.files),
        coordinate_system=given.coordinate_system,
        units=units,
        columns=given.columns,
        policy=policy,
        limits=files.limits,
        answers=answers,
        strict=given.strict,
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


def ids_named(given: Collection[str], frame: GeoDataFrame, what: str) -> tuple[str, ...]:
    """Return the ids of rows that are given by id, or by a name that no other row has.

    Raises
    ------
    UnknownIdError
        Naming those that are neither, with the nearest, and names that several rows have, with their ids.
    """
    found, wrong = [], []
    if not given:
        return ()
    by_name = frame.groupby("name").groups if len(frame) else {}
    for one in dict.fromkeys(given):
        rows = [one] if one in frame.index else list(by_name.get(one, ()))
        if len(rows) == 1:
            found.append(str(rows[0]))
        elif rows:
            wrong.append(f"'{one}' is the name of several ({some(rows)}): give an id")
        else:
            near = difflib.get_close_matches(one, [*map(str, frame.index), *map(str, by_name)], n=1)
            wrong.append(f"no '{one}'" + (f" (did you mean '{near[0]}'?)" if near else ""))
    if wrong:
        raise UnknownIdError(f"{what}: {'; '.join(wrong[:5])}")
    return tuple(found)


def closed(facilities: GeoDataFrame, close: tuple[str, ...]) -> GeoDataFrame:
    """Return facilities of which some (by id or name) are closed."""
    if not close:
        return facilities
    shut = facilities.index.isin(ids_named(close, facilities, "[facilities] close"))
    return facilities.assign(status=facilities["status"].mask(shut, "closed"))


def with_added(
    candidates: GeoDataFrame,
    add: tuple[Added, ...],
    *,
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    policy: Policy,
) -> GeoDataFrame:
    """Return candidates and the sites that no list names, each in the unit that its point lies in.

    Raises
    ------
    ConfigError
        If a site is of no kind of the policy, or lies in no unit.
    UnknownIdError
        If its id is another's.
    """
    if not add:
        return candidates
    strange = sorted({site.kind for site in add} - set(policy.kinds))
    if strange:
        raise ConfigError(
            f"[candidates] add: no such kind: {some(strange)}; there are: {', '.join(policy.kinds)}"
        )
    ids = [site.candidate_id or f"{ADDED}-{n}" for n, site in enumerate(add, start=1)]
    clash = sorted({i for i in ids if i in candidates.index or i in facilities.index or ids.count(i) > 1})
    if clash:
        raise UnknownIdError(f"[candidates] add: ids that are given already: {some(clash)}; take others")
    points = gpd.points_from_xy([site.lon for site in add], [site.lat for site in add])
    frame = gpd.GeoDataFrame(
        {
            "name": [site.name for site in add],
            "kind": [site.kind for site in add],
            "cost": [site.cost for site in add],
            "premises": [site.premises for site in add],
            "coordinate_system": "wgs84",
            "located_by": "given",
            "location_precision": "point",
            "location_status": "located",
        },
        geometry=points,
        index=pd.Index(ids, name=candidates.index.name),
        crs=candidates.crs,
    )
    placed = places.assign_units(checked(frame, CANDIDATES), units)
    outside = placed.index[placed["unit_id"].isna()]
    if len(outside):
        raise ConfigError(f"[candidates] add: in no unit: {some(outside)}; are lon and lat in this order?")
    unnamed = placed["name"] == ""
    words = placed["unit_id"].map(units["name"]) + " " + placed.index
    placed = placed.assign(name=placed["name"].mask(unnamed, words))
    return pd.concat([candidates, placed]).sort_index()


def place_named(place: str | tuple[float, float], frames: Iterable[GeoDataFrame], kind: str) -> GeoDataFrame:
    """Return a row of `frames` by id or name, or a point by longitude and latitude, which is of `kind`: `kind` and geometry.

    Raises
    ------
    UnknownIdError
        If there is no such place, or it has no point.
    """
    if not isinstance(place, str):
        lon, lat = place
        point = gpd.points_from_xy([lon], [lat])
        ids = pd.Index([f"{lon:g}, {lat:g}"], name="facility_id")
        return gpd.GeoDataFrame({"kind": [kind]}, geometry=point, index=ids, crs=GEOGRAPHIC)
    every = pd.concat([frame[["name", "kind", "geometry"]] for frame in frames])
    row = every.loc[list(ids_named([place], every, "place"))]
    if row.geometry.isna().any():
        raise UnknownIdError(f"place: '{place}' has no point; see located.csv")
    return row[["kind", "geometry"]].rename_axis("facility_id")


def county_id_of(named: str, counties: Mapping[str, str]) -> str:
    """Return the id of a county that is given by its id or its name.

    Raises
    ------
    UnknownIdError
        If there is none, or several counties have the name.
    """
    if named in counties:
        return named
    called = [county_id for county_id, name in counties.items() if name == named]
    if len(called) == 1:
        return called[0]
    near = difflib.get_close_matches(str(named), [*counties, *counties.values()], n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise UnknownIdError(f"county: no such id: {named}{hint}")


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
