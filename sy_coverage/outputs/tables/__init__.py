"""Write what was found as tables: CSV, XLSX, GeoJSON, and the layers of a GeoPackage."""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import labels
from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.outputs.facts import Facts
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words as words

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.tables.workbook import Field

SCORECARD = (
    "target_id",
    "name",
    "scope_id",
    "scope",
    "value_today",
    "value_planned",
    "target",
    "met_today",
    "met_planned",
    "needed",
    "basis",
    "reason",
    "citation",
)
_TWICE = (
    "elders_covered",
    "share_covered",
    "nearest_mean_min",
    "nearest_worst_min",
    "elders_unreached",
    "has_centre",
    "covered",
    "backup_share",
)
_PLACE = (
    "name",
    "kind",
    "status",
    "unit_id",
    "county_id",
    "address",
    "opens_on",
    "beds",
    "nursing_beds",
    "floor_area_m2",
    "functions",
    "has_medical",
    "dementia_ward",
    "premises",
    "coordinate_system",
    "located_by",
    "location_precision",
    "location_status",
    "location_reason",
)
_PLANNED = ("host_id", "upgrade_of", "community_id", "demonstration", "convert", "demonstrates")
"""What a plan says of a facility or a site besides opening it: beds to convert, the targets it demonstrates; with it the scorecard
can be counted again from the layers alone."""
LAYERS: dict[str, tuple[str, ...]] = {
    "units": (
        "name",
        "kind",
        "county_id",
        "county",
        "boundary_quality",
        "elders",
        *_TWICE,
        *(f"{c}_planned" for c in _TWICE),
    ),
    "facilities": (*_PLACE, *_PLANNED),
    "demand": (
        "name",
        "elders",
        "elders_65",
        "elders_80",
        "households",
        "unit_id",
        "county_id",
        "position_quality",
        "nearest_min",
        "covered",
        "nearest_planned_min",
        "covered_planned",
    ),
    "access_legs": ("name", "unit_id", "county_id", "elders", "mode", "length_m", "minutes", "note"),
    "catchments": ("kind", "county_id", "area_km2", "elders"),
    "proposals": (
        "number",
        "name",
        "kind",
        "unit_id",
        "unit",
        "county_id",
        "county",
        "cost",
        "premises",
        "phase",
        "elders_gained",
        "medical_min",
        "why",
        "beds",
        "nursing_beds",
        "floor_area_m2",
        "has_medical",
        "dementia_ward",
        *_PLANNED,
    ),
}
"""The columns of each layer of `coverage.gpkg`, after the index; a column that was not found out is left out."""


def scorecard(findings: Findings) -> DataFrame:
    """Return the scorecard as one flat frame with the columns `SCORECARD`, in the policy's order, scopes by id.

    `name` is the target's in the language of the findings; `value_today`, `value_planned`, `met_today`, `met_planned` and
    `needed` are missing where they cannot be known, and `reason` says why.
    """
    frame = findings.scorecard.reset_index()
    order = {target.id: place for place, target in enumerate(findings.policy.targets)}
    names = {target.id: labels.pick(target.name, findings.language) for target in findings.policy.targets}
    frame["_place"] = frame["target_id"].map(order).fillna(len(order))
    # the whole city after its counties
    frame["_city"] = frame["scope_id"] == words.CITY
    frame = frame.sort_values(["_place", "target_id", "_city", "scope_id"], kind="stable")
    frame["name"] = [names.get(t, t) for t in frame["target_id"]]
    frame["reason"] = [words.reason(r, findings.language) for r in frame["reason"]]
    return frame.reindex(columns=list(SCORECARD)).reset_index(drop=True)


def scorecard_csv(findings: Findings) -> bytes:
    """Return the scorecard as CSV in UTF-8 with BOM (so that Excel opens it), headers as in `SCORECARD`.

    Numbers are as they are, shares in 0..1; true and false are ``true`` and ``false``; what is not known is empty. Text
    that a spreadsheet would take for a formula gets a ``'`` before it.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(SCORECARD)
    for row in scorecard(findings).itertuples(index=False):
        write.writerow([csv_cell(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


OVERLAP = ("area_km2", "area_share", "elders", "elder_share", "villages", "village_share")


def catchments_csv(findings: Findings) -> bytes:
    """Return how much of each unit lies in the drawing of each catchment, as CSV like the scorecard's, in words.

    The headers say that drawings are measured: who is within reach is decided from travel times.
    """
    said = partial(labels.text, language=findings.language)
    columns = ("facility", "name", "minutes", "unit_id", "unit", *OVERLAP)
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow([said(f"outputs.overlap_{column}") for column in columns])
    if findings.overlap is not None:
        named = {**findings.facilities["name"], **findings.proposals["name"]}
        for (facility, minutes, unit), *numbers in zip(
            findings.overlap.index, *(findings.overlap[column] for column in OVERLAP), strict=True
        ):
            row = (
                facility,
                named.get(facility, ""),
                f"{minutes:g}",
                unit,
                findings.units["name"].get(unit, ""),
            )
            measured = [round(float(number), 4) if fmt.known(number) else None for number in numbers]
            write.writerow([csv_cell(value) for value in (*row, *measured)])
    return out.getvalue().encode("utf-8-sig")


def csv_cell(value: Any) -> str:
    """Return a value as it stands in a CSV: nothing where nothing is known, text inert."""
    if not fmt.known(value):
        return ""
    if isinstance(value, str):
        return fmt.inert(value)
    if pd.api.types.is_bool(value):
        return "true" if value else "false"
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


def scorecard_xlsx(findings: Findings) -> bytes:
    """Return the scorecard as a workbook of two sheets.

    The first, which opens, is for people: labelled headers, percent and number formats, met in words. The second,
    ``scorecard``, is for programs: headers as in `SCORECARD`, plain values.
    """
    from sy_coverage.outputs.tables import workbook  # noqa: PLC0415  openpyxl is loaded only when a workbook is written

    language = findings.language
    book = workbook.Book(findings)
    frame = scorecard(findings)
    book.add(labels.text("outputs.sheet_indicators", language), _scorecard_fields(findings), frame)
    book.add_plain("scorecard", frame)
    book.open_at(0)
    return book.bytes()


def _scorecard_fields(findings: Findings) -> list[Field]:
    from sy_coverage.outputs.tables.workbook import Field  # noqa: PLC0415

    language = findings.language

    def value_format(row: Any) -> str:
        form = words.measured_as(findings.policy, row["target_id"])
        if form != "share":
            return _VALUE_FORMATS[form]
        goal = words.goal_of(findings.policy, row["target_id"])
        digits = max(fmt.share_digits(row[c], goal=goal) for c in ("value_today", "value_planned"))
        return f"0.{'0' * digits}%"

    return [
        Field("name", 34),
        Field("scope", 18),
        Field("target", 11, format=value_format),
        Field("value_today", 11, format=value_format),
        Field("value_planned", 13, format=value_format),
        Field("met_today", 11, show=lambda v: words.met(v, language)),
        Field("met_planned", 13, show=lambda v: words.met(v, language)),
        Field("needed", 9, format="#,##0"),
        Field("basis", 12, show=lambda v: words.basis(v, language)),
        Field("reason", 38),
        Field("citation", 33),
    ]


_VALUE_FORMATS = {"count": "#,##0", "other": "#,##0.##"}


def proposal_xlsx(findings: Findings) -> bytes:
    """Return the proposal of one county (or of the whole city) as a workbook.

    Sheets, named in the language of the findings: sites, every candidate with what became of it, units, scorecard, to verify,
    notes (notices, policy, parameters, sources), and figures: every figure of this scope under the id that documents carry
    it by. Each has its title and the notices above a frozen header. Shares are percentages, costs in the policy's money,
    text inert.
    """
    from sy_coverage.outputs.tables import candidates, workbook  # noqa: PLC0415

    book = workbook.Book(findings)

    def sheet(key: str, fields: list[Field], frame: DataFrame, **options: Any) -> None:
        book.add(labels.text(f"outputs.sheet_{key}", findings.language), fields, frame, **options)

    sheet("sites", _site_fields(findings), sites(findings), total=("cost", "elders_gained"))
    every = findings.extras.get("candidates")
    if every is not None and len(every):
        sheet("candidates", candidates.fields(), every.reset_index(drop=True))
    sheet("units", _unit_fields(findings), units(findings))
    sheet("scorecard", _scorecard_fields(findings), scorecard(findings))
    sheet("to_verify", _doubt_fields(findings), doubts(findings))
    book.add_notes(labels.text("outputs.sheet_notes", findings.language))
    book.add_plain(
        labels.text("outputs.sheet_figures", findings.language), Facts(findings).table().reset_index()
    )
    return book.bytes()


def sites(findings: Findings) -> DataFrame:
    """Return the proposed sites by county and number: `candidate_id` and degrees as columns instead of a geometry."""
    points = _ordered(findings.proposals).to_crs(GEOGRAPHIC)
    frame = pd.DataFrame(points.drop(columns="geometry")).assign(
        longitude=points.geometry.x, latitude=points.geometry.y
    )
    return frame.reset_index().sort_values(["county_id", "number"], kind="stable").reset_index(drop=True)


def units(findings: Findings) -> DataFrame:
    """Return the units by id, without geometry, with `unit_id` as a column and `left_out`: why none is proposed there."""
    frame = _ordered(findings.units).drop(columns="geometry", errors="ignore")
    why = findings.left_out.sort_values(["unit_id", "reason_id"]).groupby("unit_id")["sentence"].agg(" ".join)
    return frame.assign(left_out=why.reindex(frame.index)).reset_index()


def doubts(findings: Findings) -> DataFrame:
    """Return what is to verify, by county, frame, row and doubt."""
    return findings.doubts.sort_values(
        ["county_id", "frame", "row_id", "doubt_id"], kind="stable", na_position="last"
    ).reset_index(drop=True)


def _site_fields(findings: Findings) -> list[Field]:
    from sy_coverage.outputs.tables.workbook import Field  # noqa: PLC0415

    language = findings.language
    names = findings.facilities["name"].to_dict()
    phased = [Field("phase", 9, format="0")] if findings.proposals["phase"].notna().any() else []
    fields = [
        Field("number", 7, format="0"),
        Field("name", 30),
        Field("kind", 26, show=lambda v: words.kind(findings.policy, v, language)),
        Field("unit", 16),
        Field("premises", 14, show=lambda v: words.premises(v, language)),
        *phased,
        Field("cost", 12, format="#,##0.0"),
        Field("elders_gained", 14, format="#,##0"),
        Field("medical_min", 14, format="0.0"),
        Field("upgrade_of", 26, show=lambda v: names.get(v, fmt.plain(v))),
        Field("why", 60, show=fmt.sentences),
        Field("candidate_id", 18),
        Field("unit_id", 13),
        Field("longitude", 12, format="0.00000"),
        Field("latitude", 12, format="0.00000"),
    ]
    return fields if findings.scope_id != words.CITY else [Field("county", 16), *fields]


def _unit_fields(findings: Findings) -> list[Field]:
    from sy_coverage.outputs.tables.workbook import Field  # noqa: PLC0415

    language = findings.language

    def flag(value: Any) -> str:
        return words.flag(value, language)

    fields = [
        Field("unit_id", 13),
        Field("name", 20),
        Field("kind", 10, show=lambda v: words.unit_name(findings.policy, v, language)),
        Field("elders", 12, format="#,##0"),
        Field("elders_unreached_planned", 14, format="#,##0"),
        Field("has_centre", 10, show=flag),
        Field("has_centre_planned", 12, show=flag),
        Field("covered", 10, show=flag),
        Field("covered_planned", 12, show=flag),
        Field("elders_covered", 14, format="#,##0"),
        Field("elders_covered_planned", 16, format="#,##0"),
        Field("share_covered", 12, format="0.0%"),
        Field("share_covered_planned", 14, format="0.0%"),
        Field("nearest_mean_min", 12, format="0.0"),
        Field("nearest_mean_min_planned", 14, format="0.0"),
        Field("boundary_quality", 10, show=lambda v: words.boundary(v, language)),
        Field("left_out", 50, show=fmt.sentences),
    ]
    return fields if findings.scope_id != words.CITY else [Field("county", 16), *fields]


def _doubt_fields(findings: Findings) -> list[Field]:
    from sy_coverage.outputs.tables.workbook import Field  # noqa: PLC0415

    language = findings.language
    return [
        Field("frame", 12, show=lambda v: words.frame(v, language)),
        Field("row_id", 22),
        Field("name", 34),
        Field("sentence", 64),
        Field("county_id", 12),
        Field("doubt_id", 20),
    ]


def proposal_geojson(findings: Findings) -> str:
    """Return the proposed sites as a GeoJSON FeatureCollection (RFC 7946: WGS 84, longitude first, no ``crs``).

    Each feature has its `candidate_id` as ``id`` and, as properties, the columns of the layer `proposals` and `kind_name`.
    The collection also carries ``name``, ``date`` and ``notices``.
    """
    frame = _layer(findings, "proposals").reset_index().sort_values(["county_id", "number"], kind="stable")
    features = []
    for row in frame.to_dict("records"):
        point = row.pop("geometry")
        properties = {key: _json_value(value) for key, value in row.items()}
        properties["kind_name"] = words.kind(findings.policy, row["kind"], findings.language)
        geometry = None
        if point is not None and not point.is_empty:
            geometry = {"type": "Point", "coordinates": [round(point.x, 6), round(point.y, 6)]}
        features.append(
            {"type": "Feature", "id": row["candidate_id"], "geometry": geometry, "properties": properties}
        )
    collection = {
        "type": "FeatureCollection",
        "name": findings.study_name,
        "scope": findings.scope_name,
        "date": findings.date.isoformat(),
        "notices": list(findings.notices),
        "features": features,
    }
    return json.dumps(collection, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _json_value(value: Any) -> Any:
    if not fmt.known(value):
        return None
    if pd.api.types.is_bool(value):
        return bool(value)
    if pd.api.types.is_number(value):
        number = float(value)
        return int(number) if number.is_integer() else number
    return str(value)


def layers(findings: Findings) -> dict[str, GeoDataFrame]:
    """Return the layers of `coverage.gpkg`, EPSG:4326, sorted by id, with the columns of `LAYERS`; what was not computed is left out.

    `units` (index `unit_id`), `facilities` (`facility_id`; a row without a point has no geometry), `demand`
    (`demand_id`), `access_legs` (`demand_id`: the way to the road), `catchments` (`facility_id`, `cutoff_min`), `proposals` and `candidates` (`candidate_id`; every one, with what became of it).
    """
    from sy_coverage.outputs.tables import candidates  # noqa: PLC0415  (it needs the writers of this module)

    found = {name: _layer(findings, name) for name in LAYERS if getattr(findings, name) is not None}
    if "candidates" in findings.extras:
        every = candidates.layer(findings)
        found["candidates"] = _typed(every, [c for c in every.columns if c != "geometry"])
    return found


def _with_plan(findings: Findings, frame: GeoDataFrame) -> GeoDataFrame:
    """Return facilities or sites with the beds that plans convert there and the targets for which they demonstrate."""
    beds, shown = (findings.extras.get(name) for name in ("conversions", "demonstration"))
    if beds is not None and len(beds):
        turned = beds.set_index("site_id")["convert"].astype("float64")
        frame = frame.assign(convert=turned.reindex(frame.index))
    if shown is not None and len(shown):
        targets = shown.groupby("site_id")["target_id"].agg(lambda ids: ",".join(sorted(ids)))
        frame = frame.assign(demonstrates=targets.reindex(frame.index))
    return frame


def _layer(findings: Findings, name: str) -> GeoDataFrame:
    frame: GeoDataFrame = _ordered(getattr(findings, name)).to_crs(GEOGRAPHIC)
    if "convert" in LAYERS[name]:
        frame = _with_plan(findings, frame)
    kept = [column for column in LAYERS[name] if column in frame.columns]
    return _typed(frame[[*kept, "geometry"]].copy(), kept)


def _typed(frame: GeoDataFrame, columns: list[str]) -> GeoDataFrame:
    """Return a layer each of whose `columns` has a type that a GeoPackage can hold."""
    for column in columns:
        # a column without any value, or with mixed ones, has no type that a GeoPackage could hold
        if frame[column].dtype != object:
            continue
        known = [value for value in frame[column] if fmt.known(value)]
        if known and all(pd.api.types.is_bool(value) for value in known):
            # yes, no, or nothing where nobody knows
            frame[column] = pd.array(
                [bool(v) if fmt.known(v) else None for v in frame[column]], dtype="boolean"
            )
        else:
            frame[column] = frame[column].map(lambda v: str(v) if fmt.known(v) else None).astype("str")
    return frame


def _ordered(frame: Any) -> Any:
    return frame.sort_index(kind="stable")
