"""Draw the curves of a proposal: how evenly access is spread, what money buys, what each year brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sy_coverage import coverage, labels
from sy_coverage.outputs.figures import canvas as draw
from sy_coverage.outputs.figures import still_map as still
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words
from sy_coverage.siting.plan import PlanFigures

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from sy_coverage.outputs.figures.canvas import Format
    from sy_coverage.outputs.findings import Findings

WIDTH = 7.2


def _access(findings: Findings, suffix: str) -> tuple[Series, Series] | None:
    """Return each unit's share of elders within the cutoff and its elders; None where there is no curve to draw."""
    units = findings.units.sort_index()
    elders = units["elders"].fillna(0.0).astype("float64")
    units, elders = units[elders > 0], elders[elders > 0]
    share = units[f"elders_covered{suffix}"].fillna(0.0).astype("float64") / elders
    return (share, elders) if share.sum() > 0 else None


def lorenz_points(findings: Findings, suffix: str = "") -> DataFrame | None:
    """Return the Lorenz curve of access by unit: `population_share` of elders, `value_share` of those within the cutoff.

    Units stand in the order of their share within the cutoff, lowest first. With `suffix` ``_planned``, with the plan. None
    where there are no elders, or none within the cutoff.
    """
    access = _access(findings, suffix)
    return None if access is None else coverage.lorenz(*access)


def gini(findings: Findings, suffix: str = "") -> float | None:
    """Return the Gini coefficient of access over the units, weighted by elders; None where there is no curve."""
    access = _access(findings, suffix)
    return None if access is None else coverage.gini(*access)


def has_lorenz(findings: Findings) -> bool:
    """Return whether there is access to draw a Lorenz curve of."""
    return len(findings.units) > 1 and any(lorenz_points(findings, s) is not None for s in ("", "_planned"))


def lorenz(findings: Findings, *, format: Format = "png") -> bytes:  # noqa: A002  its name everywhere
    """Return the Lorenz curves of access by unit, today and with the plan, with their Gini coefficients."""
    language = findings.language
    with draw.Canvas(4.6, 4.4, format=format)() as (_figure, axes, out):
        axes.plot([0, 100], [0, 100], color=draw.SOFT, linewidth=0.8, linestyle=(0, (3, 3)))
        even = labels.text("outputs.lorenz_even", language)
        axes.text(
            50,
            52,
            even,
            rotation=45,
            rotation_mode="anchor",
            fontsize=7.5,
            color=draw.SOFT,
            ha="center",
            va="bottom",
        )
        for suffix, key, colour, dashes in (
            ("", "bar_today", draw.TODAY, (0, (5, 1.5))),
            ("_planned", "bar_plan", draw.INK, "-"),
        ):
            points = lorenz_points(findings, suffix)
            if points is None:
                continue
            name = labels.text(f"outputs.{key}", language)
            label = labels.text(
                "outputs.lorenz_gini", language, name=name, gini=fmt.number(gini(findings, suffix), 3)
            )
            axes.plot(
                points["population_share"] * 100,
                points["value_share"] * 100,
                color=colour,
                linewidth=1.8,
                linestyle=dashes,
                label=label,
            )
        axes.set_xlabel(labels.text("outputs.axis_elders_cumulative", language), fontsize=8)
        axes.set_ylabel(labels.text("outputs.axis_access_cumulative", language), fontsize=8)
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.set_aspect("equal")
        axes.legend(loc="upper left", frameon=False, fontsize=8)
        draw.quiet(axes, grid="both")
    return out.getvalue()


def trade_off_table(findings: Findings) -> DataFrame | None:
    """Return the points of the trade-off curve of this scope by cost, or None: `cost`, `elders_covered`."""
    table = findings.beside("trade_off")
    if table is None or not {"cost", "elders_covered"} <= set(table.columns):
        return None
    more = [c for c in ("new_sites", "cost_per_elder_more", "targets_met") if c in table.columns]
    points = table[["cost", "elders_covered", *more]].astype("float64")
    points = points.dropna(subset=["cost", "elders_covered"]).drop_duplicates(["cost", "elders_covered"])
    points = points.sort_values(["cost", "elders_covered"]).reset_index(drop=True)
    return points if len(points) > 1 else None


def has_trade_off(findings: Findings) -> bool:
    """Return whether a trade-off curve of this one scope was computed."""
    return trade_off_table(findings) is not None


def trade_off(findings: Findings, *, format: Format = "png") -> bytes:  # noqa: A002
    """Return what money buys: elders within the cutoff against cost, and where the proposed plan stands."""
    language, points = findings.language, trade_off_table(findings)
    if points is None:
        raise ValueError("there is no trade-off curve of this scope in findings.extras['trade_off']")
    with draw.Canvas(WIDTH, 3.4, format=format)() as (_figure, axes, out):
        axes.step(points["cost"], points["elders_covered"], where="post", color=draw.TODAY, linewidth=1.6)
        axes.scatter(points["cost"], points["elders_covered"], s=18, color=draw.TODAY, zorder=4)
        cost, covered = _where_the_plan_stands(findings)
        at_left = cost < float(points["cost"].mean())
        axes.scatter(
            [cost],
            [covered],
            s=90,
            marker="D",
            facecolor="white",
            edgecolor=draw.WARN,
            linewidth=1.6,
            zorder=5,
        )
        axes.annotate(
            labels.text("outputs.trade_off_plan", language),
            (cost, covered),
            textcoords="offset points",
            xytext=(9, -4) if at_left else (-9, -13),
            fontsize=8,
            ha="left" if at_left else "right",
            color=draw.WARN,
        )
        axes.set_xlabel(words.said(findings, "axis_cost"), fontsize=8)
        axes.set_ylabel(labels.text("outputs.axis_elders_within", language), fontsize=8)
        axes.yaxis.set_major_formatter(lambda v, _: fmt.number(v))
        axes.xaxis.set_major_formatter(lambda v, _: fmt.number(v))
        axes.margins(x=0.04, y=0.14)
        draw.quiet(axes, grid="both")
    return out.getvalue()


def _where_the_plan_stands(findings: Findings) -> tuple[float, float]:
    """Return the cost of the plan and the elders it brings within the cutoff, counted as the curve counts them if it says so."""
    plan = findings.plans.get(findings.scope_id)
    figures = PlanFigures() if plan is None else plan.figures
    cost = findings.proposals["cost"].sum() if figures.cost is None else figures.cost
    elders = figures.elders_covered
    return float(cost), float(findings.units["elders_covered_planned"].sum() if elders is None else elders)


def has_timeline(findings: Findings) -> bool:
    """Return whether any proposed site has its year."""
    dated = findings.proposals["phase"].notna()
    return bool(dated.any() and findings.proposals.loc[dated, "cost"].notna().any())


def timeline(findings: Findings, *, format: Format = "png") -> bytes:  # noqa: A002
    """Return the cost of each year by kind of facility, and how many sites open."""
    language = findings.language
    dated = findings.proposals[findings.proposals["phase"].notna()].sort_index()
    years = sorted({int(year) for year in dated["phase"]})
    with draw.Canvas(WIDTH, 3.2, format=format)() as (figure, axes, out):
        base = np.zeros(len(years))
        entries = []
        for kind in findings.policy.kinds.values():
            own = dated[dated["kind"] == kind.id]
            if own.empty:
                continue
            cost = np.array([own.loc[own["phase"] == year, "cost"].sum() for year in years])
            axes.bar(
                range(len(years)), cost, 0.5, bottom=base, color=kind.colour, edgecolor="white", linewidth=0.8
            )
            base += cost
            entries.append(
                still.entry(labels.pick(kind.name, language), colour=kind.colour, edgecolor="white")
            )
        for place, year in enumerate(years):
            count = int((dated["phase"] == year).sum())
            cost_of_year = words.amount(
                fmt.money([base[place]])[0], words.common(findings)["money"], language
            )
            said = labels.text("outputs.timeline_bar", language, sites=count, cost=cost_of_year)
            axes.annotate(
                said,
                (place, base[place]),
                textcoords="offset points",
                xytext=(0, 2.5),
                fontsize=8,
                ha="center",
                va="bottom",
                color=draw.INK,
            )
        axes.set_xticks(range(len(years)), [str(year) for year in years], fontsize=9, color=draw.INK)
        axes.set_xlim(-0.6, len(years) - 0.4)
        axes.set_ylabel(words.said(findings, "axis_cost"), fontsize=8)
        axes.yaxis.set_major_formatter(lambda v, _: fmt.number(v))
        # a bar's foot sticks to the axis, so margins alone leave no room for what stands on the tallest
        axes.set_ylim(0, max(float(base.max()), 1.0) * 1.14)
        draw.quiet(axes, grid="y")
        figure.legend(handles=entries, loc="outside lower center", ncols=2, frameon=False, fontsize=7.5)
    return out.getvalue()
