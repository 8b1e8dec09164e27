"""Read what OpenStreetMap tags say: who may pass, which way and when, how fast, in what condition a road is."""

from sy_coverage.roads.read.tags.access import (
    directions,
    entry,
    fits,
    is_barred,
    is_ends_only,
    is_private,
    is_undone,
    may_pass,
)
from sy_coverage.roads.read.tags.condition import Condition, condition
from sy_coverage.roads.read.tags.hours import CONDITIONAL, holds, holds_now, in_force, old_hours
from sy_coverage.roads.read.tags.numbers import duration_min, maxspeed_kph, metres
from sy_coverage.roads.read.tags.speed import LEVEL, WANTED, Pace, pace

__all__ = [
    "CONDITIONAL", "LEVEL", "WANTED", "Condition", "Pace", "condition", "directions", "duration_min", "entry", "fits", "holds", "holds_now",
    "in_force", "is_barred", "is_ends_only", "is_private", "is_undone", "maxspeed_kph", "may_pass", "metres", "old_hours", "pace",
]  # fmt: skip
