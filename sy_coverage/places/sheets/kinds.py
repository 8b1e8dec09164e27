"""Tell what kind of facility a cell or a name speaks of, by the words that the policy has for its kinds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sy_coverage.places.sheets import words
from sy_coverage.policy import load_policy

if TYPE_CHECKING:
    from sy_coverage.policy import Policy

UNKNOWN = "unknown"
"""The kind of a row that tells none: it is kept, and counts for nothing until somebody says what it is."""
SHIPPED = "shaoyang_2025"
"""Whose words stand in for a kind of the same id that has none, and for no policy at all."""


@cache
def shipped_words() -> dict[str, tuple[str, ...]]:
    """Return the words of every kind of the shipped policy, its names among them."""
    return {kind: _words(rule.name, rule.words) for kind, rule in load_policy(SHIPPED).kinds.items()}


def _words(names: dict[str, str], known: tuple[str, ...]) -> tuple[str, ...]:
    """Return names, of those that list several (失智照护服务机构、认知障碍照护专区) each part, and the further words."""
    every = list(names.values())
    parts = [part for name in every if "、" in name for part in name.split("、")]
    return (*every, *parts, *known)


@dataclass(frozen=True)
class KindWords:
    """The words for every kind that is allowed, and which of them make a name speak of care."""

    of_cells: dict[str, tuple[str, ...]]
    of_names: dict[str, tuple[str, ...]]
    default: str
    """The kind that a policy's coverage rates count."""

    @classmethod
    def of(cls, policy: Policy | None) -> KindWords:
        """Return the words of a policy's kinds; without one, those of the shipped policy."""
        policy = policy or load_policy(SHIPPED)
        shipped = shipped_words()
        cells = {
            kind: _words(rule.name, rule.words or shipped.get(kind, ()))
            for kind, rule in policy.kinds.items()
        }
        care = _care()
        names = {kind: tuple(word for word in known if care.search(word)) for kind, known in cells.items()}
        return cls(cells, names, policy.coverage_kind)

    def of_cell(self, text: str) -> tuple[str | None, bool]:
        """Return the kind that a cell for kinds means, and whether it says so exactly."""
        return words.choice(text, self.of_cells)

    def of_name(self, name: str) -> str | None:
        """Return the kind that a facility's name tells, if it says care; a shop, a car park or a gate is of none."""
        if is_no_facility(name) or not _care().search(words.plain(name)):
            return None
        return words.choice(name, self.of_names)[0]


@cache
def _care() -> re.Pattern[str]:
    return re.compile("|".join(words.table()["words"]["care"]))


@cache
def _no_facility() -> tuple[re.Pattern[str], re.Pattern[str]]:
    known = words.table()["words"]
    gates = "|".join(known["gates"])
    return re.compile("|".join(known["no_facility"])), re.compile(rf"[-－—(（·\s]?(?:{gates})[)）]?$")


def is_no_facility(name: str) -> bool:
    """Return whether a name is that of something beside or at the gate of a facility, or for animals or cars."""
    inside, ending = _no_facility()
    return bool(inside.search(name) or ending.search(name))


@cache
def _ownership() -> frozenset[str]:
    return frozenset(words.plain(word) for word in words.table()["words"]["ownership"])


def says_ownership(cell: str) -> bool:
    """Return whether a cell says who owns or runs a home (公办, 民办), which is no kind."""
    return words.plain(cell) in _ownership()
