"""Say how one target stands in one scope."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  a dataclass reads its annotations
from dataclasses import dataclass, field
from typing import Any, Literal

Basis = Literal["computed", "reported", "not_applicable", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """How one target stands in one scope; nothing is known where a field is None."""

    value: float | None
    met: bool | None
    needed: int | None
    basis: Basis = "computed"
    reason: str = ""
    """Key of the sentence, ``coverage.reason_<reason>``; empty when there is nothing to add."""
    words: Mapping[str, Any] = field(default_factory=dict)
    """What the sentence is filled with."""


def unknown(reason: str, **words: Any) -> Verdict:
    """Return that a target cannot be judged, and why: blank, never 0."""
    return Verdict(None, None, None, "unknown", reason, words)


def not_applicable(reason: str, **words: Any) -> Verdict:
    """Return that a target speaks of nothing that is here, which is neither met nor missed."""
    return Verdict(None, None, 0, "not_applicable", reason, words)
