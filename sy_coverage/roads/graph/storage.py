"""Keep a road network in one file: named arrays behind a header, with a version and a digest; no code inside."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage import _files
from sy_coverage.errors import IncompleteNetworkError, OlderNetworkError
from sy_coverage.roads.graph.links import Links
from sy_coverage.roads.graph.parts import RoadParts
from sy_coverage.roads.travel_modes import TravelMode

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from sy_coverage.roads.graph.links import Array

MAGIC = b"sy_coverage roads\n"
VERSION = 3
_LIMITS = _files.Limits(megabytes=20_000)
_DTYPES = frozenset({"<i2", "<i4", "<i8", "<f8"})
_OF_LINKS = {"tail": "<i4", "head": "<i4", "length_m": "<f8", "highway": "<i2"}
_OF_PLACES = {"node_xy": "<f8", "xy": "<f8", "start": "<i8", "node_ids": "<i8"}
_BY_MODE = {"minutes": "<f8", "delay_min": "<f8", "forbidden": "<i8", "ends_only": "<i8"}
FURTHEST_M = 1e8
"""No metric coordinate lies further out."""
LONGEST_MIN = 1e7
"""No road piece takes longer: it is closed, or the number is no time."""


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
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its header cannot be read") from error
    if hashlib.sha256(words).hexdigest().encode("ascii") != seal:
        raise _damaged(path, "its header has changed")
    if header["version"] != VERSION:
        raise OlderNetworkError(
            f"{path}: was saved by version {header['version']} of the format, this is version {VERSION}; "
            "read the extract again and save it: sy-coverage roads STUDY"
        )
    if hashlib.sha256(body).hexdigest() != header["sha256"]:
        raise _damaged(path, "its digest does not fit")
    try:
        arrays = _arrays(header, body)
        wrong = next(_wrong_arrays(header, arrays), None)
        parts = _parts(header, arrays) if wrong is None else None
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise _damaged(path, "its header is none of a network") from error
    if parts is None:
        raise _damaged(path, str(wrong))
    return parts


def _damaged(path: object, why: str) -> IncompleteNetworkError:
    return IncompleteNetworkError(
        f"{path}: the saved network is damaged ({why}); read the extract again and save it"
    )


def _arrays(header: dict[str, Any], body: memoryview) -> dict[str, Any]:
    arrays, at = {}, 0
    for entry in header["arrays"]:
        if entry["dtype"] not in _DTYPES or any(type(n) is not int or n < 0 for n in entry["shape"]):
            raise ValueError(entry["name"])
        dtype = np.dtype(entry["dtype"])
        count = math.prod(entry["shape"])
        arrays[entry["name"]] = np.frombuffer(body, dtype, count, at).reshape(entry["shape"])
        at += count * dtype.itemsize
    return arrays


def _parts(header: dict[str, Any], arrays: dict[str, Any]) -> RoadParts:
    texts = header["node_ids"]
    if not (
        isinstance(header["notes"], dict)
        and isinstance(header["source"], str)
        and isinstance(header["crs"], str | None)
    ):
        raise TypeError("notes, source or crs")
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


# --- what no run could have written, whatever its digest says -------------------------------------------------------------


def _wrong_arrays(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[str]:
    """Yield what is wrong with the arrays of a saved network, if anything: names, kinds, shapes, then values.

    Values are looked at only where names and shapes are right.
    """
    wrong = list(_wrong_shapes(header, arrays))
    yield from wrong or _wrong_values(header, arrays)


def _wrong_shapes(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[str]:
    modes = [str(mode) for mode in header["modes"]]
    texts = header["node_ids"]
    wanted = {**_OF_LINKS, **_OF_PLACES} | {f"minutes:{mode}": "<f8" for mode in modes}
    if texts is not None:
        del wanted["node_ids"]
    kinds = {f"{name}:{mode}": kind for name, kind in _BY_MODE.items() for mode in modes} | wanted
    yield from (f"'{name}' is missing" for name in wanted.keys() - arrays.keys())
    for name, array in arrays.items():
        if array.dtype.str != kinds.get(name):
            yield (
                f"'{name}' is no array of a network" if name not in kinds else f"'{name}' is of another kind"
            )
    if not arrays.keys() >= wanted.keys():
        return
    links, nodes, points = arrays["tail"].size, len(arrays["node_xy"]), len(arrays["xy"])
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(_OF_LINKS, (links,))
    shapes |= {"node_xy": (nodes, 2), "xy": (points, 2), "start": (links + 1,), "node_ids": (nodes,)}
    shapes |= {f"{name}:{mode}": (links, 2) for name in ("minutes", "delay_min") for mode in modes}
    for name, array in arrays.items():
        of_paths = name.startswith("forbidden:") and array.ndim == 2 and array.shape[1] % 2 == 0
        of_ends = name.startswith("ends_only:") and array.ndim == 1
        if not (of_paths or of_ends or array.shape == shapes.get(name)):
            yield f"'{name}' has another shape"
    if texts is not None and not _are_texts(texts, nodes):
        yield "'node_ids' are no texts, one a node"


def _are_texts(texts: Any, count: int) -> bool:
    return isinstance(texts, list) and len(texts) == count and all(isinstance(text, str) for text in texts)


def _wrong_values(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[str]:
    tail, head, start = arrays["tail"], arrays["head"], arrays["start"]
    nodes, lengths, classes = len(arrays["node_xy"]), arrays["length_m"], arrays["highway"]
    ids = arrays["node_ids"].tolist() if header["node_ids"] is None else header["node_ids"]
    is_right = {
        "'node_ids' are given twice": len(set(ids)) == nodes,
        # NaN is never less
        "'node_xy' holds what is no coordinate": (np.abs(arrays["node_xy"]) <= FURTHEST_M).all(),
        "'xy' holds what is no coordinate": (np.abs(arrays["xy"]) <= FURTHEST_M).all(),
        "'tail' or 'head' names nodes that are not there": (
            (tail >= 0) & (tail <= head) & (head < nodes)
        ).all(),
        "'length_m' holds what is no length": ((lengths > 0) & (lengths <= FURTHEST_M)).all(),
        "'highway' names classes that are not there": (
            (classes >= 0) & (classes < len(header["classes"]))
        ).all(),
        "'start' cuts no lines": start[0] == 0
        and start[-1] == len(arrays["xy"])
        and (np.diff(start) >= 2).all(),
    }
    yield from (wrong for wrong, right in is_right.items() if not right)
    for name, array in arrays.items():
        what = name.partition(":")[0]
        if what in _BY_MODE and not _WORTHY[what](array, tail.size):
            yield (
                f"'{name}' holds what is no time"
                if array.dtype.str == "<f8"
                else f"'{name}' names links that are not there"
            )


def _are_paths(paths: Array, links: int) -> bool:
    """Return whether each row is a path of links and directions, filled up with −1."""
    which, ways = paths[:, 0::2], paths[:, 1::2]
    gone = which >= 0
    right = (which < links) & np.where(gone, (ways == 0) | (ways == 1), (which == -1) & (ways == -1))
    goes_on_after_its_end = (np.diff(gone.astype(np.int8), axis=1) > 0).any()
    return bool(right.all() and not goes_on_after_its_end)


def _are_times(minutes: Array) -> bool:
    return bool((np.isposinf(minutes) | (minutes <= LONGEST_MIN)).all())


_WORTHY: dict[str, Callable[[Array, int], bool]] = {
    "minutes": lambda minutes, _: _are_times(minutes) and bool((minutes > 0).all()),
    "delay_min": lambda minutes, _: _are_times(minutes) and bool((minutes >= 0).all()),
    "ends_only": lambda ends, links: bool(((ends >= 0) & (ends < links)).all()),
    "forbidden": _are_paths,
}
