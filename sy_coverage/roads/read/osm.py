"""Read a road network from an OpenStreetMap extract, clipped while it streams by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage import _files, _osm
from sy_coverage.errors import IncompleteNetworkError, InputError
from sy_coverage.roads.read import tags as osm_tags
from sy_coverage.roads.read.graphs import read_graphml
from sy_coverage.roads.read.pieces.network import degrees, network_of_ways
from sy_coverage.roads.travel_modes import TravelMode, travel_mode

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from sy_coverage.roads.network import RoadNetwork

BUFFER_M = 60_000.0
"""Half an hour at 120 km/h: the roads outside the area that a way of that long between two of its points may use."""
KEYS = ("highway", "route")
NODE_KEYS = ("barrier", "highway", "ford")
METRES_A_DEGREE = 110_574.0
"""Along a meridian, at the equator, where it is least."""


def read_osm(
    path: str | os.PathLike[str],
    *,
    modes: Iterable[str | TravelMode] = ("drive", "walk"),
    area: Any = None,
    buffer_m: float = BUFFER_M,
    crs: Any = None,
    elevation: str | os.PathLike[str] | None = None,
    limits: _files.Limits = _files.USUAL,
) -> RoadNetwork:
    """Return the road network in an OpenStreetMap extract (``.osm.pbf``, ``.osm``) or OSMnx GraphML (``.graphml``).

    One-way streets, access, barriers, posted limits and ferries are read from the tags; where the road itself says
    nothing the travel mode's own table counts. A ferry that does not say how long it takes goes at a stated speed and is counted.

    Parameters
    ----------
    path
        OpenStreetMap extract (``.osm``, ``.osm.pbf``), or GraphML as OSMnx writes it.
    modes
        Names of travel modes, or `TravelMode` objects with numbers of your own.
    area
        GeoDataFrame, or shapely geometry in degrees: only ways with a node in its bounds plus `buffer_m` are kept.
    buffer_m
        Metres: at least the cutoff times the top speed, or neighbouring roads are missed.
    crs
        The metric CRS of the network; None chooses it from the area (`sy_coverage._frames.metric_crs`).
    elevation
        GeoTIFF of metres above sea level (extra ``raster``): modes with a slope factor are slower uphill. Bridges, tunnels and
        ferries are level.
    limits
        How many bytes of a GraphML are read; extracts are streamed, however large.

    Returns
    -------
    network
        `notes` counts what was assumed or left out.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        If the file is not there, is damaged or of another kind.
    IncompleteNetworkError
        If no road that a mode may use is in it.
    """
    chosen = _chosen(modes)
    if Path(path).suffix.lower() == ".graphml":
        if elevation is not None:
            raise InputError(f"{path}: slopes need an OpenStreetMap extract; leave out elevation=")
        return read_graphml(path, modes=chosen, crs=crs, limits=limits)
    box = None if area is None else box_around(area, buffer_m)
    source = f"{Path(path).name} sha256:{_files.digest(path)}"
    return network_from(path, chosen, box=box, area=area, crs=crs, source=source, elevation=elevation)


def cut_osm(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    areas: Mapping[str, Any],
    modes: Iterable[str | TravelMode] = ("drive", "walk"),
    buffer_m: float = BUFFER_M,
    crs: Any = None,
    elevation: str | os.PathLike[str] | None = None,
) -> dict[str, Path]:
    """Cut many areas out of one OpenStreetMap extract, which is gone through once, and save the network of each.

    Each is the very network that `read_osm` returns for the area alone.

    Parameters
    ----------
    path
        OpenStreetMap extract (``.osm``, ``.osm.pbf``), however large: what is cut waits on disk.
    folder
        Where ``<name>.network`` is written for each area; `roads.load` and ``[roads] source`` read it.
    areas
        By name, such as a county's id: GeoDataFrame, or shapely geometry in degrees.
    modes, buffer_m, crs, elevation
        As of `read_osm`.

    Returns
    -------
    networks
        The file of each area, by its name; an area in which there is no road has none.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        As `read_osm`; or if a name is no name of a file.
    CannotWriteError
        If the folder or the disk refuses.
    """
    chosen = _chosen(modes)
    _files.require_plain_names(areas, "areas")
    source = f"{Path(path).name} sha256:{_files.digest(path)}"
    boxes = {name: box_around(area, buffer_m) for name, area in areas.items()}
    cut = _osm.cut_ways(path, keys=KEYS, wanted=_wanted(elevation), node_keys=NODE_KEYS, boxes=boxes)
    saved = {}
    for name, ways in cut:
        try:
            network = _of_ways(ways, chosen, area=areas[name], crs=crs, source=source, elevation=elevation)
        except IncompleteNetworkError:
            continue
        saved[name] = Path(folder) / f"{name}.network"
        network.save(saved[name])
    return saved


def _chosen(modes: Iterable[str | TravelMode]) -> tuple[TravelMode, ...]:
    chosen = tuple(m if isinstance(m, TravelMode) else travel_mode(m) for m in modes)
    if not chosen or len({m.name for m in chosen}) < len(chosen):
        raise InputError("modes: give at least one travel mode, each once")
    return chosen


def _wanted(elevation: str | os.PathLike[str] | None) -> frozenset[str]:
    return osm_tags.WANTED | (osm_tags.LEVEL if elevation is not None else frozenset())


def network_from(
    extract: str | os.PathLike[str] | _osm.Answer,
    modes: tuple[TravelMode, ...],
    *,
    box: tuple[float, float, float, float] | None,
    area: Any,
    crs: Any,
    source: str,
    elevation: str | os.PathLike[str] | None = None,
) -> RoadNetwork:
    """Return the network of an extract, a file or an answer, of the ways that touch `box`."""
    ways = _osm.read_ways(extract, keys=KEYS, wanted=_wanted(elevation), node_keys=NODE_KEYS, box=box)
    return _of_ways(ways, modes, area=area, crs=crs, source=source, elevation=elevation)


def _of_ways(
    ways: _osm.Ways,
    modes: tuple[TravelMode, ...],
    *,
    area: Any,
    crs: Any,
    source: str,
    elevation: str | os.PathLike[str] | None,
) -> RoadNetwork:
    ground = None
    if elevation is not None and np.isfinite(ways.lonlat).any():
        low, high = np.nanmin(ways.lonlat, axis=0), np.nanmax(ways.lonlat, axis=0)
        ground = _files.read_raster(elevation, box=(low[0], low[1], high[0], high[1]))
        source = f"{source}; {Path(elevation).name} sha256:{_files.digest(elevation)}"
    return network_of_ways(ways, modes, area=area, crs=crs, source=source, ground=ground)


def box_around(area: Any, buffer_m: float) -> tuple[float, float, float, float]:
    """Return west, south, east, north in degrees around `area` and `buffer_m` metres more on every side."""
    if not (np.isfinite(buffer_m) and buffer_m >= 0):
        raise InputError(f"buffer_m={buffer_m}: must be a number of metres, 0 or more")
    west, south, east, north = degrees(area).total_bounds
    up = buffer_m / METRES_A_DEGREE
    widest = min(max(abs(south), abs(north)) + up, 89.0)
    across = up / np.cos(np.radians(widest))
    return west - across, south - up, east + across, north + up
