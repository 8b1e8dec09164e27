"""Write what became of every row as lists that a spreadsheet opens: located, to verify, read, changed."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import _files, labels
from sy_coverage.outputs.text import format as fmt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.labels import Language
    from sy_coverage.study.answers import Answers

ROWS = (
    "frame",
    "id",
    "source",
    "name",
    "kind",
    "address",
    "county",
    "unit",
    "lon",
    "lat",
    "location_status",
    "located_by",
    "location_precision",
    "coordinate_system",
    "reason",
    "location_query",
    "location_time",
    "unit_distance_m",
)
"""The columns of the list of all rows; `location_reason` holds the id that `reason` says in words."""
DOUBTS = ("frame", "id", "name", "county", "doubt", "sentence")
CHANGES = (
    "frame",
    "id",
    "name",
    "address",
    "before",
    "before_lon",
    "before_lat",
    "after",
    "after_lon",
    "after_lat",
    "moved_m",
)
STATUSES = ("located", "approximate", "ambiguous", "rejected", "not_located")
_WORDED = {
    "frame": "list",
    "location_status": "status",
    "location_precision": "precision",
    "located_by": "by",
}
"""Columns whose values are ids of labels ``places.<prefix>_<value>``."""


def rows_of(study: Answers, name: str, frame: GeoDataFrame) -> DataFrame:
    """Return one row for every row of `frame` (the list called `name`), in its order, columns ROWS and `location_reason`."""
    language = study.config.study.language
    table = pd.DataFrame(frame.drop(columns="geometry")).reset_index(names="id")
    there = frame.geometry.notna().to_numpy()
    points = frame.geometry.where(pd.Series(there, index=frame.index), None)
    table["lon"], table["lat"] = points.x.round(6).to_numpy(), points.y.round(6).to_numpy()
    table["frame"] = name
    table["unit"] = _named(table, "unit_id", study.units["name"].to_dict(), "unit_named")
    table["county"] = _named(table, "county_id", study.counties, "county_named")
    kinds = {key: labels.pick(kind.name, language) for key, kind in study.policy.kinds.items()}
    table["kind"] = table["kind"].map(lambda kind: kinds.get(kind, kind))
    table["reason"] = [
        labels.text(f"places.doubt_title_{reason}", language) if fmt.known(reason) else None
        for reason in table["location_reason"]
    ]
    table["unit_distance_m"] = table["unit_distance_m"].round(0)
    return table.reindex(columns=[*ROWS, "location_reason"])


def _named(table: DataFrame, column: str, names: Mapping[str, str], said: str) -> list[Any]:
    """Return the name of each id, or what the row says where that is none of the study's."""
    written = table[said] if said in table.columns else [None] * len(table)
    return [names.get(key, given) for key, given in zip(table[column], written, strict=True)]


def spoken_rows(rows: DataFrame, language: Language) -> DataFrame:
    """Return the list of all rows with its ids of labels in words."""
    table = rows[list(ROWS)].copy()
    for column, prefix in _WORDED.items():
        table[column] = [
            labels.text(f"places.{prefix}_{value}", language) if fmt.known(value) else None
            for value in table[column]
        ]
    return table


class Spoken:
    """Our ids in words: kinds, statuses, coordinate systems."""

    def __init__(self, study: Answers) -> None:
        """Speak the language of `study`."""
        self._language = study.config.study.language
        self._kinds = {
            key: labels.pick(kind.name, self._language) for key, kind in study.policy.kinds.items()
        }
        self._known = labels.catalogue()

    def word(self, value: str) -> str:
        """Return an id in words, any other text as it is."""
        if value in self._kinds:
            return self._kinds[value]
        for key in (f"study.word_{value}", f"study.header_{value}", f"places.taken_{value}"):
            if key in self._known:
                return labels.text(key, self._language)
        return value


def doubts_of(study: Answers, name: str) -> DataFrame:
    """Return one row for every open doubt about a row of the list called `name`, in words; columns DOUBTS and `doubt_id`."""
    language = study.config.study.language
    found = open_doubts_of(study, name)
    found["doubt"] = [labels.text(f"places.doubt_title_{i}", language) for i in found["doubt_id"]]
    found = found.assign(
        frame=labels.text(f"places.list_{name}", language),
        county=found["county_id"].map(study.counties),
        id=found["row_id"],
    )
    return found[[*DOUBTS, "doubt_id"]]


def open_doubts_of(study: Answers, name: str) -> DataFrame:
    """Return the open doubts about rows of a list: `doubt_id` (the kind), `row_id`, `name`, `county_id`, `subject`, `value`, `sentence`."""
    language, spoken = study.config.study.language, Spoken(study)
    frame = study.facility_rows if name == "facilities" else study.candidate_rows
    every = study.open_doubts
    own = every[(every["list"] == name) & every["row_id"].isin(frame.index)]
    # as `places.doubts` lists them, what readers ask after it
    listed = zip(study.doubts["doubt_id"], study.doubts["row_id"], strict=True)
    place = {key: n for n, key in enumerate(listed)} if name == "facilities" else {}
    keys = [
        (place.get((kind, row_id), len(place)), kind, row_id)
        for kind, row_id in zip(own["kind"], own["row_id"], strict=True)
    ]
    own = own.iloc[sorted(range(len(own)), key=keys.__getitem__)].reset_index(drop=True)
    found = pd.DataFrame(
        {
            "doubt_id": own["kind"],
            "row_id": own["row_id"],
            "subject": own["subject"].map(spoken.word),
            "value": own["value"].map(spoken.word),
            "name": own["row_id"].map(frame["name"].to_dict()),
            "county_id": own["row_id"].map(frame["county_id"].to_dict()),
        },
        columns=["doubt_id", "row_id", "subject", "value", "name", "county_id"],
    )
    found["sentence"] = [
        labels.text(
            f"places.doubt_{row.doubt_id}",
            language,
            name=fmt.plain(who),
            subject=row.subject,
            value=row.value,
        )
        for who, row in zip(found["name"], found.itertuples(), strict=True)
    ]
    return found


def as_csv(table: DataFrame, language: Language) -> bytes:
    """Return a list as CSV in UTF-8 with BOM, its headers ``places.list_<column>``; see `plain_csv`."""
    return plain_csv(
        table.rename(columns={c: labels.text(f"places.list_{c}", language) for c in table.columns})
    )


def plain_csv(table: DataFrame) -> bytes:
    """Return `table` as CSV in UTF-8 with BOM, so that Excel opens it; text that would be a formula gets a ``'``."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow([fmt.inert(column) for column in table.columns])
    for row in table.itertuples(index=False):
        write.writerow([_cell(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if not fmt.known(value):
        return ""
    if isinstance(value, str):
        return fmt.inert(value)
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


def write(folder: Path, content: Mapping[str, bytes]) -> list[Path]:
    """Write files into `folder`, each whole or not at all, and return their paths."""
    with _files.locked(folder) as held:
        for name, data in content.items():
            held.write(name, data)
    return [folder / name for name in content]
