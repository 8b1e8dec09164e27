"""Fill workbooks for people: the scorecard, and the proposal of a county."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.outputs.facts import Facts
from sy_coverage.outputs.tables import candidates, workbook
from sy_coverage.outputs.tables.rows import doubts, scorecard, sites, units
from sy_coverage.outputs.tables.workbook import Field
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings

_VALUE_FORMATS = {"count": "#,##0", "other": "#,##0.##"}


def scorecard_xlsx(findings: Findings) -> bytes:
    """Return the scorecard as a workbook of two sheets.

    The first, which opens, is for people: labelled headers, percent and number formats, met in words. The second,
    ``scorecard``, is for programs: headers as in `SCORECARD`, plain values.
    """
    language = findings.language
    book = workbook.Book(findings)
    frame = scorecard(findings)
    book.add(labels.text("outputs.sheet_indicators", language), _scorecard_fields(findings), frame)
    book.add_plain("scorecard", frame)
    book.open_at(0)
    return book.bytes()


def proposal_xlsx(findings: Findings) -> bytes:
    """Return the proposal of one county (or of the whole city) as a workbook.

    Sheets, named in the language of the findings: sites, every candidate with what became of it, units, scorecard, to verify,
    notes (notices, policy, parameters, sources), and figures: every figure of this scope under the id that documents carry
    it by. Each has its title and the notices above a frozen header. Shares are percentages, costs in the policy's money,
    text inert.
    """
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


def _scorecard_fields(findings: Findings) -> list[Field]:
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


def _site_fields(findings: Findings) -> list[Field]:
    language = findings.language
    names = findings.facilities["name"].to_dict()
    phased = [Field("phase", 9, format="0")] if findings.proposals["phase"].notna().any() else []
    fields = [
        Field("number", 7, format="0"),
        Field("name", 30),
        Field("name_latin", 30),
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
        Field("gcj02_lon", 13, format="0.000000"),
        Field("gcj02_lat", 13, format="0.000000"),
    ]
    return fields if findings.scope_id != words.CITY else [Field("county", 16), *fields]


def _unit_fields(findings: Findings) -> list[Field]:
    language = findings.language

    def flag(value: Any) -> str:
        return words.flag(value, language)

    fields = [
        Field("unit_id", 13),
        Field("name", 20),
        Field("name_latin", 24),
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
        *(
            Field(column, 14, format="0.0%")
            for column in words.BESIDE.values()
            if column in findings.units.columns
        ),
        Field("boundary_quality", 10, show=lambda v: words.boundary(v, language)),
        Field("left_out", 50, show=fmt.sentences),
    ]
    return fields if findings.scope_id != words.CITY else [Field("county", 16), *fields]


def _doubt_fields(findings: Findings) -> list[Field]:
    language = findings.language
    return [
        Field("frame", 12, show=lambda v: words.frame(v, language)),
        Field("row_id", 22),
        Field("name", 34),
        Field("sentence", 64),
        Field("county_id", 12),
        Field("doubt_id", 20),
    ]
