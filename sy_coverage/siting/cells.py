"""Say in the cell of a notebook what a plan opens, what it reaches and how that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from sy_coverage import _cells, labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.labels import Language
    from sy_coverage.policy import Policy

HAS, GETS, LACKS = "#9ecae1", "#3182bd", "#f2f2f2"
"""Fill of a unit that has a centre, that gets one, and that has none."""
SITE, STANDS = "#e6550d", "#333333"


class PlanFrames(NamedTuple):
    """What a plan was made from, as far as it is shown."""

    units: GeoDataFrame
    facilities: GeoDataFrame
    listed: GeoDataFrame
    policy: Policy


@runtime_checkable
class KnowsFrames(Protocol):
    """Reasons that know what their plan was made from."""

    def frames(self) -> PlanFrames | None:
        """Return it, or None where it is not known any more."""
        ...


def sites(
    site_ids: Iterable[str], frames: PlanFrames | None, phase: Mapping[str, int], language: Language
) -> str:
    """Return the sites as a table: name, unit, kind, cost and year, as far as they are known."""

    def said(key: str) -> str:
        return labels.text(f"siting.cell_{key}", language)

    head = [said("number"), said("site")]
    if frames is None:
        rows = [[n, i, *([phase[i]] if i in phase else [])] for n, i in enumerate(site_ids, start=1)]
        return _cells.table(rows, head=[*head, *([said("year")] if phase else [])])
    rows = []
    for n, site_id in enumerate(site_ids, start=1):
        row = frames.listed.loc[site_id] if site_id in frames.listed.index else {}
        kind, unit = row.get("kind"), row.get("unit_id")
        rows.append(
            [
                n,
                _known(row.get("name")) or site_id,
                frames.units["name"].get(unit, ""),
                labels.pick(frames.policy.kinds[kind].name, language) if kind in frames.policy.kinds else "",
                number(row.get("cost")),
                site_id,
                *([phase.get(site_id, "")] if phase else []),
            ]
        )
    head += [said("unit"), said("kind"), said("cost"), said("id")]
    return _cells.table(rows, head=[*head, *([said("year")] if phase else [])])


def targets(table: DataFrame, frames: PlanFrames | None, language: Language) -> str:
    """Return what each target asks for and what is reached."""
    names = {t.id: labels.pick(t.name, language) for t in frames.policy.targets} if frames else {}
    scopes = (
        dict(zip(frames.units["county_id"], frames.units["county"], strict=True))
        if frames is not None
        else {}
    )
    rows = [
        [
            names.get(row.target_id, row.target_id),
            scopes.get(row.scope_id, row.scope_id),
            number(row.needed),
            number(row.reached),
            labels.text(f"siting.cell_{'yes' if row.met else 'no'}", language),
        ]
        for row in table.itertuples()
    ]
    head = [
        labels.text(f"siting.cell_{k}", language) for k in ("target", "where", "needed", "reached", "met")
    ]
    return _cells.table(rows, head=head)


def stages(every: Iterable[Any], language: Language) -> str:
    """Return what each stage of a proof reached, and what is proved possible at best."""
    rows = [
        [
            _stage(stage.objective_id, language),
            number(stage.value),
            number(stage.bound),
            labels.text(f"siting.cell_{'yes' if stage.proved else 'no'}", language),
        ]
        for stage in every
    ]
    head = [labels.text(f"siting.cell_{k}", language) for k in ("stage", "value", "bound", "proved")]
    return _cells.table(rows, head=head)


def _stage(objective_id: str, language: Language) -> str:
    key = f"outputs.stage_{objective_id}"
    return labels.text(key, language, in_money="") if key in labels.catalogue() else objective_id


def drawn(site_ids: Iterable[str], frames: PlanFrames, name: str) -> str:
    """Return a small map: units that have a centre, get one or lack one, what stands, and the sites."""
    kind = frames.policy.coverage_kind
    opened = frames.listed[frames.listed.index.isin(list(site_ids))]
    stand = frames.facilities[
        frames.facilities["unit_id"].isin(frames.units.index) & frames.facilities.geometry.notna()
    ]
    has = set(stand.loc[stand["kind"] == kind, "unit_id"])
    gets = set(opened.loc[opened["kind"] == kind, "unit_id"])
    areas = [
        _cells.Area(shape, HAS if unit in has else GETS if unit in gets else LACKS, called)
        for unit, called, shape in zip(
            frames.units.index, frames.units["name"], frames.units.geometry, strict=True
        )
    ]
    return _cells.small_map(areas, [*_spots(stand, STANDS, 1.8), *_spots(opened, SITE, 5.0)], name=name)


def _spots(frame: GeoDataFrame, fill: str, radius: float) -> list[_cells.Spot]:
    located = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    return [
        _cells.Spot(point.x, point.y, fill, _known(name) or str(i), radius)
        for i, name, point in zip(located.index, located["name"], located.geometry, strict=True)
    ]


def _known(text: Any) -> str:
    return text if isinstance(text, str) else ""


def number(value: Any) -> str:
    """Return a figure with at most two decimals; nothing where it is not known."""
    if value is None or not np.isfinite(float(value)):
        return ""
    return f"{float(value):,.2f}".rstrip("0").rstrip(".")
