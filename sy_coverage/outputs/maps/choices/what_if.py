"""Pack what a page needs to count any choice of sites of one county again: who reaches what, what it costs, what counts towards which target."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy import sparse

from sy_coverage import coverage, labels
from sy_coverage.coverage.counting import flag as said_yes
from sy_coverage.outputs.maps.basis import geometry as light
from sy_coverage.outputs.maps.choices import program
from sy_coverage.policy.standards import exact
from sy_coverage.siting.planning.rules.targets import claims_of, requirements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from sy_coverage.labels import Language
    from sy_coverage.siting import PlanCase
    from sy_coverage.siting.sites import Sites

    Integers = NDArray[np.int64]

TENTHS = 10
"""Minutes are kept to a tenth."""


def packed(
    case: PlanCase,
    chosen: Collection[str],
    *,
    closed: Collection[str] = (),
    language: Language,
    solves: bool = False,
) -> str:
    """Return, as JSON, all of one county's `case` that a choice of sites is counted from; its plan opens `chosen` and closes `closed`.

    Sites are the candidates and the open facilities of the kinds that a target counts, in the units of the case. Whatever stands
    beyond its border reaches whom it reaches and cannot be changed. Whether a village is within the cutoff of a site is exact;
    minutes are rounded to a tenth. With `solves` the plan's own program is packed too (see `program.packed`).
    """
    free = with_columns(case)
    sites, opened, gone = free.sites, set(chosen), set(closed)
    rows = zip(
        sites.ids,
        free.candidates["name"],
        sites.kind,
        sites.unit,
        free.cost.counts.tolist(),
        free.candidates.geometry,
        free.stands.tolist(),
        free.required.tolist(),
        strict=True,
    )
    whole: dict[str, Any] = {
        "sites": [
            {
                "i": str(site_id),
                "t": str(name),
                "k": str(kind),
                "u": int(unit),
                "c": _plain(cost),
                "s": int(stands),
                "o": int(site_id in opened or (stands and site_id not in gone)),
                "r": int(required),
                "p": None if shape is None or shape.is_empty else _place(shape),
            }
            for site_id, name, kind, unit, cost, shape, stands, required in rows
        ],
        "heirs": {str(i): list(instead) for i, instead in free.movable.items() if instead},
        "cost_step": [free.cost.step.numerator, free.cost.step.denominator],
        "saved": _plain(float(free.saved / free.cost.step)),
        "elders_step": [free.weight.step.numerator, free.weight.step.denominator],
        "villages": [str(i) for i in free.demand.index],
        "elders": [_plain(count) for count in free.weight.counts.tolist()],
        "unit_of": free.unit_of_demand.tolist(),
        "units": [str(i) for i in free.units.index],
        "counted": [int(kind in free.policy.counted_unit_kinds) for kind in free.units["kind"]],
        "rule": free.rules.rule,
        "share": [exact(free.share).numerator, exact(free.share).denominator],
        "reach": [_reach(free, kind, sites) for kind in free.policy.covered_kinds],
        "targets": list(_targets(free, sites.row_of, language)),
        "kinds": {kind: labels.pick(free.policy.kind(kind).name, language) for kind in sorted(set(sites.kind))},
    }  # fmt: skip
    if solves:
        whole["program"] = program.packed(case, free)
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def with_columns(case: PlanCase) -> PlanCase:
    """Return the case of one plan in which every facility of the county that a target counts may close, saving nothing."""
    kinds = _kinds(case)
    ours = case.open_facilities["kind"].isin(kinds).to_numpy() & np.isin(
        coverage.county_of(case.open_facilities, case.units).to_numpy(dtype=object), list(case.counties)
    )
    close = dict.fromkeys(case.open_facilities.index[ours], 0.0) | dict(case.rules.close)
    return case.but(phases={}, carry=False, close=close)


def _plain(number: float) -> float | int:
    return int(number) if float(number).is_integer() else float(number)


def _place(shape: Any) -> list[int]:
    point = shape if shape.geom_type == "Point" else shapely.centroid(shape)
    return light.point_steps(point)


def _kinds(case: PlanCase) -> list[str]:
    """Return the kinds that a target counts which sites can change, or that are proposed."""
    found = {*case.sites.kind, *case.policy.covered_kinds}
    for target in case.policy.targets:
        if (
            target.measure.of in {"facility_count", "upgrade_count"}
            and getattr(target.measure, "mark", None) is None
        ):
            found |= set(target.measure.kinds)
            flag = getattr(target.measure, "also_flag", None)
            if flag is not None:
                found |= set(case.open_facilities["kind"][said_yes(case.open_facilities, flag).eq(True)])
    return sorted(str(kind) for kind in found)


def _reach(case: PlanCase, kind: str, sites: Sites) -> dict[str, Any]:
    """Return who reaches the sites of `kind`: pairs as text, and, for what cannot be changed, the nearest minutes and who is within."""
    count = len(case.demand)
    if kind not in case.times:
        return {"kind": kind, "rows": [], "pairs": "", "cap": 0, "base": [], "base_within": []}
    times = case.own_times(kind)
    within = sparse.csr_array(
        coverage.reached(case.demand, case.units, times, kind=case.policy.kind(kind)), dtype=np.int8
    )
    minutes = times.minutes
    rows = [
        row
        for row, (i, k) in enumerate(zip(sites.ids, sites.kind, strict=True))
        if k == kind and i in times.site_at
    ]
    ours = {times.site_at[sites.ids[row]] for row in rows}
    base, base_within = np.full(count, np.inf), np.zeros(count, dtype=bool)
    for other in set(range(len(times.site_ids))) - ours:
        at = slice(minutes.indptr[other], minutes.indptr[other + 1])
        base[minutes.indices[at]] = np.minimum(base[minutes.indices[at]], minutes.data[at])
        base_within[within.indices[within.indptr[other] : within.indptr[other + 1]]] = True
    held = case.times[kind]
    known = held.minutes.data
    cap = held.cutoff_min if np.isfinite(held.cutoff_min) else float(known.max()) if len(known) else 0.0
    return {
        "kind": kind,
        "rows": rows,
        "pairs": _pairs(minutes, within, [times.site_at[sites.ids[row]] for row in rows]),
        "cap": cap,
        "base": [-1 if np.isinf(m) else round(float(m) * TENTHS) for m in base],
        "base_within": [int(v) for v in np.flatnonzero(base_within)],
    }


def _pairs(minutes: Any, within: Any, rows: list[int]) -> str:
    """Return the pairs of `rows` as base64 of whole numbers, 7 bits a byte.

    Of each row how many pairs; of each pair the step to the next village, twice it and one where it is within the cutoff, and its
    tenths of minutes.
    """
    stream = bytearray()

    def put(number: int) -> None:
        while number >= 128:
            stream.append(number & 127 | 128)
            number >>= 7
        stream.append(number)

    for row in rows:
        at = slice(minutes.indptr[row], minutes.indptr[row + 1])
        order = np.argsort(minutes.indices[at], kind="stable")
        columns = minutes.indices[at][order]
        tenths = np.rint(minutes.data[at][order] * TENTHS).astype("int64")
        near = np.isin(columns, within.indices[within.indptr[row] : within.indptr[row + 1]])
        put(len(columns))
        before = 0
        for column, tenth, bit in zip(columns.tolist(), tenths.tolist(), near.tolist(), strict=True):
            put((column - before) * 2 + int(bit))
            put(tenth)
            before = column
    return base64.b64encode(bytes(stream)).decode("ascii")


def _targets(case: PlanCase, row_of: dict[str, int], language: Language) -> Iterator[dict[str, Any]]:
    """Yield, for each place of each target that sites can change, what is counted and how much of it is asked."""
    needs = {(r.target_id, r.scope_id): r for r in requirements(case)}
    for (target_id, scope_id), need in needs.items():
        target = case.policy.target(target_id)
        told = {
            "id": target_id,
            "scope": scope_id,
            "name": labels.pick(target.name, language),
            "needed": need.needed,
            "counts": need.counts,
            "kind": need.kind,
        }
        if need.counts == "units":
            yield told | {"members": need.members.tolist()}
            continue
        counts, once = _counted_sites(case, target, scope_id, row_of)
        yield told | {"members": counts, "once": once}


def _counted_sites(
    case: PlanCase, target: Any, scope_id: str, row_of: dict[str, int]
) -> tuple[list[int], list[list[int]]]:
    """Return the sites that count, and which of them do not while another is open: what stands for the same place, or is replaced."""
    claims = claims_of(case, target)
    if claims is None:
        return [], []
    row_in = [row_of.get(site_id, -1) for site_id in case.every.index]
    inside = coverage.lies_in(case.every["county_id"].to_numpy(dtype=object), scope_id, case.counties)
    members = {row_in[r] for r in np.flatnonzero((claims.own | claims.flagged) & inside)} - {-1}
    pairs = [[row_in[row], row_in[other]] for row, other in claims.same.tolist()]
    return sorted(members), sorted([row, other] for row, other in pairs if row in members and other >= 0)
