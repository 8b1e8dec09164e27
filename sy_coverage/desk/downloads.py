"""Hand out what a run wrote, and nothing else: pages to look at in a frame of their own, files to keep, all of them as one zip."""

from __future__ import annotations

import io
import mimetypes
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sy_coverage import _files
from sy_coverage.desk.questions import files_of
from sy_coverage.errors import CoverageError
from sy_coverage.study import read_config

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from sy_coverage.desk.session import Desk

OWN_VIEWS = ("today.html",)
"""Pages that the desk made for itself."""
_SHOWN = (".html", ".png", ".svg")
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def views(desk: Desk) -> Starlette:
    """Return what serves pages and pictures to be looked at."""

    def show(request: Request) -> Response:
        name = request.path_params["name"]
        if name in OWN_VIEWS:
            return _response(desk.folder / ".desk" / name)
        listed = name in _listed(desk) and name.endswith(_SHOWN)
        return _response(_results(desk) / name) if listed else _none()

    return Starlette(routes=[Route("/{name:path}", show)])


def files(desk: Desk) -> Starlette:
    """Return what serves files to be kept."""

    def keep(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "all.zip":
            return _zip(desk)
        return _response(_results(desk) / name, keep=True) if name in _listed(desk) else _none()

    return Starlette(routes=[Route("/{name:path}", keep)])


def _results(desk: Desk) -> Path:
    """Return the folder of results; one that lies outside the study's own is not served."""
    output = (desk.folder / read_config(desk.folder).study.output).resolve()
    return output if output.is_relative_to(desk.folder) else desk.folder / "out"


def _listed(desk: Desk) -> set[str]:
    """Return the names that may be asked for: what runs wrote into the folder of results."""
    try:
        return files_of(_results(desk))
    except CoverageError:
        return set()


def _response(path: Path, *, keep: bool = False) -> Response:
    if not _files.is_there(path):
        return _none()
    media = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"cache-control": "no-store"}
    if keep:
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(path.name)}"
    return Response(_files.read_bytes(path), media_type=media, headers=headers)


def _zip(desk: Desk) -> Response:
    """Return all that a run wrote as one archive, the same bytes for the same files."""
    held = io.BytesIO()
    out = _results(desk)
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(_listed(desk)):
            if _files.is_there(out / name):
                archive.writestr(
                    zipfile.ZipInfo(name, _ZIP_DATE), _files.read_bytes(out / name), zipfile.ZIP_DEFLATED
                )
    stem = quote(desk.folder.name)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{stem}.zip", "cache-control": "no-store"}
    return Response(held.getvalue(), media_type="application/zip", headers=headers)


def _none() -> Response:
    return PlainTextResponse("404", status_code=404)
