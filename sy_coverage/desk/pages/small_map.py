"""Draw outlines and points on a small map without tiles: what was read, and where one row is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nicegui import ui

from sy_coverage.desk.pages.parts import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from sy_coverage.desk.session import Desk

WIDTH, HEIGHT = 360, 320
COLOURS = {"villages": "#9aa9b4", "candidates": "#b5542a", "facilities": "#1b4965"}
_OUTLINE = {"color": "#7d8f9c", "weight": 1, "fillColor": "#e8eef2", "fillOpacity": 0.6}


def small_map(desk: Desk, places: dict[str, Any]) -> None:
    """Draw what was read: units, villages, candidates and facilities, and how many of each."""
    drawn = _base(places)
    for name, colour in COLOURS.items():
        points = {
            "type": "FeatureCollection",
            "features": [_dots(places[name])],
        }
        size = 1 if name == "villages" else 4
        drawn.generic_layer(
            name="geoJSON",
            args=[points, {"style": {"color": colour, "weight": 2 * size, "lineCap": "round"}}],
        )
    with ui.element("p").classes("sy-note"):
        for name, colour in COLOURS.items():
            with ui.element("span").style(f"color:{colour}"):
                text("● ")
            text(f"{desk.words(f'role_{name}')} {len(places[name])}　")


def zoom_for(bounds: tuple[float, float, float, float], width: int, height: int) -> float:
    """Return at which zoom an area is seen as a whole, so many pixels wide and high: a world is 256 wide at zoom 0."""
    west, south, east, north = bounds
    wide = max(east - west, 1e-6)
    high = max(north - south, 1e-6) / math.cos(math.radians((south + north) / 2))
    return math.floor(4 * math.log2(360 / 256 * min(width / wide, height / high))) / 4


def _dots(points: list[tuple[float, float]]) -> dict[str, Any]:
    """Return points as lines of no length: they are drawn as round dots, many at once."""
    lines = [[[lon, lat], [lon + 1e-6, lat]] for lat, lon in points]
    return {
        "type": "Feature",
        "properties": {},
        "geometry": {"type": "MultiLineString", "coordinates": lines},
    }


def _base(places: dict[str, Any]) -> Any:
    west, south, east, north = places["bounds"]
    zoom: Any = zoom_for((west, south, east, north), WIDTH, HEIGHT)
    middle = ((south + north) / 2, (west + east) / 2)
    drawn = ui.leaflet(center=middle, zoom=zoom, options={"attributionControl": False, "zoomSnap": 0.25})
    drawn.clear_layers()
    drawn.classes("sy-map")
    drawn.generic_layer(name="geoJSON", args=[places["units"], {"style": _OUTLINE}])
    return drawn


def pointing_map(
    places: dict[str, Any], at: tuple[float, float] | None, moved: Callable[[float, float], None]
) -> None:
    """Draw a map on which a click puts the point of one row; `moved` is told its latitude and longitude."""
    drawn = _base(places)
    shown: list[Any] = []

    def put(lat: float, lon: float) -> None:
        while shown:
            drawn.remove_layer(shown.pop())
        style = {"radius": 8, "color": "#b5542a", "weight": 3, "fillOpacity": 0.5}
        shown.append(drawn.generic_layer(name="circleMarker", args=[[lat, lon], style]))

    def clicked(event: Any) -> None:
        lat, lon = float(event.args["latlng"]["lat"]), float(event.args["latlng"]["lng"])
        put(lat, lon)
        moved(lat, lon)

    if at is not None:
        put(*at)
        drawn.set_center(at)
        drawn.set_zoom(12)
    drawn.on("map-click", clicked)
