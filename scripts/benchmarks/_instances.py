"""Make the seeded instances of the siting benchmarks, for us and for the peers alike; needs NumPy and SciPy only."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

MORE_SIZES = {"F": (1_000, 50_000, 2.76)}
"""Candidates, demand points, candidates in reach: the 50,000 × 1,000 of 138,000 pairs, clustered like the others."""
OR_LIBRARY = {
    100: (5, 10, 10, 20, 33),
    200: (5, 10, 20, 40, 67),
    300: (5, 10, 30, 60, 100),
    400: (5, 10, 40, 80, 133),
    500: (5, 10, 50, 100, 167),
    600: (5, 10, 60, 120, 200),
    700: (5, 10, 70, 140),
    800: (5, 10, 80),
    900: (5, 10, 90),
}
"""Nodes and p of the forty p-median problems of OR-Library (Beasley 1990), in their order."""


def covering(generator: str | Path, name: str) -> dict[str, Any]:
    """Return one covering instance of `generator` (covering_instances.py)."""
    path = Path(generator)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.SPEC.update(MORE_SIZES)
    made: dict[str, Any] = module.make(name)
    return made


def like_or_library(number: int) -> tuple[int, Any]:
    """Return p and the lengths between all nodes of a graph made by the recipe of OR-Library problem `number` (1–40).

    A connected random graph of n nodes and n²/50 edges with whole lengths from 1 to 100; the shortest paths between all nodes.
    """
    n, p = [(n, p) for n, every in OR_LIBRARY.items() for p in every][number - 1]
    rng = np.random.default_rng(number)
    order = rng.permutation(n)
    # a random tree first, so that the graph is connected
    pairs = {tuple(sorted((int(order[a]), int(order[rng.integers(a)])))) for a in range(1, n)}
    while len(pairs) < n * n // 50:
        u, v = (int(i) for i in rng.integers(n, size=2))
        if u != v:
            pairs.add((min(u, v), max(u, v)))
    edges = np.array(sorted(pairs))
    lengths = rng.integers(1, 101, len(edges)).astype(float)
    graph = sparse.csr_array((lengths, (edges[:, 0], edges[:, 1])), shape=(n, n))
    return p, shortest_path(graph, directed=False)
