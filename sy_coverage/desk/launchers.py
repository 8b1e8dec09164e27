"""Write files into a study's folder that open its desk with a double-click: on Windows, macOS and Linux."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from sy_coverage import _files

if TYPE_CHECKING:
    from pathlib import Path

_BAT = """@echo off\r
chcp 65001 >nul\r
cd /d "%~dp0"\r
"{python}" -m sy_coverage desk "%~dp0."\r
if errorlevel 1 pause\r
"""
_COMMAND = """#!/bin/sh
cd "$(dirname "$0")" || exit 1
exec {python} -m sy_coverage desk .
"""
_DESKTOP = """[Desktop Entry]
Type=Application
Name=养老服务设施布局
Name[en]=Elder-care coverage
Exec=sh -c 'cd "$(dirname "$1")" && exec {python} -m sy_coverage desk .' sh %k
Terminal=true
"""
NAMES = ("启动.bat", "启动.command", "启动.desktop")


def write_launchers(folder: Path, *, python: str = sys.executable) -> list[Path]:
    """Write the launchers into `folder` and return their paths; they start the interpreter `python`.

    Raises
    ------
    CannotWriteError
        If the folder cannot be written.
    """
    # cmd reads a % as the begin of a variable, a desktop entry as that of a field
    texts = (
        _BAT.format(python=python.replace("%", "%%")),
        _COMMAND.format(python=shlex.quote(python)),
        _DESKTOP.format(python=shlex.quote(python).replace("'", "'\\''").replace("%", "%%")),
    )
    paths = [folder / name for name in NAMES]
    for path, text in zip(paths, texts, strict=True):
        _files.write_bytes(path, text.encode())
        if path.suffix != ".bat" and os.name == "posix":
            path.chmod(0o755)
    return paths
