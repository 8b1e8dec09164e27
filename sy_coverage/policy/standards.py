"""Count against a share exactly: how many units a rate asks for, and whether a part of a whole reaches it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from sy_coverage.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

ROUNDING = Fraction(1, 10**9)
"""So much of a whole a part may lack before it is short: elders carried ahead by a growth are sums of rounded numbers."""


def exact(share: float | Decimal | Fraction | str) -> Fraction:
    """Return `share` as the fraction it is written as: 0.65 is 13/20, not the nearest binary number.

    Raises
    ------
    InputError
        If `share` is no number between 0 and 1; 65 is refused with the hint 0.65.
    """
    try:
        value = share if isinstance(share, Fraction) else Fraction(str(share))
    except ValueError:
        raise InputError(f"share {share!r}: must be a number between 0 and 1, such as 0.65") from None
    if not 0 <= value <= 1:
        hint = f"; write {float(value / 100):g} for {float(value):g} %" if 1 < value <= 100 else ""
        raise InputError(f"share {share}: must lie between 0 and 1{hint}")
    return value


def units_needed(share: float | Decimal | Fraction | str, n: int) -> int:
    """Return ⌈share·n⌉, how many of `n` units a rate of `share` asks for: 65 % of 20 is 13, of 1 is 1.

    Raises
    ------
    InputError
        If `share` is not between 0 and 1, or `n` is negative.
    """
    if n < 0:
        raise InputError(f"{n} units: a number of units is 0 or more")
    return math.ceil(exact(share) * int(n))


def reaches_share(part: float, whole: float, share: float | Decimal | Fraction | str) -> bool:
    """Return whether `part` is at least `share` of `whole`; of a whole of 0 it always is.

    Exactly, but for a billionth of the whole: the same growth on every point must not turn a unit that stands at the share.
    """
    return Fraction(float(part)) >= (exact(share) - ROUNDING) * Fraction(float(whole))


def exact_sum(values: Iterable[float]) -> Fraction:
    """Return the sum of numbers as they are written: three times 0.1 is 3/10, not the nearest binary number."""
    return sum((Fraction(repr(float(value))) for value in values), Fraction(0))
