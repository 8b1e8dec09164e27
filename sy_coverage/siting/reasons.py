"""Hold reasons and findings as one frame of ids and numbers, and say them in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import labels
from sy_coverage.policy.targets import CITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pandas import DataFrame

    from sy_coverage.labels import Language
    from sy_coverage.policy import Policy

Row = dict[str, Any]

COLUMNS = ["reason_id", "subject", "value", "other", "whole", "target_id", "target", "scope_id", "places"]
"""Columns of every frame of reasons: what is said, of which id, with which two numbers (of a rate also of how many units),
for which target (its name in both languages) and place, naming which further ids."""

OF_UNITS = frozenset({"target_fails_without", "left_out_not_needed", "left_out_budget", "left_out_short"})
"""Reasons that speak of a rate as a rate, with the number of units behind it."""


def reason_frame(rows: Iterable[Row], *, policy: Policy, index: str | None = None) -> DataFrame:
    """Return `rows` as a frame of reasons with the names of their targets, indexed by the column `index` if one is named."""
    columns = COLUMNS if index is None else [index, *COLUMNS]
    frame = pd.DataFrame(list(rows), columns=columns)
    names = {k: about.name for k, about in policy.kinds.items()} | {t.id: t.name for t in policy.targets}
    frame["target"] = pd.Series([names.get(t) for t in frame["target_id"]], index=frame.index, dtype=object)
    frame["places"] = pd.Series(
        [p if isinstance(p, tuple) else () for p in frame["places"]], index=frame.index, dtype=object
    )
    for column in ("value", "other", "whole"):
        frame[column] = pd.to_numeric(frame[column]).astype("float64")
    for column in ("subject", "target_id", "scope_id"):
        frame[column] = frame[column].astype(object).where(frame[column].notna(), "")
    return frame if index is None else frame.set_index(index)


def sentences(
    frame: DataFrame,
    language: Language = "zh",
    *,
    names: Mapping[str, str] | None = None,
    money: str | None = None,
) -> DataFrame:
    """Return a frame of reasons or findings with a column `sentence` in `language`.

    Parameters
    ----------
    frame
        What `plan.why()` returned, or `plan.findings`.
    language
        Language of the sentences: ``zh`` or ``en``.
    names
        Names by id of units, counties, facilities and candidates; an id without one is said as it is.
    money
        In what costs are counted, such as ``kCHF``; empty: not said. None: 10⁴ yuan.

    Raises
    ------
    ConfigError
        If a reason has no label.
    """
    known = {CITY: labels.text("siting.whole_area", language), **(names or {})}
    of_money, said = _of_money(money, language), []
    for row in frame.reset_index().to_dict("records"):
        target = row.get("target")
        places = [known.get(p, str(p)) for p in row.get("places") or ()]
        said.append(
            labels.text(
                f"siting.{_label(row, in_yuan=money is None)}",
                language,
                money=of_money,
                name=known.get(row.get("site_id", ""), row.get("site_id", "")),
                subject=known.get(row["subject"], row["subject"]),
                value=_value(row, in_yuan=money is None),
                other=row.get("other"),
                whole=row.get("whole"),
                share=_share(row),
                amount=_amount(row.get("value")),
                other_amount=_amount(row.get("other")),
                target=labels.pick(target, language) if isinstance(target, dict) else "",
                scope=known.get(row.get("scope_id", ""), row.get("scope_id", "")),
                places=labels.first(places, language, most=12),
            )
        )
    return frame.assign(sentence=pd.Series(said, index=frame.index, dtype=object))


def _amount(value: float | None) -> str:
    """Return a cost with one decimal, or with none where it is whole."""
    return "" if value is None else f"{value:,.1f}".removesuffix(".0")


def _share(row: Mapping[str, Any]) -> float | None:
    """Return the rate that a number of units is of all that count; None where no rate is spoken of."""
    whole, value = row.get("whole"), row.get("value")
    return value / whole if whole and value is not None else None


def _of_money(money: str | None, language: Language) -> str:
    """Return what stands behind a cost: `` 万元``, `` × 10⁴ yuan``, `` kCHF``, or nothing."""
    if money is None:
        money = labels.text("siting.money", language)
    sign = " × " if language == "en" and money[:1].isdigit() else " "
    return f"{sign}{money}" if money else ""


def _value(row: Mapping[str, Any], *, in_yuan: bool) -> float | None:
    """Return the number of a reason; what is counted in yuan, in whatever costs are counted in."""
    value = row.get("value")
    return (
        value / 10_000
        if value is not None and row["reason_id"] == "cost_per_elder" and not in_yuan
        else value
    )


def _label(row: Mapping[str, Any], *, in_yuan: bool) -> str:
    """Return the key of a reason's label; where no elder comes within the travel time, that of what the site does instead."""
    if row["reason_id"] == "cost_per_elder" and not in_yuan:
        return "cost_per_elder_of_money"
    if row["reason_id"] in OF_UNITS and (row.get("whole") or 0) > 0:
        return f"{row['reason_id']}_of_units"
    if row["reason_id"] != "elders_gained" or row.get("value") != 0:
        return str(row["reason_id"])
    if row.get("places"):
        return "elders_gained_unit"
    return "elders_gained_nearer" if (row.get("other") or 0.0) > 0 else "elders_gained_none"
