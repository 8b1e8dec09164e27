"""Write what a plan asks for besides new sites: beds turned into nursing beds, beds enough, demonstration sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import labels
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import roman, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from pandas import DataFrame, Series

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer


OF_THE_CITY = frozenset({"conversions", "demonstration"})
"""What is counted over the whole city: decided after the counties' plans or, where one plan decides all, in it."""


def add(findings: Findings, writer: Writer) -> None:
    """Add a section for each of these that the plans of this scope speak of; nothing where none does."""
    _write(findings, writer, conversions=_conversions, beds=_beds, demonstration=_demonstration)


def by_county(findings: Findings, writer: Writer) -> None:
    """Add for a summary what each county is to do: sites by kind, cost, beds to turn, demonstration sites; its proposal names them."""
    turned, shown = _together(findings, "conversions"), _together(findings, "demonstration")
    if turned is not None and len(turned):
        turned = _turned(turned, writer)
    if shown is not None and len(shown):
        _demonstration(findings, shown, writer)
    _tasks(findings, writer, turned, shown)
    _write(findings, writer, beds=_beds)


def _tasks(findings: Findings, writer: Writer, turned: DataFrame | None, shown: DataFrame | None) -> None:
    counties = findings.counties.sort_index()
    kinds = [kind for kind in findings.policy.kinds if (findings.proposals["kind"] == kind).any()]
    columns: list[Any] = [("column_county", "l", 2.6)]
    cells: list[list[str]] = []
    for kind in kinds:
        own = findings.proposals[findings.proposals["kind"] == kind].groupby("county_id").size()
        columns.append((f"={words.kind(findings.policy, kind, findings.language)}", "r", 1.8))
        cells.append(_summed(own, counties.index))
    columns.append(("column_cost", "r", 1.6))
    cells.append(fmt.money([*counties["cost"], fmt.total(counties["cost"])]))
    for key, table, value in (("turn_beds", turned, "convert"), ("demonstrations", shown, None)):
        if table is None or table.empty:
            continue
        grouped = table.groupby("county_id")
        columns.append((f"column_{key}", "r", 1.6))
        cells.append(_summed(grouped.size() if value is None else grouped[value].sum(), counties.index))
    names = [*(roman.beside(name, findings.language) for name in counties["county"]), writer.say("total")]
    rows = zip(names, *cells, strict=True)
    writer.table("table_city_plan", columns, rows, last_is_total=True, note=writer.say("table_measures_note"))


def _summed(counts: Series, counties: pd.Index) -> list[str]:
    """Return a count for each county and all of them; where one has none, a nought."""
    own = counts.reindex(counties, fill_value=0)
    return [fmt.number(value) for value in (*own, own.sum())]


def _write(
    findings: Findings, writer: Writer, **sections: Callable[[Findings, DataFrame, Writer], None]
) -> None:
    for name, add_section in sections.items():
        table = _together(findings, name)
        if table is not None and len(table):
            writer.heading(2, f"section_{name}")
            add_section(findings, table, writer)


def how_decided(findings: Findings, writer: Writer) -> None:
    """Add, for a technical annex, whether what is counted over the whole city was decided with the sites or after them."""
    tables = [_together(findings, name) for name in sorted(OF_THE_CITY)]
    if any(table is not None and len(table) for table in tables):
        writer.paragraph(f"decided_with_{findings.policy.readings.scope}")


def _together(findings: Findings, name: str) -> DataFrame | None:
    """Return one table of what is decided for this scope, by all plans or over the whole city; its first column names the site.

    None where nothing is decided.
    """
    given = findings.extras.get(name)
    if given is not None:
        return given
    plans = {id(plan): plan.best for plan in findings.plans.values()}.values()
    found = [plan.details[name] for plan in plans if name in plan.details]
    found = [table.reset_index() for table in found if len(table)]
    return pd.concat(found, ignore_index=True) if found else None


def _named(findings: Findings) -> dict[str, str]:
    places = pd.concat([findings.facilities["name"], findings.proposals["name"]])
    return dict(zip(places.index, places, strict=True))


def _conversions(findings: Findings, table: DataFrame, writer: Writer) -> None:
    turned = _turned(table, writer)
    if turned.empty:
        return
    names = _named(findings)
    key = turned.columns[0]
    costs = _costs(turned["cost"])
    rows = [
        [
            names.get(row[key], row[key]),
            *(fmt.number(row[column]) for column in ("beds", "nursing_beds", "convert")),
            cost,
        ]
        for row, cost in zip(turned.to_dict("records"), costs, strict=False)
    ]
    rows.append([writer.say("total"), "", "", fmt.number(turned["convert"].sum()), costs[-1]])
    columns: tuple[Any, ...] = (
        ("column_name", "l", 5),
        ("column_beds", "r", 1.6),
        ("column_nursing_beds", "r", 1.8),
        ("column_convert", "r", 2),
        ("column_cost", "r", 2),
    )
    writer.table("table_conversions", columns, rows, last_is_total=True)


def _turned(table: DataFrame, writer: Writer) -> DataFrame:
    """Return the homes of which beds are turned, having said how many; what nobody priced has no cost, not a cost of 0."""
    turned = table[table["convert"].fillna(0) > 0]
    beds, cost = fmt.number(turned["convert"].sum()), _costs(turned["cost"])[-1]
    unknown = int(table["convert"].isna().sum())
    nothing = "conversions_not_found" if unknown else "conversions_none"
    key = nothing if turned.empty else "conversions" if cost else "conversions_unpriced"
    writer.paragraph(key, beds=beds, homes=len(turned), cost=writer.amount(cost))
    if unknown:
        writer.paragraph("conversions_unknown", homes=unknown)
    return turned


def _costs(costs: Series) -> list[str]:
    """Return each cost and their sum; blank where none is priced."""
    if not costs.sum() > 0:
        return [""] * (len(costs) + 1)
    return fmt.money([*costs, fmt.total(costs)])


def _county(findings: Findings, county_id: object) -> str:
    return str(findings.counties["county"].get(county_id, findings.scope_name))


def _beds(findings: Findings, table: DataFrame, writer: Writer) -> None:
    rows = [
        [
            _county(findings, row["county_id"]),
            *(fmt.number(row[column]) for column in ("needed", "beds", "short")),
        ]
        for row in table.to_dict("records")
    ]
    columns: tuple[Any, ...] = (
        ("column_county", "l", 4),
        ("column_beds_needed", "r", 2),
        ("column_beds_there", "r", 2),
        ("column_beds_short", "r", 2),
    )
    writer.paragraph("beds")
    writer.table("table_beds", columns, rows)


def _demonstration(findings: Findings, table: DataFrame, writer: Writer) -> None:
    own = _own(findings, table)
    writer.paragraph("demonstration", count=len(own))


def lists(findings: Findings, writer: Writer) -> None:
    """Add, for a technical annex, which sites are to demonstrate what."""
    table = _together(findings, "demonstration")
    if table is None or table.empty:
        return
    writer.heading(1, "section_demonstration")
    names, language = _named(findings), findings.language
    own = _own(findings, table)
    targets = {target.id: labels.pick(target.name, language) for target in findings.policy.targets}
    key = table.columns[0]
    rows = [
        [
            targets.get(row["target_id"], row["target_id"]),
            names.get(row[key], row[key]),
            words.kind(findings.policy, row["kind"], language),
        ]
        for row in own.to_dict("records")
    ]
    columns: tuple[Any, ...] = (
        ("column_indicator", "l", 4),
        ("column_name", "l", 5),
        ("column_kind", "l", 4),
    )
    writer.table("table_demonstration", columns, rows)


def _own(findings: Findings, table: DataFrame) -> DataFrame:
    """Return the rows of `table` of this scope's own sites."""
    return table[table[table.columns[0]].isin(list(_named(findings)))]
