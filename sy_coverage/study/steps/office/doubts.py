"""Gather everything about a study's lists that somebody should settle, with what it can change: units, elders, targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage.places.ground.names import UnitNames
from sy_coverage.places.sheets.doubts.doubtful import Doubt, doubts_frame, unanswered
from sy_coverage.places.sheets.kinds import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.policy import Policy

MINOR = frozenset(
    {"number_about", "id_rounded", "id_repeated", "id_missing", "column_unused", "functions_missing"}
)
"""Kinds of doubts that change no plan by themselves: they come last."""
_WHOLE = "、"


def open_doubts(
    asked: Iterable[pd.DataFrame],
    located: Mapping[str, tuple[GeoDataFrame, pd.DataFrame]],
    *,
    units: GeoDataFrame,
    demand: GeoDataFrame,
    policy: Policy,
    answers: pd.DataFrame,
) -> pd.DataFrame:
    """Return every doubt about the lists of a study that nobody has answered, contract `DOUBTS`.

    What counts towards most targets and concerns most elders comes first, what changes no plan by itself last.

    Parameters
    ----------
    asked
        What the readers ask.
    located
        By list: its rows, and what `places.doubts` says of where they are.
    """
    tables = [pd.DataFrame(table) for table in asked if len(table)]
    for name, (frame, found) in located.items():
        tables.append(unanswered(doubts_frame(_of_places(name, frame, found, units)), answers))
    every = pd.concat(tables) if tables else doubts_frame([])
    frames = {name: frame for name, (frame, _) in located.items()} | {"demand": demand}
    return _ordered(_with_effects(every, frames, units=units, demand=demand, policy=policy))


def _of_places(name: str, frame: GeoDataFrame, table: pd.DataFrame, units: GeoDataFrame) -> list[Doubt]:
    """Return what is doubtful about where rows are, row by row."""
    sources = frame["source"].astype(str).to_dict()
    names = frame["name"].to_dict()
    called = units["name"].to_dict()
    found = []
    for one in table.itertuples():
        file, _, row = sources.get(one.row_id, "").rpartition(" row ")
        path, _, sheet = file.partition("#")
        found.append(
            Doubt(
                kind=one.doubt_id,
                list=name,
                row_id=one.row_id,
                name=str(names.get(one.row_id, "")),
                file=path,
                sheet=sheet,
                row=row,
                # what a list calls its unit is answered in its column of units
                field={"unit_id": "unit"}.get(one.field, one.field) or "geometry",
                subject=one.subject,
                value=one.value,
                taken=str(called.get(frame["unit_id"].get(one.row_id), "")),
                suggestion=one.suggestion,
            )
        )
    return found


def _with_effects(
    doubts: pd.DataFrame,
    frames: Mapping[str, Any],
    *,
    units: GeoDataFrame,
    demand: GeoDataFrame,
    policy: Policy,
) -> pd.DataFrame:
    """Return doubts with what each can change: the unit of its row, the elders there, the targets its kind counts towards."""
    elders = demand.groupby("unit_id")["elders"].sum()
    named = units["name"].to_dict()
    counted: dict[str, list[str]] = {}
    for target in policy.targets:
        for kind in target.measure.kinds:
            counted.setdefault(kind, []).append(target.id)
    unit_names, people, targets = [], [], []
    for one in doubts.itertuples():
        frame: Any = frames.get(one.list)
        known = frame is not None and one.row_id in frame.index
        unit = str(frame["unit_id"].get(one.row_id)) if known else ""
        kind = str(frame["kind"].get(one.row_id)) if known and "kind" in frame.columns else ""
        unit_names.append(named.get(unit, ""))
        whole = one.row_id == "" or frame is None
        people.append(float(elders.sum() if whole else elders.get(unit, 0.0)))
        targets.append(_WHOLE.join(counted.get(kind, ())))
    return doubts.assign(units=unit_names, elders=people, targets=targets)


def _ordered(doubts: pd.DataFrame) -> pd.DataFrame:
    keys = pd.DataFrame(
        {
            "minor": doubts["kind"].isin(MINOR),
            "targets": pd.Series(
                [-len([i for i in ids.split(_WHOLE) if i]) for ids in doubts["targets"]],
                doubts.index,
                dtype=int,
            ),
            "elders": -doubts["elders"],
            "list": doubts["list"],
            "file": doubts["file"],
            "sheet": doubts["sheet"],
            "row": pd.to_numeric(doubts["row"], errors="coerce"),
        },
        index=doubts.index,
    )
    return doubts.loc[keys.sort_values(list(keys.columns), kind="stable").index]


def unsettled(
    doubts: pd.DataFrame, facilities: GeoDataFrame, *, units: GeoDataFrame, kind: str
) -> pd.DataFrame:
    """Return the facilities that nothing counts until a doubt is answered, and what they would be: `kind`, `unit_id`.

    Those of unknown kind would be of `kind`, those whose unit is a slip in the unit that it most likely means.
    """
    asked = doubts[doubts["list"] == "facilities"]
    strange = set(asked[asked["kind"] == "kind_unknown"]["row_id"])
    slips = asked[(asked["kind"] == "unit_likely") & (asked["suggestion"] != "")]
    known = UnitNames.of(units)
    meant = {
        row: ids.pop()
        for row, ids in (
            (r, known.units(s, None)) for r, s in zip(slips["row_id"], slips["suggestion"], strict=True)
        )
        if len(ids) == 1
    }
    lost = {row for row in meant if row in facilities.index and pd.isna(facilities["unit_id"][row])}
    rows = facilities.loc[sorted((strange | lost) & set(facilities.index))]
    named = rows.index.to_series().map(meant)
    return pd.DataFrame(
        {
            "kind": rows["kind"].mask(rows["kind"] == UNKNOWN, kind),
            "unit_id": rows["unit_id"].where(rows["unit_id"].notna(), named),
        }
    ).dropna(subset=["unit_id"])


def name_only(doubts: pd.DataFrame, facilities: GeoDataFrame, kinds: Collection[str]) -> tuple[str, ...]:
    """Return the ids of facilities of `kinds` whose kind rests on their name alone, sorted."""
    asked = doubts[(doubts["kind"] == "kind_from_name") & (doubts["list"] == "facilities")]["row_id"]
    of_kinds = facilities.index[facilities["kind"].isin(list(kinds))]
    return tuple(sorted(set(asked) & set(of_kinds)))
