"""A saved network is looked at when it is loaded: whatever its digest says, no array holds what no road can be."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from sy_coverage import roads
from sy_coverage.errors import IncompleteNetworkError
from sy_coverage.roads.graph import storage
from tests import toy

MAGIC = storage.MAGIC
NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Give the header and the arrays of a saved network that has every kind of array."""
    folder = tmp_path_factory.mktemp("saved")
    nodes, edges = _square()
    network = roads.from_edges(nodes, edges, crs=toy.CRS)
    parts = network.parts
    object.__setattr__(parts, "forbidden", {"drive": np.array([[0, 0, 1, 0, -1, -1], [0, 0, 1, 0, 2, 1]])})
    object.__setattr__(parts, "ends_only", {"drive": np.array([2])})
    storage.write_parts(parts, folder / "a.network")
    content = (folder / "a.network").read_bytes()
    _, size, rest = content[len(MAGIC) :].split(b"\n", 2)
    header, body, arrays, at = json.loads(rest[: int(size)]), rest[int(size) :], {}, 0
    for entry in header["arrays"]:
        count = int(np.prod(entry["shape"])) * np.dtype(entry["dtype"]).itemsize
        arrays[entry["name"]] = np.frombuffer(body[at : at + count], entry["dtype"]).reshape(entry["shape"])
        at += count
    return header, arrays


def _square():
    import pandas as pd

    nodes = pd.DataFrame({"node_id": [1, 2, 3, 4], "x": [0.0, 1000, 1000, 0], "y": [0.0, 0, 1000, 1000]})
    edges = pd.DataFrame(
        {"u": [1, 2, 3, 4], "v": [2, 3, 4, 1], "length_m": 1000.0, "drive_min": [1.0, 2.0, 3.0, 4.0]}
    )
    return nodes.assign(x=nodes["x"] + toy.EAST, y=nodes["y"] + toy.NORTH), edges


def sealed(folder, header, arrays):
    """Write a saved network whose seal and digest are right, whatever it holds."""
    body = b"".join(np.ascontiguousarray(a).tobytes() for a in arrays.values())
    listed = [{"name": n, "dtype": a.dtype.str, "shape": list(a.shape)} for n, a in arrays.items()]
    head = {"arrays": listed, **header, "sha256": hashlib.sha256(body).hexdigest()}
    words = json.dumps(head).encode()
    seal = hashlib.sha256(words).hexdigest().encode()
    path = folder / "b.network"
    path.write_bytes(b"".join([MAGIC, seal, b"\n", str(len(words)).encode(), b"\n", words, body]))
    return path


def without_arrays(header):
    return {key: value for key, value in header.items() if key != "arrays"}


def test_what_was_saved_is_loaded(saved, tmp_path):
    header, arrays = saved
    assert {name.partition(":")[0] for name in arrays} >= {"minutes", "forbidden", "ends_only", "node_ids"}
    assert len(roads.load(sealed(tmp_path, without_arrays(header), arrays)).links) == 4


VALUES = [
    ("node_xy", NAN), ("node_xy", INF), ("node_xy", 1e300), ("xy", NAN), ("xy", -INF), ("tail", -1), ("tail", 4), ("head", 4),
    ("head", -7), ("length_m", NAN), ("length_m", 0.0), ("length_m", -1.0), ("length_m", INF), ("highway", -1), ("highway", 9),
    ("start", -2), ("start", 10**9), ("minutes:drive", NAN), ("minutes:drive", 0.0), ("minutes:drive", -1.0),
    ("minutes:drive", -INF), ("minutes:drive", 1e30), ("ends_only:drive", -1), ("ends_only:drive", 4), ("forbidden:drive", 4),
    ("forbidden:drive", -2), ("node_ids", 2),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), VALUES)
@pytest.mark.parametrize("where", [0, -1])
def test_row_117_a_value_that_no_road_has_is_refused_though_the_digest_is_right(
    saved, tmp_path, name, value, where
):
    header, arrays = saved
    wrong = arrays[name].copy()
    flat = wrong.reshape(-1)
    if name == "node_ids" and flat[where] == value:
        value = 1
    flat[where] = value
    path = sealed(tmp_path, without_arrays(header), {**arrays, name: wrong})
    with pytest.raises(IncompleteNetworkError, match=r"damaged.*read the extract again"):
        roads.load(path)


@pytest.mark.parametrize("name", ["node_xy", "tail", "head", "length_m", "highway", "xy", "start", "node_ids",
                                  "minutes:drive", "forbidden:drive", "ends_only:drive"])  # fmt: skip
@pytest.mark.parametrize("change", ["shorter", "flat", "other kind", "missing", "of another mode"])
def test_row_117_an_array_of_another_shape_or_kind_is_refused(saved, tmp_path, name, change):
    header, arrays = saved
    own, rest = arrays[name], {k: v for k, v in arrays.items() if k != name}
    if change == "missing" and name in ("forbidden:drive", "ends_only:drive"):
        pytest.skip("a network may have none")
    if change == "shorter" and name in ("forbidden:drive", "ends_only:drive"):
        pytest.skip("there may be fewer")
    arrays = (
        rest
        | {
            "shorter": {name: own[:-1]},
            "flat": {name: own.reshape(-1, 1) if own.ndim == 1 else own.reshape(-1)},
            "other kind": {
                name: np.nan_to_num(own, posinf=0).astype("<i4" if own.dtype != np.dtype("<i4") else "<f8")
            },
            "missing": {},
            "of another mode": {name: own, f"{name.partition(':')[0]}:fly": own},
        }[change]
    )
    with pytest.raises(IncompleteNetworkError, match="damaged"):
        roads.load(sealed(tmp_path, without_arrays(header), arrays))


@pytest.mark.parametrize(
    "header",
    [
        {"modes": "drive"}, {"modes": 3}, {"classes": None}, {"tables": []}, {"tables": {"drive": {"speed_kph": -1}}},
        {"node_ids": [1, 2, 3, 4]}, {"node_ids": ["a", "b"]}, {"arrays": [{"name": "tail", "dtype": "<i4", "shape": [-1]}]},
        {"arrays": [{"name": "tail", "dtype": "|O", "shape": [1]}]}, {"arrays": 7}, {"notes": 3},
        {"arrays": [{"name": "tail", "dtype": "<i4", "shape": [2**62, 4]}]},
    ],
)  # fmt: skip
def test_row_117_a_header_that_no_network_has_is_refused(saved, tmp_path, header):
    before, arrays = saved
    with pytest.raises(IncompleteNetworkError, match="damaged"):
        roads.load(sealed(tmp_path, {**without_arrays(before), **header}, arrays))
