"""Hold a what-if: what a planner asks of a study besides its file; the same for Python, study files, pages and desks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError, model_validator

from sy_coverage._models import problems
from sy_coverage.errors import ConfigError, some
from sy_coverage.study.config.inputs.candidates import Added
from sy_coverage.study.config.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import BaseModel

FORMAT = 1
"""The version of the JSON that `Scenario.to_json` writes."""


class Scenario(Section):
    """What would be if: small, frozen, to and from JSON; nothing in it means the study as it is."""

    require: tuple[str, ...] = ()
    """Candidates that are opened, by id or name."""
    forbid: tuple[str, ...] = ()
    """Candidates that are not opened, by id or name."""
    close: tuple[str, ...] = ()
    """Facilities that close, by id or name."""
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

    def changes(self, before: Mapping[str, tuple[Any, ...]]) -> dict[str, dict[str, Any]]:
        """Return the keys of a study file that make the scenario, by section.

        `before` is what the file already requires, forbids, closes and adds, by the names of these fields: the scenario comes
        on top of it, and what it requires is no longer forbidden, nor the other way round.
        """
        sections = {name: dict(keys) for name, keys in self.sections.items()}

        def lay(section: str, key: str, value: tuple[Any, ...]) -> None:
            if value != before[key]:
                sections.setdefault(section, {}).setdefault(key, value)

        opened = (*before["require"], *self.require)
        shut = (*before["forbid"], *self.forbid)
        lay("siting", "require", _once(i for i in opened if i not in self.forbid))
        lay("siting", "forbid", _once(i for i in shut if i not in self.require))
        lay("facilities", "close", _once((*before["close"], *self.close)))
        lay(
            "candidates", "add", (*before["add"], *(site.model_dump(exclude_unset=True) for site in self.add))
        )
        if self.roads:
            sections.setdefault("roads", {}).setdefault("changes", self.roads)
        if self.times:
            sections.setdefault("times", {}).setdefault("table", self.times)
        return sections

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
            raise ConfigError(f"{source}: {'; '.join(sentences(error, cls, held))}") from None


def sentences(error: ValidationError, model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, None]:
    """Return what is wrong with `given`, each once."""
    return dict.fromkeys(
        f"unknown key '{p.key}'" if p.kind == "extra_forbidden" else f"'{p.key}': {p.words}"
        for p in problems(error, model, given)
    )


def _once(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
