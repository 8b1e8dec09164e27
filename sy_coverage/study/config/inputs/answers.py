"""Look up what `[answers]` of a study file may say."""

from __future__ import annotations

from sy_coverage.study.config.section import Section


class OfficeAnswers(Section):
    """`[answers]`: what the office answered to what was asked of it in 待核实.xlsx."""

    file: str = ""
    """The workbook that came back. Without, one called 待核实….xlsx (to_verify….xlsx) beside the study file is read, and the one in
    the folder of results if somebody has filled it in."""
