"""Say in one sentence whom no road reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sy_coverage import labels

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.labels import Language

ROADLESS = ("stub", "too_far", "not_in_table")
"""The notes of the ways to the road that say there is none to go: see `Findings.access_legs`."""


def sentence(legs: DataFrame, language: Language) -> str | None:
    """Return a sentence that names whom no road of the file reaches, or None where there is nobody."""
    lost = legs[legs["note"].isin(ROADLESS)].sort_values("elders", ascending=False, kind="stable")
    if lost.empty:
        return None
    names = lost["name"].where(lost["name"].notna(), lost.index.to_series().astype(str))
    return labels.text(
        "study.not_in_table" if (lost["note"] == "not_in_table").all() else "study.roadless",
        language,
        count=f"{len(lost):,}",
        elders=f"{lost['elders'].sum():,.0f}",
        names=labels.first(names, language),
    )
