"""Keep a road network in one file: named arrays behind a header, with a version and a digest; no code inside."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage import _files
from sy_coverage.errors import IncompleteNetworkError
from sy_coverage.roads.graph.links import Links
from sy_coverage.roads.graph.parts import RoadParts
from sy_coverage.roads.travel_modes import TravelMode

if TYPE_CHECKING:
    import os

MAGIC = b"sy_coverage roads\n"
VERSION = 3
_LIMITS = _files.Limits(megabytes=20_000)
_DTYPES = frozenset({"<i2", "<i4", "<i8", "<f8"})


def write_parts(parts: RoadParts, path: str | os.PathLike[str]) -> None:
    """Write the parts of a network to one file, all of it or nothing.

    Raises
    ------
    CannotWriteError
        If the folder or the disk refuses; an older file of that name is untouched.
    """
    links = parts.links
    arrays = {
        "node_xy": parts.node_xy,
        "tail": links.tail,
        "head": links.head,
        "length_m": links.length_m,
        "highway": links.highway,
        "xy": links.xy,
        "start": links.start,
    }
    texts = None
    if parts.node_ids.dtype == object:
        texts = parts.node_ids.tolist()
    else:
        arrays["node_ids"] = parts.node_ids
    arrays |= {f"minutes:{mode}": m for mode, m in links.minutes.items()}
    arrays |= {f"forbidden:{mode}": np.asarray(f, np.int64) for mode, f in parts.forbidden.items()}
    arrays |= {f"delay_min:{mode}": w for mode, w in links.delay_min.items()}
    arrays |= {f"ends_only:{mode}": np.asarray(e, np.int64) for mode, e in parts.ends_only.items()}
    blocks = [
        np.ascontiguousarray(a).astype(a.dtype.newbyteorder("<"), copy=False).tobytes()
        for a in arrays.values()
    ]
    body = b"".join(blocks)
    header = {
        "version": VERSION,
        "sha256": hashlib.sha256(body).hexdigest(),
        "arrays": [
            {"name": name, "dtype": a.dtype.newbyteorder("<").str, "shape": a.shape}
            for name, a in arrays.items()
        ],
        "node_ids": texts,
        "modes": list(parts.modes),
        "classes": list(links.classes),
        "crs": parts.crs,
        "source": parts.source,
        "notes": dict(parts.notes),
        "tables": {name: mode.table() for name, mode in parts.tables.items()},
    }
    words = json.dumps(header, ensure_ascii=False, sort_keys=True).encode("utf-8")
    seal = hashlib.sha256(words).hexdigest().encode("ascii")
    _files.write_bytes(
        path, b"".join([MAGIC, seal, b"\n", str(len(words)).encode("ascii"), b"\n", words, body])
    )


def read_parts(path: str | os.PathLike[str]) -> RoadParts:
    """Return the parts of a network that `write_parts` wrote.

    Raises
    ------
    MissingFileError
        If there is no such file.
    IncompleteNetworkError
        If the file is no saved network, is of another version, cut short or damaged: not one bit may differ.
    """
    content = _files.read_bytes(path, limits=_LIMITS)
    if not content.startswith(MAGIC):
        raise IncompleteNetworkError(f"{path}: is no saved road network; read the extract again and save it")
    try:
        seal, size, rest = content[len(MAGIC) :].split(b"\n", 2)
        words = rest[: int(size)]
        body = memoryview(rest)[int(size) :]
        header = json.loads(words)
    except ValueError as error:
        raise _damaged(path, "its header cannot be read") from error
    if hashlib.sha256(words).hexdigest().encode("ascii") != seal:
        raise _damaged(path, "its header has changed")
    if header["version"] != VERSION:
        raise IncompleteNetworkError(
            f"{path}: was saved by version {header['version']} of the format, this is version {VERSION}; "
            "read the extract again and save it"
        )
    if hashlib.sha256(body).hexdigest() != header["sha256"]:
        raise _damaged(path, "its digest does not fit")
    return _parts(header, _arrays(header, body))


def _damaged(path: object, why: str) -> IncompleteNetworkError:
    return IncompleteNetworkError(
        f"{path}: the saved network is damaged ({why}); read the extract again and save it"
    )


def _arrays(header: dict[str, Any], body: memoryview) -> dict[str, Any]:
    arrays, at = {}, 0
    for entry in header["arrays"]:
        if entry["dtype"] not in _DTYPES:
            raise IncompleteNetworkError(
                f"array '{entry['name']}' is of kind {entry['dtype']}, which is not allowed"
            )
        dtype = np.dtype(entry["dtype"])
        count = int(np.prod(entry["shape"]))
        arrays[entry["name"]] = np.frombuffer(body, dtype, count, at).reshape(entry["shape"])
        at += count * dtype.itemsize
    return arrays


def _parts(header: dict[str, Any], arrays: dict[str, Any]) -> RoadParts:
    texts = header["node_ids"]
    links = Links(
        minutes={mode: arrays[f"minutes:{mode}"] for mode in header["modes"]},
        classes=tuple(header["classes"]),
        delay_min={k.partition(":")[2]: a for k, a in arrays.items() if k.startswith("delay_min:")},
        **{name: arrays[name] for name in ("tail", "head", "length_m", "highway", "xy", "start")},
    )
    return RoadParts(
        node_ids=arrays["node_ids"] if texts is None else np.array(texts, dtype=object),
        node_xy=arrays["node_xy"],
        links=links,
        crs=header["crs"],
        source=header["source"],
        notes=header["notes"],
        forbidden={k.partition(":")[2]: a for k, a in arrays.items() if k.startswith("forbidden:")},
        ends_only={k.partition(":")[2]: a for k, a in arrays.items() if k.startswith("ends_only:")},
        tables={name: TravelMode(name=name, **table) for name, table in header["tables"].items()},
    )
