"""Look up what `[compare]` of a study file may say."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sy_coverage.study.config.section import Section


class Compare(Section):
    """`[compare]`: what stands beside each proposal, for those who must choose."""

    trade_off_points: int = Field(default=12, ge=0, le=60)
    """How many points the curve of cost against coverage has, at most; 0: no curve."""
    cutoff_factors: tuple[Annotated[float, Field(gt=0, le=2)], ...] = (0.8, 1.2)
    """The plan is solved again with travel-time limits this many times as long."""
    rule: bool = True
    """Whether it is solved again with the other rule: access for presence, or presence."""
    scope: bool = True
    """Whether the whole city is solved again with the other scope of the coverage rates; not where money is limited."""
    closures: bool = True
    """Whether each centre in turn is taken to close."""
    time_limit_s: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    """Seconds a county's curve may take; one cut short has fewer points."""
