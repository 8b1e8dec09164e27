"""Set two studies side by side, or one study under two settings: which sites both open, what differs, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.study.answers import Answers

COLUMNS = ["name", "kind", "unit_id", "county_id", "cost"]


def side_by_side(one: Answers, other: Answers) -> DataFrame:
    """Return the sites that two studies open, with what each comes to.

    Returns
    -------
    comparison
        Indexed by `site_id`, sorted: `name`, `kind`, `unit_id`, `county_id`, `cost` (10⁴ yuan, as the first study that opens it
        says), `in_one`, `in_other`. `.attrs["totals"]` is a frame indexed by `study` (``one``, ``other``): `name`, `sites`,
        `cost` (of the sites), `elders_covered`, `targets_met` and `targets_missed` (lines of the scorecard), `shared` (sites).
    """
    chosen = {s for study in (one, other) for s in study.chosen}
    rows = pd.concat([s.candidates.loc[list(s.chosen), COLUMNS] for s in (one, other)])
    frame = pd.DataFrame(rows[~rows.index.duplicated()]).loc[sorted(chosen)].rename_axis("site_id")
    frame["in_one"], frame["in_other"] = frame.index.isin(one.chosen), frame.index.isin(other.chosen)
    shared = int((frame["in_one"] & frame["in_other"]).sum())
    totals = []
    for study in (one, other):
        met = study.scorecard["met_planned"].astype("boolean")
        totals.append(
            {
                "name": study.config.study.name,
                "sites": len(study.chosen),
                "cost": float(study.candidates.loc[list(study.chosen), "cost"].sum()),
                "elders_covered": float(study.coverage_planned["elders_covered"].sum()),
                "targets_met": int(met.fillna(value=False).sum()),
                "targets_missed": int(met.eq(other=False).fillna(value=False).sum()),
                "shared": shared,
            }
        )
    frame.attrs["totals"] = pd.DataFrame(totals, index=pd.Index(["one", "other"], name="study"))
    return frame
