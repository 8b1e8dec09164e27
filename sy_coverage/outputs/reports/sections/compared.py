"""Write the section that compares: what money buys, the price of a scope, other readings, what one closure costs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import labels
from sy_coverage.outputs import figures
from sy_coverage.outputs.figures import curves
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer

MOST_CLOSURES = 15
"""So many closures are listed, those that take most elders out of reach first."""


def write(findings: Findings, writer: Writer) -> None:
    """Add the section, with those parts that `findings.extras` has of this scope; without any of them, nothing.

    Read are `trade_off` (`cost`, `elders_covered`, and if there `new_sites`, `cost_per_elder_more`, `targets_met`),
    `scope_price` (by `scope`: `status`, `cost`, `new_sites`, `elders_covered`), `sensitivity` (`reading`, in words, and
    the same columns, the plan itself first) and `closures` (by `site_id`: `planned`, `elders_lost`, `elders_left`,
    `units_lost`, `targets_lost`), and `listed_only` (`sentence`).
    """
    tables = {name: findings.beside(name) for name in findings.extras}
    parts: list[Any] = [_trade_off] if tables.get("trade_off") is not None else []
    for name, subject in (("scope_price", "scope"), ("sensitivity", "reading")):
        table = tables.get(name)
        if table is not None and table[subject].is_unique:
            parts.append(partial(_plans, table, name, subject))
    if tables.get("closures") is not None:
        parts.append(partial(_closures, tables["closures"]))
    if tables.get("listed_only") is not None:
        parts.insert(0, partial(_listed_only, tables["listed_only"]))
    if parts:
        writer.heading(1, "section_compared")
    for part in parts:
        part(findings, writer)


def _listed_only(table: DataFrame, _: Findings, writer: Writer) -> None:
    """Say what the plan would cost without the sites that no list names."""
    for sentence in table["sentence"]:
        writer.paragraph("listed_only", sentence=sentence)


def _trade_off(findings: Findings, writer: Writer) -> None:
    writer.heading(2, "section_trade_off")
    curve = curves.trade_off_table(findings)
    if curve is None:
        point = findings.beside("trade_off")
        reached = fmt.number(None if point is None else point["elders_covered"].max())
        writer.paragraph("trade_off_flat", elders=reached)
        return
    writer.paragraph("trade_off_city" if findings.scope_id == words.CITY else "trade_off")
    writer.image("figure_trade_off", partial(figures.trade_off, findings))
    total = float(findings.units["elders"].sum())
    found: dict[str, list[str]] = {
        "cost": fmt.money(curve["cost"]),
        "elders_within": [fmt.number(v) for v in curve["elders_covered"]],
        "share_within": [fmt.share(v / total) if total else "" for v in curve["elders_covered"]],
    }
    if "new_sites" in curve.columns:
        found["new_sites"] = [fmt.number(v) for v in curve["new_sites"]]
    if "cost_per_elder_more" in curve.columns:
        in_yuan = words.spoken_money(findings.policy, findings.language) is None
        key = "cost_per_elder_more" if in_yuan else "money_per_elder_more"
        found[key] = [
            fmt.number(v if in_yuan else v / 10_000, 0 if in_yuan else 3)
            for v in curve["cost_per_elder_more"]
        ]
    if "targets_met" in curve.columns:
        found["targets_met"] = [words.flag(v, findings.language) for v in curve["targets_met"]]
    columns: list[Any] = [(f"column_{name}", "r", 2) for name in found]
    writer.table("table_trade_off", columns, zip(*found.values(), strict=True))


def _plans(table: DataFrame, name: str, subject: str, findings: Findings, writer: Writer) -> None:
    language = findings.language
    writer.heading(2, f"section_{name}")
    writer.paragraph(f"intro_{name}")
    costs = fmt.money(table["cost"])
    changes = [fmt.change(v) for v in table["cost"] - table["cost"].iloc[0]]
    rows = [
        [
            words.of_id("reading", row[subject], language),
            words.of_id("plan", row["status"], language),
            cost,
            change if place else "",
            fmt.number(row["new_sites"]),
            fmt.number(row["elders_covered"]),
        ]
        for place, (row, cost, change) in enumerate(
            zip(table.to_dict("records"), costs, changes, strict=True)
        )
    ]
    columns: tuple[Any, ...] = (
        ("column_reading", "l", 4.6),
        ("column_plan", "l", 2),
        ("column_cost", "r", 1.6),
        ("column_cost_change", "r", 1.6),
        ("column_new_sites", "r", 1.2),
        ("column_elders_within", "r", 2),
    )
    writer.table(f"table_{name}", columns, rows, note=writer.say(f"note_{name}"))
    if name == "scope_price":
        price = table.set_index("scope")["cost"]
        solved = table["status"].isin(["optimal", "feasible"]).all()
        if solved and {"county", "city"} <= set(price.dropna().index):
            writer.paragraph(
                "scope_price", price=writer.amount(fmt.money([price["county"] - price["city"]])[0])
            )


def _closures(table: DataFrame, findings: Findings, writer: Writer) -> None:
    language = findings.language
    writer.heading(2, "section_closures")
    writer.paragraph("intro_closures")
    places = pd.concat([findings.facilities["name"], findings.proposals["name"]])
    names = dict(zip(places.index, places, strict=True)) | dict(findings.units["name"])
    targets = {target.id: labels.pick(target.name, language) for target in findings.policy.targets}
    table = table.sort_values(["elders_lost", "site_id"], ascending=[False, True], kind="stable")
    rows = []
    for row in table.head(MOST_CLOSURES).to_dict("records"):
        units = [fmt.plain(names.get(unit, unit)) for unit in _ids(row["units_lost"])]
        missed = [targets.get(target, target) for target in _ids(row["targets_lost"])]
        rows.append(
            [
                fmt.plain(names.get(row["site_id"], row["site_id"])),
                writer.say("site_planned" if row["planned"] else "site_existing"),
                fmt.number(row["elders_lost"]),
                fmt.number(row["elders_left"]),
                labels.joined(units, language),
                labels.joined(missed, language),
            ]
        )
    columns: tuple[Any, ...] = (
        ("column_name", "l", 3.1),
        ("column_site_state", "l", 1.5),
        ("column_elders_lost", "r", 1.7),
        ("column_elders_left", "r", 1.7),
        ("column_units_lost", "l", 2.6),
        ("column_targets_lost", "l", 3),
    )
    more = len(table) - len(rows)
    note = writer.say("closures_more", count=more) if more > 0 else ""
    writer.table("table_closures", columns, rows, note=note)


def _ids(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list | tuple | set | frozenset) else []
