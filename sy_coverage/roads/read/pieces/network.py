"""Build a network of ways: cut where roads meet, joined where nothing does, slowed by hills and junctions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from sy_coverage import _files, _osm
from sy_coverage._frames import GEOGRAPHIC, metric_crs
from sy_coverage.errors import IncompleteNetworkError
from sy_coverage.roads.graph.links import SHORTEST_M
from sy_coverage.roads.read import tags as osm_tags
from sy_coverage.roads.read.edges import assemble, curve_order
from sy_coverage.roads.read.pieces.chains import Pieces, joined
from sy_coverage.roads.read.pieces.delays import Ends, delays_min
from sy_coverage.roads.read.pieces.profiles import profiles
from sy_coverage.roads.read.pieces.slope import slowness
from sy_coverage.roads.read.pieces.turns import forbidden_turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.roads.graph.links import Array, Links, Placement
    from sy_coverage.roads.network import RoadNetwork
    from sy_coverage.roads.read.pieces.chains import Chains
    from sy_coverage.roads.read.pieces.profiles import Profiles
    from sy_coverage.roads.travel_modes import TravelMode


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


@dataclass(frozen=True)
class Points:
    """Nodes at which something stands in the way, by their OpenStreetMap ids."""

    barred: Mapping[str, frozenset[int]]
    """By mode, those it cannot pass."""
    lights: frozenset[int]
    fords: frozenset[int]

    @classmethod
    def of(cls, node_tags: Mapping[int, Mapping[str, str]], modes: tuple[TravelMode, ...]) -> Points:
        """Sort the nodes that have tags by what stands there."""
        in_the_way = {n: t for n, t in node_tags.items() if "barrier" in t or "ford" in t}
        return cls(
            {m.name: frozenset(n for n, t in in_the_way.items() if osm_tags.is_barred(t, m)) for m in modes},
            frozenset(n for n, t in node_tags.items() if t.get("highway") == "traffic_signals"),
            frozenset(n for n, t in in_the_way.items() if t.get("ford", "no") != "no"),
        )

    def ids(self) -> Array:
        """Return all of them, sorted."""
        every = self.lights.union(self.fords, *self.barred.values())
        return np.array(sorted(every), np.int64)


def network_of_ways(
    ways: _osm.Ways,
    modes: tuple[TravelMode, ...],
    *,
    area: Any,
    crs: Any,
    source: str,
    ground: _files.Raster | None,
) -> RoadNetwork:
    """Return the network of all ways that a mode may use.

    Raises
    ------
    IncompleteNetworkError
        If there is none.
    """
    read = len(ways.ids)
    kinds = profiles(ways, modes, steps_m(ways.lonlat) if len(ways.lonlat) else np.zeros(0))
    missing = int(np.isnan(ways.lonlat[:, 0]).sum())
    used = (kinds.of_way >= 0) & ~_lone_squares(ways)
    ways, of_way = _osm.kept_ways(ways, used), kinds.of_way[used]
    points = Points.of(ways.node_tags, modes)
    pieces, ids, lonlat = _pieces(ways, of_way, points.ids())
    if not len(pieces.tail):
        raise IncompleteNetworkError(
            f"{source.split(' ', maxsplit=1)[0]}: holds no road for {', '.join(m.name for m in modes)}; is it the right extract?"
        )
    chains = joined(pieces, kinds.turned)
    if crs is None:
        crs = metric_crs(_bounds(lonlat) if area is None else degrees(area))
    project = pyproj.Transformer.from_crs(GEOGRAPHIC, crs, always_xy=True)
    xy = np.column_stack(project.transform(*lonlat.T))
    ends, place = np.unique(np.concatenate([chains.tail, chains.head]), return_inverse=True)
    order = curve_order(ids[ends], xy[ends])
    rank = np.empty(ends.size, np.int64)
    rank[order] = np.arange(ends.size)
    tail, head = rank[place].reshape(2, -1)
    node_ids = ids[ends][order]
    length_m = np.maximum(chains.length_m, SHORTEST_M)
    notes: Counter[str] = Counter(dict(kinds.notes))
    kph = _over_ground(kinds, chains, lonlat, length_m, modes, ground, notes)
    highway = kinds.column("highway").astype(str)[chains.profile]
    junctions = Ends(
        tail,
        head,
        length_m,
        highway,
        kinds.column("is_circle").astype(bool)[chains.profile],
        node_ids.size,
        np.isin(node_ids, list(points.lights)),
        np.isin(node_ids, list(points.fords)),
    )
    ends_only = np.array([p.ends_only for p in kinds.each], bool).reshape(-1, len(modes))[chains.profile]
    notes.update(
        {
            "ways": read,
            "vertices_the_extract_lacks": missing,
            "pieces_of_no_length": int((chains.length_m < SHORTEST_M).sum()),
            "traffic_lights": int(junctions.has_lights.sum()),
            "fords": int(junctions.is_ford.sum()),
        }
    )

    def signs(links: Links, placement: Placement) -> tuple[dict[str, Array], dict[str, Array]]:
        forbidden = forbidden_turns(ways, chains, ids, placement, modes, points.barred, notes)
        private = {m.name: _whole_links(ends_only[:, i], links, placement) for i, m in enumerate(modes)}
        return forbidden, private

    delay_min = {
        mode.name: delays_min(junctions, mode, np.asarray((kph[:, i] > 0).any(axis=1)), ~ends_only[:, i])
        for i, mode in enumerate(modes)
    }
    return assemble(
        node_ids=node_ids,
        node_xy=xy[ends][order],
        tail=tail,
        head=head,
        length_m=length_m,
        minutes={
            mode.name: _driven_min(kph[:, i], length_m) + delay_min[mode.name] for i, mode in enumerate(modes)
        },
        delay_min=delay_min,
        highway=highway,
        xy=xy[chains.vertex],
        start=chains.start,
        crs=pyproj.CRS.from_user_input(crs).to_string(),
        source=source,
        notes=notes,
        signs=signs,
        modes=modes,
    )


def _lone_squares(ways: _osm.Ways) -> Array:
    """Return which ways are outlines of squares that no road touches: they would only lead people astray."""
    is_area = np.array([tags.get("area") == "yes" for tags in ways.kinds], bool)
    square = is_area[ways.kind] if len(ways.kinds) else np.zeros(0, bool)
    if not square.any():
        return square
    whose = np.repeat(np.arange(square.size), np.diff(ways.start))
    inside = square[whose]
    met = np.isin(ways.refs[inside], ways.refs[~inside])
    touched = np.bincount(whose[inside], met, minlength=square.size) > 0
    lone: Array = square & ~touched
    return lone


def degrees(area: Any) -> Any:
    """Return the geometries of a frame in any CRS, or of one shape in degrees, in degrees."""
    if hasattr(area, "to_crs"):
        return area.geometry.to_crs(GEOGRAPHIC)
    return gpd.GeoSeries([area], crs=GEOGRAPHIC)


def _bounds(lonlat: Array) -> Any:
    box = shapely.box(*np.nanmin(lonlat, axis=0), *np.nanmax(lonlat, axis=0))
    return gpd.GeoDataFrame(geometry=[box], crs=GEOGRAPHIC)


def _whole_links(ends_only: Array, links: Links, placement: Placement) -> Array:
    """Return the positions of the links of which every piece is for the ends of trips only."""
    whole = np.ones(len(links), dtype=bool)
    np.logical_and.at(whole, placement.link, ends_only)
    return np.flatnonzero(whole)


def _over_ground(
    kinds: Profiles,
    chains: Chains,
    lonlat: Array,
    length_m: Array,
    modes: tuple[TravelMode, ...],
    ground: _files.Raster | None,
    notes: Counter[str],
) -> Array:
    """Return km/h of each road piece, shape (pieces, modes, 2), slopes heeded."""
    kph = kinds.kph[chains.profile]
    if ground is None:
        return kph
    slower, found = slowness(ground, lonlat[chains.vertex], chains.start, length_m, modes)
    notes.update(found)
    level = kinds.column("is_level").astype(bool)[chains.profile]
    factors = np.stack([slower[mode.name] for mode in modes], axis=1)
    over: Array = np.where(level[:, None, None], kph, kph / factors)
    return over


def _driven_min(kph: Array, length_m: Array) -> Array:
    """Return minutes both ways, shape (links, 2), without those of the junctions."""
    with np.errstate(divide="ignore"):
        minutes: Array = length_m[:, None] / (kph * 1000 / 60)
    return minutes


def _pieces(ways: _osm.Ways, of_way: Array, kept: Array) -> tuple[Pieces, Array, Array]:
    """Cut the ways at junctions, at the nodes `kept` and at gaps; return the pieces and the ids and places of their vertices."""
    metres = steps_m(ways.lonlat) if len(ways.lonlat) else np.zeros(0)
    owner = np.repeat(np.arange(len(ways.ids)), np.diff(ways.start))
    good = ~np.isnan(ways.lonlat[:, 0])
    ids, first_at, vertex = np.unique(
        np.where(good, ways.refs, np.iinfo(np.int64).min), return_index=True, return_inverse=True
    )
    step = np.flatnonzero(good[:-1] & good[1:] & (owner[:-1] == owner[1:]) & (vertex[:-1] != vertex[1:]))
    a, b, way = vertex[step], vertex[step + 1], owner[step]
    degree = np.bincount(np.concatenate([a, b]), minlength=ids.size)
    inner = (degree == 2) & ~np.isin(ids, kept)
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
            profile=of_way[way[first]],
            length_m=np.add.reduceat(metres[step], first) if first.size else np.zeros(0),
            vertex=flat,
            start=start,
            way=way[first],
            inner=inner,
        ),
        ids,
        ways.lonlat[first_at],
    )
