"""Lay a user's own layers over a map: frames and folium's simple layers, their text as inert as the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from sy_coverage.errors import InputError, MissingCRSError
from sy_coverage.outputs.maps.basis import geometry as light
from sy_coverage.outputs.maps.basis.frame import layer
from sy_coverage.outputs.maps.basis.words import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sy_coverage.outputs.maps.basis.frame import Frame

COLOURS = ("#7b3294", "#008837", "#a6611a", "#c51b7d", "#276419", "#01665e")
NAMES = ("name", "名称", "title", "id")
"""Columns that say what a row is called, the first that is there."""


def extra_layers(frame: Frame, given: Iterable[Any] | Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the layers of a user: GeoDataFrames, GeoSeries, or folium layers that hold GeoJSON, points, lines or areas.

    Raises
    ------
    MissingCRSError
        If a frame has no CRS.
    InputError
        If a layer is something else.
    """
    named: Iterable[tuple[str | None, Any]] = (
        given.items() if isinstance(given, Mapping) else ((None, one) for one in given)
    )
    layers = []
    for n, (name, one) in enumerate(named):
        rows = one if isinstance(one, gpd.GeoDataFrame | gpd.GeoSeries) else _of_folium(one)
        rows = rows.to_frame("geometry") if isinstance(rows, gpd.GeoSeries) else rows
        if rows.crs is None:
            raise MissingCRSError(f"layers: layer {n + 1} has no CRS; set it with set_crs")
        called = (
            name
            or rows.attrs.get("name")
            or getattr(one, "layer_name", None)
            or frame.words.say("extra", number=n + 1)
        )
        layers.append(
            _layer(frame, rows.to_crs("EPSG:4326"), f"extra-{n + 1}", str(called), COLOURS[n % len(COLOURS)])
        )
    return layers


def _layer(frame: Frame, rows: gpd.GeoDataFrame, layer_id: str, name: str, colour: str) -> dict[str, Any]:
    table = rows.drop(columns=rows.geometry.name)
    title = next((column for column in NAMES if column in table.columns), None)
    shown = [column for column in table.columns if column != title]
    features = []
    for row, shape in zip(table.to_dict("records"), light.shifted(rows.geometry, frame.shift), strict=True):
        if shape is None or shape.is_empty:
            continue
        drawn = shape if shape.geom_type == "Point" else shapely.simplify(shape, frame.tolerance / 2)
        values = [None if is_missing(row[c]) else frame.words.text(row[c]) for c in shown]
        called = name if title is None or is_missing(row[title]) else str(row[title])
        features += [{"t": called, "v": values, **part} for part in _parts(drawn)]
    return layer(
        layer_id, "extra", "extra", name, colour=colour, fields=[str(c) for c in shown], features=features
    )


def _parts(shape: Any) -> Iterator[dict[str, Any]]:
    """Yield a shape as what the page draws: areas, lines, points."""
    parts = list(shapely.get_parts(np.atleast_1d(shape)))
    areas = [p for p in parts if p.geom_type == "Polygon"]
    lines = [p for p in parts if p.geom_type in {"LineString", "LinearRing"}]
    if areas:
        yield {"g": [ring for area in areas for ring in light.polygon_steps(area)]}
    if lines:
        yield {"l": [light.steps(shapely.get_coordinates(line)) for line in lines]}
    for part in parts:
        if part.geom_type == "Point":
            yield {"p": light.point_steps(part)}
        elif part.geom_type.startswith(("Multi", "Geometry")):
            yield from _parts(part)


def _of_folium(given: Any) -> gpd.GeoDataFrame:
    """Return what a layer of folium draws as a frame: its shapes and the text of its tooltip or popup, without its HTML.

    Raises
    ------
    InputError
        If it is none that can be drawn so.
    """
    rows = list(_drawn(given))
    if not rows:
        raise InputError(
            f"layers: {type(given).__name__} cannot be laid over this map; give GeoDataFrames, or folium's GeoJson, Marker, "
            "CircleMarker, Circle, PolyLine, Polygon or a FeatureGroup of them (others: go on from to_folium())"
        )
    return gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4326")


def _drawn(element: Any) -> Iterator[dict[str, Any]]:
    kind = type(element).__name__
    if kind == "GeoJson":
        features = element.data.get("features", [element.data])
        for feature in features:
            shape = shapely.from_geojson(_text(feature.get("geometry") or feature))
            yield {**(feature.get("properties") or {}), "geometry": shape}
    elif kind in {"Marker", "CircleMarker", "Circle"}:
        lat, lon = element.location
        yield {"name": _said(element), "geometry": shapely.Point(lon, lat)}
    elif kind in {"PolyLine", "Polygon", "Rectangle"}:
        corners = [(lon, lat) for lat, lon in element.locations]
        shape = shapely.LineString(corners) if kind == "PolyLine" else shapely.Polygon(corners)
        yield {"name": _said(element), "geometry": shape}
    elif kind == "FeatureGroup":
        for child in element._children.values():  # noqa: SLF001  folium offers no other way to its parts
            yield from _drawn(child)


def _text(geometry: Mapping[str, Any]) -> str:
    return json.dumps(geometry)


def _said(element: Any) -> str | None:
    """Return the text of an element's tooltip or popup."""
    for child in element._children.values():  # noqa: SLF001
        if type(child).__name__ == "Tooltip":
            return str(child.text)
        if type(child).__name__ == "Popup":
            return " ".join(str(getattr(part, "data", "")) for part in child.html._children.values())  # noqa: SLF001
    return None
