"""Leave a mark in a folder of results while a run works for it, and notice after an interruption which inputs have changed since."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sy_coverage import _files
from sy_coverage.errors import some
from sy_coverage.study.steps.roads import network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sy_coverage.study.answers import Answers

_log = logging.getLogger(__name__)


def inputs_of(study: Answers) -> dict[str, str]:
    """Return the SHA-256 of every file that a study reads and that is there, by its path as the study writes it."""
    config = study.config
    named: list[str | None] = [file for _, file in study.lists_and_layers]
    named += [
        config.roads.source,
        config.roads.elevation or "",
        config.roads.changes or "",
        config.answers.file,
    ]
    files = {}
    for written in named:
        if not written or written == network.LIVE or _files.is_database(written):
            continue
        path = _files.split_layer(study.path(written))[0]
        if _files.is_there(path):
            files[written] = _files.digest(path)
    return files


def changed_since(study: Answers, folder: Path) -> tuple[str, ...]:
    """Return which inputs have changed since a run for `folder` was interrupted; none where none was.

    A file that is gone, or is read now and was not, has changed.
    """
    return _changed(study, _files.mark_left_in(folder))


def _changed(study: Answers, left: bytes) -> tuple[str, ...]:
    try:
        before = json.loads(left)["inputs"] if left else None
        now = {} if before is None else inputs_of(study)
        return (
            () if before is None else tuple(sorted(f for f in {*before, *now} if before.get(f) != now.get(f)))
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()  # the mark itself was cut short


@contextmanager
def marked(study: Answers, held: _files.Folder) -> Iterator[None]:
    """Leave a mark in a folder that is held, gone when the block ends, also with bad input; it stays where the run is stopped."""
    changed = _changed(study, held.left)
    if changed:
        _log.warning(
            "since the run for %s was interrupted, inputs have changed: %s", held.path, some(changed)
        )
    held.mark(json.dumps({"inputs": inputs_of(study)}, ensure_ascii=False).encode())
    try:
        yield
    except Exception:
        held.mark(b"")
        raise
    held.mark(b"")
