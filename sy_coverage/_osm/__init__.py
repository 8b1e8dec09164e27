"""Stream through an OpenStreetMap file, whatever the order it is in, and keep what is asked for: ways, areas or points."""

from sy_coverage._osm.cut import cut_ways
from sy_coverage._osm.features import read_areas, read_points, read_shapes
from sy_coverage._osm.opened import DEGREE, SUFFIXES, Answer, as_xml, is_osm, merged, require_osm
from sy_coverage._osm.ways import Restriction, Ways, kept_ways, read_ways

__all__ = [
    "DEGREE", "SUFFIXES", "Answer", "Restriction", "Ways", "as_xml", "cut_ways", "is_osm", "kept_ways", "merged", "read_areas", "read_points", "read_shapes",
    "read_ways", "require_osm",
]  # fmt: skip
