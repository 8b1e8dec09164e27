"""Ask OSRM and Valhalla for ways between pairs of places: run by `check_against_routers.py` in an environment that has both.

Reads JSON from its input: ``extract``, ``folder`` (to build in), ``pairs`` (by mode, longitude and latitude of both ends) and
``centres`` (by mode, with the minutes an isochrone is asked for); writes JSON: metres, seconds and lines by router and mode.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import osrm
import valhalla
from valhalla.config import get_config

PROFILES = {"drive": "car", "walk": "foot"}
COSTINGS = {"drive": "auto", "walk": "pedestrian"}


def osrm_of(extract: str, folder: Path, mode: str, *, shortest: bool) -> Any:
    """Return OSRM on an extract: with its own speeds, or (cars) with metres as weight."""
    home = Path(osrm.__file__).parent
    name = f"{PROFILES[mode]}-{'metres' if shortest else 'usual'}"
    profile = home / "share" / "profiles" / f"{PROFILES[mode]}.lua"
    text = profile.read_text()
    if shortest:
        text = text.replace("= 'routability'", "= 'distance'")
    own = folder / name
    own.mkdir(parents=True)
    (own / f"{name}.lua").write_text(text)
    (own / "lib").symlink_to(home / "share" / "profiles" / "lib")
    made = own / "roads.osm.pbf"
    made.symlink_to(Path(extract).resolve())
    steps = (
        ("osrm-extract", "-p", f"{name}.lua", str(made)),
        ("osrm-contract", str(own / "roads.osrm")),
    )
    for step in steps:
        subprocess.run([home / "bin" / step[0], *step[1:]], check=True, cwd=own, capture_output=True)
    return osrm.OSRM(str(own / "roads.osrm"))


def by_osrm(router: Any, pair: list[float]) -> dict[str, Any] | None:
    """Return metres, seconds and line of one way; None where there is none."""
    asked = osrm.RouteParameters(
        coordinates=[(pair[0], pair[1]), (pair[2], pair[3])],
        overview="full",
        geometries="geojson",
        steps=False,
    )
    try:
        found = router.Route(asked)["routes"][0]
    except (RuntimeError, KeyError, IndexError):
        return None
    line = [[float(x), float(y)] for x, y in found["geometry"]["coordinates"]]
    return {"metres": float(found["distance"]), "seconds": float(found["duration"]), "line": line}


def valhalla_of(extract: str, folder: Path) -> Any:
    """Return Valhalla on an extract."""
    tiles = folder / "tiles"
    tiles.mkdir(parents=True)
    config = get_config(tile_dir=str(tiles), tile_extract="", verbose=False)
    config["service_limits"]["pedestrian"]["max_distance"] = 500_000.0
    path = folder / "valhalla.json"
    path.write_text(json.dumps(config))
    subprocess.run(
        [Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles", "-c", path, extract],
        check=True,
        capture_output=True,
    )
    return valhalla.Actor(str(path))


def by_valhalla(actor: Any, mode: str, pair: list[float], *, shortest: bool) -> dict[str, Any] | None:
    """Return metres, seconds and line of one way; None where there is none."""
    ends = [{"lon": pair[i], "lat": pair[i + 1], "radius": 0, "minimum_reachability": 0} for i in (0, 2)]
    options = {"shortest": True, "disable_hierarchy_pruning": True} if shortest else {}
    asked = {
        "locations": ends,
        "costing": COSTINGS[mode],
        "costing_options": {COSTINGS[mode]: options},
        "directions_type": "none",
        "shape_format": "geojson",
    }
    try:
        trip = actor.route(json.dumps(asked))
    except RuntimeError:
        return None
    trip = json.loads(trip) if isinstance(trip, str) else trip
    leg, total = trip["trip"]["legs"][0], trip["trip"]["summary"]
    shape = leg["shape"]
    line = shape["coordinates"] if isinstance(shape, dict) else decoded(shape)
    return {"metres": 1000 * total["length"], "seconds": total["time"], "line": line}


def decoded(shape: str) -> list[list[float]]:
    """Return longitude and latitude of an encoded polyline of six digits."""
    numbers, at = [], 0
    while at < len(shape):
        value = shift = 0
        while True:
            byte = ord(shape[at]) - 63
            at += 1
            value |= (byte & 31) << shift
            shift += 5
            if byte < 32:
                break
        numbers.append(~(value >> 1) if value & 1 else value >> 1)
    lat = lon = 0
    line = []
    for down, across in zip(numbers[::2], numbers[1::2]):  # noqa: B905
        lat, lon = lat + down, lon + across
        line.append([lon / 1e6, lat / 1e6])
    return line


def reached(actor: Any, mode: str, centre: list[float]) -> Any:
    """Return the shape of an isochrone towards a centre: longitude, latitude, minutes; None where there is none."""
    lon, lat, minutes = centre
    asked = {
        "locations": [{"lon": lon, "lat": lat}],
        "costing": COSTINGS[mode],
        "contours": [{"time": minutes}],
        "polygons": True,
        "reverse": True,
    }
    try:
        found = actor.isochrone(json.dumps(asked))
    except RuntimeError:
        return None
    found = json.loads(found) if isinstance(found, str) else found
    return found["features"][0]["geometry"]


def main() -> None:
    """Answer what is asked."""
    asked = json.load(sys.stdin)
    folder = Path(asked["folder"])
    actor = valhalla_of(asked["extract"], folder / "valhalla")
    answer: dict[str, Any] = {"osrm": {}, "valhalla": {}, "isochrones": {}}
    for mode, pairs in asked["pairs"].items():
        usual = osrm_of(asked["extract"], folder, mode, shortest=False)
        metres = osrm_of(asked["extract"], folder, mode, shortest=True) if mode == "drive" else usual
        answer["osrm"][mode] = {
            "shortest": [by_osrm(metres, pair) for pair in pairs],
            "quickest": [by_osrm(usual, pair) for pair in pairs],
        }
        answer["valhalla"][mode] = {
            "shortest": [by_valhalla(actor, mode, pair, shortest=True) for pair in pairs],
            "quickest": [by_valhalla(actor, mode, pair, shortest=False) for pair in pairs],
        }
        answer["isochrones"][mode] = [reached(actor, mode, centre) for centre in asked["centres"][mode]]
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
