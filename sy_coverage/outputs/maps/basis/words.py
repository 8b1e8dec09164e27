"""Write the numbers and short words of a map's popups, each in the language of the findings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import labels
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.policy.targets import Policy


def is_missing(value: Any) -> bool:
    """Return whether a cell holds nothing: None, NaN, NA, NaT or empty text."""
    if isinstance(value, str):
        return not value
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def is_yes(value: Any) -> bool:
    """Return whether a cell says yes; one that holds nothing does not."""
    return not is_missing(value) and bool(value)


@dataclass(frozen=True)
class Words:
    """Labels and numbers in one language; what is missing stays None, so that a popup leaves its row out."""

    language: labels.Language
    policy: Policy
    common: Mapping[str, str]
    """What every label may be filled with."""

    @classmethod
    def of(cls, findings: Findings) -> Words:
        """Return the words of `findings`."""
        return cls(findings.language, findings.policy, words.common(findings))

    def say(self, key: str, **values: object) -> str:
        """Return the label ``maps.<key>``."""
        return labels.text(f"maps.{key}", self.language, **{**self.common, **values})

    def unit(self, kind: str, *, many: bool = False) -> str:
        """Return what one unit of a class, or several of them, are called."""
        name = words.unit_name(self.policy, kind, self.language, many=many)
        return name[:1].upper() + name[1:] if many else name

    def fields(self, keys: Iterable[str]) -> list[str]:
        """Return the labels of popup rows, ``maps.field_<key>`` each; that of the centre is the policy's name for it."""
        centre = self.kind(self.policy.coverage_kind) or ""
        return [centre if key == "centre" else self.say(f"field_{key}") for key in keys]

    @property
    def elders_field(self) -> str:
        """Return the key of the row for elders, by the column that the policy's reading counts."""
        return str(self.policy.readings.elders)

    def kind(self, kind: object) -> str | None:
        """Return the name of a kind of facility; the id itself where the policy does not know it."""
        if is_missing(kind):
            return None
        known = self.policy.kinds.get(str(kind))
        return known.name[self.language] if known is not None else str(kind)

    def word(self, prefix: str, value: object) -> str | None:
        """Return the label ``maps.<prefix>_<value>``, or the value itself where there is no such label."""
        if is_missing(value):
            return None
        known = f"maps.{prefix}_{value}" in labels.catalogue()
        return self.say(f"{prefix}_{value}") if known else str(value)

    def text(self, value: object) -> str | None:
        """Return text as it is, several sentences joined."""
        if isinstance(value, list | tuple):
            return " ".join(str(v) for v in value) or None
        return None if is_missing(value) else str(value)

    def count(self, value: Any) -> str | None:
        """Return a whole number with thousands separated."""
        return None if is_missing(value) else f"{round(float(value)):,}"

    def number(self, value: Any) -> str | None:
        """Return a number with at most one decimal."""
        return None if is_missing(value) else f"{float(value):,.1f}".removesuffix(".0")

    def minutes_or_beyond(self, value: Any) -> str:
        """Return minutes; where no facility was found within the time that was computed, say so."""
        known = not is_missing(value) and math.isfinite(float(value))
        return str(self.number(value)) if known else self.say("beyond")

    def share(self, value: Any) -> str | None:
        """Return a share of 0..1 in per cent; short of everything never reads 100 %, above nothing never 0 %."""
        if is_missing(value):
            return None
        percent = float(value) * 100
        shown = min(max(round(percent, 1), 0.1 if percent > 0 else 0.0), 99.9 if percent < 100 else 100.0)
        return f"{shown:.1f}%"

    def change(self, today: str | None, plan: str | None) -> str | None:
        """Return what is true today and with the plan as ``today → plan``; once where both are the same."""
        if today == plan:
            return today
        unknown = self.say("unknown")
        return f"{today or unknown} → {plan or unknown}"

    def yes_no(self, value: Any) -> str | None:
        """Return yes or no."""
        return None if is_missing(value) else self.say("yes" if is_yes(value) else "no")

    def year(self, value: Any) -> str | None:
        """Return a year as a label."""
        return None if is_missing(value) else self.say("state_year", year=int(value))

    def day(self, value: Any) -> str | None:
        """Return a date as YYYY-MM-DD."""
        return None if is_missing(value) else pd.Timestamp(value).date().isoformat()
