"""Say why each site is in a plan, why a unit is left out, and what is left if a site closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.siting._policy_case import Case
    from sy_coverage.siting._solver import SolveOptions
    from sy_coverage.siting.policy_plan import Solved


def reasons(case: Case, solved: Solved, options: SolveOptions) -> DataFrame:
    return pd.DataFrame()


def left_out(case: Case, solved: Solved) -> DataFrame:
    return pd.DataFrame()


def closures(case: Case, solved: Solved) -> DataFrame:
    return pd.DataFrame()
