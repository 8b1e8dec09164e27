"""Bring in who and what is where: units, facilities, candidates and demand, with every doubt said."""

from sy_coverage.places.addresses import Gazetteer, gazetteer
from sy_coverage.places.boundaries import read_units
from sy_coverage.places.coordinates import from_wgs84, to_wgs84
from sy_coverage.places.demand import read_demand
from sy_coverage.places.facilities import read_candidates, read_facilities
from sy_coverage.places.geocode import assign_units, geocode
from sy_coverage.places.population import project, spread
from sy_coverage.places.providers import provider
from sy_coverage.places.quality import doubts

__all__ = [
    "Gazetteer",
    "assign_units",
    "doubts",
    "from_wgs84",
    "gazetteer",
    "geocode",
    "project",
    "provider",
    "read_candidates",
    "read_demand",
    "read_facilities",
    "read_units",
    "spread",
    "to_wgs84",
]
