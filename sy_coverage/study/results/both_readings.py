"""Say what changes if facilities that only their names call so do not count: the numbers, and what the plan costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import labels

if TYPE_CHECKING:
    from sy_coverage.study.answers import Answers

COLUMNS = ("scope_id", "what", "counted", "not_counted")
COST = "cost"


def both_readings(study: Answers) -> pd.DataFrame:
    """Return what differs between counting the facilities of `name_only` and not: columns COLUMNS.

    `what` is the id of a target, or ``cost``: what the plan of a county costs (10⁴ yuan), for counties where such a row is of
    a kind that a coverage rate counts.
    """
    names = study.name_only
    if not names:
        return pd.DataFrame(columns=list(COLUMNS))
    sure = study.heir(sure_only=True)
    both = study.scorecard_today[["value"]].assign(value_sure=sure.scorecard_today["value"])
    apart = both[(both["value"] - both["value_sure"]).abs() > 0]
    found = [
        (scope_id, target_id, row.value, row.value_sure)
        for (target_id, scope_id), row in zip(apart.index, apart.itertuples(), strict=True)
    ]
    rows = study.facilities.loc[[one for one in names if one in study.facilities.index]]
    of_rates = rows[rows["kind"].isin(study.policy.covered_kinds)]
    counties = sorted(set(of_rates["county_id"].dropna()) & set(study.scopes))
    found += [(one, COST, _cost(study, one), _cost(sure, one)) for one in counties]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _cost(study: Answers, county_id: str) -> float:
    sites = study.propose(county_id).best.sites
    return float(study.candidates["cost"].reindex(list(sites)).sum())


def notice(study: Answers) -> str:
    """Return the sentence about both readings for every output, or nothing where no row rests on its name alone."""
    language = study.config.study.language
    table = both_readings(study)
    if table.empty:
        return ""
    targets = {target.id: target for target in study.policy.targets}
    parts = []
    for one in table.itertuples():
        place = study.counties.get(one.scope_id, labels.pick(study.policy.area, language))
        target = targets.get(one.what)
        name = (
            labels.text("study.plan_cost", language) if target is None else labels.pick(target.name, language)
        )
        is_share = target is not None and target.rule.startswith("share")
        values = [f"{v:.1%}" if is_share else f"{v:,.6g}" for v in (one.counted, one.not_counted)]
        parts.append(
            labels.text(
                "study.both_readings", language, place=place, what=name, counted=values[0], other=values[1]
            )
        )
    rows = study.facility_rows["name"].reindex(list(study.name_only))
    return labels.text(
        "study.name_only",
        language,
        count=len(rows),
        names=labels.first(rows.astype(str), language),
        parts=labels.joined(parts, language),
    )
