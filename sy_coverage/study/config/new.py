"""Start a study: a commented study file and empty tables to fill in."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sy_coverage import _files, labels
from sy_coverage.errors import CannotWriteError
from sy_coverage.policy import load_policy
from sy_coverage.study.config.form import NAMES, form

if TYPE_CHECKING:
    import os

    from sy_coverage.labels import Language

TABLES = {
    "facilities.csv": (
        "facility_id", "name", "kind", "address", "lon", "lat", "coordinate_system",
        "status", "opens_on", "beds", "nursing_beds", "county", "unit",
    ),
    "candidates.csv": (
        "candidate_id", "name", "kind", "address", "lon", "lat", "coordinate_system",
        "premises", "cost", "upgrade_of", "host_id", "county", "unit",
    ),
    "villages.csv": ("demand_id", "name", "elders", "elders_65", "elders_80", "lon", "lat", "unit_id"),
}  # fmt: skip


def new_study(folder: str | os.PathLike[str], *, language: Language = "zh") -> list[Path]:
    """Write a new study into `folder` and return the paths of its files.

    Raises
    ------
    CannotWriteError
        If the folder is not empty: nothing that is there is ever overwritten.
    """
    target = Path(folder)
    if _files.is_there(target) and (not target.is_dir() or any(target.iterdir())):
        raise CannotWriteError(f"{folder}: is not empty; give a new folder")
    template = (
        files("sy_coverage.study.config").joinpath(f"template_{language}.toml").read_text(encoding="utf-8")
    )
    written = {"study.toml": template.encode()}
    for name, columns in TABLES.items():
        header = ",".join(labels.text(f"study.header_{column}", language) for column in columns)
        # with a BOM, so that Excel opens Chinese headers
        written[name] = (header + "\r\n").encode("utf-8-sig")
    written[NAMES[language]] = form(language, load_policy("shaoyang_2025"))
    for name, content in written.items():
        _files.write_bytes(target / name, content)
    return [target / name for name in written]
