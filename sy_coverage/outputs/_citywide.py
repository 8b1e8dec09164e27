"""Write into a proposal what is decided over the whole city: beds to turn into nursing beds, demonstration sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.outputs import _format as fmt
from sy_coverage.outputs import _words as words

if TYPE_CHECKING:
    from sy_coverage.outputs._document import Writer
    from sy_coverage.outputs.findings import Findings


def add(findings: Findings, writer: Writer) -> None:
    """Add the tables of conversions and demonstration sites of this scope, where there are any."""
    _conversions(findings, writer)
    _demonstration(findings, writer)


def _conversions(findings: Findings, writer: Writer) -> None:
    table = findings.extras.get("conversions")
    if table is None or table.empty:
        return
    writer.heading(2, "section_conversions")
    writer.paragraph(
        "intro_conversions",
        beds=fmt.number(table["convert"].astype(float).sum()),
        cost=fmt.money([table["cost"].sum()])[0],
    )
    columns: list[Any] = [("column_name", "l", 5), ("column_unit", "l", 3)]
    columns += [(f"column_{c}", "r", 1.8) for c in ("beds", "nursing_beds", "convert", "cost")]
    rows = [
        [
            fmt.plain(row["name"]),
            fmt.plain(row["unit"]),
            *(fmt.number(row[c]) for c in ("beds", "nursing_beds", "convert")),
            cost,
        ]
        for row, cost in zip(table.to_dict("records"), fmt.money(table["cost"]), strict=True)
    ]
    writer.table("table_conversions", columns, rows)


def _demonstration(findings: Findings, writer: Writer) -> None:
    table = findings.extras.get("demonstration")
    if table is None or table.empty:
        return
    writer.heading(2, "section_demonstration")
    writer.paragraph("intro_demonstration")
    named = {t.id: labels.pick(t.name, findings.language) for t in findings.policy.targets}
    rows = []
    for row in table.sort_values(["target_id", "site_id"], kind="stable").to_dict("records"):
        state = "before" if row["marked_before"] else "planned" if row["planned"] else "new"
        rows.append(
            [
                named[row["target_id"]],
                fmt.plain(row["name"]),
                fmt.plain(row["unit"]),
                words.kind(findings.policy, row["kind"], findings.language),
                writer.say(f"demonstration_{state}"),
            ]
        )
    columns: tuple[Any, ...] = (
        ("column_indicator", "l", 3.4),
        ("column_name", "l", 4.6),
        ("column_unit", "l", 2.4),
        ("column_kind", "l", 3.4),
        ("column_demonstration_state", "l", 2.4),
    )
    writer.table("table_demonstration", columns, rows)
