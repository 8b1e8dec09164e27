"""Give a map as an ordinary folium map: named groups, tooltips and a layer control, to go on with as every notebook user knows."""

from __future__ import annotations

from typing import Any

import folium

from sy_coverage._cells import inert
from sy_coverage.outputs.maps.basis import geometry as light

GROUPS = ("units", "catchments", "villages", "facilities", "proposals", "extra")
"""What becomes a group, from the ground up."""


def folium_map(content: dict[str, Any]) -> folium.Map:
    """Return the map of `content` as it stands with the whole plan; every text in it is inert."""
    drawn = folium.Map(tiles=None, control_scale=True, attr=inert(content["attribution"]))
    names = {group["id"]: group["name"] for group in content["groups"]}
    last = len(content["states"]) - 1
    for group in GROUPS:
        layers = [one for one in content["layers"] if one["group"] == group]
        if not layers:
            continue
        held = folium.FeatureGroup(name=inert(names[group]), show=group not in {"catchments", "villages"})
        for one in layers:
            features = [
                f for f in one["features"] if f.get("f", 0) <= last and not 0 <= f.get("u", -1) <= last
            ]
            if features:
                held.add_child(_geojson(content, one, features))
        drawn.add_child(held)
    folium.LayerControl(collapsed=False).add_to(drawn)
    drawn.fit_bounds(content["bounds"])
    return drawn


def _geojson(content: dict[str, Any], one: dict[str, Any], features: list[dict[str, Any]]) -> folium.GeoJson:
    fields = [inert(name) for name in one.get("fields", ())]
    rows = [_feature(content, one, feature, fields) for feature in features]
    # a tooltip names only what every feature has
    title = inert(content["words"]["site"] if one["type"] == "pin" else one["name"])
    is_point = rows[0]["geometry"]["type"] == "Point"
    marker = folium.CircleMarker(radius=7 if one["type"] == "pin" else 4, fill=True) if is_point else None
    return folium.GeoJson(
        {"type": "FeatureCollection", "features": rows},
        name=inert(one["name"]),
        style_function=lambda feature: feature["properties"]["style"],
        tooltip=folium.GeoJsonTooltip(["title", *fields], [title, *fields]),
        marker=marker,
    )


def _feature(
    content: dict[str, Any], one: dict[str, Any], feature: dict[str, Any], fields: list[str]
) -> dict[str, Any]:
    values = [_told(value) for value in feature.get("v", ())] or [""] * len(fields)
    number = f"{feature['n']} " if "n" in feature else ""
    properties: dict[str, Any] = {
        "title": inert(f"{number}{feature.get('t', one['name'])}"),
        **dict(zip(fields, values, strict=True)),
    }
    properties["style"] = _style(content, one, feature)
    return {"type": "Feature", "geometry": _geometry(feature), "properties": properties}


def _told(value: Any) -> str:
    if value is None:
        return ""
    return inert("；".join(value) if isinstance(value, list) else value)


def _style(content: dict[str, Any], one: dict[str, Any], feature: dict[str, Any]) -> dict[str, Any]:
    if one["type"] == "unit":
        place = 0 if feature["c"] == 0 else 1 if feature["c"] > 0 else 2
        return {
            "fillColor": content["status"][place]["colour"],
            "fillOpacity": 0.6,
            "color": "#4d473c",
            "weight": 1,
        }
    if one["type"] == "dot":
        colour = "#6b1010" if one["style"] == "uncovered" else "#24506e"
        return {"fillColor": colour, "fillOpacity": 0.9, "color": "#ffffff", "weight": 0.5}
    ring = "#ffc145" if one["type"] == "pin" else "#ffffff"
    area = "g" in feature
    return {
        "fillColor": one["colour"],
        "fillOpacity": 0.17 if area else 0.95,
        "color": one["colour"] if area or "l" in feature else ring,
        "weight": 2,
    }


def _geometry(feature: dict[str, Any]) -> dict[str, Any]:
    if "g" in feature:
        polygons = [[_path(ring) for ring in polygon] for polygon in feature["g"]]
        return {
            "type": "MultiPolygon",
            "coordinates": [[[*r, r[0]] for r in polygon] for polygon in polygons],
        }
    if "l" in feature:
        return {"type": "MultiLineString", "coordinates": [_path(line) for line in feature["l"]]}
    return {"type": "Point", "coordinates": _path(feature["p"])[0]}


def _path(steps: list[int]) -> list[list[float]]:
    """Return the corners of a path of steps in degrees."""
    x = y = 0
    corners = []
    for dx, dy in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + dx, y + dy
        corners.append([x / light.STEPS_PER_DEGREE, y / light.STEPS_PER_DEGREE])
    return corners
