"""Hold a what-if: what a planner asks of a study besides its file; the same for Python, study files, pages and desks."""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from sy_coverage._models import problems
from sy_coverage.errors import ConfigError, some
from sy_coverage.study.config.section import Money, Section

Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
FORMAT = 1
"""The version of the JSON that `Scenario.to_json` writes."""


class Added(Section):
    """A site that no list names: where it is, what it would be, and what it costs."""

    lon: Degrees
    """Degrees east, in WGS 84."""
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    """Degrees north, in WGS 84."""
    kind: str
    """One of the policy's kinds."""
    cost: Money
    """10⁴ yuan."""
    name: str = ""
    """What it is called; empty: by its kind and its unit."""
    premises: str = "new"
    """What it is made of: new, idle_school, village_office, public_building or upgrade."""
    candidate_id: str = ""
    """Its id; empty: ``added-1``, ``added-2``, …."""


class Scenario(Section):
    """What would be if: small, frozen, to and from JSON; nothing in it means the study as it is."""

    require: tuple[str, ...] = ()
    """Ids of candidates that are opened."""
    forbid: tuple[str, ...] = ()
    """Ids of candidates that are not opened."""
    close: tuple[str, ...] = ()
    """Ids of facilities that close."""
    add: tuple[Added, ...] = ()
    """Candidates that no list names."""
    sections: dict[str, dict[str, Any]] = {}
    """Further keys of the study file, by section, such as ``{"siting": {"rule": "access"}}``."""
    roads: str = ""
    """A file of changed roads."""
    times: str = ""
    """A table of minutes that is used in place of the study's."""
    made_from: str = ""
    """Digest of the results that the choice was made on, where a page or desk made it."""

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        both = sorted(set(self.require) & set(self.forbid))
        if both:
            raise ValueError(f"required and forbidden at once: {some(both)}; leave them in one of the two")
        return self

    def to_json(self) -> str:
        """Return the scenario as JSON, the same text for the same scenario; what is empty is left out."""
        held = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps({"version": FORMAT, **held}, ensure_ascii=False, sort_keys=True, indent=1)

    @classmethod
    def from_json(cls, text: str, *, source: str = "scenario") -> Scenario:
        """Return the scenario that `to_json` wrote; `source` names it in messages.

        Raises
        ------
        ConfigError
            If it is no JSON, of another version, or has keys or values that are not allowed.
        """
        try:
            held = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{source}: not valid JSON ({error})") from None
        version = held.pop("version", None) if isinstance(held, dict) else None
        if version != FORMAT:
            raise ConfigError(
                f"{source}: no scenario of version {FORMAT} (it says {version!r}); make it again"
            )
        try:
            return cls.model_validate(held)
        except ValidationError as error:
            said = (
                f"unknown key '{p.key}'" if p.kind == "extra_forbidden" else f"'{p.key}': {p.words}"
                for p in problems(error, cls, held)
            )
            raise ConfigError(f"{source}: " + "; ".join(dict.fromkeys(said))) from None
