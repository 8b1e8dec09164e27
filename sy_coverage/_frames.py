"""Look up here what columns every frame has, and check a frame against that contract: all breaches at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from sy_coverage.errors import CRSMismatchError, FrameError, MissingCRSError, UnknownIdError, some

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geopandas import GeoDataFrame
    from pandas import DataFrame

GEOGRAPHIC = "EPSG:4326"
"""The CRS of every frame given to users and files; CGCS2000 degrees are taken as equal to it."""

UNIT_KINDS = ("street", "township", "other")
STATUSES = ("open", "planned", "closed")
COORDINATE_SYSTEMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
LOCATION_STATUSES = ("located", "approximate", "ambiguous", "rejected", "not_located")
"""`located` and `approximate` rows have a point; `ambiguous`, `rejected` and `not_located` ones have none, and a reason."""
ORIGINS = ("listed", "generated", "openstreetmap")
"""Where a candidate comes from: an office's list, the program's own suggestion, or a place of the map."""
PREMISES = ("idle_school", "village_office", "public_building", "upgrade", "new", "unknown")
"""What a site is made of; ``unknown`` where nobody has said it, as of every site that the program suggests."""


@dataclass(frozen=True)
class Column:
    """One column of a frame: what its values are, whether it must be there, and what stands in when it is not."""

    holds: str
    """``text``, ``number`` (finite, ≥ 0), ``flag`` (true or false) or ``date``."""
    required: bool = False
    """The column must be there and every row must have a value."""
    among: tuple[str, ...] = ()
    default: Any = None


@dataclass(frozen=True)
class Contract:
    """What a frame is called, what its index is called, and its columns."""

    name: str
    index: str
    columns: dict[str, Column]
    geometry: str = "none"
    """``polygon`` (each row has one), ``point`` (each row has one), ``point or none``, or ``none``."""
    notes: tuple[str, ...] = field(default=())


UNITS = Contract(
    "units",
    "unit_id",
    {
        "name": Column("text", required=True),
        "kind": Column("text", required=True, among=UNIT_KINDS),
        "county_id": Column("text", required=True),
        "county": Column("text", required=True),
        "boundary_quality": Column("text", default="official"),
    },
    geometry="polygon",
)

_PLACE = {
    "name": Column("text", required=True),
    "address": Column("text"),
    "kind": Column("text", required=True),
    "beds": Column("number"),
    "nursing_beds": Column("number"),
    "floor_area_m2": Column("number"),
    "functions": Column("text"),
    "has_medical": Column("flag"),
    "dementia_ward": Column("flag"),
    "premises": Column("text"),
    "unit_id": Column("text"),
    "county_id": Column("text"),
    "coordinate_system": Column("text"),
    "located_by": Column("text"),
    "location_precision": Column("text"),
    "location_status": Column("text", among=LOCATION_STATUSES),
}

FACILITIES = Contract(
    "facilities",
    "facility_id",
    _PLACE
    | {
        "status": Column("text", required=True, among=STATUSES, default="open"),
        "opens_on": Column("date"),
    },
    geometry="point or none",
)

CANDIDATES = Contract(
    "candidates",
    "candidate_id",
    _PLACE
    | {
        "cost": Column("number", required=True),
        "premises": Column("text", among=PREMISES, default="unknown"),
        "required": Column("flag", default=False),
        "host_id": Column("text"),
        "upgrade_of": Column("text"),
        "origin": Column("text", among=ORIGINS, default="listed"),
        "priced_as": Column("text", among=PREMISES),
        "group_id": Column("text"),
        "running_cost": Column("number"),
        "fund_source": Column("text"),
        "responsible": Column("text"),
    },
    geometry="point or none",
    notes=(
        "`group_id`: candidates of one group are one building in several sizes; at most one of them opens",
        "`running_cost`: 10⁴ yuan a year",
        "`priced_as`: the premises whose usual cost was taken where no list prices a site",
    ),
)

LISTED_CANDIDATES = replace(
    CANDIDATES,
    columns=CANDIDATES.columns | {"cost": Column("number")},
    notes=("as an office lists them: perhaps not priced yet",),
)

DEMAND = Contract(
    "demand",
    "demand_id",
    {
        "name": Column("text"),
        "elders": Column("number", required=True),
        "elders_65": Column("number"),
        "elders_80": Column("number"),
        "elders_destitute": Column("number"),
        "elders_disabled": Column("number"),
        "households": Column("number"),
        "unit_id": Column("text"),
        "county_id": Column("text"),
    },
    geometry="point",
)

LISTS = ("facilities", "candidates", "demand", "units", "census", "cohorts")
"""The lists a doubt can be about."""
DECISIONS = ("confirm", "change", "set_aside")
"""What an office answers: the suggestion (or what was taken) is right; it is something else; the row is not to be used."""

DOUBTS = Contract(
    "doubts",
    "doubt_id",
    {
        "kind": Column("text", required=True),
        "list": Column("text", required=True, among=LISTS),
        "row_id": Column("text"),
        "name": Column("text"),
        "file": Column("text"),
        "sheet": Column("text"),
        "row": Column("text"),
        "field": Column("text"),
        "written": Column("text"),
        "subject": Column("text"),
        "value": Column("text"),
        "taken": Column("text"),
        "suggestion": Column("text"),
        "units": Column("text"),
        "elders": Column("number"),
        "targets": Column("text"),
    },
    notes=(
        "version 1",
        "kind: the label places.doubt_<kind> words it, with name, subject and value",
        "file, sheet, row, written: in the office's own words; row may list several",
        "field: which of our columns an answer changes; taken, suggestion: its values, ours or the office's words",
        "units, elders, targets: what it can change: names of units, their elders, ids of targets, joined by 、",
    ),
)

ANSWERS = Contract(
    "answers",
    "doubt_id",
    {
        "kind": Column("text"),
        "list": Column("text", required=True, among=LISTS),
        "row_id": Column("text"),
        "name": Column("text"),
        "file": Column("text"),
        "sheet": Column("text"),
        "row": Column("text"),
        "field": Column("text"),
        "suggestion": Column("text"),
        "decision": Column("text", required=True, among=DECISIONS),
        "value": Column("text"),
        "lon": Column("number"),
        "lat": Column("number"),
        "unit": Column("text"),
        "facility_kind": Column("text"),
        "answered_by": Column("text"),
        "answered_on": Column("text"),
        "note": Column("text"),
        "taken": Column("text"),
    },
    notes=("version 1", "lon, lat in WGS84; taken: what the program had taken before"),
)


LISTED_DEMAND = replace(
    DEMAND, geometry="point or none", notes=("as an office lists it: perhaps by name only",)
)


def _is_text(values: pd.Series) -> pd.Series:
    return values.isna() | values.map(lambda v: isinstance(v, str)).astype(bool)


def _is_number(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    return values.isna() | (np.isfinite(numbers) & (numbers >= 0))


def _is_flag(values: pd.Series) -> pd.Series:
    return values.isna() | values.map(lambda v: isinstance(v, bool | np.bool_)).astype(bool)


def _is_date(values: pd.Series) -> pd.Series:
    return values.isna() | pd.to_datetime(values, errors="coerce").notna()


_HOLDS = {
    "text": (_is_text, "must be text"),
    "number": (_is_number, "must be a finite number, 0 or more"),
    "flag": (_is_flag, "must be true or false"),
    "date": (_is_date, "must be a date such as 2027-12-31"),
}


_NUMERIC = ("floating", "integer", "mixed-integer-float")
"""What values of a frame without a type of its own may be, to be numbers for sure."""


def _surely_holds(values: pd.Series, rule: Column) -> bool:
    """Whether every value is what `rule` asks for, as far as its type says so at a glance; False is only a doubt."""
    if rule.holds == "number" and values.dtype.kind in "iuf":
        numbers = values.to_numpy(dtype=np.float64)
        missing = np.isnan(numbers)
        return bool((missing | (np.isfinite(numbers) & (numbers >= 0))).all()) and not (
            rule.required and missing.any()
        )
    missing = values.isna().to_numpy()
    if rule.required and missing.any():
        return False
    if missing.all():
        return True
    if rule.holds == "number" and str(pd.api.types.infer_dtype(values, skipna=True)) in _NUMERIC:
        numbers = pd.to_numeric(values)  # whole numbers beyond all types stay objects
        return numbers.dtype.kind in "iuf" and _surely_holds(numbers, rule)
    if rule.among and not (missing | values.isin(rule.among)).all():
        return False
    found = str(pd.api.types.infer_dtype(values, skipna=True))
    return found == {"text": "string", "flag": "boolean", "date": "datetime64"}.get(rule.holds)


def _surely_sound(frame: DataFrame, contract: Contract) -> bool:
    """Whether a frame keeps its contract at a glance, so that nothing has to be looked for value by value."""
    index = frame.index
    return (
        bool(frame.columns.is_unique)
        and bool(index.is_unique)
        and (not len(index) or pd.api.types.infer_dtype(index, skipna=False) == "string")
        and all(c in frame.columns and _surely_holds(frame[c], r) for c, r in contract.columns.items())
    )


def _breaches(frame: DataFrame, contract: Contract) -> list[str]:
    if _surely_sound(pd.DataFrame(frame), contract):  # columns of a plain frame are quicker to take out
        return []
    breaches: list[str] = []
    for column, rule in contract.columns.items():
        if column not in frame.columns:
            there = ", ".join(map(str, frame.columns))
            breaches.append(f"column '{column}' is missing (there are: {there})")
        else:
            breaches += _column_breaches(frame[column], rule)
    index = pd.Series(frame.index, index=frame.index)
    subject = f"index '{contract.index}'"
    not_text = ~_is_text(index)
    if not_text.any():
        breaches.append(f"{subject} must be text: {some(map(repr, index[not_text]))}")
    if index.isna().any():
        breaches.append(f"{subject} is empty in {int(index.isna().sum())} rows")
    if not frame.index.is_unique:
        twice = pd.unique(frame.index[frame.index.duplicated()])
        breaches.append(f"{subject} has values more than once: {some(twice)}")
    return breaches


def _column_breaches(values: pd.Series, rule: Column) -> list[str]:
    """Return what is wrong with one column: empty rows, and values of another kind or not among those allowed."""
    subject, breaches = f"column '{values.name}'", []
    missing = values.isna()
    if rule.required and missing.any():
        breaches.append(f"{subject} is empty in rows {some(values.index[missing])}")
    is_right, words = _HOLDS[rule.holds]
    wrong = [(~is_right(values), words)]
    if rule.among:
        wrong.append((~(missing | values.isin(rule.among)), "must be one of " + ", ".join(rule.among)))
    for rows, problem in wrong:
        if rows.any():
            pairs = [f"{i}={v!r}" for i, v in zip(values.index[rows], values[rows], strict=True)]
            breaches.append(f"{subject} {problem}: {some(pairs)}")
    return breaches


def _geometry_breaches(frame: GeoDataFrame, contract: Contract) -> list[str]:
    if contract.geometry == "none":
        return []
    if "geometry" not in frame.columns:
        return [f"column 'geometry' is missing (there are: {', '.join(map(str, frame.columns))})"]
    found = []
    shapes = frame.geometry.to_numpy()
    kinds = shapely.get_type_id(shapes)  # −1: none
    empty = (kinds < 0) | shapely.is_empty(shapes)
    if contract.geometry != "point or none" and empty.any():
        found.append(f"geometry is missing in rows {some(frame.index[empty])}")
    types = shapely.GeometryType
    allowed = {types.POLYGON, types.MULTIPOLYGON} if contract.geometry == "polygon" else {types.POINT}
    wrong = ~empty & ~np.isin(kinds, list(allowed))
    if wrong.any():
        found.append(f"geometry must be a {contract.geometry.split()[0]} in rows {some(frame.index[wrong])}")
    return found


def checked(frame: Any, contract: Contract) -> Any:
    """Return a copy of `frame` that keeps `contract`: optional columns added, extra columns kept, index named.

    Raises
    ------
    FrameError
        With every breach: missing columns, empty or wrong values, ids that repeat, wrong geometry.
    MissingCRSError
        If the frame has geometry but no CRS.
    """
    frame = frame.rename_axis(contract.index)
    for column, rule in contract.columns.items():
        if column not in frame.columns:
            if rule.required and rule.default is None:
                continue
            frame[column] = pd.Series(
                rule.default, index=frame.index, dtype=object if rule.default is None else None
            )
        elif rule.default is not None and frame[column].isna().any():
            frame[column] = frame[column].where(frame[column].notna(), rule.default)
    breaches = _breaches(frame, contract) + _geometry_breaches(frame, contract)
    if breaches:
        raise FrameError(contract.name, breaches)
    if contract.geometry != "none":
        require_crs(frame, contract.name)
    for column, rule in contract.columns.items():
        if rule.holds == "number" and frame[column].dtype != np.float64:
            frame[column] = pd.to_numeric(frame[column]).astype("float64")
        elif rule.holds == "date" and frame[column].dtype.kind != "M":
            frame[column] = pd.to_datetime(frame[column])
    return frame


def require_crs(frame: GeoDataFrame, what: str) -> None:
    """Raise MissingCRSError if `frame`, called `what` in the message, has no CRS."""
    if frame.crs is None:
        raise MissingCRSError(
            f'{what}: no coordinate system is declared; say which one, for example coordinate_system = "cgcs2000"'
        )


def require_same_crs(one: GeoDataFrame, other: GeoDataFrame, what: str) -> None:
    """Raise CRSMismatchError if two frames that are about to be joined differ in CRS."""
    if one.crs != other.crs:
        raise CRSMismatchError(f"{what}: {one.crs} and {other.crs} differ; reproject one of them with to_crs")


def require_ids(ids: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise UnknownIdError naming those of `ids` that are not `known`; a mapping knows its keys."""
    there = known if isinstance(known, Mapping) else set(known)
    unknown = sorted({i for i in ids if i not in there})
    if unknown:
        raise UnknownIdError(f"{what}: no such id: {some(unknown)}")


def metric_crs(frame: GeoDataFrame) -> str:
    """Return the one projected CRS of a study whose area is `frame`: metres, x east, y north.

    In China (73–136° E, 3–54° N) the CGCS2000 3-degree Gauss–Kruger zone of the middle longitude
    (EPSG:4534 for 75° E to EPSG:4554 for 135° E; EPSG:4546 for Shaoyang), elsewhere its UTM zone.

    Raises
    ------
    MissingCRSError
        If `frame` has no CRS.
    """
    require_crs(frame, "study area")
    west, south, east, north = frame.to_crs(GEOGRAPHIC).total_bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    if 73.0 <= lon <= 136.0 and 3.0 <= lat <= 54.0:
        zone = min(max(round(lon / 3), 25), 45)
        return f"EPSG:{4534 + zone - 25}"
    zone = min(int((lon + 180) // 6) + 1, 60)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"
