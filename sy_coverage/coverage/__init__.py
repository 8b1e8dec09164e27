"""Measure what is reached today: presence and access by unit, accessibility, equity, and the scorecard."""

from sy_coverage.coverage.accessibility import (
    cumulative_opportunities,
    enhanced_two_step_fca,
    gravity,
    nearest_k,
    three_step_fca,
    two_step_fca,
)
from sy_coverage.coverage.counting import (
    Claims,
    claims,
    counting,
    county_of,
    lies_in,
    served_by,
    serves_some,
    upgraded,
    with_inherited,
    without_rebuilt,
)
from sy_coverage.coverage.equity import equity_table, gap, gini, lorenz, palma, theil
from sy_coverage.coverage.scorecard import scorecard
from sy_coverage.coverage.units import (
    coverage_by_county,
    coverage_by_unit,
    cutoffs_of,
    elders_of,
    indicator_table,
    missing_functions,
    open_on,
    reached,
)

__all__ = [
    "Claims",
    "claims",
    "counting",
    "county_of",
    "coverage_by_county",
    "coverage_by_unit",
    "cumulative_opportunities",
    "cutoffs_of",
    "elders_of",
    "enhanced_two_step_fca",
    "equity_table",
    "gap",
    "gini",
    "gravity",
    "indicator_table",
    "lies_in",
    "lorenz",
    "missing_functions",
    "nearest_k",
    "open_on",
    "palma",
    "reached",
    "scorecard",
    "served_by",
    "serves_some",
    "theil",
    "three_step_fca",
    "two_step_fca",
    "upgraded",
    "with_inherited",
    "without_rebuilt",
]


def __dir__() -> list[str]:
    return list(__all__)
