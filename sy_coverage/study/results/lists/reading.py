"""Say in words what was read, assumed, fixed and left out of a study's files: every line, or one line a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import labels

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.study.answers import Answers

READING = ("file", "row", "sentence")
_FIELD_SAID = frozenset({"column_understood", "census_read", "share_applied"})
"""Lines whose value or subject is one of our column names."""
_WORD_SAID = frozenset(
    {"word_guessed", "kind_from_name", "column_of_kind", "status_assumed", "census_spread"}
)
"""Lines whose value is one of our words for a kind, a status, a place's origin or a weight."""
_USUAL = frozenset(
    {"delimiter", "layer", "column_understood", "column_kept", "ids_made", "rows_digest", "coordinates_read"}
)
"""What nobody needs to look at on screen; all of it is in the table."""


def lines_of(study: Answers) -> DataFrame:
    """Return every line of every reader of `study`: columns READING and `what_id`."""
    tables = [pd.DataFrame(study.reports[room]) for room in sorted(study.reports)]
    lines = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if lines.empty:
        return pd.DataFrame(columns=[*READING, "what_id"])
    lines["sentence"] = [
        labels.text(
            f"places.read_{line.what_id}",
            study.config.study.language,
            subject=_said(study, line.what_id, line.subject),
            value=_said(study, line.what_id, line.value),
        )
        for line in lines.itertuples()
    ]
    return lines[[*READING, "what_id"]]


def _said(study: Answers, what_id: str, word: str) -> str:
    """Return one of our own words as a planner knows it, any other as it is."""
    language = study.config.study.language
    if what_id in _WORD_SAID and word in study.policy.kinds:
        return labels.pick(study.policy.kinds[word].name, language)
    known = labels.catalogue()
    if what_id == "census_spread" and " " in word:
        column, _, total = word.partition(" ")
        return f"{labels.text(f'study.header_{column}', language)} {total}"
    for prefix in ("header", "word") if what_id in _FIELD_SAID | _WORD_SAID else ():
        if f"study.{prefix}_{word}" in known:
            return labels.text(f"study.{prefix}_{word}", language)
    return word


def in_brief(study: Answers) -> list[str]:
    """Return one line for each file: what an eye should fall on, each matter once, with how often it occurs."""
    language = study.config.study.language
    said = []
    for file, lines in lines_of(study).groupby("file", sort=False):
        shown = []
        for what_id, same in lines[~lines["what_id"].isin(_USUAL)].groupby("what_id", sort=False):
            first = same["sentence"].iloc[0]
            more = labels.text("study.and_more", language, count=len(same)) if len(same) > 1 else ""
            row = same["row"].iloc[0]
            where = labels.text("study.in_row", language, row=row) if row and what_id != "rows_read" else ""
            shown.append(f"{where}{first}{more}")
        if shown:
            said.append(
                labels.text(
                    "study.read_file",
                    language,
                    file=file,
                    what=labels.text("study.semicolon", language).join(shown),
                )
            )
    return said
