"""Write SOURCE.md: what is in the sample, from where, how, how good, and what is real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Facts:
    """What the build counted."""

    counties_agree: tuple[float, float]
    positions: dict[str, int]
    boxes: int
    roads: Any
    lonely: list[str]
    places: list[Any]
    candidates: list[Any]
    units: Any


def text(facts: Facts) -> str:
    """Return SOURCE.md."""
    return "# Sources\n"
