"""Read a road network from an OpenStreetMap extract, clipped while it streams by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage import _files, _osm
from sy_coverage._frames import GEOGRAPHIC, metric_crs
from sy_coverage.errors import IncompleteNetworkError, InputError
from sy_coverage.roads.graph.links import SHORTEST_M
from sy_coverage.roads.read import tags as osm_tags
from sy_coverage.roads.read.chains import Pieces, joined
from sy_coverage.roads.read.edges import assemble, curve_order
from sy_coverage.roads.read.turns import ends_by_node, forbidden_turns
from sy_coverage.roads.travel_modes import TravelMode, travel_mode

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from sy_coverage.roads.graph.links import Array
    from sy_coverage.roads.network import RoadNetwork
    from sy_coverage.roads.read.chains import Chains

BUFFER_M = 60_000.0
"""Half an hour at 120 km/h: the roads outside the area that a way of that long between two of its points may use."""
FERRY = "ferry"
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
    nothing the travel mode's own table counts. A ferry that does not say how long it takes is left out and counted.

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
    chosen = tuple(m if isinstance(m, TravelMode) else travel_mode(m) for m in modes)
    if not chosen or len({m.name for m in chosen}) < len(chosen):
        raise InputError("modes: give at least one travel mode, each once")
    if Path(path).suffix.lower() == ".graphml":
        from sy_coverage.roads.read.graphs import read_graphml  # noqa: PLC0415

        if elevation is not None:
            raise InputError(f"{path}: slopes need an OpenStreetMap extract; leave out elevation=")
        return read_graphml(path, modes=chosen, crs=crs, limits=limits)
    box = None if area is None else box_around(area, buffer_m)
    source = f"{Path(path).name} sha256:{_files.digest(path)}"
    return network_from(path, chosen, box=box, area=area, crs=crs, source=source, elevation=elevation)


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
    wanted = osm_tags.WANTED | (osm_tags.LEVEL if elevation is not None else frozenset())
    ways = _osm.read_ways(extract, keys=("highway", "route"), wanted=wanted, node_keys=("barrier",), box=box)
    ground = None
    if elevation is not None and np.isfinite(ways.lonlat).any():
        low, high = np.nanmin(ways.lonlat, axis=0), np.nanmax(ways.lonlat, axis=0)
        ground = _files.read_raster(elevation, box=(low[0], low[1], high[0], high[1]))
        source = f"{source}; {Path(elevation).name} sha256:{_files.digest(elevation)}"
    return _network(ways, modes, area=area, crs=crs, source=source, ground=ground)


def box_around(area: Any, buffer_m: float) -> tuple[float, float, float, float]:
    """Return west, south, east, north in degrees around `area` and `buffer_m` metres more on every side."""
    if not (np.isfinite(buffer_m) and buffer_m >= 0):
        raise InputError(f"buffer_m={buffer_m}: must be a number of metres, 0 or more")
    west, south, east, north = _degrees(area).total_bounds
    up = buffer_m / METRES_A_DEGREE
    widest = min(max(abs(south), abs(north)) + up, 89.0)
    across = up / np.cos(np.radians(widest))
    return west - across, south - up, east + across, north + up


def _degrees(area: Any) -> Any:
    import geopandas as gpd  # noqa: PLC0415

    if hasattr(area, "to_crs"):
        return area.geometry.to_crs(GEOGRAPHIC)
    return gpd.GeoSeries([area], crs=GEOGRAPHIC)


@dataclass(frozen=True, eq=False)
class _Profiles:
    """What the ways of an extract come down to: a few hundred kinds of road, each with its speeds both ways."""

    of_way: Array
    """int64, −1 for a way that no mode may use."""
    kph: Array
    """float64 of shape (profiles, modes, 2)."""
    turned: Array
    """int64: the profile of the same road the other way round."""
    level: Array
    """bool: a bridge, a tunnel or a ferry, which does not follow the ground."""
    highway: tuple[str, ...]
    notes: Mapping[str, int]


class _Profiler:
    def __init__(self, modes: tuple[TravelMode, ...]) -> None:
        self.modes = modes
        self.known: dict[tuple[Any, ...], int] = {}
        self.by_tags: dict[int, int] = {}
        self.notes: Counter[str] = Counter()

    def profile(self, highway: str, paces: tuple[tuple[float, float], ...], *, level: bool) -> int:
        if not any(kph for pace in paces for kph in pace):
            return -1
        return self.known.setdefault((highway, paces, level), len(self.known))

    def road(self, tags: Mapping[str, str]) -> int:
        # equal tags are one object, so every combination is thought about once
        if id(tags) not in self.by_tags:
            paces = tuple(osm_tags.pace(tags, mode) for mode in self.modes)
            pairs = tuple((p.forward_kph, p.backward_kph) for p in paces)
            level = any(tags.get(key, "no") != "no" for key in osm_tags.LEVEL)
            self.by_tags[id(tags)] = (
                -1 if tags.get("area") == "yes" else self.profile(tags["highway"], pairs, level=level)
            )
        return self.by_tags[id(tags)]

    def ferry(self, tags: Mapping[str, str], metres: float) -> int:
        minutes = osm_tags.duration_min(tags.get("duration", ""))
        if minutes is None:
            self.notes["ferries_without_duration_left_out"] += 1
            return -1
        if not np.isfinite(metres) or metres <= 0:
            self.notes["ferries_cut_by_the_extract_left_out"] += 1
            return -1
        kph = metres / 1000 / (minutes / 60)
        paces = []
        for mode in self.modes:
            open_to_mode = osm_tags.may_pass(tags, mode) is not False
            ways = osm_tags.directions(tags, mode)
            paces.append(tuple(kph if open_to_mode and way else 0.0 for way in ways))
        self.notes["ferries"] += 1
        return self.profile(FERRY, tuple(paces), level=True)  # type: ignore[arg-type]  # each has two entries

    def finish(self, of_way: Array) -> _Profiles:
        for highway, paces, level in list(self.known):
            turned = tuple((backward, forward) for forward, backward in paces)
            self.known.setdefault((highway, turned, level), len(self.known))
        keys = list(self.known)
        turned_ids = [self.known[h, tuple((b, f) for f, b in paces), flat] for h, paces, flat in keys]
        kph = np.array([paces for _, paces, _ in keys], np.float64).reshape(len(keys), len(self.modes), 2)
        return _Profiles(
            of_way=of_way,
            kph=kph,
            turned=np.array(turned_ids, np.int64),
            level=np.array([level for *_, level in keys], bool),
            highway=tuple(h for h, *_ in keys),
            notes=dict(self.notes),
        )


def _profiles(ways: _osm.Ways, modes: tuple[TravelMode, ...], metres: Array) -> _Profiles:
    profiler = _Profiler(modes)
    of_way = np.full(len(ways.ids), -1, np.int64)
    along = np.r_[0.0, np.cumsum(metres)]
    posted: Counter[str] = Counter()
    for i, tags in enumerate(ways.tags):
        if "highway" in tags:
            of_way[i] = profiler.road(tags)
            if of_way[i] < 0:
                continue
            if "maxspeed" in tags:
                posted[tags["maxspeed"]] += 1
            if any(osm_tags.is_not_through(tags, mode) for mode in modes):
                profiler.notes["roads_for_destination_traffic_taken_as_open"] += 1
        elif tags.get("route") == FERRY:
            first, last = ways.start[i], ways.start[i + 1] - 1
            of_way[i] = profiler.ferry(tags, float(along[last] - along[first]))
    unread = sum(n for value, n in posted.items() if osm_tags.maxspeed_kph(value) is None)
    profiler.notes["maxspeed_read"] = posted.total() - unread
    profiler.notes["maxspeed_not_understood_class_speed_taken"] = unread
    return profiler.finish(of_way)


def steps_m(lonlat: Array) -> Array:
    """Return the metres from each vertex to the next on the WGS84 ellipsoid; float64 of shape (vertices − 1,).

    The arc of the local meridian and parallel (radii of curvature M and N at the middle latitude), right to a
    millimetre over the lengths between vertices of a road.
    """
    lon, lat = np.radians(lonlat).T
    middle = (lat[1:] + lat[:-1]) / 2
    a, e2 = 6_378_137.0, 0.006_694_379_990_14
    w = 1 - e2 * np.sin(middle) ** 2
    north = np.diff(lat) * a * (1 - e2) / w**1.5
    east = np.diff(lon) * np.cos(middle) * a / np.sqrt(w)
    metres: Array = np.hypot(north, east)
    return metres


def _network(
    ways: _osm.Ways,
    modes: tuple[TravelMode, ...],
    *,
    area: Any,
    crs: Any,
    source: str,
    ground: _files.Raster | None,
) -> RoadNetwork:
    import pyproj  # noqa: PLC0415

    metres = steps_m(ways.lonlat) if len(ways.lonlat) else np.zeros(0)
    profiles = _profiles(ways, modes, metres)
    missing = np.isnan(ways.lonlat).any(axis=1)
    pieces, ids, lonlat = _pieces(ways, profiles, metres, missing, modes)
    if not len(pieces.tail):
        raise IncompleteNetworkError(
            f"{source.split(' ', maxsplit=1)[0]}: holds no road for {', '.join(m.name for m in modes)}; is it the right extract?"
        )
    chains = joined(pieces, profiles.turned)
    if crs is None:
        crs = metric_crs(_bounds(lonlat) if area is None else _degrees(area))
    project = pyproj.Transformer.from_crs(GEOGRAPHIC, crs, always_xy=True)
    xy = np.column_stack(project.transform(*lonlat.T))
    ends, place = np.unique(np.concatenate([chains.tail, chains.head]), return_inverse=True)
    order = curve_order(ids[ends], xy[ends])
    rank = np.empty(ends.size, np.int64)
    rank[order] = np.arange(ends.size)
    tail, head = rank[place].reshape(2, -1)
    length_m = np.maximum(chains.length_m, SHORTEST_M)
    kph, blind = _over_ground(profiles, chains, lonlat, length_m, modes, ground)
    highway = np.array(profiles.highway, dtype=object)[chains.profile].astype(str)
    notes = Counter(
        {
            **profiles.notes,
            "ways": len(ways.ids),
            "vertices_the_extract_lacks": int(missing.sum()),
            "pieces_of_no_length": int((chains.length_m < SHORTEST_M).sum()),
            **({} if ground is None else {"road_pieces_without_elevation_taken_as_level": blind}),
        }
    )
    return assemble(
        node_ids=ids[ends][order],
        node_xy=xy[ends][order],
        tail=tail,
        head=head,
        length_m=length_m,
        minutes={
            mode.name: _minutes(kph[:, i], length_m, tail, head, highway, mode)
            for i, mode in enumerate(modes)
        },
        highway=highway,
        xy=xy[chains.vertex],
        start=chains.start,
        crs=pyproj.CRS.from_user_input(crs).to_string(),
        source=source,
        notes=notes,
        forbidden=lambda _, placement: forbidden_turns(
            ways, ends_by_node(chains, ids, ways, placement), modes, notes
        ),
        modes=modes,
    )


def _over_ground(
    profiles: _Profiles,
    chains: Chains,
    lonlat: Array,
    length_m: Array,
    modes: tuple[TravelMode, ...],
    ground: _files.Raster | None,
) -> tuple[Array, int]:
    """Return km/h of each road piece, shape (pieces, modes, 2), slopes heeded; and how many pieces lack elevations."""
    kph = profiles.kph[chains.profile]
    if ground is None:
        return kph, 0
    from sy_coverage.roads.read.slope import slowness  # noqa: PLC0415 - seldom asked for

    slower, blind = slowness(ground, lonlat[chains.vertex], chains.start, length_m, modes)
    level = profiles.level[chains.profile]
    factors = np.stack([slower[mode.name] for mode in modes], axis=1)
    return np.where(level[:, None, None], kph, kph / factors), blind


def _bounds(lonlat: Array) -> Any:
    import geopandas as gpd  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    box = shapely.box(*lonlat.min(axis=0), *lonlat.max(axis=0))
    return gpd.GeoDataFrame(geometry=[box], crs=GEOGRAPHIC)


def _minutes(
    kph: Array, length_m: Array, tail: Array, head: Array, highway: Array, mode: TravelMode
) -> Array:
    """Return minutes both ways, shape (links, 2): driving, and the delay of the junction that ends the link."""
    with np.errstate(divide="ignore"):
        minutes = length_m[:, None] / (kph * 1000 / 60)
    open_ends = (kph > 0).any(axis=1)
    used = np.concatenate([tail[open_ends], head[open_ends]])
    count = np.bincount(used, minlength=int(max(tail.max(), head.max())) + 1)
    delay = np.array([mode.junction_s.get(h, 0.0) for h in highway.tolist()]) / 60
    minutes[:, 0] += np.where(count[head] >= 3, delay, 0.0)
    minutes[:, 1] += np.where(count[tail] >= 3, delay, 0.0)
    return minutes


def _pieces(
    ways: _osm.Ways, profiles: _Profiles, metres: Array, missing: Array, modes: tuple[TravelMode, ...]
) -> tuple[Pieces, Array, Array]:
    """Cut the ways at junctions, barriers and gaps; return the pieces and the ids and places of their vertices."""
    owner = np.repeat(np.arange(len(ways.ids)), np.diff(ways.start))
    good = ~missing & (profiles.of_way[owner] >= 0)
    ids, first_at, vertex = np.unique(
        np.where(good, ways.refs, np.iinfo(np.int64).min), return_index=True, return_inverse=True
    )
    step = np.flatnonzero(good[:-1] & good[1:] & (owner[:-1] == owner[1:]) & (vertex[:-1] != vertex[1:]))
    a, b, way = vertex[step], vertex[step + 1], owner[step]
    degree = np.bincount(np.concatenate([a, b]), minlength=ids.size)
    barred = [n for n, t in ways.node_tags.items() if any(osm_tags.is_barred(t, m) for m in modes)]
    inner = (degree == 2) & ~np.isin(ids, np.array(barred, np.int64))
    goes_on = np.zeros(step.size, dtype=bool)
    goes_on[1:] = (way[1:] == way[:-1]) & (b[:-1] == a[1:]) & inner[a[1:]]
    first = np.flatnonzero(~goes_on)
    last = np.r_[first[1:], step.size] - 1 if first.size else first
    count = last - first + 1
    piece = np.repeat(np.arange(first.size), count)
    start = np.r_[0, np.cumsum(count + 1)].astype(np.int64)
    flat = np.empty(start[-1], np.int64)
    flat[np.arange(step.size) + piece] = a
    flat[start[1:] - 1] = b[last]
    return (
        Pieces(
            tail=a[first],
            head=b[last],
            profile=profiles.of_way[way[first]],
            length_m=np.add.reduceat(metres[step], first) if first.size else np.zeros(0),
            vertex=flat,
            start=start,
            way=way[first],
            inner=inner,
        ),
        ids,
        ways.lonlat[first_at],
    )
