"""Compute how people get there: road networks, travel times and catchments."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sy_coverage.roads.appraisal.calibration import Calibration, calibrate
    from sy_coverage.roads.appraisal.ferries import ferry_dependents
    from sy_coverage.roads.catchments.agreement import catchment_agreement
    from sy_coverage.roads.catchments.overlap import catchment_overlap
    from sy_coverage.roads.network import RoadNetwork, junctions, load, pieces
    from sy_coverage.roads.read.changes import read_changes
    from sy_coverage.roads.read.edges import from_edges
    from sy_coverage.roads.read.graphs import from_networkx
    from sy_coverage.roads.read.lines import read_lines
    from sy_coverage.roads.read.osm import cut_osm, read_osm
    from sy_coverage.roads.read.overpass import fetch_osm
    from sy_coverage.roads.read.times import read_times
    from sy_coverage.roads.read.water import read_water
    from sy_coverage.roads.travel_modes import TravelMode, travel_mode
    from sy_coverage.roads.travel_times import TravelTimes

__all__ = [
    "Calibration",
    "RoadNetwork",
    "TravelMode",
    "TravelTimes",
    "calibrate",
    "catchment_agreement",
    "catchment_overlap",
    "cut_osm",
    "ferry_dependents",
    "fetch_osm",
    "from_edges",
    "from_networkx",
    "junctions",
    "load",
    "pieces",
    "read_changes",
    "read_lines",
    "read_osm",
    "read_times",
    "read_water",
    "travel_mode",
]

_WHERE = {
    "Calibration": "appraisal.calibration",
    "calibrate": "appraisal.calibration",
    "RoadNetwork": "network",
    "TravelMode": "travel_modes",
    "TravelTimes": "travel_times",
    "ferry_dependents": "appraisal.ferries",
    "fetch_osm": "read.overpass",
    "from_edges": "read.edges",
    "from_networkx": "read.graphs",
    "junctions": "network",
    "load": "network",
    "pieces": "network",
    "catchment_agreement": "catchments.agreement",
    "catchment_overlap": "catchments.overlap",
    "read_lines": "read.lines",
    "read_changes": "read.changes",
    "cut_osm": "read.osm",
    "read_osm": "read.osm",
    "read_times": "read.times",
    "read_water": "read.water",
    "travel_mode": "travel_modes",
}


def __getattr__(name: str) -> Any:
    # modules are loaded when they are asked for: readers and kernels are heavy
    if name in _WHERE:
        return getattr(import_module(f"sy_coverage.roads.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'sy_coverage.roads' has no attribute '{name}'")


def __dir__() -> list[str]:
    return list(__all__)
