"""Look up what `[access]` of a study file may say."""

from __future__ import annotations

from sy_coverage.study.config.section import Minutes, Mode, Section, UnitKind


class Reach(Section):
    """How elders travel to a kind of facility, and how far."""

    mode: Mode | None = None
    """How elders travel."""
    cutoff_min: dict[UnitKind, Minutes] = {}
    """Minutes within which a facility counts as in reach, by the class of the elder's unit."""


class Access(Reach):
    """`[access]`: overrides what the policy says of how far service centres reach, and (`kinds`) other kinds."""

    beside: tuple[Mode, ...] = ()
    """Modes that are counted beside the one that counts: the share of elders within the cutoff on foot, by e-bike."""
    kinds: dict[str, Reach] = {}
    """The same for other kinds of facilities: ``[access.kinds.meal_point]``."""
