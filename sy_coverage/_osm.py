"""Stream through an OpenStreetMap file once and keep what is asked for: ways, areas or points."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage import _files
from sy_coverage.errors import InputError, UnreadableFileError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from geopandas import GeoDataFrame

    Box = tuple[float, float, float, float]

DEGREE = 10_000_000
NOWHERE = np.iinfo(np.int32).max
"""What osmium says for the place of a node that the file does not hold."""
FAR_DEGREES = 1.0
"""No road is longer than this, so one that starts farther than this outside the box cannot touch it."""
SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.bz2", ".osm.gz")


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways with their tags and nodes; way i owns rows ``start[i]`` to ``start[i + 1]`` of `refs` and `lonlat`."""

    ids: Any
    """int64"""
    tags: tuple[Mapping[str, str], ...]
    """Only the tags that were asked for; equal ones are the same object."""
    refs: Any
    """int64 node ids."""
    lonlat: Any
    """float64 of shape (refs, 2), degrees; NaN where the file does not hold the node."""
    start: Any
    """int64, ways + 1."""
    node_tags: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    """Tags of the nodes that have one of the keys asked for."""
    restrictions: tuple[Restriction, ...] = ()


@dataclass(frozen=True)
class Restriction:
    """A turn restriction: what it says, and its members as ``(role, type, id)``."""

    tags: Mapping[str, str]
    members: tuple[tuple[str, str, int], ...]


def is_osm(path: str | os.PathLike[str]) -> bool:
    """Return whether the name of a file says that it is an OpenStreetMap extract."""
    return str(path).lower().endswith(SUFFIXES)


def require_osm(path: str | os.PathLike[str]) -> None:
    """Refuse a file whose name does not say that it is an OpenStreetMap extract.

    Raises
    ------
    InputError
        With the names that do.
    """
    if not is_osm(path):
        raise InputError(f"{path}: not an OpenStreetMap extract; its name must end in {', '.join(SUFFIXES)}")


@dataclass(frozen=True)
class Answer:
    """OSM XML that came over the network, and what to call it."""

    content: bytes
    name: str

    def __str__(self) -> str:
        """Return the name."""
        return self.name


def _objects(
    path: str | os.PathLike[str] | Answer, kinds: Any, filters: list[Any], *, prepare: Callable[[Any], Any]
) -> Iterator[Any]:
    import osmium  # noqa: PLC0415

    found: Any
    if isinstance(path, Answer):
        found = osmium.io.FileBuffer(path.content, "osm")
    else:
        found = str(_files.local_path(path))
        require_osm(path)
    try:
        stream = prepare(osmium.FileProcessor(found, kinds))
        for each in filters:
            stream = stream.with_filter(each)
        yield from stream
    except (RuntimeError, ValueError, OverflowError, osmium.InvalidLocationError) as error:
        raise UnreadableFileError(
            f"{path}: is damaged or no OpenStreetMap extract ({error}); download it again"
        ) from error


def read_ways(
    path: str | os.PathLike[str] | Answer,
    *,
    keys: tuple[str, ...],
    wanted: frozenset[str],
    node_keys: tuple[str, ...] = (),
    box: Box | None = None,
) -> Ways:
    """Return the ways that have one of `keys`, clipped to whole ways with a node in `box`.

    Parameters
    ----------
    keys
        Such as ``("highway", "route")``.
    wanted
        Tags to keep; what else is written on a way is dropped at once.
    node_keys
        Nodes with one of these keys keep their wanted tags.
    box
        West, south, east, north in degrees; None keeps every way.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        If the file is not there, is damaged, or is no local OpenStreetMap file.
    """
    import osmium  # noqa: PLC0415

    gather = _Gather(wanted, keys, node_keys, box)
    kinds = osmium.osm.NODE | osmium.osm.WAY | osmium.osm.RELATION
    restricting = ("restriction", "restriction:motorcar", "restriction:motor_vehicle")
    filters = [osmium.filter.KeyFilter(*dict.fromkeys((*keys, *node_keys, *restricting)))]
    for item in _objects(path, kinds, filters, prepare=lambda s: s.with_locations("flex_mem")):
        if item.is_way():
            gather.way(item)
        elif item.is_node():
            gather.node(item)
        else:
            gather.relation(item)
    return gather.ways()


class _Gather:
    """Collect ways in compact arrays while the file streams by."""

    def __init__(
        self, wanted: frozenset[str], keys: tuple[str, ...], node_keys: tuple[str, ...], box: Box | None
    ) -> None:
        self.wanted, self.keys, self.node_keys = wanted, frozenset(keys), frozenset(node_keys)
        self.box = None if box is None else tuple(round(b * DEGREE) for b in box)
        self.ids, self.refs, self.lonlat = array("q"), array("q"), array("i")
        self.start = array("q", [0])
        self.tags: list[Mapping[str, str]] = []
        self.known: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
        self.node_tags: dict[int, Mapping[str, str]] = {}
        self.restrictions: list[Restriction] = []

    def _tags(self, item: Any) -> Mapping[str, str]:
        found = tuple((k, v) for k, v in item.tags if k in self.wanted)
        return self.known.setdefault(found, dict(found))

    def node(self, node: Any) -> None:
        tags = self._tags(node)
        if not self.node_keys.isdisjoint(tags):
            self.node_tags[node.id] = tags

    def relation(self, relation: Any) -> None:
        if not str(relation.tags.get("type", "")).startswith("restriction"):
            return
        self.restrictions.append(
            Restriction(
                {k: v for k, v in relation.tags if k.startswith(("restriction", "except", "type"))},
                tuple((m.role, m.type, m.ref) for m in relation.members),
            )
        )

    def way(self, way: Any) -> None:
        tags = self._tags(way)
        if self.keys.isdisjoint(tags):
            return
        nodes = way.nodes
        if len(nodes) < 2 or (self.box is not None and self._is_far(nodes[0].location)):
            return
        lonlat = array("i")
        for node in nodes:
            place = node.location
            lonlat.append(place.x)
            lonlat.append(place.y)
        if self.box is not None and not self._touches(lonlat):
            return
        self.refs.extend([node.ref for node in nodes])
        self.lonlat.extend(lonlat)
        self.ids.append(way.id)
        self.tags.append(tags)
        self.start.append(len(self.refs))

    def _is_far(self, place: Any) -> bool:
        if self.box is None or not place.valid():
            return False
        west, south, east, north = self.box
        far = FAR_DEGREES * DEGREE
        return not (west - far <= place.x <= east + far and south - far <= place.y <= north + far)

    def _touches(self, lonlat: array[int]) -> bool:
        west, south, east, north = self.box or (0, 0, 0, 0)
        return any(
            west <= x <= east and south <= y <= north for x, y in zip(lonlat[::2], lonlat[1::2], strict=True)
        )

    def ways(self) -> Ways:
        raw = (
            np.frombuffer(self.lonlat, np.int32).reshape(-1, 2) if self.lonlat else np.zeros((0, 2), np.int32)
        )
        lonlat = raw / DEGREE
        lonlat[(raw == NOWHERE).any(axis=1)] = np.nan
        return Ways(
            ids=np.array(self.ids, np.int64),
            tags=tuple(self.tags),
            refs=np.array(self.refs, np.int64),
            lonlat=lonlat,
            start=np.array(self.start, np.int64),
            node_tags=self.node_tags,
            restrictions=tuple(self.restrictions),
        )


def read_areas(path: str | os.PathLike[str], *, admin_level: int | str) -> GeoDataFrame:
    """Return the administrative areas of a level whose boundary is closed in the file, sorted by id.

    Returns
    -------
    areas
        Indexed by `osm_id` (``r123`` for a relation, ``w123`` for a closed way): `name`, `ref`, `admin_level`, geometry
        in EPSG:4326. An area that the extract cuts open is not in it.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        If the file is not there, is damaged, or is no local OpenStreetMap file.
    """
    import geopandas as gpd  # noqa: PLC0415
    import osmium  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    filters = [
        osmium.filter.EntityFilter(osmium.osm.AREA),
        osmium.filter.TagFilter(("admin_level", str(admin_level))),
    ]
    factory = osmium.geom.WKBFactory()
    administrative = osmium.filter.TagFilter(("boundary", "administrative"))
    rows = [
        {
            "osm_id": f"{'w' if area.from_way() else 'r'}{area.orig_id()}",
            "name": area.tags.get("name"),
            "ref": area.tags.get("ref"),
            "admin_level": str(admin_level),
            "geometry": shapely.from_wkb(bytes.fromhex(factory.create_multipolygon(area))),
        }
        for area in _objects(path, osmium.osm.ALL, filters, prepare=lambda s: s.with_areas(administrative))
    ]
    frame = pd.DataFrame(rows, columns=["osm_id", "name", "ref", "admin_level", "geometry"])
    return gpd.GeoDataFrame(frame.set_index("osm_id").sort_index(), geometry="geometry", crs="EPSG:4326")


def read_shapes(path: str | os.PathLike[str], *, tags: tuple[tuple[str, str], ...]) -> GeoDataFrame:
    """Return the areas that carry one of `tags`, sorted by id; those that are cut open or cross themselves are left out.

    Returns
    -------
    shapes
        Indexed by `osm_id` (``r123`` for a relation, ``w123`` for a closed way), geometry in EPSG:4326.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        If the file is not there, is damaged, or is no local OpenStreetMap file.
    """
    import geopandas as gpd  # noqa: PLC0415
    import osmium  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    factory = osmium.geom.WKBFactory()
    ids, shapes = [], []
    filters = [osmium.filter.EntityFilter(osmium.osm.AREA), osmium.filter.TagFilter(*tags)]
    wanted = osmium.filter.TagFilter(*tags)
    for area in _objects(path, osmium.osm.ALL, filters, prepare=lambda s: s.with_areas(wanted)):
        try:
            shape = shapely.from_wkb(bytes.fromhex(factory.create_multipolygon(area)))
        except RuntimeError:
            continue
        if shape.is_valid:
            ids.append(f"{'w' if area.from_way() else 'r'}{area.orig_id()}")
            shapes.append(shape)
    index = pd.Index(ids, name="osm_id", dtype=object)
    return gpd.GeoDataFrame(geometry=shapes, index=index, crs="EPSG:4326").sort_index()


def read_points(path: str | os.PathLike[str], *, tags: Mapping[str, Any]) -> GeoDataFrame:
    """Return what carries one of `tags` as points: nodes where they are, ways at their centroid, sorted by id.

    Parameters
    ----------
    tags
        Such as ``{"amenity": ("hospital", "townhall"), "place": True}``; True takes any value.

    Returns
    -------
    points
        Indexed by `osm_id` (``n123`` or ``w123``): `name`, one column a key of `tags`, geometry in EPSG:4326.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        If the file is not there, is damaged, or is no local OpenStreetMap file.
    """
    import geopandas as gpd  # noqa: PLC0415
    import osmium  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    filters = [osmium.filter.KeyFilter(*tags)]
    kinds = osmium.osm.NODE | osmium.osm.WAY
    rows = []
    for item in _objects(path, kinds, filters, prepare=lambda s: s.with_locations("flex_mem")):
        if not any(_carries(item.tags.get(key), values) for key, values in tags.items()):
            continue
        if item.is_node():
            name, (lon, lat) = f"n{item.id}", (item.location.lon, item.location.lat)
        else:
            places = [(n.location.lon, n.location.lat) for n in item.nodes if n.location.valid()]
            if not places:
                continue
            name, (lon, lat) = f"w{item.id}", _centroid(places)
        rows.append(
            {"osm_id": name, "name": item.tags.get("name")}
            | {key: item.tags.get(key) for key in tags}
            | {"lon": lon, "lat": lat}
        )
    frame = (
        pd.DataFrame(rows, columns=["osm_id", "name", *tags, "lon", "lat"]).set_index("osm_id").sort_index()
    )
    points = gpd.points_from_xy(frame.pop("lon"), frame.pop("lat"), crs="EPSG:4326")
    return gpd.GeoDataFrame(frame, geometry=points)


def _carries(value: str | None, values: Any) -> bool:
    if value is None or values is True:
        return value is not None
    return value == values if isinstance(values, str) else value in values


def _centroid(places: list[tuple[float, float]]) -> tuple[float, float]:
    import shapely  # noqa: PLC0415

    closed = len(places) > 3 and places[0] == places[-1]
    shape: Any = shapely.Polygon(places) if closed else shapely.MultiPoint(places)
    return float(shape.centroid.x), float(shape.centroid.y)
