"""Tell what it costs that every county meets the rates by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage.siting.compare.side_by_side import summary
from sy_coverage.siting.planning import plan_case
from sy_coverage.siting.planning.explain.sites import case_of
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.siting.plan import SitingPlan


def scope_price(plan: SitingPlan, *, options: highs.SolveOptions | None = None) -> DataFrame:
    """Return what it costs that every county meets the coverage rates by itself, against the rates over all units at once.

    Returns
    -------
    prices
        Indexed by `scope` (``county``, ``city``): `status`, `cost`, `new_sites`, `elders_covered`, `sites`; the
        difference of the two costs is the price of the county rule.

    Raises
    ------
    InputError
        If the plan is none of `policy_plan`.
    """
    case = case_of(plan)
    rows = []
    for scope in ("county", "city"):
        other = plan_case(case.but(scope=scope), options=options or highs.SolveOptions())
        rows.append({"scope": scope, "status": other.status, **summary(other)})
    return pd.DataFrame(rows).set_index("scope")
