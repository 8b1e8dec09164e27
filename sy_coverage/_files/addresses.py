"""Tell the address of a database from a path, and never say the password in it."""

from __future__ import annotations

import os
import re

SCHEMES = ("postgresql://", "postgres://")
_PASSWORD = re.compile(r"(postgres(?:ql)?://[^:/?#@\s]*):\S*@")
_PARAMETER = re.compile(r"([?&](?:ssl)?password=)[^&#\s]*")


def is_database(source: str | os.PathLike[str]) -> bool:
    """Return whether `source` is the address of a database, such as ``postgresql://host/name#schema.table``."""
    return os.fspath(source).startswith(SCHEMES)


def without_password(text: str) -> str:
    """Return `text` with the password of every database address in it left out."""
    return _PARAMETER.sub(r"\1", _PASSWORD.sub(r"\1@", text))
