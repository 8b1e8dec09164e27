"""Hold the compiled inner loops that make a covering table smaller, and the way to compile one.

Tables are CSR as (`indptr`, `indices`) of int64, indices sorted in each row; `sets` are rows of sites, `members` their transpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


Kernel = TypeVar("Kernel", bound="Callable[..., Any]")


def compiled(signature: str | None = None) -> Callable[[Kernel], Kernel]:
    """Compile for one signature when this module is loaded (from the cache on disk, after the first time).

    So that no solve has to wait, its clock running, for a compiler.
    """
    compiler: Any = (
        numba.njit(signature, cache=True, nogil=True) if signature else numba.njit(cache=True, nogil=True)
    )
    made: Callable[[Kernel], Kernel] = compiler
    return made


@compiled()
def _within(indices: Any, a: int, a_end: int, b: int, b_end: int) -> bool:
    """Whether the sorted run a…a_end is a subset of the sorted run b…b_end."""
    while a < a_end:
        while b < b_end and indices[b] < indices[a]:
            b += 1
        if b == b_end or indices[b] != indices[a]:
            return False
        a += 1
        b += 1
    return True


@compiled("b1[::1](i8[::1],i8[::1],i8[::1],i8[::1],f8[::1],b1[::1])")
def dominated(
    indptr: Integers, indices: Integers, members_ptr: Integers, members: Integers, cost: Floats, keep: Flags
) -> Flags:
    """Return which rows lie within another row that costs no more (of equal ones the first stays); never those to `keep`."""
    n = len(indptr) - 1
    out = np.zeros(n, dtype=np.bool_)
    for r in range(n):
        if keep[r]:
            continue
        size = indptr[r + 1] - indptr[r]
        if size == 0:
            out[r] = True
            continue
        rare = indices[indptr[r]]
        for at in range(indptr[r], indptr[r + 1]):
            c = indices[at]
            if members_ptr[c + 1] - members_ptr[c] < members_ptr[rare + 1] - members_ptr[rare]:
                rare = c
        for at in range(members_ptr[rare], members_ptr[rare + 1]):
            s = members[at]
            other = indptr[s + 1] - indptr[s]
            if s == r or out[s] or other < size or cost[s] > cost[r]:
                continue
            if other == size and cost[s] == cost[r] and s > r and not keep[s]:
                continue
            if _within(indices, indptr[r], indptr[r + 1], indptr[s], indptr[s + 1]):
                out[r] = True
                break
    return out


@compiled("b1[::1](i8[::1],i8[::1],i8[::1],i8[::1],i8[::1])")
def implied(
    indptr: Integers, indices: Integers, members_ptr: Integers, members: Integers, need: Integers
) -> Flags:
    """Return which rows hold another whole row that needs no less, so that covering that one covers them."""
    n = len(indptr) - 1
    out = np.zeros(n, dtype=np.bool_)
    order = np.argsort(indptr[1:] - indptr[:-1], kind="mergesort")
    for r in order:
        if out[r] or indptr[r + 1] == indptr[r]:
            continue
        size = indptr[r + 1] - indptr[r]
        rare = indices[indptr[r]]
        for at in range(indptr[r], indptr[r + 1]):
            c = indices[at]
            if members_ptr[c + 1] - members_ptr[c] < members_ptr[rare + 1] - members_ptr[rare]:
                rare = c
        for at in range(members_ptr[rare], members_ptr[rare + 1]):
            s = members[at]
            other = indptr[s + 1] - indptr[s]
            if s == r or out[s] or other < size or need[s] > need[r]:
                continue
            if other == size and need[s] == need[r] and s < r:
                continue
            if _within(indices, indptr[r], indptr[r + 1], indptr[s], indptr[s + 1]):
                out[s] = True
    return out
