"""Say how coverage fades with travel: whole up to one cutoff, less beyond, nothing past the last."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sy_coverage.errors import InputError
from sy_coverage.roads.travel_times import SLACK_MIN, within_cutoff

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Decay(Protocol):
    """Anything that turns minutes into a share of coverage that never rises with minutes."""

    def share(self, minutes: Any, cutoff: float) -> Floats:
        """Return the share of coverage, 0…1, for each of `minutes`."""
        ...


@dataclass(frozen=True)
class LinearDecay:
    """Coverage is whole up to `full` minutes and falls on a straight line to nothing at the cutoff.

    Raises
    ------
    InputError
        If `full` is NaN, infinite or negative; or, when used, not below the cutoff.
    """

    full: float

    def __post_init__(self) -> None:
        """Refuse a number of minutes that is none."""
        if not 0 <= self.full < np.inf:
            raise InputError(f"full={self.full}: must be a number of minutes, 0 or more")

    def share(self, minutes: Any, cutoff: float) -> Floats:
        """Return 1 up to `full`, then (cutoff − minutes) / (cutoff − full), 0 from the cutoff on."""
        if not self.full < cutoff < np.inf:
            raise InputError(f"full={self.full:g}: must lie below the cutoff, {cutoff:g}")
        return np.clip((cutoff - np.asarray(minutes, dtype=np.float64)) / (cutoff - self.full), 0.0, 1.0)


@dataclass(frozen=True)
class StepDecay:
    """Coverage is a share for each step of minutes: ``StepDecay(((10, 1.0), (20, 0.5)))``, nothing past the last.

    Raises
    ------
    InputError
        If minutes do not rise, or shares do not fall or lie outside 0…1.
    """

    steps: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        """Refuse steps that are none."""
        minutes, shares = [m for m, _ in self.steps], [s for _, s in self.steps]
        rising = all(a < b for a, b in pairwise(minutes))
        falling = all(a >= b for a, b in pairwise(shares))
        if (
            not self.steps
            or not rising
            or not falling
            or not all(0 <= s <= 1 for s in shares)
            or not minutes[0] >= 0
        ):
            raise InputError("steps: minutes must rise, and shares fall from at most 1 to at least 0")

    def share(self, minutes: Any, cutoff: float) -> Floats:
        """Return the share of the first step that `minutes` do not pass, 0 past the last step or the cutoff."""
        asked = np.asarray(minutes, dtype=np.float64)
        limits = np.array([m for m, _ in self.steps])
        shares = np.array([*(s for _, s in self.steps), 0.0])
        return np.where(within_cutoff(asked, cutoff), shares[np.searchsorted(limits + SLACK_MIN, asked)], 0.0)
