"""Write the sections of one county's proposal: where it stands, what is proposed, what that brings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from sy_coverage import labels
from sy_coverage.outputs import figures, tables
from sy_coverage.outputs.reports.sections import measures
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import roman, words
from sy_coverage.policy import reaches_share
from sy_coverage.policy.targets import UnitKind

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer


def opening(findings: Findings, writer: Writer) -> None:
    """Add the paragraph that the body begins with: why, of whom, as of when, and what is known of the plan."""
    figure, language = writer.figure, findings.language
    key = "opening_city" if findings.scope_id == words.CITY else "opening"
    writer.paragraph(
        key,
        policy=labels.pick(findings.policy.name, language),
        document=findings.policy.document,
        date=fmt.date(findings.date, language),
        scope=findings.scope_name,
        counties=figure("counties"),
        units=figure("units"),
        elders=figure("elders"),
        age=writer.say(f"age_{findings.policy.readings.elders}"),
    )
    if len(findings.proposals):
        writer.paragraph(
            "opening_plan",
            sites=figure("sites"),
            cost=figure("cost"),
            units_change=_units_change(findings, writer),
            change=share_change(writer),
        )
    else:
        writer.paragraph("opening_nothing")


def _units_change(findings: Findings, writer: Writer) -> str:
    """Return in words how many of the units that are counted are covered today and with the plan."""
    today, plan = (writer.facts[f"units_covered_{state}"] for state in ("today", "planned"))
    change = (plan.value or 0.0) - (today.value or 0.0)
    many = writer.facts["units_counted"].value != 1
    return writer.say(
        "units_rise" if change > 0 else "units_fall" if change < 0 else "units_stay",
        counted=writer.figure("units_counted"),
        counted_units=words.counted_units(findings.policy, findings.language, many=many),
        before=writer.mark(today),
        after=writer.mark(plan),
    )


def headline(writer: Writer) -> None:
    """Add the first line: the targets that a site can change, access beside them, sites and cost; then target by target."""
    head, figure = writer.facts.headline(), writer.figure
    facts = []
    if head.whole.value:
        met = f"{writer.mark(head.today)} → {writer.mark(head.planned)} / {writer.mark(head.whole)}"
        facts.append((met, writer.say(f"headline_{head.counts}"), not head.is_met))
    facts += [
        (
            f"{figure('share_within_today')} → {figure('share_within_planned')}",
            writer.say("fact_share"),
            False,
        ),
        (writer.say("sites_value", value=figure("sites")), writer.say("fact_sites"), False),
        (writer.say("cost_value", value=figure("cost")), writer.say("fact_cost"), False),
    ]
    writer.headline(facts)
    if writer.facts["villages_roadless"].value:
        writer.paragraph(
            "headline_roadless",
            elders=figure("elders"),
            lost=figure("elders_roadless"),
            villages=figure("villages_roadless"),
            strong=True,
            small=True,
        )


def share_change(writer: Writer) -> str:
    """Return in words how the share of elders within the cutoff changes."""
    today, plan = (writer.facts[f"share_within_{state}"] for state in ("today", "planned"))
    key = "share_stays"
    if today.text != plan.text:
        key = "share_falls" if (plan.value or 0.0) < (today.value or 0.0) else "share_changes"
    return writer.say(key, share_today=writer.mark(today), share_plan=writer.mark(plan))


def standing(findings: Findings, writer: Writer) -> None:
    """Add section 一: what there is, the indicators with their clauses, presence beside access."""
    writer.heading(1, "section_standing")
    writer.heading(2, "section_basics")
    kinds = findings.units["kind"].value_counts()
    named = [
        writer.say(
            "count_of_units",
            count=int(kinds[kind]),
            name=words.unit_name(findings.policy, kind, findings.language, many=kinds[kind] != 1),
        )
        for kind in get_args(UnitKind)
        if kind in kinds
    ]
    writer.paragraph(
        f"basics_{findings.homes}",
        scope=findings.scope_name,
        units=labels.joined(named, findings.language),
        places=fmt.number(len(findings.demand)),
        elders=writer.figure("elders"),
        age=writer.say(f"age_{findings.policy.readings.elders}"),
    )
    _existing(findings, writer)
    writer.heading(2, "section_indicators")
    indicators(findings, writer)
    writer.heading(2, "section_access")
    _access(findings, writer)


def _existing(findings: Findings, writer: Writer) -> None:
    frame = findings.facilities
    if frame.empty:
        writer.paragraph("no_facilities")
        return
    located = frame.geometry.notna() & ~frame.geometry.is_empty
    rows = []
    for kind in dict.fromkeys([*findings.policy.kinds, *sorted(set(frame["kind"]))]):
        own = frame["kind"] == kind
        if not own.any():
            continue
        by_status = frame.loc[own, "status"].value_counts()
        beds = [_sum_known(frame.loc[own & (frame["status"] == "open")], c) for c in ("beds", "nursing_beds")]
        rows.append(
            [
                words.kind(findings.policy, kind, findings.language),
                *(str(int(by_status.get(status, 0))) for status in ("open", "planned", "closed")),
                *beds,
                str(int((own & ~located).sum())),
            ]
        )
    columns: list[Any] = [("column_kind", "l", 4.4)]
    columns += [(f"column_{c}", "r", 1.2) for c in ("open", "planned", "closed")]
    columns += [
        ("column_beds", "r", 1.4),
        ("column_nursing_beds", "r", 1.6),
        ("column_not_located", "r", 1.4),
    ]
    writer.table("table_existing", columns, rows, note=writer.say("table_existing_note"))


def _sum_known(frame: DataFrame, column: str) -> str:
    if column not in frame.columns or not frame[column].notna().any():
        return ""
    return fmt.number(frame[column].sum())


def indicators(findings: Findings, writer: Writer, *, every: bool = False) -> None:
    """Add the indicator table of one county: the targets that a site can change, or `every` one, with clause and reason.

    A target that the policy sets for the county and for the city is shown for the county; one of the city alone says so.
    """
    card = tables.scorecard(findings)
    own = set(card.loc[card["scope_id"] != words.CITY, "target_id"])
    card = card[(card["scope_id"] != words.CITY) | ~card["target_id"].isin(own)]
    if every:
        indicator_table(findings, card, writer)
        _indicators_in_words(card, writer)
        return
    known = {target.id for target in findings.policy.targets if target.by_sites}
    sited = card["target_id"].isin(known)
    shown = card[sited & (card["scope_id"] != words.CITY)] if own else card[sited]
    indicator_table(findings, shown if len(shown) else card, writer, sourced=False)
    if 0 < len(shown) < len(card):
        writer.paragraph("indicators_in_annex")


def indicator_table(findings: Findings, card: DataFrame, writer: Writer, *, sourced: bool = True) -> None:
    """Add the rows of `card`: target, due date, today, planned, met, needed, and (if `sourced`) where it says so."""
    policy, language = findings.policy, findings.language
    rows = []
    for row in card.to_dict("records"):
        target = words.target_of(policy, row["target_id"])
        columns = ("target", "value_today", "value_planned")
        goal, today, planned = (words.value_of(policy, row["target_id"], row[c]) for c in columns)
        many = row["scope_id"] == words.CITY
        name = writer.say("scoped", name=row["name"], scope=row["scope"]) if many else row["name"]
        reason = row["reason"] or words.basis(row["basis"], language)
        rows.append(
            [
                name,
                goal,
                fmt.date(policy.due(target), language) if target else "",
                today,
                planned,
                _verdict(row, language),
                fmt.number(row["needed"]),
                *(
                    [writer.say("reason_and_clause", reason=reason, clause=fmt.plain(row["citation"]))]
                    if sourced
                    else []
                ),
            ]
        )
    writer.table(
        "table_indicators",
        (
            ("column_indicator", "l", 3.1 if sourced else 4.6),
            ("column_target", "r", 1.55),
            ("column_due", "l", 2.1 if sourced else 3.6),
            ("column_value_today", "r", 1.55),
            ("column_value_planned", "r", 1.55),
            ("column_met", "l", 1.6 if sourced else 2.9),
            ("column_needed", "r", 1.3),
            *((("column_reason_citation", "l", 3.4),) if sourced else ()),
        ),
        rows,
        note=writer.say("table_indicators_note" if sourced else "table_indicators_note_body"),
    )


def _verdict(row: dict[str, Any], language: Any) -> str:
    if row["basis"] == "not_applicable":
        return words.basis("not_applicable", language)
    pair = [words.met(row[c], language) for c in ("met_today", "met_planned")]
    return pair[0] if pair[0] == pair[1] else " → ".join(p or "—" for p in pair)


def _indicators_in_words(card: DataFrame, writer: Writer) -> None:
    def names(chosen: Any) -> str:
        return labels.joined(dict.fromkeys(fmt.plain(n) for n in card.loc[chosen, "name"]), writer.language)

    today = card["met_today"].astype("boolean")
    plan = card["met_planned"].astype("boolean")
    reached = today.eq(other=False).fillna(value=False) & plan.fillna(value=False)
    missed = plan.eq(other=False).fillna(value=False)
    unknown = (card["basis"] == "unknown") & plan.isna()
    for key, chosen in (
        ("indicators_reached", reached),
        ("indicators_missed", missed),
        ("indicators_unknown", unknown),
    ):
        if chosen.any():
            writer.paragraph(key, names=names(chosen))


def _access(findings: Findings, writer: Writer) -> None:
    units = findings.units.sort_index()
    kind = findings.policy.kind(findings.policy.coverage_kind)
    mode = words.of_id("mode", kind.mode, findings.language)
    writer.paragraph(
        "access",
        limits=words.limits(findings.policy, kind.cutoff_min, findings.units["kind"], findings.language),
        mode=mode,
    )
    beside = words.shares_beside(units, findings.language)
    if beside:
        writer.paragraph("access_beside", shares=beside)
    share = findings.policy.readings.share
    some = units["share_covered"].notna().to_numpy()
    near = np.array([reaches_share(p, 1.0, share) for p in units["share_covered"].fillna(0.0)], dtype=bool)
    has = units["has_centre"].fillna(value=False).astype(bool)
    far = some & ~near
    near &= some
    for key, chosen in (("access_far", has & far), ("access_near", ~has & near)):
        if chosen.any():
            names = [fmt.plain(n) for n in units.loc[chosen, "name"]]
            writer.paragraph(
                key, count=len(names), names=labels.joined(names, findings.language), share=fmt.share(share)
            )


def unit_table(findings: Findings, writer: Writer) -> None:
    """Add the table of all units: presence beside access, today and with the plan."""
    units, share = findings.units.sort_index(), findings.policy.readings.share
    rows = [
        [
            roman.beside(row["name"], findings.language),
            words.unit_name(findings.policy, row["kind"], findings.language),
            fmt.number(row["elders"]),
            _change(*(words.flag(row[c], findings.language) for c in ("has_centre", "has_centre_planned"))),
            fmt.share(row["share_covered"], goal=share),
            fmt.share(row["share_covered_planned"], goal=share),
            fmt.minutes(row["nearest_mean_min"]),
            fmt.minutes(row["nearest_mean_min_planned"]),
        ]
        for row in units.to_dict("records")
    ]
    columns: tuple[Any, ...] = (
        ("column_unit", "l", 2.6),
        ("column_unit_kind", "l", 1.2),
        ("column_elders", "r", 1.5),
        ("column_centre_change", "c", 1.6),
        ("column_share_covered", "r", 1.5),
        ("column_share_covered_planned", "r", 1.6),
        ("column_nearest_mean_min", "r", 1.6),
        ("column_nearest_mean_min_planned", "r", 1.7),
    )
    rise = units["nearest_mean_min_planned"] > units["nearest_mean_min"] + 0.05
    note = writer.say("table_units_note") + (writer.say("minutes_may_rise") if rise.any() else "")
    writer.table("table_units", columns, rows, note=note)


def _change(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def proposed(findings: Findings, writer: Writer) -> None:
    """Add section 二: sites by kind and year, the list, the map, the reason for each."""
    writer.heading(1, "section_proposed")
    sites = tables.sites(findings)
    if sites.empty:
        writer.paragraph("nothing_proposed")
        measures.add(findings, writer)
        return
    writer.heading(2, "section_overall")
    overall(findings, writer)
    writer.heading(2, "section_sites")
    writer.paragraph("sites_in_annex")
    measures.add(findings, writer)


def reasons(findings: Findings, writer: Writer) -> None:
    """Add the reason for each site."""
    sites = tables.sites(findings)
    writer.items(
        (
            writer.say(
                "site_named",
                number=int(row["number"]),
                name=fmt.plain(row["name"]),
                unit=fmt.plain(row["unit"]),
            ),
            fmt.sentences(row["why"]) if fmt.known(row["why"]) else writer.say("no_reason"),
        )
        for row in sites.to_dict("records")
    )


def overall(findings: Findings, writer: Writer) -> None:
    """Add what is proposed by kind, and by year where sites have one."""
    sites = tables.sites(findings)
    if sites.empty:
        writer.paragraph("nothing_proposed")
        return
    _by_kind(findings, sites, writer)
    if sites["phase"].notna().any():
        _by_year(findings, sites, writer)


def _by_kind(findings: Findings, sites: DataFrame, writer: Writer) -> None:
    kinds = [
        k
        for k in dict.fromkeys([*findings.policy.kinds, *sorted(set(sites["kind"]))])
        if (sites["kind"] == k).any()
    ]
    costs = fmt.money(
        [
            *(fmt.total(sites.loc[sites["kind"] == k, "cost"]) for k in kinds),
            fmt.total(sites["cost"]),
        ]
    )
    upgrade = sites["premises"] == "upgrade"
    idle = sites["premises"].isin(["idle_school", "village_office", "public_building"])
    # a column of noughts says nothing
    shown = {name: chosen for name, chosen in (("idle", idle), ("upgrade", upgrade)) if chosen.any()}
    rows = []
    for kind, cost in zip(kinds, costs, strict=False):
        own = sites["kind"] == kind
        name = words.kind(findings.policy, kind, findings.language)
        rows.append([name, str(int(own.sum())), *(str(int((own & c).sum())) for c in shown.values()), cost])
    counts = (str(int(chosen.sum())) for chosen in shown.values())
    rows.append([writer.say("total"), str(len(sites)), *counts, costs[-1]])
    said = [writer.say(f"of_which_{what}", count=int(chosen.sum())) for what, chosen in shown.items()]
    which = writer.say("of_which", what=labels.joined(said, findings.language)) if said else ""
    writer.paragraph("overall", sites=len(sites), cost=writer.figure("cost"), which=which)
    columns: list[Any] = [("column_kind", "l", 4.6), ("column_count", "r", 1.4)]
    columns += [(f"column_{what}", "r", 2) for what in shown] + [("column_cost", "r", 2)]
    writer.table("table_by_kind", columns, rows, last_is_total=True)


def _by_year(findings: Findings, sites: DataFrame, writer: Writer) -> None:
    years = sorted({int(y) for y in sites["phase"].dropna()})
    groups = [(str(y), sites["phase"].eq(y).fillna(value=False)) for y in years]
    if sites["phase"].isna().any():
        groups.append((writer.say("year_open"), sites["phase"].isna()))
    costs = fmt.money([*(fmt.total(sites.loc[g, "cost"]) for _, g in groups), fmt.total(sites["cost"])])
    then = _reached_by(findings)
    rows = []
    for (year, group), cost in zip(groups, costs, strict=False):
        own = sites[group]
        said = [
            writer.say(
                "count_of_kind",
                kind=words.kind(findings.policy, k, findings.language),
                count=int((own["kind"] == k).sum()),
            )
            for k in findings.policy.kinds
            if (own["kind"] == k).any()
        ]
        reached = [fmt.number(then.get(year))] if then else []
        rows.append([year, str(len(own)), labels.joined(said, findings.language), cost, *reached])
    rows.append([writer.say("total"), str(len(sites)), "", costs[-1], *([""] if then else [])])
    columns: list[Any] = [
        ("column_phase", "l", 1.4),
        ("column_count", "r", 1.2),
        ("column_kinds", "l", 6),
        ("column_cost", "r", 1.8),
    ]
    columns += [("column_elders_by_then", "r", 2.2)] if then else []
    writer.table("table_by_year", columns, rows, last_is_total=True)
    if figures.has_timeline(findings):
        writer.image("figure_timeline", partial(figures.timeline, findings))


def _reached_by(findings: Findings) -> dict[str, float]:
    """Return the elders within the cutoff at the end of each year, where every plan of this scope says so."""
    plans = {id(plan): plan.best for plan in findings.plans.values()}.values()
    tables = [plan.figures.years for plan in plans]
    if not tables or any(table is None for table in tables):
        return {}
    together = pd.concat(tables)["elders_covered"].groupby(level=0).sum()
    return {str(year): float(elders) for year, elders in together.items()}
