"""Compute how people get there: road networks, travel times and catchments."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sy_coverage.roads._storage import load
    from sy_coverage.roads.edges import from_edges
    from sy_coverage.roads.junctions import junctions
    from sy_coverage.roads.live import fetch_osm
    from sy_coverage.roads.network import RoadNetwork
    from sy_coverage.roads.osm import read_osm
    from sy_coverage.roads.osmnx_graph import from_networkx
    from sy_coverage.roads.overlap import catchment_overlap
    from sy_coverage.roads.travel_modes import TravelMode, travel_mode
    from sy_coverage.roads.travel_times import TravelTimes
    from sy_coverage.roads.water import read_water

__all__ = [
    "RoadNetwork",
    "TravelMode",
    "TravelTimes",
    "catchment_overlap",
    "fetch_osm",
    "from_edges",
    "from_networkx",
    "junctions",
    "load",
    "read_osm",
    "read_water",
    "travel_mode",
]

_WHERE = {
    "RoadNetwork": "network",
    "TravelMode": "travel_modes",
    "TravelTimes": "travel_times",
    "fetch_osm": "live",
    "from_edges": "edges",
    "from_networkx": "osmnx_graph",
    "junctions": "junctions",
    "load": "_storage",
    "catchment_overlap": "overlap",
    "read_osm": "osm",
    "read_water": "water",
    "travel_mode": "travel_modes",
}


def __getattr__(name: str) -> Any:
    # modules are loaded when they are asked for: readers and kernels are heavy
    if name in _WHERE:
        return getattr(import_module(f"sy_coverage.roads.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'sy_coverage.roads' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
