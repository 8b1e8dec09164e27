"""Give office files the same bytes for the same content: no clock in the archive, none in its properties."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:(?:created|modified)>)")


def normalised(content: bytes, date: dt.date) -> bytes:
    """Return the zip archive `content` with every time in it set to `date`, entries in their order."""
    day = f"{date:%Y-%m-%d}T00:00:00Z".encode()
    stamp = (min(max(date.year, 1980), 2107), date.month, date.day, 0, 0, 0)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "docProps/core.xml":
                data = _STAMP.sub(rb"\g<1>" + day + rb"\g<3>", data)
            fixed = zipfile.ZipInfo(entry.filename, date_time=stamp)
            fixed.compress_type = zipfile.ZIP_DEFLATED
            fixed.external_attr = 0o644 << 16
            fixed.create_system = 3
            new.writestr(fixed, data)
    return out.getvalue()
