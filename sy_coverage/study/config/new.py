"""Start a study: a commented study file and empty tables to fill in."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sy_coverage import _files, labels
from sy_coverage.errors import CannotWriteError, some
from sy_coverage.policy import load_policy
from sy_coverage.study.config.file import StudyConfig
from sy_coverage.study.config.form import NAMES, boundaries_in, form, roads_in, unit_names
from sy_coverage.study.config.section import Section

if TYPE_CHECKING:
    import os

    from sy_coverage.labels import Language

_DATA = frozenset(
    [
        ".gpkg",
        ".geojson",
        ".json",
        ".shp",
        ".dbf",
        ".shx",
        ".prj",
        ".cpg",
        ".qpj",
        ".fgb",
        ".parquet",
        ".pbf",
        ".osm",
        ".graphml",
        ".network",
        ".tif",
        ".tiff",
        ".xlsx",
        ".xls",
        ".et",
        ".ods",
        ".csv",
        ".tsv",
        ".docx",
        ".txt",
        ".zip",
        ".bz2",
        ".gz",
    ]
)
"""How the names of data end, beside which a study may begin."""
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


def template(language: Language) -> str:
    """Return a commented study file that speaks of every key that a study may have."""
    written = files("sy_coverage.study.config").joinpath(f"template_{language}.toml")
    text = written.read_text(encoding="utf-8")
    for section, field in StudyConfig.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, Section):
            text = _completed(text, section, model, language)
    return text


def _completed(text: str, section: str, model: type[Section], language: Language) -> str:
    """Return a study file with a line for each key that its section does not speak of."""
    header = re.search(rf"(?m)^(# )?\[{section}\]", text)
    if header is None:
        text = f"{text.rstrip()}\n\n# [{section}]\n"
        header = re.search(rf"(?m)^# \[{section}\]", text)
    assert header is not None  # noqa: S101  (it was just written)
    after = re.search(r"(?m)^(# )?\[\w", text[header.end() :])
    end = len(text) if after is None else header.end() + after.start()
    block = text[header.end() : end]
    lines = [
        f"# {_line(section, key, field.description or '', language)}\n"
        for key, field in model.model_fields.items()
        if not re.search(rf"\b{key} =", block)
    ]
    kept = block.rstrip()
    return text[: header.end()] + kept + "\n" + "".join(lines) + block[len(kept) + 1 :] + text[end:]


def _line(section: str, key: str, description: str, language: Language) -> str:
    """Return what is said of a key: in the catalogue's words, or those of the model."""
    words = f"study_file.{section}_{key}"
    if words in labels.catalogue():
        return labels.text(words, language)
    return f"{key} = …   # {' '.join(description.split())}"


def new_study(folder: str | os.PathLike[str], *, language: Language = "zh") -> list[Path]:
    """Write a new study into `folder` and return the paths of its files.

    A folder may hold boundaries, roads and lists already: the study file names them, and the workbook offers the units' names.

    Raises
    ------
    CannotWriteError
        If the folder holds one of the files already, or anything else than data: nothing that is there is ever overwritten.
    """
    target = Path(folder)
    there = _files_there(target)
    named = {"boundaries.gpkg": boundaries_in(there), "hunan-latest.osm.pbf": roads_in(there)}
    written = {"study.toml": template(language)}
    for usual, found in named.items():
        if found:
            written["study.toml"] = written["study.toml"].replace(f'= "{usual}"', f'= "{found}"', 1)
    contents = {"study.toml": written["study.toml"].encode()}
    for name, columns in TABLES.items():
        header = ",".join(labels.text(f"study.header_{column}", language) for column in columns)
        # with a BOM, so that Excel opens Chinese headers
        contents[name] = (header + "\r\n").encode("utf-8-sig")
    boundaries = named["boundaries.gpkg"]
    units = () if boundaries is None else unit_names(target / boundaries)
    contents[NAMES[language]] = form(language, load_policy("shaoyang_2025"), units=units)
    taken = sorted(set(contents) & {path.name for path in there})
    if taken:
        raise CannotWriteError(
            f"{folder}: {', '.join(taken)} is there already and stays as it is; give a new folder"
        )
    for name, content in contents.items():
        _files.write_bytes(target / name, content)
    return [target / name for name in contents]


def _files_there(folder: Path) -> list[Path]:
    """Return the data files in a folder, or nothing where there is none.

    Raises
    ------
    CannotWriteError
        If something else is in it: a study may be written beside its data only.
    """
    if not _files.is_there(folder):
        return []
    if not folder.is_dir():
        raise CannotWriteError(f"{folder}: is a file; give a new folder")
    there = sorted(folder.iterdir())
    strange = [path.name for path in there if path.is_dir() or path.suffix.lower() not in _DATA]
    if strange:
        raise CannotWriteError(
            f"{folder}: is not empty ({some(strange)}); give a new folder, or one that holds only boundaries, roads and lists"
        )
    return there
