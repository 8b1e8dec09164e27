"""Read the bytes of local files, and of nothing else."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from sy_coverage._files.addresses import without_password
from sy_coverage._files.content.encodings import decode
from sy_coverage._files.limits import USUAL, Limits
from sy_coverage.errors import ConfigError, InputError, MissingFileError, UnreadableFileError


def is_there(path: str | os.PathLike[str]) -> bool:
    """Return whether there is a file or folder of this name; what no name can be is not there."""
    try:
        return bool(Path(path).stat())
    except (OSError, ValueError):
        return False


_LINE = re.compile(r"at line (\d+)")
_REPEATED = re.compile(r"\('.*',?\)|'[^']{3,}'", re.DOTALL)
"""What an error message repeats of a file, which may be any file of the machine."""
_CHINESE_DATE = re.compile(r"(\d{4})\s*[年/.]\s*(\d{1,2})\s*[月/.]\s*(\d{1,2})\s*日?")


def files_in(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the files that lie in a folder, in order of their names; none where there is no such folder."""
    try:
        return sorted(path for path in Path(folder).iterdir() if path.is_file())
    except (OSError, ValueError):
        return []


def local_path(path: str | os.PathLike[str]) -> Path:
    """Return `path` if it is an existing local file.

    Raises
    ------
    InputError
        If it is a URL or a virtual file system (``/vsi…``, ``s3://``): only local files are read.
    MissingFileError
        If nothing is there.
    """
    written = without_password(str(path))
    if "://" in written or written.startswith("/vsi"):
        raise InputError(f"{written}: only local files are read; download it first and give its path")
    found = Path(path)
    try:
        kind = found.stat().st_mode
    except (OSError, ValueError):  # also a name that is too long, or holds what no name may
        hint = (
            "; write / for \\ in paths here (路径中的 \\ 请改为 /)"
            if "\\" in written and os.sep == "/"
            else "; check the path"
        )
        raise MissingFileError(f"{_short(written)}: there is no such file{hint}") from None
    if stat.S_ISDIR(kind):
        raise MissingFileError(f"{written} is a folder; a file is needed")
    if not stat.S_ISREG(kind):
        raise MissingFileError(f"{written} is a device or a pipe, which may never end; a file is needed")
    return found


def _short(written: str) -> str:
    return written if len(written) <= 300 else f"{written[:300]}…"


def read_bytes(path: str | os.PathLike[str], *, limits: Limits = USUAL) -> bytes:
    """Return the bytes of a local file, of at most as many as `limits` allow."""
    found = local_path(path)
    limits.check_bytes(found.stat().st_size, str(path))
    try:
        return found.read_bytes()
    except OSError as error:
        raise UnreadableFileError(
            f"{path}: cannot be read ({error.strerror}); check its permissions"
        ) from error


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a TOML file as a dict, in whatever encoding an editor saved it; a syntax error names the file and the line."""
    content = read_bytes(path)
    try:
        text, _ = decode(content, str(path))
    except UnreadableFileError as error:
        raise ConfigError(str(error)) from error
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = _REPEATED.sub("a key", str(error))
        raise ConfigError(f"{path}: not valid TOML: {reason}{_toml_help(text, error)}") from error


def _toml_help(text: str, error: Exception) -> str:
    """Return what to do about what people write that is no TOML: Chinese quotation marks or dates, a Windows path.

    Nothing of the line is repeated but a date.
    """
    at = _LINE.search(str(error))
    lines = text.splitlines()
    line = lines[int(at[1]) - 1] if at and int(at[1]) <= len(lines) else ""
    value = line.partition("=")[2]
    if any(mark in value for mark in "“”‘’＂") or "＝" in line:
        return '; write English quotation marks and signs: name = "…" (此处须用英文引号和等号)'
    if _CHINESE_DATE.search(value):
        day = "-".join(part.zfill(2) for part in _CHINESE_DATE.search(value).groups())  # type: ignore[union-attr]
        return f"; write the date as {day} (日期写作 {day}，不加引号)"
    if '"' in value and "\\" in value:
        return '; in a path write / for \\, as in "D:/data/units.gpkg" (路径中的 \\ 请改为 /)'
    return ""


def digest(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a local file in hex."""
    with local_path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def split_layer(source: str | os.PathLike[str]) -> tuple[str, str | None]:
    """Return a path and the layer or sheet named after its last ``#``, unless a file has just that name."""
    written = os.fspath(source)
    if "#" not in written or is_there(written):
        return written, None
    path, _, layer = written.rpartition("#")
    return path, layer or None


def sample_folder() -> Path:
    """Return the folder of the shipped Shaoyang sample, in an installed wheel or in the repository."""
    here = Path(__file__).resolve().parent.parent.parent
    for folder in (here / "_sample", here.parent / "data" / "boundaries"):
        if (folder / "study.toml").exists():
            return folder
    raise MissingFileError("the shipped sample is not there; install the package again")
