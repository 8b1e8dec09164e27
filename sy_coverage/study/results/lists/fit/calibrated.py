"""Fit a study's roads to observed times, and say what came of it in the study's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import _files, labels, roads
from sy_coverage.errors import InputError
from sy_coverage.study.results.lists import rows as lists
from sy_coverage.study.results.lists.fit import residuals

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from pandas import DataFrame

    from sy_coverage.study.answers import Answers


def read_observed(path: str | os.PathLike[str], *, limits: _files.Limits = _files.USUAL) -> DataFrame:
    """Return the observed times of a table as columns of text, indexed by the row a person sees.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        If there is no such table or it has no row.
    """
    grid = _files.read_grid(path, limits=limits)
    if len(grid.cells) < 2:
        raise InputError(f"{path}: holds no observed times; a row a trip is needed below the header")
    head, *body = grid.cells
    first = grid.first_row + 1
    return pd.DataFrame(body, columns=[cell.strip() for cell in head], index=range(first, first + len(body)))


def calibrated(study: Answers, path: str | os.PathLike[str], *, mode: str = "drive") -> roads.Calibration:
    """Return what came of fitting the study's network to the observed times in a file."""
    observed = read_observed(path, limits=study.files.limits)
    return roads.calibrate(study.network, observed, mode=mode, max_snap_m=study.config.roads.max_snap_m)


def sentences(found: roads.Calibration, language: labels.Language) -> list[str]:
    """Return fit before and after, the speeds that were found and the ten worst pairs, one line each."""
    said = [
        labels.text(
            f"roads.calibration_{name}",
            language,
            ratio=f"{row.median_ratio:.3f}",
            r2=f"{row.r2:.3f}",
            error=f"{row.mean_error_min:.1f}",
            count=len(found.pairs),
        )
        for name, row in zip(found.fit.index, found.fit.itertuples(index=False), strict=True)
    ]
    for name, row in zip(found.speeds.index, found.speeds.itertuples(index=False), strict=True):
        key = "speed" if row.identified else "not_identified"
        key = "delay" if name == "junctions" and row.identified else key
        said.append(
            labels.text(
                f"roads.calibration_{key}",
                language,
                name=labels.text("roads.table_junction_s", language)
                if name == "junctions"
                else _class(str(name), language),
                before=f"{row.kph_before:.1f}",
                after=f"{row.kph_after:.1f}",
                pace=f"{row.pace:.2f}",
                share=f"{row.share:.0%}",
            )
        )
    said += [
        labels.text(
            "roads.calibration_worst",
            language,
            row=str(index),
            observed=f"{row.observed_min:.1f}",
            computed=f"{row.after_min:.1f}",
        )
        for index, row in zip(found.worst.index, found.worst.itertuples(index=False), strict=True)
    ]
    return [*said, labels.text("roads.calibration_table", language), found.toml()]


def _class(name: str, language: labels.Language) -> str:
    key = f"roads.class_{name}"
    return labels.text(key, language) if key in labels.catalogue() else name


def write(found: roads.Calibration, folder: Path, language: labels.Language) -> list[Path]:
    """Write the table for the study file, the speeds, the pairs as lines to lay over a map and a page of them; return the paths."""
    return lists.write(
        folder,
        {
            "calibration.toml": found.toml().encode("utf-8"),
            "calibration_speeds.csv": lists.plain_csv(found.speeds.reset_index()),
            "calibration.html": residuals.page(found, language),
            "calibration_pairs.geojson": found.pairs.to_json().encode("utf-8"),
        },
    )
