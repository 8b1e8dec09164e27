"""Read areas and points of an OpenStreetMap file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from sy_coverage import _files
from sy_coverage._osm.opened import Answer, merged, opened, own_id
from sy_coverage.errors import UnreadableFileError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from geopandas import GeoDataFrame


OUT_OF_ORDER = "out of order"
"""What osmium says of ways that do not come by their ids."""


def _areas(path: str | os.PathLike[str] | Answer, wanted: Any, look: Callable[[Any], Any]) -> list[Any]:
    """Return what `look` makes of every area that passes the filter `wanted`, None left out, whatever the order of the file."""
    import osmium  # noqa: PLC0415

    found: list[Any] = []

    class Looking(osmium.SimpleHandler):
        def area(self, area: Any) -> None:
            found.append(look(area))

    try:
        with opened(path) as source:
            places, areas, looking = source.placed(), osmium.area.AreaManager(), Looking()
            with source.reader("node") as reader:
                osmium.apply(reader, places)
            with source.reader("relation") as reader:
                osmium.apply(reader, wanted, areas.first_pass_handler())
            with source.reader("way", "relation") as reader:
                osmium.apply(reader, places, areas.second_pass_handler(wanted, looking))
    except UnreadableFileError as error:
        # outlines are put together of ways in the order of their ids
        if OUT_OF_ORDER not in str(error) or isinstance(path, Answer):
            raise
        return _areas(merged([_files.local_path(path)]), wanted, look)
    return [each for each in found if each is not None]


def _area_id(area: Any) -> str:
    return f"{'w' if area.from_way() else 'r'}{own_id(area.orig_id())}"


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
    import osmium  # noqa: PLC0415

    factory = osmium.geom.WKBFactory()

    def look(area: Any) -> dict[str, Any] | None:
        if area.tags.get("admin_level") != str(admin_level):
            return None
        return {
            "osm_id": _area_id(area),
            "name": area.tags.get("name"),
            "ref": area.tags.get("ref"),
            "admin_level": str(admin_level),
            "geometry": shapely.from_wkb(bytes.fromhex(factory.create_multipolygon(area))),
        }

    rows = _areas(path, osmium.filter.TagFilter(("boundary", "administrative")), look)
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
    import osmium  # noqa: PLC0415

    factory = osmium.geom.WKBFactory()

    def look(area: Any) -> tuple[str, Any] | None:
        try:
            shape = shapely.from_wkb(bytes.fromhex(factory.create_multipolygon(area)))
        except RuntimeError:
            return None
        return (_area_id(area), shape) if shape.is_valid else None

    found = _areas(path, osmium.filter.TagFilter(*tags), look)
    ids, shapes = [i for i, _ in found], [shape for _, shape in found]
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
    import osmium  # noqa: PLC0415

    rows: list[dict[str, Any]] = []

    def look(item: Any, kind: str, place: Callable[[], tuple[float, float] | None]) -> None:
        if any(_carries(item.tags.get(key), values) for key, values in tags.items()) and (at := place()):
            rows.append(
                {"osm_id": f"{kind}{own_id(item.id)}", "name": item.tags.get("name")}
                | {key: item.tags.get(key) for key in tags}
                | {"lon": at[0], "lat": at[1]}
            )

    class Looking(osmium.SimpleHandler):
        def node(self, node: Any) -> None:
            look(node, "n", lambda: (node.location.lon, node.location.lat))

        def way(self, way: Any) -> None:
            look(
                way,
                "w",
                lambda: _centroid(
                    [(n.location.lon, n.location.lat) for n in way.nodes if n.location.valid()]
                ),
            )

    with opened(path) as source:
        places, looking, carrying = source.placed(), Looking(), osmium.filter.KeyFilter(*tags)
        for kind in ("node", "way"):
            with source.reader(kind) as reader:
                osmium.apply(reader, places, carrying, looking)
    frame = (
        pd.DataFrame(rows, columns=["osm_id", "name", *tags, "lon", "lat"]).set_index("osm_id").sort_index()
    )
    points = gpd.points_from_xy(frame.pop("lon"), frame.pop("lat"), crs="EPSG:4326")
    return gpd.GeoDataFrame(frame, geometry=points)


def _carries(value: str | None, values: Any) -> bool:
    if value is None or values is True:
        return value is not None
    return value == values if isinstance(values, str) else value in values


def _centroid(places: list[tuple[float, float]]) -> tuple[float, float] | None:
    if not places:
        return None
    closed = len(places) > 3 and places[0] == places[-1]
    shape: Any = shapely.Polygon(places) if closed else shapely.MultiPoint(places)
    return float(shape.centroid.x), float(shape.centroid.y)
