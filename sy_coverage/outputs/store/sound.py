"""Refuse findings that were not written by a run: ids that could not name files, rows given twice, fields of another kind."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import _files
from sy_coverage.errors import InputError, UnreadableFileError, some
from sy_coverage.policy.targets import CITY, Policy
from sy_coverage.siting.plan import SitingPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sy_coverage.outputs.findings import Findings

TAKEN = ("summary", CITY, "city_map", "coverage_bars", "lorenz", "trade_off", "timeline")
"""Names of files and scopes of the whole city, which no county may have."""
ENDINGS = ("-annex",)
"""What stands behind the name of a county in names of further files."""
_KEYS = {
    "units": ("unit_id",),
    "counties": ("county_id",),
    "facilities": ("facility_id",),
    "demand": ("demand_id",),
    "proposals": ("candidate_id",),
    "catchments": ("facility_id", "cutoff_min"),
    "scorecard": ("target_id", "scope_id"),
}
"""What each frame is indexed by; no row may be there twice."""
_NEEDED = {
    "units": ("name", "kind", "county_id", "county", "elders", "covered", "covered_planned"),
    "counties": ("county", "units", "elders", "new_sites", "cost", "status"),
    "facilities": ("name", "kind", "county_id"),
    "demand": ("elders", "unit_id", "county_id"),
    "proposals": ("name", "kind", "unit_id", "county_id", "number", "cost"),
    "catchments": ("kind", "county_id", "elders"),
    "scorecard": ("value_today", "value_planned", "target", "basis"),
    "reasons": ("site_id", "reason_id", "sentence"),
    "left_out": ("unit_id", "sentence"),
    "doubts": ("row_id", "county_id", "doubt_id", "sentence"),
    "parameters": ("name", "value", "unit", "source"),
    "sources": ("name", "file", "digest", "note"),
}
_TEXTS = (
    "study_name",
    "approval_number",
    "attribution",
    "scope_id",
    "scope_name",
    "office",
    "document_number",
    "signatory",
    "copies_to",
    "printed_by",
)


def require_sound(findings: Findings, *, file: str) -> None:
    """Refuse `findings` that a run could not have written; `file` names them.

    Raises
    ------
    UnreadableFileError
        In one sentence: fields of another kind, ids given twice, county ids that cannot name files, or counties that are
        not among those of the findings.
    """
    wrong = next(_wrong_fields(findings), None) or next(_wrong_ids(findings), None)
    if wrong is None:
        try:
            _files.require_plain_names(findings.counties.index, "county_id", taken=TAKEN, endings=ENDINGS)
        except InputError as error:
            wrong = str(error)
    if wrong is not None:
        raise UnreadableFileError(f"{file}: was not written by a run ({wrong}); run the study again")


def _wrong_fields(findings: Findings) -> Iterator[str]:
    for name in {**_KEYS, **_NEEDED}:
        frame = getattr(findings, name)
        if not isinstance(frame, pd.DataFrame):
            yield f"{name}: no table"
            continue
        keys = _KEYS.get(name)
        if keys is not None and tuple(frame.index.names) != keys:
            yield f"{name}: not by {', '.join(keys)}"
        lacking = [column for column in _NEEDED.get(name, ()) if column not in frame.columns]
        if lacking:
            yield f"{name}: without {some(lacking)}"
    plain: dict[str, Any] = {name: isinstance(getattr(findings, name), str) for name in _TEXTS} | {
        "policy": isinstance(findings.policy, Policy),
        "language": findings.language in ("zh", "en"),
        "date": type(findings.date) is dt.date,
        "issued": findings.issued is None or type(findings.issued) is dt.date,
        "base_map": findings.base_map in (None, "tianditu", "osm", "gaode"),
        "key_in_page": isinstance(findings.key_in_page, bool),
        "notices": all(isinstance(sentence, str) for sentence in findings.notices),
        "extras": all(isinstance(table, pd.DataFrame) for table in findings.extras.values()),
        "edition": findings.edition in ("internal", "public"),
        "alone": isinstance(findings.alone, bool),
        "recounts": all(isinstance(part, str) for pair in findings.recounts.items() for part in pair),
        "plans": all(isinstance(plan, SitingPlan) for plan in findings.plans.values()),
    }
    yield from (f"{name}: of another kind" for name, is_right in plain.items() if not is_right)


def _wrong_ids(findings: Findings) -> Iterator[str]:
    for name in _KEYS:
        index = getattr(findings, name).index
        if not index.is_unique:
            yield f"{name}: rows given twice: {some(index[index.duplicated()].unique())}"
    known = set(findings.counties.index)
    named = {
        "units": findings.units["county_id"],
        "plans": list(findings.plans),
        "recounts": list(findings.recounts),
        "scorecard": findings.scorecard.index.get_level_values("scope_id"),
        "scope": [findings.scope_id],
    }
    for name, ids in named.items():
        strange = sorted({str(i) for i in ids if i not in known | {CITY}})
        if strange:
            yield f"{name}: of counties that are not there: {some(strange)}"
