"""Write the scorecard and the catchments as CSV."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import TYPE_CHECKING

from sy_coverage import labels
from sy_coverage.outputs.tables.cells import csv_cell
from sy_coverage.outputs.tables.rows import SCORECARD, scorecard
from sy_coverage.outputs.text import format as fmt

if TYPE_CHECKING:
    from sy_coverage.outputs.findings import Findings


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
