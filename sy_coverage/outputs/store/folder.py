"""Keep the findings of many counties in a folder: a part for each county and one for all of them, behind an index."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import _files
from sy_coverage.errors import UnknownIdError, UnreadableFileError
from sy_coverage.outputs.findings import Findings
from sy_coverage.outputs.store import values
from sy_coverage.outputs.store.frames import read_frame, written_frame
from sy_coverage.outputs.store.sound import require_sound

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

FOLDER = "findings"
INDEX = "index.json"
FACTS = "facts.json"
VERSION = 2
"""Of the format; 1 is one file, ``findings.json.gz``."""
WHOLE = "city"
"""The part that speaks of all counties together."""
_LIMITS = _files.Limits(megabytes=2_000, ratio=1_000, rows=10_000_000)
_TABLE = ".parquet"
_EXTRA = "extra-"


@dataclass(frozen=True)
class Index:
    """Which counties there are, and the digest of every file of every part."""

    counties: Mapping[str, str]
    """Names by `county_id`."""
    parts: Mapping[str, Mapping[str, str]]
    """By `county_id` or `WHOLE`: names of files to their SHA-256."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """By part, the digest of all it was worked out from."""

    def written(self) -> bytes:
        """Return the index as JSON."""
        held = {
            f.name: {k: getattr(self, f.name)[k] for k in sorted(getattr(self, f.name))}
            for f in fields(Index)
        }
        told = {"format": "sy_coverage findings", "version": VERSION, **held}
        return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def part_files(findings: Findings) -> dict[str, bytes]:
    """Return the files of one part, by name: every table as (Geo)Parquet, all else as JSON."""
    held: dict[str, Any] = {f.name: getattr(findings, f.name) for f in fields(Findings)}
    tables = {name: value for name, value in held.items() if isinstance(value, pd.DataFrame)}
    tables |= {f"{_EXTRA}{name}": table for name, table in findings.extras.items()}
    rest = {name: value for name, value in held.items() if name not in tables and name != "extras"}
    made = {f"{name}{_TABLE}": written_frame(table) for name, table in tables.items()}
    told = {"version": VERSION, "findings": {name: values.written(value) for name, value in rest.items()}}
    made[FACTS] = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return made


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each file by its name."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}


def has_folder(results: str | os.PathLike[str]) -> bool:
    """Return whether the findings of these results are a folder."""
    return _files.is_there(f"{results}/{FOLDER}/{INDEX}")


def read_index(results: str | os.PathLike[str]) -> Index:
    """Return what is in the folder of findings of these results.

    Raises
    ------
    MissingFileError, UnreadableFileError
        If there is none, or it is damaged, of another version, or names files elsewhere.
    """
    path = f"{results}/{FOLDER}/{INDEX}"
    try:
        told = json.loads(_files.read_bytes(path, limits=_LIMITS))
        if told["version"] != VERSION:
            raise UnreadableFileError(
                f"{path}: was written by version {told['version']!r} of the format, this is version {VERSION}; run the study again"
            )
        index = Index(**{f.name: told[f.name] for f in fields(Index)})
        _files.require_plain_names(index.counties, "county_id", taken=(WHOLE,))
        strange = set(index.parts) - set(index.counties) - {WHOLE}
        names = {name for files in index.parts.values() for name in files}
        is_right = not strange and all(isinstance(name, str) for name in index.counties.values())
        wrong = [name for name in names if "/" in name or not name.endswith((_TABLE, FACTS))]
    except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError) as error:
        raise _damaged(path) from error
    if wrong or not is_right:
        raise _damaged(path)
    return index


def read_part(results: str | os.PathLike[str], index: Index, part: str) -> Findings:
    """Return the findings of one county, or (`WHOLE`) what is said of all of them together.

    Raises
    ------
    UnknownIdError
        If there is no such part.
    UnreadableFileError
        If a file of it is not what the run wrote.
    """
    if part not in index.parts:
        raise UnknownIdError(
            f"{results}: holds no findings of '{part}': its county failed, or was not asked for; run the study again"
        )
    held = dict(_read_files(f"{results}/{FOLDER}/{part}", index.parts[part]))
    where = f"{results}/{FOLDER}/{part}"
    try:
        facts = json.loads(held.pop(FACTS))
        if facts["version"] != VERSION:
            raise _damaged(where)
        found = {name: values.read(value) for name, value in facts["findings"].items()}
        tables = {
            name.removesuffix(_TABLE): read_frame(content, file=f"{where}/{name}", limits=_LIMITS)
            for name, content in held.items()
        }
        extras = {
            name.removeprefix(_EXTRA): table for name, table in tables.items() if name.startswith(_EXTRA)
        }
        tables = {name: table for name, table in tables.items() if not name.startswith(_EXTRA)}
        findings = Findings(**found, **tables, extras=extras)
    except values.FAULTS as error:
        raise _damaged(where) from error
    require_sound(findings, file=where)
    return findings


def _read_files(folder: str, listed: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    for name, digest in listed.items():
        content = _files.read_bytes(f"{folder}/{name}", limits=_LIMITS)
        if hashlib.sha256(content).hexdigest() != digest:
            raise _damaged(f"{folder}/{name}")
        yield name, content


def _damaged(file: str) -> UnreadableFileError:
    return UnreadableFileError(f"{file}: is damaged or was not written by this run; run the study again")
