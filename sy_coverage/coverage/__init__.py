"""Measure what is reached today: presence and access by unit, accessibility, equity, and the scorecard."""

from sy_coverage.coverage.counting import counting, county_of, upgraded
from sy_coverage.coverage.scorecard import scorecard
from sy_coverage.coverage.units import (
    coverage_by_county,
    coverage_by_unit,
    elders_of,
    missing_functions,
    open_on,
    reached,
)

__all__ = [
    "counting",
    "county_of",
    "coverage_by_county",
    "coverage_by_unit",
    "elders_of",
    "missing_functions",
    "open_on",
    "reached",
    "scorecard",
    "upgraded",
]
