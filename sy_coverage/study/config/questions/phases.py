"""Look up what `[phases]` of a study file may say."""

from __future__ import annotations

from pydantic import Field, model_validator

from sy_coverage.study.config.section import Money, Section


class Phase(Section):
    """`[phases]`: what one year may spend or open."""

    budget: Money | None = None
    """10⁴ yuan in this year."""
    sites: int | None = Field(default=None, ge=0)
    """New sites in this year."""
    counties: dict[str, Money] = {}
    """10⁴ yuan in this year by county, by code or name, beside the budget of all."""

    @model_validator(mode="after")
    def _bounded(self) -> Phase:
        if self.budget is None and self.sites is None and not self.counties:
            raise ValueError("give a budget or a number of sites")
        return self
