"""Turn coordinates of any system a Chinese office uses into WGS84 degrees, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pyproj import Transformer

from sy_coverage._frames import COORDINATE_SYSTEMS
from sy_coverage.errors import CoordinateSystemError, some

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

AXIS_M = 6_378_245.0
"""Semi-major axis of the Krasovsky 1940 ellipsoid, metres: GCJ-02 is defined on it."""
ECCENTRICITY2 = 0.00669342162296594323
"""First eccentricity squared of the same ellipsoid."""
CHINA = (72.004, 137.8347, 0.8293, 55.8271)
"""West, east, south, north (degrees) of the box in which GCJ-02 shifts; outside it nothing is moved."""
INVERSE_DEGREES = 1e-9
"""The inverse is iterated until its forward value is this near, about 0.1 mm."""
_ROUNDS = 30
_METRES = 1_000.0
"""A coordinate beyond this is metres, never degrees."""
_NORTHING = (330_000.0, 6_100_000.0)
_EASTING = (100_000.0, 900_000.0)
_SOUTHERNMOST_LAND = 1_900_000.0
"""Northing of 17° N in metres, below all counties: it tells northings from eastings."""


def _shift(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return what GCJ-02 adds to WGS84 `lon` and `lat`, in degrees, by the published formula."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    waves = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    angle = np.radians(lat)
    flattened = 1.0 - ECCENTRICITY2 * np.sin(angle) ** 2
    meridian = AXIS_M * (1.0 - ECCENTRICITY2) / flattened**1.5
    parallel = AXIS_M / np.sqrt(flattened) * np.cos(angle)
    inside = (lon >= CHINA[0]) & (lon <= CHINA[1]) & (lat >= CHINA[2]) & (lat <= CHINA[3])
    return (
        np.where(inside, np.degrees(east / parallel), 0.0),
        np.where(inside, np.degrees(north / meridian), 0.0),
    )


def _wgs84_to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    east, north = _shift(lon, lat)
    return lon + east, lat + north


def _gcj02_to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    turn = np.pi * 3000.0 / 180.0
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * turn)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * turn)
    inside = (lon >= CHINA[0]) & (lon <= CHINA[1]) & (lat >= CHINA[2]) & (lat <= CHINA[3])
    return (
        np.where(inside, radius * np.cos(angle) + 0.0065, lon),
        np.where(inside, radius * np.sin(angle) + 0.006, lat),
    )


def _wgs84_to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return _gcj02_to_bd09(*_wgs84_to_gcj02(lon, lat))


def _inverse(
    forward: Callable[[Floats, Floats], tuple[Floats, Floats]], lon: Floats, lat: Floats
) -> tuple[Floats, Floats]:
    """Return the WGS84 point whose `forward` is (`lon`, `lat`): fixed-point iteration, which contracts fast."""
    x, y = lon.copy(), lat.copy()
    for _ in range(_ROUNDS):
        there_x, there_y = forward(x, y)
        left_x, left_y = lon - there_x, lat - there_y
        x, y = x + left_x, y + left_y
        worst = np.nanmax(np.maximum(np.abs(left_x), np.abs(left_y)), initial=0.0)
        if worst < INVERSE_DEGREES:
            break
    return x, y


def known_system(system: str) -> str:
    """Return `system` in lower case if it is one of the four coordinate systems, else refuse it.

    Raises
    ------
    CoordinateSystemError
        Naming the four.
    """
    name = str(system).strip().lower().replace("-", "").replace("_", "")
    if name not in COORDINATE_SYSTEMS:
        raise CoordinateSystemError(
            f"coordinate system '{system}' is unknown; say one of {', '.join(COORDINATE_SYSTEMS)}"
        )
    return name


def are_metres(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Return where a pair can only be metres of a projection, not degrees."""
    one, two = np.asarray(lon, dtype="float64"), np.asarray(lat, dtype="float64")
    return np.asarray((np.abs(one) >= _METRES) & (np.abs(two) >= _METRES))


def _from_metres(first: Floats, second: Floats, central_meridian: float | None) -> tuple[Floats, Floats]:
    """Return degrees of CGCS2000 Gauss–Kruger metres: axes in either order, zone number from the easting."""
    swapped = (np.abs(first) < 1e7) & ((np.abs(second) >= 1e7) | (first >= _SOUTHERNMOST_LAND))
    east, north = np.where(swapped, second, first), np.where(swapped, first, second)
    zone = np.floor(east / 1e6)
    zone = np.where(zone >= 13, zone, 0).astype("int64")
    plain = east - zone * 1e6
    meridian = np.where(zone >= 25, zone * 3.0, zone * 6.0 - 3.0)
    meridian = np.where(zone == 0, np.nan if central_meridian is None else central_meridian, meridian)
    fits = (plain >= _EASTING[0]) & (plain <= _EASTING[1]) & (north >= _NORTHING[0]) & (north <= _NORTHING[1])
    fits &= zone <= 45
    if not fits.all():
        wrong = [f"({first[i]:g}, {second[i]:g})" for i in np.flatnonzero(~fits)]
        raise CoordinateSystemError(
            f"these are neither degrees nor Gauss–Kruger metres of CGCS2000: {some(wrong)}; "
            "declare the coordinate system they are in"
        )
    if np.isnan(meridian).any():
        raise CoordinateSystemError(
            "these metres carry no zone number, so their central meridian is unknown: "
            f"{some([f'{e:.0f}' for e in plain[np.isnan(meridian)]])}; give the units, or central_meridian = 111"
        )
    lon, lat = np.empty_like(east), np.empty_like(east)
    for middle in np.unique(meridian):
        here = meridian == middle
        projection = f"+proj=tmerc +lat_0=0 +lon_0={middle:g} +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m"
        geographic = "+proj=longlat +ellps=GRS80"
        to_degrees = Transformer.from_crs(projection, geographic, always_xy=True)
        lon[here], lat[here] = to_degrees.transform(plain[here], north[here])
    return lon, lat


def to_wgs84(
    lon: ArrayLike, lat: ArrayLike, system: str, *, central_meridian: float | None = None
) -> tuple[Floats, Floats]:
    """Return WGS84 degrees of points given in `system`.

    Parameters
    ----------
    lon, lat
        Arrays of one shape, degrees. In ``"cgcs2000"`` also Gauss–Kruger metres: easting with the number of its
        3-degree zone (25–45) or 6-degree zone (13–23) in front, in either order with the northing.
    system
        ``"wgs84"``, ``"cgcs2000"`` (its degrees are taken as equal to WGS84's), ``"gcj02"`` or ``"bd09"``.
    central_meridian
        Degrees; needed for metres without a zone number.

    Returns
    -------
    lon, lat
        Arrays of the same shape; NaN stays NaN. Points outside China's box are not shifted.

    Raises
    ------
    CoordinateSystemError
        If `system` is unknown, or metres do not tell their zone.

    Notes
    -----
    GCJ-02 and BD-09 as in the formula published with the "eviltransform" family on the Krasovsky 1940 ellipsoid
    (a = 6,378,245 m, e² = 0.00669342162296594323); the inverse is iterated to below 0.005 m.
    """
    name = known_system(system)
    x, y = np.asarray(lon, dtype="float64"), np.asarray(lat, dtype="float64")
    shape = np.broadcast(x, y).shape
    x, y = np.broadcast_to(x, shape).ravel().copy(), np.broadcast_to(y, shape).ravel().copy()
    if name == "gcj02":
        x, y = _inverse(_wgs84_to_gcj02, x, y)
    elif name == "bd09":
        x, y = _inverse(_wgs84_to_bd09, x, y)
    elif name == "cgcs2000":
        metres = are_metres(x, y)
        if metres.any():
            x[metres], y[metres] = _from_metres(x[metres], y[metres], central_meridian)
    return x.reshape(shape), y.reshape(shape)


def from_wgs84(lon: ArrayLike, lat: ArrayLike, system: str) -> tuple[Floats, Floats]:
    """Return points given in WGS84 degrees as degrees of `system`; arrays of one shape, NaN stays NaN.

    Raises
    ------
    CoordinateSystemError
        If `system` is none of the four.
    """
    name = known_system(system)
    x, y = np.asarray(lon, dtype="float64"), np.asarray(lat, dtype="float64")
    if name == "gcj02":
        return _wgs84_to_gcj02(x, y)
    if name == "bd09":
        return _wgs84_to_bd09(x, y)
    return x.copy(), y.copy()
