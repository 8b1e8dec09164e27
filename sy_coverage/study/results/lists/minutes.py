"""Say of a table of minutes which of its ids the study does not know, and which of the study's it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sy_coverage import labels

if TYPE_CHECKING:
    from sy_coverage.study.answers import Answers


def unknown_ids(study: Answers) -> list[str]:
    """Return a sentence for the ids of the table that the study does not know, and one for the villages and sites it does not speak of."""
    known = study.known_minutes
    if known is None:
        return []
    frames = (study.facility_rows, study.candidate_rows)
    villages = {str(i) for i in study.demand.index}
    sites = {str(i) for frame in frames for i in frame.index}
    asked = {
        # homes are asked for from each other: they may stand on either side
        "times_from_unknown": known.origin_ids - villages - sites,
        "times_to_unknown": known.target_ids - sites,
        "times_without_villages": villages - known.origin_ids,
    }
    return [
        study.words(
            f"study.{what}",
            count=f"{len(ids):,}",
            names=labels.first(sorted(ids), study.config.study.language),
        )
        for what, ids in asked.items()
        if ids
    ]
