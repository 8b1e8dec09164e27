"""List counties by need: where most elders are beyond reach today comes first."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings

COLUMNS = (
    "need", "county_id", "county", "elders", "beyond", "share_covered", "share_covered_planned", "covered", "covered_planned",
    "units_counted", "new_sites", "cost", "plan",
)  # fmt: skip


def by_need(counties: DataFrame) -> DataFrame:
    """Return the counties of findings with `beyond`, their elders beyond the cutoff today, most of them first."""
    beyond = (counties["elders"] * (1.0 - counties["share_today"].fillna(0.0))).round().clip(lower=0.0)
    ordered = counties.assign(beyond=beyond, _id=counties.index)
    return ordered.sort_values(["beyond", "_id"], ascending=[False, True]).drop(columns="_id")


def plan_words(findings: Findings, county_id: str, status: Any) -> str:
    """Return in words what became of a county's plan."""
    known = "short" if findings.falls_short(county_id) else status
    return words.of_id("plan", known, findings.language)


def counties_csv(findings: Findings, failed: Mapping[str, str]) -> bytes:
    """Return the table of counties by need as CSV in UTF-8 with BOM; those that `failed` come last, with the reason."""
    money = words.common(findings)["in_money"]
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(
        [fmt.inert(labels.text(f"outputs.counties_{c}", findings.language, in_money=money)) for c in COLUMNS]
    )
    for rank, (county_id, row) in enumerate(by_need(findings.counties).iterrows(), start=1):
        cells = [
            rank, county_id, row["county"], row["elders"], row["beyond"], row["share_today"], row["share_planned"],
            row["covered_today"], row["covered_planned"], row["counted"], row["new_sites"], row["cost"],
            plan_words(findings, str(county_id), row["status"]),
        ]  # fmt: skip
        write.writerow([_cell(value) for value in cells])
    for county_id, reason in failed.items():
        write.writerow(["", fmt.inert(county_id), *[""] * (len(COLUMNS) - 3), fmt.inert(fmt.plain(reason))])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if not fmt.known(value) or isinstance(value, str):
        return fmt.inert(value)
    number = round(float(value), 4)
    return str(int(number)) if number.is_integer() else repr(number)
