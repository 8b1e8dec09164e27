"""List what a person should verify: duplicates, points outside their unit, rows without a place, guesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rapidfuzz import fuzz

from sy_coverage._frames import GEOGRAPHIC, metric_crs
from sy_coverage.places.ground.likely import Likely, LikelyUnits, Row
from sy_coverage.places.ground.names import same, short_county, short_unit
from sy_coverage.places.ground.points import placed
from sy_coverage.places.locating.geocode import assign_units
from sy_coverage.places.locating.providers import PROVIDERS
from sy_coverage.places.sheets.kinds import shipped_words
from sy_coverage.places.sheets.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.policy import Policy

    _Doubt = tuple[str, ...]

DUPLICATE_WITHIN_M = 200.0
"""Two rows of one kind nearer than this may be the same place …"""
DUPLICATE_NAME = 75.0
"""… if what sets their names apart is at least this similar (0 to 100, RapidFuzz's ratio) …"""
SAME_SPOT_M = 10.0
"""… or if their given points are nearer than this, whatever they are called."""
OUTSIDE_FROM_M = 50.0
"""A point this little outside its unit is within the accuracy of boundaries."""
EARTH_M = 6_371_008.8
"""Mean radius of the earth."""
DOUBT_COLUMNS = ("doubt_id", "row_id", "subject", "value", "field", "suggestion")
_WITH_DISTANCE = ("outside_county", "beyond_border")
_OWN_ORDER = (
    "duplicate",
    "same_spot",
    "outside_unit",
    "address_elsewhere",
    "outside_all_units",
    "unit_likely",
    "unit_several",
    "unit_unknown",
    "unit_county_conflict",
    "county_unknown",
    "functions_missing",
)


def doubts(
    facilities: GeoDataFrame,
    units: GeoDataFrame,
    *,
    policy: Policy | None = None,
    villages: GeoDataFrame | None = None,
) -> DataFrame:
    """Return one row for every doubt about `facilities` that a person should settle; nothing is merged or moved.

    Parameters
    ----------
    facilities
        Facilities or candidates frame, best after `geocode` and `assign_units`; or villages, among which no duplicates
        are looked for.
    units
        Units frame.
    policy
        With a policy, facilities that list only some of the functions of their kind are doubts too.
    villages
        Demand frame whose names help to find the unit that a row means.

    Returns
    -------
    doubts
        Columns of text, sorted: `doubt_id` (``duplicate``, ``outside_unit``, ``address_elsewhere``, ``outside_all_units``,
        ``unit_likely``, ``unit_several``, ``unit_unknown``, ``unit_county_conflict``, ``county_unknown``, ``same_spot``,
        ``functions_missing``, or the `location_reason` of a row that has no point or an approximate one), `row_id` (the
        facility), `subject` and `value` (what else the sentence ``places.doubt_<doubt_id>`` needs), `field` (the column that an
        answer changes) and `suggestion` (what it would say; nothing of it is taken before it is confirmed).

    Raises
    ------
    MissingCRSError
        If a frame has no CRS.
    """
    frame = facilities if "unit_distance_m" in facilities.columns else assign_units(facilities, units)
    frame = frame.sort_index()
    known = LikelyUnits.of(units, villages)
    spots = _unit_of_points(frame, units)
    found: list[_Doubt] = [
        *_outside(frame, units),
        *_elsewhere(frame, units, spots, known),
        *_unplaced(frame),
        *_refused(frame),
        *_unknown(frame, units, spots, known),
    ]
    if "kind" in frame.columns:
        doubled = _duplicates(frame, units)
        found += [*doubled, *_same_spots(frame, {d[1] for d in doubled})]
    if policy is not None and "kind" in frame.columns:
        found += _partial(frame, policy)
    found.sort(key=lambda d: (_OWN_ORDER.index(d[0]) if d[0] in _OWN_ORDER else len(_OWN_ORDER), *d))
    padded = [(*d, *[""] * (len(DOUBT_COLUMNS) - len(d))) for d in found]
    return pd.DataFrame(padded, columns=list(DOUBT_COLUMNS), dtype="str")


def _text(value: object) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def _texts(frame: DataFrame, column: str) -> list[str]:
    return [_text(v) for v in frame[column]] if column in frame.columns else [""] * len(frame)


def _outside(frame: GeoDataFrame, units: GeoDataFrame) -> list[_Doubt]:
    """Return points outside the unit their row names, and points in no unit at all."""
    names = {str(i): str(name) for i, name in zip(units.index, units["name"], strict=True)}
    far = frame[frame["unit_distance_m"] > OUTSIDE_FROM_M]
    found: list[_Doubt] = [
        ("outside_unit", str(row_id), names.get(unit_id, unit_id), f"{metres:.0f}")
        for row_id, unit_id, metres in zip(far.index, far["unit_id"], far["unit_distance_m"], strict=True)
    ]
    lost = frame[frame["unit_id"].isna() & placed(frame.geometry)]
    if len(lost):
        crs = metric_crs(units)
        shapes = units.geometry.to_crs(crs).sort_index()
        points = lost.geometry.to_crs(crs)
        for row_id, point in points.items():
            metres = shapes.distance(point)
            if metres.min() > 0:
                nearest = metres.idxmin()
                found.append(("outside_all_units", str(row_id), names[nearest], f"{metres[nearest]:.0f}"))
    return found


def _unplaced(frame: GeoDataFrame) -> list[_Doubt]:
    """Return rows without a point, or with an approximate one, under the reason for it."""
    if "location_status" not in frame.columns:
        rows = frame[~placed(frame.geometry)]
        return [
            ("no_coordinates", str(i), a, "")
            for i, a in zip(rows.index, _texts(rows, "address"), strict=True)
        ]
    unsure = frame["location_status"].isin(["not_located", "rejected", "ambiguous", "approximate"])
    if "location_reason" in frame.columns:
        unsure |= frame["location_reason"] == "beyond_border"
    rows = frame[unsure]
    found: list[_Doubt] = []
    texts = [_texts(rows, c) for c in ("location_reason", "location_detail", "location_query", "address")]
    for row_id, given, detail, query, address in zip(rows.index, *texts, strict=True):
        reason = given or "no_coordinates"
        if reason in _WITH_DISTANCE:
            found.append((reason, str(row_id), query, detail))
        else:
            found.append((reason, str(row_id), detail or query or address or "—", ""))
    return found


def _refused(frame: GeoDataFrame) -> list[_Doubt]:
    """Return rows whose own coordinates were refused, though something else located them since, or gave another reason."""
    if "refused_point" not in frame.columns:
        return []
    reasons = _texts(frame, "location_reason")
    return [
        ("outside_area", str(row_id), spot, "")
        for row_id, spot, reason in zip(frame.index, _texts(frame, "refused_point"), reasons, strict=True)
        if spot and reason != "outside_area"
    ]


def _unit_of_points(frame: GeoDataFrame, units: GeoDataFrame) -> dict[str, str]:
    """Return the unit that holds each row's point, the lowest id on an edge; rows whose point is in none are not there."""
    there = frame.geometry[placed(frame.geometry)].to_crs(metric_crs(units))
    shapes = units.geometry.to_crs(there.crs).sort_index()
    row_at, unit_at = shapes.sindex.query(there, predicate="intersects")
    order = np.lexsort((unit_at, row_at))
    return {
        str(there.index[row]): str(shapes.index[unit])
        for row, unit in zip(row_at[order][::-1], unit_at[order][::-1], strict=True)
    }


def _elsewhere(
    frame: GeoDataFrame, units: GeoDataFrame, spots: dict[str, str], known: LikelyUnits
) -> list[_Doubt]:
    """Return points that lie outside the unit, or else the county, which their own address names, and how far."""
    crs = metric_crs(units)
    points = frame.geometry.to_crs(crs)
    shapes = units.geometry.to_crs(crs)
    found: list[_Doubt] = []
    columns = [_texts(frame, c) for c in ("address", "unit_id", "located_by")]
    for row_id, address, unit_id, source in zip(frame.index, *columns, strict=True):
        point = points[row_id]
        if not address or point is None or point.is_empty or source == "gazetteer":
            continue
        spoken = known.addresses.spoken_of(address, None)
        if not spoken or spots.get(str(row_id)) in spoken or spoken == (unit_id,):
            continue
        metres = float(shapes.loc[list(spoken)].distance(point).min())
        if metres > OUTSIDE_FROM_M:
            called = "、".join(known.called[i] for i in spoken)
            if len(spoken) > 1 and len(spoken) == (units["county_id"] == units["county_id"][spoken[0]]).sum():
                called = str(units["county"][spoken[0]])
            suggestion = called if len(spoken) == 1 else ""
            found.append(("address_elsewhere", str(row_id), called, f"{metres:.0f}", "unit_id", suggestion))
    return found


def _unknown(
    frame: GeoDataFrame, units: GeoDataFrame, spots: dict[str, str], known: LikelyUnits
) -> list[_Doubt]:
    """Return rows that name a unit or a county which is not in the study, or not a single one, and what they may mean."""
    names = known.addresses.names
    found: list[_Doubt] = []
    columns = [
        _texts(frame, c)
        for c in ("unit_named", "county_named", "county_id", "address", "village", "name", "unit_id")
    ]
    around, county_of_unit = _around(frame), units["county_id"].to_dict()
    county_of_file = _county_of_files(frame)
    for row_id, unit, named, county_id, address, village, name, unit_id in zip(
        frame.index, *columns, strict=True
    ):
        meant = names.units(unit, county_id or None) if unit else set()
        if (county_id and any(names.county_of[i] != county_id for i in meant)) or (
            unit and not meant and names.units(unit, None)
        ):
            found.append(("unit_county_conflict", str(row_id), unit, named))
        elif county_id and county_of_unit.get(unit_id, county_id) != county_id:
            found.append(
                ("unit_county_conflict", str(row_id), str(units["name"][unit_id]), named or county_id)
            )
        elif unit and len(meant) != 1:
            row = Row(
                unit=unit,
                county_id=county_id or county_of_file.get(str(row_id), ""),
                address=address,
                village=village,
                name=name,
                unit_of_point=spots.get(str(row_id), ""),
                around=around.get(str(row_id), ("", "")),
            )
            found.append(_suggested(str(row_id), unit, known.of_row(row), known, named))
        if named and names.county(named) is None:
            found.append(("county_unknown", str(row_id), named, ""))
    return found


def _suggested(row_id: str, unit: str, likely: list[Likely], known: LikelyUnits, named: str) -> _Doubt:
    """Return the doubt about a unit's name: with the likeliest unit and what speaks for it, several, or none."""
    if not likely:
        return ("unit_unknown", row_id, unit, named)
    if len(likely) > 1:
        return (
            "unit_several",
            row_id,
            unit,
            "、".join(known.called[one.unit_id] for one in likely),
            "unit_id",
        )
    called = known.called[likely[0].unit_id]
    words = f"{called}（{'；'.join(dict.fromkeys(likely[0].evidence))}）"
    return ("unit_likely", row_id, unit, words, "unit_id", called)


def _county_of_files(frame: GeoDataFrame) -> dict[str, str]:
    """Return, for the rows of each file all of whose rows that say it lie in one county, that county."""
    files = pd.Series([text.rpartition(" row ")[0] for text in _texts(frame, "source")], index=frame.index)
    counties = pd.Series(_texts(frame, "county_id"), index=frame.index)
    said = counties[(counties != "") & (files != "")].groupby(files).unique()
    return {str(i): str(said[f][0]) for i, f in files.items() if f in said.index and len(said[f]) == 1}


def _around(frame: GeoDataFrame) -> dict[str, tuple[str, str]]:
    """Return the units of the rows before and after each row of its own file, as far as the frame says where rows are from."""
    places = [text.rpartition(" row ") for text in _texts(frame, "source")]
    spots = [(file, int(row)) if row.isdigit() else None for file, _, row in places]
    unit_of = {
        spot: unit for spot, unit in zip(spots, _texts(frame, "unit_id"), strict=True) if spot is not None
    }
    return {
        str(row_id): (
            unit_of.get((spot[0], spot[1] - 1), ""),
            unit_of.get((spot[0], spot[1] + 1), ""),
        )
        for row_id, spot in zip(frame.index, spots, strict=True)
        if spot is not None
    }


def _partial(frame: GeoDataFrame, policy: Policy) -> list[_Doubt]:
    """Return facilities whose list of functions lacks some that their kind should have; an empty list says nothing."""
    found: list[_Doubt] = []
    for row_id, kind, listed in zip(frame.index, frame["kind"], _texts(frame, "functions"), strict=True):
        asked = policy.kinds[kind].functions if kind in policy.kinds else ()
        lacking = [function for function in asked if plain(function) not in plain(listed)]
        if listed and lacking:
            found.append(("functions_missing", str(row_id), "、".join(lacking), ""))
    return found


def _duplicates(frame: GeoDataFrame, units: GeoDataFrame) -> list[_Doubt]:
    """Return rows near an earlier one of their kind and called alike, each once: clusters by DBSCAN on haversine."""
    from sklearn.cluster import DBSCAN  # noqa: PLC0415  (heavy)

    there = frame[placed(frame.geometry)].to_crs(GEOGRAPHIC)
    if len(there) < 2:
        return []
    spots = np.radians(np.column_stack([there.geometry.y, there.geometry.x]))
    search = DBSCAN(
        eps=DUPLICATE_WITHIN_M / EARTH_M, min_samples=2, metric="haversine", algorithm="ball_tree"
    )
    # many rows at one spot, such as the middle of a county, are one spot to the search
    places, at, rows = np.unique(spots, axis=0, return_inverse=True, return_counts=True)
    clusters = pd.Series(search.fit_predict(places, sample_weight=rows)[at.ravel()])
    names, stems = [str(n) for n in there["name"]], _stems(there, units)
    kinds, by = [str(k) for k in there["kind"]], _texts(there, "located_by")

    def doubled(one: int, other: int) -> bool:
        metres = _haversine_m(spots[one], spots[other])
        if kinds[one] != kinds[other] or metres > DUPLICATE_WITHIN_M:
            return False
        alike = same(names[one]) == same(names[other]) or _alike(stems[one], stems[other], fuzz.ratio)
        return alike or (metres <= SAME_SPOT_M and by[one] in ("", "given") and by[other] in ("", "given"))

    found: list[_Doubt] = []
    for _, members in clusters[clusters >= 0].groupby(clusters):
        for n, other in enumerate(members.index):
            one = next((i for i in members.index[:n] if doubled(i, other)), None)
            if one is not None:
                subject = f"{names[one]} · {there.index[one]}"
                metres = f"{_haversine_m(spots[one], spots[other]):.0f}"
                found.append(("duplicate", str(there.index[other]), subject, metres))
    return found


def _same_spots(frame: GeoDataFrame, doubled: set[str]) -> list[_Doubt]:
    """Return rows that a map service put at the very point of an earlier row of their kind, unless they are doubles of it."""
    sources = pd.Series(_texts(frame, "located_by"), index=frame.index)
    there = frame[placed(frame.geometry) & sources.isin(list(PROVIDERS))].to_crs(GEOGRAPHIC)
    first: dict[tuple[str, float, float], str] = {}
    found: list[_Doubt] = []
    for row_id, kind, name, point in zip(
        there.index, there["kind"], there["name"], there.geometry, strict=True
    ):
        key = (str(kind), round(point.x, 5), round(point.y, 5))
        if key in first and str(row_id) not in doubled:
            found.append(("same_spot", str(row_id), first[key], ""))
        first.setdefault(key, f"{name}（{row_id}）")
    return found


def _stems(frame: GeoDataFrame, units: GeoDataFrame) -> list[str]:
    """Return what sets each name apart: without the words for its kind, its county and its unit."""
    kinds = {plain(word) for known in shipped_words().values() for word in known}
    counties = dict(zip(units["county_id"], units["county"], strict=True))
    unit_names = dict(zip(units.index, units["name"], strict=True))
    ordered = sorted(kinds, key=lambda w: (-len(w), w))
    stems = []
    for name, unit_id, county_id in zip(
        frame["name"], *(_texts(frame, c) for c in ("unit_id", "county_id")), strict=True
    ):
        county, unit = str(counties.get(county_id, "")), str(unit_names.get(unit_id, ""))
        stem = plain(str(name))
        for word in (county, short_county(county), unit, short_unit(unit)):
            stem = stem.replace(plain(word), "") if word else stem
        for word in ordered:
            stem = stem.replace(word, "")
        # a name of nothing but its kind and unit is told apart by the unit
        stems.append(stem or plain(unit) or plain(str(name)))
    return stems


def _alike(one: str, other: str, ratio: Callable[[str, str], float]) -> bool:
    """Return whether what sets two names apart is nearly nothing: alike in letters, or one inside the other."""
    short, long = sorted((one, other), key=len)
    return (len(short) > 1 and short in long) or ratio(one, other) >= DUPLICATE_NAME


def _haversine_m(one: np.ndarray, other: np.ndarray) -> float:
    """Return the great-circle distance of two points (latitude, longitude in radians)."""
    half = np.sin((other - one) / 2) ** 2
    return float(2 * EARTH_M * np.arcsin(np.sqrt(half[0] + np.cos(one[0]) * np.cos(other[0]) * half[1])))
