"""Bring in who and what is where: units, facilities, candidates and demand, with every doubt said."""

from sy_coverage._files import Limits
from sy_coverage.places.facilities import read_candidates, read_facilities
from sy_coverage.places.ground.coordinates import from_wgs84, to_wgs84
from sy_coverage.places.locating.doubts import doubts
from sy_coverage.places.locating.gazetteer import Gazetteer, gazetteer
from sy_coverage.places.locating.geocode import assign_units, geocode
from sy_coverage.places.locating.providers import provider
from sy_coverage.places.people.by_name import placed_by_name
from sy_coverage.places.people.census import Census, by_census, read_census
from sy_coverage.places.people.cohorts import cohort_factors, project_cohorts, read_cohorts
from sy_coverage.places.people.settlement import read_raster, read_settled, unit_points
from sy_coverage.places.people.spread import project, spread
from sy_coverage.places.premises import read_areas, read_osm_premises
from sy_coverage.places.sheets.sources import ListFile
from sy_coverage.places.units import read_units
from sy_coverage.places.villages import read_demand
from sy_coverage.places.works import MILESTONES, quarter_of, read_works

__all__ = [
    "MILESTONES",
    "Census",
    "Gazetteer",
    "Limits",
    "ListFile",
    "assign_units",
    "by_census",
    "cohort_factors",
    "doubts",
    "from_wgs84",
    "gazetteer",
    "geocode",
    "placed_by_name",
    "project",
    "project_cohorts",
    "provider",
    "quarter_of",
    "read_areas",
    "read_candidates",
    "read_census",
    "read_cohorts",
    "read_demand",
    "read_facilities",
    "read_osm_premises",
    "read_raster",
    "read_settled",
    "read_units",
    "read_works",
    "spread",
    "to_wgs84",
    "unit_points",
]


def __dir__() -> list[str]:
    return list(__all__)
