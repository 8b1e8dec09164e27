"""Change keys of a study file on disk as somebody with an editor would: comments and all other lines stay."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from sy_coverage import _files
from sy_coverage.errors import ConfigError
from sy_coverage.study.config.changes import WHOLE
from sy_coverage.study.config.file import STUDY_FILE, checked_config

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def edit_study(folder: Path, sections: Mapping[str, Mapping[str, Any]], *, partly: bool = False) -> None:
    """Write some keys into the study file in `folder`, which is made where there is none.

    None takes a key out; `phases`, `reported` and `what_if` are given whole, as in `changed`. What would not be a study is refused
    before anything is written, unless it is written `partly`, while files are still being gathered.

    Raises
    ------
    ConfigError
        Naming every key that is unknown, missing or has a value that is not allowed; or if the extra "desk" is not installed.
    """
    path = folder / STUDY_FILE
    before = _files.decode(_files.read_bytes(path), STUDY_FILE)[0] if _files.is_there(path) else ""
    text = edited(before, sections)
    if not partly:
        checked_config(tomllib.loads(text), STUDY_FILE)
    _files.write_bytes(path, text.encode())


def edited(text: str, sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of a study file with some keys changed; see `edit_study`."""
    try:
        import tomlkit  # noqa: PLC0415  (only whoever edits a study file needs it)
    except ImportError as error:
        raise ConfigError(
            'editing a study file needs the extra "desk": pip install "sy-coverage[desk]"'
        ) from error
    document = tomlkit.parse(text)
    for name, keys in sections.items():
        if name in WHOLE:
            document.pop(name, None)
        kept = {key: value for key, value in keys.items() if value is not None}
        if name not in document and kept:
            document[name] = tomlkit.table()
        for key, value in keys.items():
            if value is not None:
                document[name][key] = _plain(value)
            elif name in document:
                document[name].pop(key, None)
    return tomlkit.dumps(document)


def _plain(value: Any) -> Any:
    """Return a value as the file holds it: tuples as lists, no key without a value."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
