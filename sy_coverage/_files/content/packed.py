"""Unpack gzip within limits: what unpacks to too much is refused before it fills the memory."""

from __future__ import annotations

import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sy_coverage.errors import UnreadableFileError

if TYPE_CHECKING:
    from sy_coverage._files.limits import Limits

_PIECE = 1 << 20
_SHARE = 0.8
"""Of the memory that is free, so much may be taken."""


def unzipped(content: bytes, file: str, *, limits: Limits, copies: int = 1) -> bytes:
    """Return what the gzip file `file` holds, measured piece by piece before it is kept.

    Parameters
    ----------
    copies
        How many times what is inside will be held in memory by whoever reads it.

    Raises
    ------
    UnreadableFileError
        If it is no whole gzip file, or holds more than `limits` or the free memory allow.
    """
    size, unpacking, waiting = 0, zlib.decompressobj(wbits=31), content
    try:
        while not unpacking.eof:
            piece = unpacking.decompress(waiting, _PIECE)
            waiting, size = unpacking.unconsumed_tail, size + len(piece)
            limits.check_unpacked(len(content), size, file)
            if not (piece or waiting):
                raise UnreadableFileError(f"{file}: is damaged: it ends too early")
    except zlib.error as error:
        raise UnreadableFileError(f"{file}: is damaged ({error})") from None
    if unpacking.unused_data:
        raise UnreadableFileError(f"{file}: is damaged: more follows after its end")
    free = free_bytes()
    if free is not None and copies * size > _SHARE * free:
        raise UnreadableFileError(
            f"{file}: unpacks to {size / 1e6:,.0f} MB and takes about {copies * size / 1e9:,.1f} GB of memory to read; "
            f"{free / 1e9:,.1f} are free. Close other programs, or use a larger machine"
        )
    return zlib.decompress(content, wbits=31, bufsize=size + 1)


def free_bytes() -> int | None:
    """Return how much memory is free on this machine; None where it does not say."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None
